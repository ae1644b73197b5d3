"""Models and conversions that many tests look at, made once a session."""

from __future__ import annotations

from typing import Any

import pytest

import tfkit
from helpers import conversion as make


@pytest.fixture(scope="session")
def float_model() -> Any:
    return make.float_cnn()


@pytest.fixture(scope="session")
def binary_model() -> Any:
    return make.binary_cnn()


@pytest.fixture(scope="session")
def aware_model(float_model: Any) -> Any:
    """Quantization-aware twin of ``float_model``, its ranges set from data."""
    return tfkit.quantize_aware(float_model, make.images(32))


@pytest.fixture(scope="session")
def aware_binary_model(binary_model: Any) -> Any:
    return tfkit.quantize_aware(binary_model, make.images(32))


@pytest.fixture(scope="session")
def float_conversion(float_model: Any) -> Any:
    return tfkit.convert(float_model)


@pytest.fixture(scope="session")
def int8_conversion(float_model: Any) -> Any:
    return tfkit.convert(float_model, "int8", calibration=make.images(32), io="int8", min_agreement=0.0)


@pytest.fixture(scope="session")
def aware_conversion(aware_model: Any) -> Any:
    return tfkit.convert(aware_model, "int8", io="int8", data=make.images(8, seed=3))


@pytest.fixture(scope="session")
def binary_conversion(binary_model: Any) -> Any:
    return tfkit.convert(binary_model, "lce")


@pytest.fixture(scope="session")
def mixed_conversion(aware_binary_model: Any) -> Any:
    return tfkit.convert(aware_binary_model, "lce", io="int8", data=make.images(8, seed=3))


@pytest.fixture(scope="session")
def sparse_conversion() -> Any:
    return tfkit.convert(make.pruned_cnn())
