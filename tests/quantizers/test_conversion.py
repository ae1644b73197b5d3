"""What ``convert`` makes of few-bit networks today: the same values from float ops, and a ledger that says so."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras
from tfkit import quantizers
from tfkit._errors import TfkitError
from tfkit.layers import QuantConv2D, QuantDense
from tfkit.quantizers import ALIASES, Quantizer

SEED = 47
METHODS = [
    name
    for name in ALIASES
    if isinstance(quantizers.get(name), Quantizer)
    and (not name[-1].isdigit() or name.endswith(("_w2", "_a2")))
    and not name.startswith("fixed")  # two fixed bits leave nothing but zeros of such a kernel
] + ["fixed_w8", "fixed_a8"]


def trained(**places: str) -> tuple[Any, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = keras.Sequential(
            [
                keras.layers.Input((6, 6, 8)),
                QuantConv2D(8, 3, padding="same", name="conv", **places),
                keras.layers.BatchNormalization(),
                keras.layers.Flatten(),
                QuantDense(3, name="dense", **places),
            ]
        )
    model.compile("adam", "mse")
    x = np.random.default_rng(SEED).normal(size=(16, 6, 6, 8)).astype(np.float32)
    model.fit(x, np.zeros((16, 3)), epochs=2, verbose=0)
    return model, x


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("format", ["float32", "lce"])
def test_the_converted_network_gives_the_same(name: str, format: str) -> None:
    """Conversion checks parity; a value on an edge may fall on its other side, so most of the outputs are compared."""
    key = "kernel_quantizer" if quantizers.get(name).role == "kernel" else "input_quantizer"
    model, x = trained(**{key: name})
    conversion = tfkit.convert(model, format)
    found = tfkit.runtime.Interpreter(conversion.flatbuffer).predict(x)
    close = np.isclose(found, model(x).numpy(), rtol=1e-4, atol=1e-4)
    assert close.mean() > 0.9, f"seed {SEED}"
    for entry in conversion.ledger.entries:
        assert (entry.status, entry.precision) == ("fallback", "float32")


def test_the_ledger_names_the_bits_and_strict_refuses() -> None:
    model, _ = trained(kernel_quantizer="lsq_w2", input_quantizer="dorefa_a3")
    conversion = tfkit.convert(model, "float32")
    assert {(e.layer, e.declared, e.code) for e in conversion.ledger.entries} == {
        ("conv", "W2A3", "few_bit"),
        ("dense", "W2A3", "few_bit"),
    }
    assert "stored and computed as float32" in conversion.ledger.entries[0].reason
    with pytest.raises(TfkitError, match="W2A3 has no op of its own"):
        tfkit.convert(model, "float32", strict=True)


@pytest.mark.parametrize("name", ["xnor_weights", "dorefa_w1", "abc_w1", "lq_w1", "binary_connect_stochastic"])
def test_scaled_signs_run_as_binary(name: str) -> None:
    model, _ = trained(kernel_quantizer=name, input_quantizer="ste_sign")
    conversion = tfkit.convert(model, "lce", strict=True)
    assert {entry.precision for entry in conversion.ledger.entries} == {"binary"}
