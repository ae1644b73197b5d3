"""What can be converted: tf_keras models, Keras 3 models, SavedModels, and files of each; one shape for all.

A source fixes the batch while it traces: with a free batch, every reshape drags SHAPE, STRIDED_SLICE and PACK along
and cuts the graph into pieces for XNNPACK.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfkit._errors import ConversionError, ModelError, UsageError
from tfkit._keras import flat_layers
from tfkit.converters.diagnostics import captured, reason
from tfkit.data import InputSpec
from tfkit.metadata import ModelMetadata, metadata_of

SERVING = "serving_default"


@dataclass(frozen=True)
class Source:
    """A model ready to be traced.

    ``keras`` is the tf_keras model, or None where only a function is known (SavedModel, Keras 3);
    ``run`` maps one array per input, any batch, to one array per output.
    """

    kind: str
    keras: Any
    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    metadata: ModelMetadata
    run: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    call: Callable[..., Any]
    variables: Sequence[Any]
    digest: Callable[[], str]
    keep: Any = field(default=None, repr=False)  # what must outlive the source: a temporary folder

    def trace(self, batch: int | None) -> Any:
        """A concrete function over ``batch`` samples (None: free), one positional tensor per input.

        Raises:
            ConversionError: the model refuses that batch, or its own code fails.
        """
        import tensorflow as tf

        specs = [
            tf.TensorSpec((batch, *spec.shape), tf.as_dtype(spec.dtype), name=f"tfkit_input_{i}")
            for i, spec in enumerate(self.inputs)
        ]

        def model(*tensors: Any) -> list[Any]:
            return list(self.call(list(tensors)))

        try:
            return tf.function(model, input_signature=specs, autograph=False).get_concrete_function()
        except Exception as error:
            raise ConversionError(
                f"the model does not run on a batch of {'any size' if batch is None else batch}: "
                f"{_why(error)}; convert with the batch that it was made for (--batch), "
                "or give its layers a free batch axis"
            ) from error


def open_source(model: Any, *, trust_model: bool = False) -> Source:
    """A source from a path or a model in memory.

    Raises:
        ModelError: no model, damaged, or of a kind that tfkit cannot convert.
        UsageError: a model without fixed input shapes.
    """
    if isinstance(model, str | os.PathLike):
        from tfkit.saving import load

        path = Path(model)
        if path.is_dir() and (path / "saved_model.pb").exists():
            return saved_model_source(path)
        model = load(path, trust_model=trust_model)
    if _is_a(model, "tf_keras") or _is_a(model, "keras.src.engine"):
        return keras_source(model)
    if _is_a(model, "keras"):
        return keras3_source(model)
    if hasattr(model, "signatures"):
        raise UsageError("this is a loaded SavedModel; give the path of its folder")
    raise ModelError(
        f"a Keras model or the path of one is needed, not {type(model).__module__}.{type(model).__qualname__}"
    )


def _is_a(model: Any, package: str) -> bool:
    """Whether a class of ``package`` named Model is among the bases: by module, since two Keras may be loaded."""
    return any(
        cls.__name__ == "Model" and (cls.__module__ == package or cls.__module__.startswith(package + "."))
        for cls in type(model).__mro__
    )


def keras_source(model: Any) -> Source:
    """A source over a tf_keras model."""
    policy = getattr(getattr(model, "dtype_policy", None), "name", "float32")
    if policy != "float32":
        raise UsageError(f"the model computes in {policy}; rebuild it with the float32 policy before converting")
    model = _without_pruning(model)
    inputs = _specs(model.input_names if model.inputs else (), model.inputs or ())

    def call(tensors: list[Any]) -> list[Any]:
        return _flat(model(tensors[0] if len(tensors) == 1 else tensors, training=False))

    return Source(
        kind="tf_keras",
        keras=model,
        inputs=inputs,
        outputs=_unique(model.output_names),
        metadata=metadata_of(model),
        run=lambda arrays: [np.asarray(t) for t in call([_tensor(a) for a in arrays])],
        call=call,
        variables=model.variables,
        digest=lambda: _digest(_architecture(model), [v.numpy() for v in model.variables]),
    )


def keras3_source(model: Any) -> Source:
    """A source over a Keras 3 model, through ``Model.export``.

    Raises:
        ModelError: the model runs on another backend than TensorFlow.
        ConversionError: Keras could not export it.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            f"this Keras 3 model runs on {keras.backend.backend()}; set KERAS_BACKEND=tensorflow and load it again"
        )
    names = [str(t.name).split(":")[0] for t in model.inputs or ()]
    specs = _specs(names, model.inputs or ())
    folder = tempfile.TemporaryDirectory(prefix="tfkit-keras3-")
    with captured() as found:
        try:
            model.export(folder.name, format="tf_saved_model", verbose=False)
        except Exception as error:
            folder.cleanup()
            raise ConversionError(f"Keras 3 could not export this model: {reason(error, found)}") from error
    metadata = metadata_of(model)
    outputs = _unique(getattr(model, "output_names", None) or [str(t.name).split(":")[0] for t in model.outputs])
    loaded = saved_model_source(Path(folder.name), keep=folder)
    exported = [spec.name for spec in loaded.inputs]
    # A SavedModel sorts its inputs by name; this source keeps the model's order.
    order = [names.index(name) for name in exported] if set(exported) == set(names) else list(range(len(specs)))

    def call(tensors: list[Any]) -> list[Any]:
        return list(loaded.call([tensors[i] for i in order]))

    return Source(
        kind="keras3",
        keras=None,
        inputs=specs,
        outputs=outputs if len(outputs) == len(loaded.outputs) else loaded.outputs,
        metadata=metadata,
        run=lambda arrays: [np.asarray(t) for t in call([_tensor(a) for a in arrays])],
        call=call,
        variables=loaded.variables,
        digest=lambda: _digest(model.to_json(), [np.asarray(v) for v in model.weights]),
        keep=(folder, loaded),
    )


