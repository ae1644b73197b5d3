"""The bounds that are derived for int8 kernels hold for every kernel there is, and not by far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from helpers.flatbuffers import int8_function
from tfkit.converters.parity.bounds import kernel_bound

SEED = 3
RANGES = 40
SLOPE = np.float32(0.2)
ALL = np.arange(-128, 128, dtype=np.int8)[np.newaxis]


def leaky_relu() -> schema.LeakyReluOptionsT:
    options = schema.LeakyReluOptionsT()
    options.alpha = SLOPE
    return options


# op -> (its function, its options, how much wider than the values the range of the result is)
OPS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[], Any], float]] = {
    "HARD_SWISH": (lambda x: x * np.clip(x + 3, 0, 6) / 6, lambda: None, 1.0),
    "LEAKY_RELU": (lambda x: np.where(x > 0, x, SLOPE * x), leaky_relu, 1.0),
    "QUANTIZE": (lambda x: x, schema.QuantizeOptionsT, 1.7),
}
KERNELS = tf.lite.experimental.OpResolverType


def grid(low: float, high: float) -> tuple[float, int]:
    """Scale and zero point of a range."""
    scale = np.float32((high - low) / 255)
    return float(scale), int(np.round(-128 - low / scale))


def run(flatbuffer: bytes, kernels: Any) -> np.ndarray:
    interpreter = tf.lite.Interpreter(model_content=flatbuffer, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], ALL)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]), np.float64)


@pytest.mark.parametrize("name", OPS)
def test_kernels_keep_their_bound_and_need_it(name: str) -> None:
    function, options, wider = OPS[name]
    rng = np.random.default_rng(SEED)
    shares = []
    for _ in range(RANGES):
        given = grid(-rng.uniform(0.5, 8), rng.uniform(0.3, 8))
        values = function((ALL.astype(np.float64) - given[1]) * given[0])
        made = grid(wider * min(values.min(), 0.0), wider * values.max())
        exact = np.clip(values / made[0] + made[1], -128, 127)
        bound = kernel_bound(name, given[0] / made[0], ALL.shape, ALL.shape)
        flatbuffer = int8_function(name, given, made, ALL.shape, options())
        for kernels in (KERNELS.BUILTIN_REF, KERNELS.BUILTIN_WITHOUT_DEFAULT_DELEGATES, KERNELS.BUILTIN):
            beyond = np.abs(run(flatbuffer, kernels) - exact).max() - 0.5
            assert beyond <= bound, f"seed {SEED}: {name} {given} {made} {kernels}"
            shares.append(beyond / bound)
    assert max(shares) > 1 / 8, f"a bound that no kernel comes near: {max(shares)}"


def test_resizing_is_bound_where_its_step_has_no_ten_bits() -> None:
    assert kernel_bound("RESIZE_BILINEAR", 1.0, (1, 16, 8, 3), (1, 8, 8, 3)) == 0.0
    # 8 / 13 is off by at most half of 2^-10, at most 14 times, of 255 LSB
    assert kernel_bound("RESIZE_BILINEAR", 1.0, (1, 13, 8, 3), (1, 8, 8, 3)) == 255 * 14 * 2.0**-11
    assert kernel_bound("CONV_2D", 1.0, (1, 8, 8, 3), (1, 8, 8, 3)) == 0.0
