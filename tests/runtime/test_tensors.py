"""Quantization of integer ends against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tfkit._errors import DataError
from tfkit.runtime.tensors import TensorInfo, dequantize, quantize

HALF = TensorInfo(0, "x", (1, 8), np.dtype(np.int8), 0.5, -3)


def test_quantize_rounds_halves_away_from_zero_and_clips() -> None:
    real = np.array([0.0, 0.25, -0.25, 0.24, 0.75, -0.75, 1e9, -1e9], np.float32)
    # real / 0.5 = 0, 0.5, -0.5, 0.48, 1.5, -1.5; rounded 0, 1, -1, 0, 2, -2; minus 3
    np.testing.assert_array_equal(quantize(real, HALF), np.array([-3, -2, -4, -3, -1, -5, 127, -128], np.int8))


def test_dequantize_is_the_affine_map() -> None:
    values = np.array([-128, -3, 127], np.int8)
    np.testing.assert_array_equal(dequantize(values, HALF), np.array([-62.5, 0.0, 65.0], np.float32))
    plain = TensorInfo(0, "x", (1,), np.dtype(np.int32))
    np.testing.assert_array_equal(dequantize(np.array([7], np.int32), plain), np.array([7.0], np.float32))


def test_uint8_and_infinities() -> None:
    info = TensorInfo(0, "x", (1, 3), np.dtype(np.uint8), 0.1, 128)
    np.testing.assert_array_equal(quantize(np.array([np.inf, -np.inf, 0.0]), info), np.array([255, 0, 128], np.uint8))


def test_what_cannot_be_quantized() -> None:
    with pytest.raises(DataError, match="without quantization parameters; give int8 data"):
        quantize(np.zeros(1), TensorInfo(0, "x", (1,), np.dtype(np.int8)))
    with pytest.raises(DataError, match="'x' hold NaN"):
        quantize(np.array([np.nan]), HALF)