def saved_model_source(path: Path, keep: Any = None) -> Source:
    """A source over a SavedModel's ``serving_default`` signature. A SavedModel is a program: loading runs it."""
    import tensorflow as tf

    with captured() as found:
        try:
            loaded = tf.saved_model.load(str(path))
        except Exception as error:
            raise ModelError(f"{path} is no readable SavedModel: {reason(error, found)}") from error
    if SERVING not in loaded.signatures:
        have = ", ".join(loaded.signatures) or "none"
        raise ModelError(f"the SavedModel {path} has no signature {SERVING!r} (it has: {have}); export it with one")
    signature = loaded.signatures[SERVING]
    by_name = signature.structured_input_signature[1]
    names = tuple(by_name)
    specs = _specs(names, by_name.values())
    outputs = tuple(sorted(signature.structured_outputs, key=_natural))
    fixed = next((spec.shape[0] for spec in by_name.values() if spec.shape[0] is not None), None)

    def call(tensors: list[Any]) -> list[Any]:
        found = signature(**dict(zip(names, tensors, strict=True)))
        return [found[name] for name in outputs]

    return Source(
        kind="saved_model",
        keras=None,
        inputs=specs,
        outputs=outputs,
        metadata=ModelMetadata(),
        run=lambda arrays: _in_batches(call, arrays, fixed),
        call=call,
        variables=list(signature.graph.variables),
        digest=lambda: _digest(
            signature.graph.as_graph_def().SerializeToString(deterministic=True),
            [v.numpy() for v in signature.graph.variables],
        ),
        keep=(keep, loaded),
    )


def _without_pruning(model: Any) -> Any:
    """Take TF-MOT's pruning wrappers off, with the masks applied: they only matter while training."""
    if any(type(layer).__name__ == "PruneLowMagnitude" for layer in flat_layers(model)):
        from tfkit.pruning import strip  # slow to import

        return strip(model)
    return model


def _specs(names: Sequence[str], tensors: Any) -> tuple[InputSpec, ...]:
    specs = []
    for name, tensor in zip(names, tensors, strict=True):
        rank = len(tensor.shape) if isinstance(tensor.shape, tuple) else tensor.shape.rank
        if not rank:
            known = "is a scalar" if rank == 0 else "has no known number of axes"
            raise UsageError(f"input {name!r} {known}; the first axis must be the batch: export it with a full shape")
        shape = tuple(tensor.shape[1:])
        if any(n is None for n in shape):
            raise UsageError(
                f"input {name!r} has the free shape {shape}; kernels for phones need fixed sizes: "
                "build the model with a full input shape"
            )
        dtype = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.as_numpy_dtype
        specs.append(InputSpec(name, tuple(int(n) for n in shape), np.dtype(dtype)))
    if not specs:
        raise UsageError(
            "the model has no symbolic inputs (a subclassed model, or one that was never built); "
            "wrap it: keras.Model(inputs, model(inputs)) with a keras.Input of full shape"
        )
    return tuple(specs)


def _why(error: Exception) -> str:
    """The line of TensorFlow's account that says what failed; Keras puts the layer in front of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    if lines[0].startswith("in user code"):  # a traceback follows, its last line is the error
        lines = [line for line in lines if re.match(r"\w+(Error|Exception): ", line)][-1:] or lines
    return " ".join(lines[: 2 if lines[0].startswith("Exception encountered") else 1])[:400]


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Sort key that puts output_2 before output_10."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Output names made distinct: one layer may give several outputs."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        result.append(name if not count else f"{name}_{count}")
    return tuple(result)


def _flat(outputs: Any) -> list[Any]:
    import tensorflow as tf

    return list(tf.nest.flatten(outputs))


def _tensor(array: np.ndarray) -> Any:
    import tensorflow as tf

    return tf.constant(array)


def _in_batches(call: Callable[..., Any], arrays: Sequence[np.ndarray], size: int | None) -> list[np.ndarray]:
    """Outputs for all samples of a function that takes ``size`` at a time (None: any); the last batch is filled up."""
    count = len(arrays[0])
    parts = []
    for start in range(0, count, size or count):
        chunk = [a[start : start + (size or count)] for a in arrays]
        missing = (size or count) - len(chunk[0])
        filled = [np.concatenate([a, np.repeat(a[-1:], missing, axis=0)]) if missing else a for a in chunk]
        parts.append([np.asarray(t)[: len(chunk[0])] for t in call([_tensor(a) for a in filled])])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _architecture(model: Any) -> str:
    try:
        return json.dumps(model.get_config(), default=str, sort_keys=True)
    except NotImplementedError:  # subclassed layers without a config are known by their weights alone
        return model.name


def _digest(architecture: str | bytes, weights: Sequence[np.ndarray]) -> str:
    """sha256 over the architecture and every weight's type, shape and bytes, in order."""
    found = hashlib.sha256(architecture.encode() if isinstance(architecture, str) else architecture)
    for weight in weights:
        found.update(f"{weight.dtype}{weight.shape}".encode())
        found.update(np.ascontiguousarray(weight).tobytes())
    return found.hexdigest()
