"""Convert and verify: options checked, model traced, converted, annotated, audited, compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tfkit._errors import (
    ConversionError,
    InferenceError,
    ParityError,
    StrictError,
    UnsupportedError,
    UsageError,
)
from tfkit._registry import unknown_name
from tfkit.converters import calibration as samples
from tfkit.converters import flatbuffer as fb
from tfkit.converters import ledger
from tfkit.converters.calibration import Batch
from tfkit.converters.conversion import Conversion
from tfkit.converters.declared import declared_layers
from tfkit.converters.graph import Model
from tfkit.converters.inspection import read_bytes
from tfkit.converters.lowbit.fold import folded
from tfkit.converters.parity import Parity, compare
from tfkit.converters.passes.exact_int8 import exact_integers
from tfkit.converters.passes.metadata import describe, embed_metadata, read_metadata
from tfkit.converters.passes.name_ends import name_ends
from tfkit.converters.passes.packed_weights import pack_weights
from tfkit.converters.reasons import Reason
from tfkit.converters.sources import Source, open_source
from tfkit.converters.targets import lce, lowbit, tflite
from tfkit.converters.tracing import PACKING, Traced, trace
from tfkit.runtime.backends import Backend

FORMATS = {
    "float32": "32-bit floats; weights that are mostly zero are stored sparsely",
    "float16": "weights in 16 bits, arithmetic in 32",
    "dynamic": "int8 weights, activations quantized while running",
    "int8": "full integer, from quantization-aware training or from calibration data",
    "auto": "each layer by its quantizers: binary, few-bit, packed weights, int8 or float, in one file",
    "lowbit": "few-bit layers and weights in bits (tfkit's ops), the rest float",
    "lce": "binary convolutions in bits, the rest float, or int8 after quantization-aware training",
}
RUNTIMES: dict[str, Backend] = {"litert": "litert", "tflite-2.14": "tflite_runtime"}
IO_TYPES = {"float32": "FLOAT32", "int8": "INT8"}
RUNNABLE_CUSTOM_OPS = ("Lce", "Tfkit")

Progress = Callable[[str], None]


def convert(
    model: Any,
    format: str = "float32",
    *,
    calibration: Any = None,
    io: str | None = None,
    runtime: str = "litert",
    batch: int | str = 1,
    strict: bool = False,
    verify: bool = True,
    data: Any = None,
    min_agreement: float = 0.80,
    trust_model: bool = False,
    progress: Progress | None = None,
) -> Conversion:
    """Convert a Keras model to a flatbuffer, list what became of every layer, and prove that it computes the same.

    Args:
        model: a tf_keras or Keras 3 model, or the path of a ``.keras``, ``.h5`` or SavedModel.
        format: one of ``FORMATS``.
        calibration: raw samples for post-training int8: an .npz path, a named data set, an array, or a mapping.
        io: ``"float32"`` (default) or ``"int8"`` inputs and outputs; int8 needs an integer model.
        runtime: ``"litert"`` or ``"tflite-2.14"``: the file must load, and is verified, in that runtime.
        batch: samples per invocation, or ``"dynamic"``.
        strict: a layer that fell back raises ``StrictError``.
        verify: compare with the Keras model in the runtime.
        data: raw samples to verify on, beside seeded random ones; same forms as ``calibration``.
        min_agreement: least share of equal top-1 answers on real data (``data``, else ``calibration``), for
            classifiers; below 0.95 the parity check warns.
        trust_model: run code that a model file carries (Lambda layers in .h5).
        progress: called with one line per step.

    Raises:
        UsageError: options that are unknown or exclude each other.
        ModelError, DataError: a model or data that cannot be used.
        ConversionError: the underlying converter refused, with its reason.
        FellBack, Rejected: a check (``strict``, parity) said no; the exception holds the ``conversion``.
    """
    tell = progress or (lambda line: None)
    _check_options(format, io, runtime, batch, calibration, min_agreement)
    io = io or "float32"
    tell("reading the model")
    source = open_source(model, trust_model=trust_model)
    traced = trace(source, format, batch)
    function, rewritten = traced.function, traced.rewritten
    trained_int8 = lce.is_quantization_aware(function)
    _check_route(format, io, batch, calibration, trained_int8)
    ends = (source.inputs, source.metadata)
    classes = _classes(function)
    calibrating = None if calibration is None else samples.read(calibration, *ends, split="train", classes=classes)
    checking = None if data is None else samples.read(data, *ends, classes=classes)

    tell(f"converting to {format}")
    flatbuffer, complaints = _run_target(source, traced, format, io, runtime, calibrating, trained_int8)
    unpacked = dict(traced.unpacked)
    rounded: Mapping[str, Reason | None] = {}
    if format in ("int8", "auto") and (trained_int8 or calibrating is not None) and source.keras is not None:
        flatbuffer, rounded = exact_integers(source.keras, flatbuffer, pack=format == "auto", trained=trained_int8)
    if format in PACKING:
        flatbuffer, refused = pack_weights(source.keras, flatbuffer)
        unpacked |= refused
    edit = fb.Edit(flatbuffer)
    # Names first: metadata is written last, over what the file finally holds.
    name_ends(edit, source)
    metadata = describe(
        source.metadata,
        format=format,
        io=io,
        runtime=runtime,
        source=source.kind,
        digest=source.digest(),
        rewritten=rewritten,
    )
    embed_metadata(edit, metadata)
    flatbuffer = edit.serialize()
    result = fb.parse(flatbuffer)
    _check_ends(result, io, batch)
    _check_custom_ops(result)
    _check_loads(flatbuffer, runtime)
    tell("matching layers to ops")
    found = ledger.build(
        source.keras,
        result,
        format,
        trained_int8=trained_int8,
        complaints=complaints,
        kind=source.kind,
        rewritten=rewritten,
        unpacked=unpacked,
        rounded=rounded,
    )
    conversion = Conversion(flatbuffer, found, None, format, metadata)
    if strict and not found.ok:
        raise FellBack(conversion)
    if not verify:
        return conversion
    tell("comparing with Keras")
    parity = compare(
        source,
        flatbuffer,
        trained_int8=trained_int8,
        runtime=runtime,
        backend=RUNTIMES[runtime],
        data=checking,
        calibration=calibrating,
        min_agreement=min_agreement,
    )
    conversion = replace(conversion, parity=parity)
    if not parity.ok:
        raise Rejected(parity, conversion)
    return conversion


class FellBack(StrictError):
    """``strict`` was asked and a layer fell back; ``conversion`` holds what was rejected, without a parity check."""

    def __init__(self, conversion: Conversion) -> None:
        super().__init__(_strict_message(conversion.ledger))
        self.conversion = conversion


class Rejected(ParityError):
    """A parity check said no; ``conversion`` holds what was rejected."""

    def __init__(self, parity: Parity, conversion: Conversion | None = None) -> None:
        first = [f"first layer that differs: {parity.first_diverging}"] if parity.first_diverging else []
        super().__init__("\n  ".join(["flatbuffer and Keras model disagree", *parity.failures, *first]))
        self.parity = parity
        self.conversion = conversion


def verify(
    model: Any,
    flatbuffer: str | os.PathLike[str] | bytes,
    *,
    data: Any = None,
    seed: int = 0,
    runtime: str | None = None,
    min_agreement: float = 0.80,
    trust_model: bool = False,
    layers: bool = True,
    progress: Progress | None = None,
) -> Parity:
    """Compare a flatbuffer with the Keras model it came from, end to end and layer by layer.

    A difference beyond the derived bound is no exception here: ``Parity.ok`` is False and ``failures`` says why.

    Args:
        model: as for ``convert``.
        flatbuffer: path or bytes of a ``.tflite`` file.
        data: raw samples, beside the seeded ones.
        seed: of the seeded samples.
        runtime: ``"litert"`` or ``"tflite-2.14"``; by default the one the file was made for.
        min_agreement: least share of equal top-1 answers on ``data``, for classifiers.
        trust_model: run code that a model file carries (Lambda layers in .h5).
        layers: compare every layer with weights.
        progress: called with one line per step.

    Raises:
        UsageError: an unknown runtime, or ends of other shapes than the model's.
        ModelError, DataError: a model or data that cannot be used.
    """
    tell = progress or (lambda line: None)
    content = read_bytes(flatbuffer)
    known = read_metadata(content) or {}
    recorded_runtime = str(known.get("runtime"))  # the file may hold anything here
    runtime = runtime or (recorded_runtime if recorded_runtime in RUNTIMES else "litert")
    if runtime not in RUNTIMES:
        raise UsageError(unknown_name("runtime", runtime, RUNTIMES))
    tell("reading the model")
    source = open_source(model, trust_model=trust_model)
    _check_same_ends(source, fb.parse(content))
    function = source.trace(1)
    ends = (source.inputs, source.metadata)
    checking = None if data is None else samples.read(data, *ends, classes=_classes(function))
    trained_int8 = lce.is_quantization_aware(function)
    tell("comparing with Keras")
    parity = compare(
        source,
        content,
        trained_int8=trained_int8,
        runtime=runtime,
        backend=RUNTIMES[runtime],
        data=checking,
        seed=seed,
        min_agreement=min_agreement,
        layers=layers,
    )
    recorded = known.get("source_sha256")
    if recorded is None or parity.ok or recorded == source.digest():
        return parity
    other = "the flatbuffer records another source model (sha256 differs): it was made from another, or before training"
    return replace(parity, warnings=(other, *parity.warnings))


def _check_same_ends(source: Source, model: Model) -> None:
    graph = model.main
    got = [graph.tensors[i].shape_signature[1:] for i in graph.inputs]
    wanted = [tuple(spec.shape) for spec in source.inputs]
    if got != wanted or len(graph.outputs) != len(source.outputs):
        raise UsageError(
            f"the flatbuffer takes {got} and gives {len(graph.outputs)} outputs, the model takes {wanted} and gives "
            f"{len(source.outputs)}: it was not made from this model"
        )


def _strict_message(found: ledger.Ledger) -> str:
    lines = [f"strict: {len(found.fallbacks)} of {len(found.entries)} declared layers fell back"]
    for entry in found.fallbacks:
        lines.append(f"  {entry.layer} ({entry.declared}) became {entry.op} in {entry.precision}: {entry.reason}")
        lines += [f"    fix: {entry.fix}"] if entry.fix else []
    return "\n".join(lines)


def _check_options(
    format: str, io: str | None, runtime: str, batch: int | str, calibration: Any, min_agreement: float
) -> None:
    if format not in FORMATS:
        raise UsageError(unknown_name("format", format, FORMATS))
    if io is not None and io not in IO_TYPES:
        raise UsageError(unknown_name("io type", io, IO_TYPES))
    if runtime not in RUNTIMES:
        raise UsageError(unknown_name("runtime", runtime, RUNTIMES))
    if batch != "dynamic" and not (isinstance(batch, int) and not isinstance(batch, bool) and batch >= 1):
        raise UsageError(f"batch is {batch!r}; give a number of samples from 1, or 'dynamic'")
    if batch == "dynamic" and format == "lce":
        raise UnsupportedError("binary flatbuffers have a fixed batch (LCE's converter fixes it); give batch=1 or more")
    if batch == "dynamic" and format in PACKING:
        raise UnsupportedError("few-bit flatbuffers have a fixed batch: packed ops have fixed shapes; give batch=1")
    if calibration is not None and format not in ("int8", "auto"):
        raise UsageError(f"calibration data is for format int8 or auto, not {format}; leave it out or ask for int8")
    if not 0.0 <= min_agreement <= 1.0:
        raise UsageError(f"min_agreement is {min_agreement}; give a share between 0 and 1")


def _check_route(format: str, io: str, batch: int | str, calibration: Any, trained_int8: bool) -> None:
    both = (
        "either train it quantization-aware (model = tfkit.quantize_aware(model), then fit), "
        "or give calibration data (calibration=..., --calibration x.npz) for post-training quantization"
    )
    if format == "int8" and calibration is None and not trained_int8:
        raise UsageError(f"int8 needs the ranges of the activations, and this model has none: {both}")
    if calibration is not None and trained_int8:
        raise UsageError("this model learned its ranges in quantization-aware training; leave the calibration data out")
    if io == "int8" and format not in ("int8", "lce", "auto"):
        raise UsageError(f"int8 inputs and outputs need an integer model, and {format} computes in float; use int8")
    if io == "int8" and format in ("lce", "auto") and calibration is None and not trained_int8:
        raise UsageError(
            "int8 inputs and outputs need known ranges, and this model was not trained with any: "
            "use tfkit.quantize_aware(model), fit, convert again; or keep io='float32'"
        )
    if trained_int8 and format in ("float32", "float16", "dynamic", "lowbit"):
        raise UsageError(
            f"this model was trained quantization-aware; as {format} it would keep its fake-quantization and gain "
            "nothing: convert it with format='int8' (or 'lce' when it has binary layers)"
        )


def _classes(function: Any) -> int | None:
    """How many classes a traced classifier, of one output (batch, classes), tells apart."""
    shapes = [tensor.shape for tensor in function.outputs]
    if len(shapes) != 1 or shapes[0].rank != 2 or shapes[0][1] is None or shapes[0][1] < 2:
        return None
    return int(shapes[0][1])


def _run_target(
    source: Source,
    traced: Traced,
    format: str,
    io: str,
    runtime: str,
    calibrating: Batch | None,
    trained_int8: bool,
) -> tuple[bytes, list[str]]:
    function = traced.function
    if format == "auto" and calibrating is not None and (traced.binary or traced.packed):
        names = ", ".join([*traced.binary, *traced.packed][:3])
        raise UsageError(
            f"calibration runs the model in float, and this one has layers that become ops in bits ({names}); "
            "leave the calibration data out, or train the rest with tfkit.quantize_aware"
        )
    if format == "lce":
        return lce.convert(function, io=io)
    if format == "auto" and (traced.binary or (traced.packed and trained_int8)):
        flatbuffer, complaints = lce.convert(function, io=io, composites=bool(traced.packed))
        return (folded(flatbuffer) if traced.packed else flatbuffer), complaints
    if traced.packed:
        return lowbit.convert(function), []
    pruned = (
        format == "float32"
        and source.keras is not None
        and any(d.is_sparse for d in declared_layers(source.keras))
        # TensorFlow Lite would store such a kernel in no bytes at all, which no runtime takes for a constant.
        and not any(len(v.shape) > 1 and not np.any(v.numpy()) for v in source.variables)
    )
    if format in PACKING:
        format = "int8" if trained_int8 or calibrating is not None else "float32"
    flatbuffer = tflite.convert(
        function,
        format=format,
        io=io,
        sparse=pruned,
        calibration=None if calibrating is None else calibrating.one_by_one,
        old_runtime=runtime == "tflite-2.14",
    )
    return flatbuffer, []


def _check_ends(model: Model, io: str, batch: int | str) -> None:
    """The file must have the ends that were asked for: converters ignore such wishes silently."""
    graph = model.main
    for what, indices in (("input", graph.inputs), ("output", graph.outputs)):
        for tensor in (graph.tensors[i] for i in indices):
            if tensor.type in IO_TYPES.values() and tensor.type != IO_TYPES[io]:
                raise ConversionError(
                    f"{io} ends were asked for, but the converter left {what} {tensor.name!r} {tensor.type}; "
                    f"a layer at that end has no integer form: see `tfkit inspect`, or convert with io='float32'"
                )
    if batch != "dynamic" and any(op.name == "SHAPE" for op in graph.ops):
        raise ConversionError(
            "the graph still computes shapes at run time although the batch is fixed; "
            "a layer of the model uses tf.shape on a tensor of unknown size: give it a fixed size"
        )


def _check_custom_ops(model: Model) -> None:
    foreign = sorted(
        {op.name for g in model.graphs for op in g.ops if op.is_custom and not op.name.startswith(RUNNABLE_CUSTOM_OPS)}
    )
    if foreign:
        raise ConversionError(
            f"no stock runtime can run the op {', '.join(foreign)}; replace the layer that computes it by standard ones"
        )


def _check_loads(flatbuffer: bytes, runtime: str) -> None:
    from tfkit.runtime import Interpreter

    try:
        Interpreter(flatbuffer, backend=RUNTIMES[runtime])
    except InferenceError as error:
        raise ConversionError(f"the converted file does not load in {runtime}: {error}") from error
