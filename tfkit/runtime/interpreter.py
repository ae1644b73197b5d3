"""Run any flatbuffer, binary and few-bit ones included, on a stock runtime."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tfkit._errors import DataError, InferenceError, UsageError
from tfkit.runtime import backends, delegate
from tfkit.runtime.model_file import read_model
from tfkit.runtime.tensors import TensorInfo, quantize


class Interpreter:
    """A flatbuffer in LiteRT (or TFLite 2.14), with the tfkit delegate where the model has binary or few-bit ops
    or sparse weights.

    Args:
        model: path or content of a ``.tflite`` file.
        num_threads: for the runtime's kernels and for tfkit's.
        backend: ``"litert"`` (ai-edge-litert) or ``"tflite_runtime"`` (tflite-runtime 2.14).
        kernels: ``"optimized"`` is what ships: XNNPACK and tfkit's fastest kernels. ``"reference"`` is TFLite's
            plain reference kernels and tfkit's: slow, and the truth that the others are compared with.
        kernel: forces one tfkit kernel by name, for example ``"portable"``.
        preserve_all_tensors: keep intermediate tensors for ``tensor()``. XNNPACK is left out then (TFLite's own
            optimized kernels run); tensors inside a chain of tfkit ops stay unavailable.

    Raises:
        ModelError: the file is missing, truncated or no flatbuffer.
        InferenceError: a custom op that nothing resolves, or an op version that this runtime lacks.
        MissingToolError: the backend's package or the delegate is not installed.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        num_threads: int = 1,
        backend: backends.Backend = "litert",
        kernels: Literal["optimized", "reference"] = "optimized",
        kernel: str | None = None,
        preserve_all_tensors: bool = False,
    ) -> None:
        if num_threads < 1:
            raise UsageError(f"num_threads is {num_threads}; give 1 or more")
        if kernels not in ("optimized", "reference"):
            raise UsageError(f"kernels is {kernels!r}; give 'optimized' or 'reference'")
        file = read_model(model)
        self._backend = backend
        self._custom_ops = file.custom_ops
        self._names = file.signature_names
        module = backends.load(backend)
        delegates = []
        if delegate.needs_delegate(file):
            forced = kernel or ("reference" if kernels == "reference" else None)
            try:
                delegates.append(module.load_delegate(delegate.library(), delegate.options(num_threads, forced)))
            except (ValueError, OSError) as error:
                raise InferenceError(f"the tfkit delegate does not start: {' '.join(str(error).split())}") from error
        try:
            self._native = module.Interpreter(
                model_content=file.data,
                num_threads=num_threads,
                experimental_delegates=delegates,
                experimental_op_resolver_type=backends.resolver(module, kernels, preserve_all_tensors),
                experimental_preserve_all_tensors=preserve_all_tensors,
            )
            self._native.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise backends.explain(error, backend, self._custom_ops) from error
        self._read_details()

    def _read_details(self) -> None:
        self.inputs = tuple(TensorInfo.from_details(d, self._names) for d in self._native.get_input_details())
        self.outputs = tuple(TensorInfo.from_details(d, self._names) for d in self._native.get_output_details())

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Exactly one invocation; inputs in the model's order, with its dtypes and shapes.

        Raises:
            DataError: wrong number of arrays, dtype or shape.
            InferenceError: a kernel failed.
        """
        if len(inputs) != len(self.inputs):
            raise DataError(f"got {len(inputs)} arrays; the model takes {len(self.inputs)}: {self._describe_inputs()}")
        arrays = [self._exact(info, array) for info, array in zip(self.inputs, inputs, strict=True)]
        try:
            self._resize([a.shape for a in arrays])
            for info, array in zip(self.inputs, arrays, strict=True):
                self._native.set_tensor(info.index, array)
            self._native.invoke()
        except (ValueError, RuntimeError) as error:
            raise backends.explain(error, self._backend, self._custom_ops) from error
        return [self._native.get_tensor(info.index) for info in self.outputs]

    def predict(
        self, batch: np.ndarray | Mapping[str, np.ndarray] | Sequence[np.ndarray]
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        """Outputs for a batch of any length: one array, or a tuple in the model's order for several outputs.

        A model with a fixed batch runs in a loop; one with a free batch is resized. Float data for an int8 or uint8
        input are quantized with the input's parameters; integer outputs stay integers (``outputs[i].scale`` and
        ``zero_point`` say what they mean).

        Args:
            batch: array [batch, ...] for a single input; for several, a mapping by input name or a sequence in
                the model's order.

        Raises:
            DataError: wrong names, shapes or types; a batch that the model's fixed batch does not divide.
            InferenceError: a kernel failed.
        """
        arrays = [self._typed(info, array) for info, array in zip(self.inputs, self._by_input(batch), strict=True)]
        if any(a.ndim == 0 for a in arrays) or len({len(a) for a in arrays}) != 1 or not len(arrays[0]):
            shapes = ", ".join(str(a.shape) for a in arrays)
            raise DataError(f"every input needs the same, non-empty first axis (the batch); got shapes {shapes}")
        count = len(arrays[0])
        step = count if all(info.free_batch for info in self.inputs) else self._fixed_batch()
        if count % step:
            raise DataError(f"the model's batch is fixed to {step}; {count} samples are not a multiple of it")
        parts = [self.run([a[start : start + step] for a in arrays]) for start in range(0, count, step)]
        outputs = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
        return outputs[0] if len(outputs) == 1 else outputs

    def tensor(self, index: int) -> np.ndarray:
        """A copy of tensor ``index`` after ``run``; intermediate ones need ``preserve_all_tensors``."""
        try:
            return self._native.get_tensor(index)
        except ValueError as error:
            raise InferenceError(
                f"tensor {index} has no data ({' '.join(str(error).split())}); "
                "create the Interpreter with preserve_all_tensors=True. Tensors inside a delegate stay hidden"
            ) from error

    def _by_input(self, batch: Any) -> list[np.ndarray]:
        if isinstance(batch, Mapping):
            names = [info.name for info in self.inputs]
            if set(batch) != set(names):
                raise DataError(f"got arrays named {sorted(batch)}; the model takes {self._describe_inputs()}")
            return [np.asarray(batch[name]) for name in names]
        if isinstance(batch, list | tuple) and len(self.inputs) > 1:
            if len(batch) != len(self.inputs):
                raise DataError(
                    f"got {len(batch)} arrays; the model takes {len(self.inputs)}: {self._describe_inputs()}"
                )
            return [np.asarray(array) for array in batch]
        if len(self.inputs) > 1:
            raise DataError(f"the model has several inputs; give a mapping or a sequence: {self._describe_inputs()}")
        return [np.asarray(batch)]

    def _typed(self, info: TensorInfo, array: np.ndarray) -> np.ndarray:
        if array.dtype == info.dtype:
            return array
        if info.dtype.kind in "iu" and array.dtype.kind == "f":
            return quantize(array, info)
        if info.dtype.kind == "f" and array.dtype.kind in "fiub":
            return array.astype(info.dtype)
        raise DataError(f"input {info.name!r} takes {info.dtype}; got {array.dtype}")

    def _exact(self, info: TensorInfo, array: np.ndarray) -> np.ndarray:
        array = np.ascontiguousarray(array)
        fits = len(array.shape) == len(info.shape_signature) and all(
            want in (-1, got) for want, got in zip(info.shape_signature, array.shape, strict=True)
        )
        if array.dtype != info.dtype or not fits:
            raise DataError(
                f"input {info.name!r} takes {info.dtype} {_shape(info.shape_signature)}; "
                f"got {array.dtype} {_shape(array.shape)}"
            )
        return array

    def _resize(self, shapes: list[tuple[int, ...]]) -> None:
        if shapes == [info.shape for info in self.inputs]:
            return
        for info, shape in zip(self.inputs, shapes, strict=True):
            self._native.resize_tensor_input(info.index, shape)
        self._native.allocate_tensors()
        self._read_details()

    def _fixed_batch(self) -> int:
        return max((info.shape[0] for info in self.inputs if info.shape and not info.free_batch), default=1)

    def _describe_inputs(self) -> str:
        return "; ".join(f"{i.name!r} {i.dtype} {_shape(i.shape_signature)}" for i in self.inputs)


def _shape(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join("any" if n == -1 else str(n) for n in shape) + "]"
