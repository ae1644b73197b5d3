"""Run a flatbuffer in the stock runtimes with tfkit's delegate, and in LCE's own interpreter."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfkit import _native


def delegate_path() -> Path:
    """The delegate of this installation."""
    return _native.path("libtfkit_delegate.so")


def runtime(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Interpreter class and load_delegate function of ai_edge_litert, tflite_runtime or tensorflow."""
    if name == "ai_edge_litert":
        from ai_edge_litert import interpreter as module
    elif name == "tflite_runtime":
        from tflite_runtime import interpreter as module
    else:
        import tensorflow as tf

        return tf.lite.Interpreter, tf.lite.experimental.load_delegate
    return module.Interpreter, module.load_delegate


class DelegatedInterpreter:
    """An interpreter with tfkit's delegate."""

    def __init__(
        self,
        flatbuffer: bytes,
        name: str = "ai_edge_litert",
        options: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> None:
        interpreter, load_delegate = runtime(name)
        self._delegate = load_delegate(str(delegate_path()), dict(options or {}))
        self.interpreter = interpreter(model_content=flatbuffer, experimental_delegates=[self._delegate], **arguments)
        self.interpreter.allocate_tensors()

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """One invocation."""
        for detail, value in zip(self.interpreter.get_input_details(), inputs, strict=True):
            self.interpreter.set_tensor(detail["index"], value)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(detail["index"]) for detail in self.interpreter.get_output_details()]

    def resize(self, shape: Sequence[int]) -> None:
        """Give the first input another shape."""
        index = self.interpreter.get_input_details()[0]["index"]
        self.interpreter.resize_tensor_input(index, shape)
        self.interpreter.allocate_tensors()

    def report(self) -> list[dict[str, Any]]:
        """The delegate's nodes, each with the kernel that runs it."""
        function = ctypes.CDLL(str(delegate_path())).tfkit_delegate_report
        function.restype = ctypes.c_size_t
        function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        handle = ctypes.cast(self._delegate._get_native_delegate_pointer(), ctypes.c_void_p)
        length = function(handle, None, 0)
        text = ctypes.create_string_buffer(length + 1)
        assert function(handle, text, length + 1) == length
        report = json.loads(text.value)
        assert report["schema_version"] == 1
        nodes: list[dict[str, Any]] = report["nodes"]
        return nodes

    def kernels(self) -> dict[str, str]:
        """Op name to kernel name."""
        return {node["op"]: node["kernel"] for node in self.report()}


def lce_reference(flatbuffer: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What LCE's interpreter computes with its reference convolution: the oracle."""
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    outputs = Interpreter(flatbuffer, use_reference_bconv=True).predict(list(inputs))
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def assert_same_bits(expected: np.ndarray, actual: np.ndarray, what: str) -> None:
    """Equal in type, shape and every bit; otherwise says where the first difference is."""
    assert (expected.dtype, expected.shape) == (actual.dtype, actual.shape), what
    as_bits = {1: np.uint8, 4: np.uint32}[expected.dtype.itemsize]
    wrong = np.argwhere(np.ascontiguousarray(expected).view(as_bits) != np.ascontiguousarray(actual).view(as_bits))
    if len(wrong):
        first = tuple(wrong[0])
        raise AssertionError(
            f"{what}: {len(wrong)} of {expected.size} elements differ, the first at {list(map(int, first))}: "
            f"{expected[first]!r} expected, got {actual[first]!r}"
        )
