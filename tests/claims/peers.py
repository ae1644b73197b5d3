"""What is compared: tfkit's delegate in LiteRT, LCE's interpreter in its modes, and LiteRT alone, which has XNNPACK."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.claims.interleaved import Call
from tests.helpers.lce_runtimes import DelegatedInterpreter

LCE_MODES: dict[str, dict[str, bool]] = {
    "default": {},
    "indirect": {"use_indirect_bgemm": True},
    "indirect + XNNPACK": {"use_indirect_bgemm": True, "use_xnnpack": True},
}


def _input(interpreter: Any) -> np.ndarray:
    detail = interpreter.get_input_details()[0]
    return random_input(tuple(detail["shape"]), np.dtype(detail["dtype"]))


def random_input(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Values of any sign."""
    random = np.random.default_rng(0)
    if dtype == np.float32:
        return random.standard_normal(shape).astype(np.float32)
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def tfkit(flatbuffer: bytes, *, kernel: str | None = None, threads: int = 1) -> tuple[Call, dict[str, str]]:
    """One invocation, and which kernel runs each op."""
    options = {"num_threads": str(threads)} | ({"kernel": kernel} if kernel else {})
    delegated = DelegatedInterpreter(flatbuffer, options=options, num_threads=threads)
    interpreter = delegated.interpreter
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], _input(interpreter))
    return interpreter.invoke, delegated.kernels()


def litert(flatbuffer: bytes) -> Call:
    """One invocation by LiteRT with its default delegate."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], _input(interpreter))
    return interpreter.invoke


def lce(flatbuffer: bytes, mode: str) -> Call:
    """One prediction by LCE's interpreter; its Python interface copies input and output."""
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    interpreter = Interpreter(flatbuffer, num_threads=1, **LCE_MODES[mode])
    values = random_input(tuple(interpreter.input_shapes[0]), np.dtype(interpreter.input_types[0]))
    return lambda: interpreter.interpreter.predict([values])
