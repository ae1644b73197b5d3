from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit.converters.lowbit.methods as methods
from tfkit import layers, quantizers
from tfkit._keras import legacy_keras
from tfkit.converters.declared import declared_layers
from tfkit.converters.lowbit.plan import Plan, activations_of, planned, weights_of
from tfkit.converters.reasons import Reason

keras = legacy_keras()


def _layer(**quantized: Any) -> Any:
    """A model of one dense layer with these quantizers."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.Input((40,)), layers.QuantDense(24, **quantized)])
    layer = model.layers[0]
    if isinstance(layer.kernel_quantizer, quantizers.INQ):
        layer.kernel_quantizer.fix(layer.kernel.numpy(), 1.0)
    return model


def test_every_quantizer_is_in_the_table_once() -> None:
    named = [name for method in methods.METHODS for name in method.names]
    assert sorted(named) == sorted(quantizers.ALIASES)


@pytest.mark.parametrize("name", list(quantizers.ALIASES))
def test_the_converter_does_what_the_table_says(name: str) -> None:
    quantizer = quantizers.get(name)
    method = methods.method_of(name)
    if getattr(quantizer, "role", "kernel") == "kernel":
        found: Any = weights_of(_layer(kernel_quantizer=name).layers[0])
    else:
        found = activations_of(_layer(input_quantizer=name).layers[0].input_quantizer)
    assert (found.code if isinstance(found, Reason) else methods.PACKED) == method.fate
    if method.fate == methods.PACKED and method.planes == "k":
        assert found[0].planes == quantizer.precision


def test_weights_without_quantized_inputs_are_refused() -> None:
    found = planned(declared_layers(_layer(kernel_quantizer="bwn"))[0])
    assert isinstance(found, Reason)
    assert found.code == "float_activations"


def test_inq_with_free_weights_is_refused() -> None:
    model = keras.Sequential(
        [keras.Input((9,)), layers.QuantDense(4, input_quantizer="dorefa_a2", kernel_quantizer="inq_w3")]
    )
    found = planned(declared_layers(model)[0])
    assert isinstance(found, Reason)
    assert found.code == "off_grid"


def test_the_documentation_is_the_table() -> None:
    page = Path(methods.__file__).with_name("METHODS.md")
    assert page.read_text(encoding="utf-8") == methods.documentation()


def test_packed_bits_are_the_kernel() -> None:
    """Weights, read back by their definition, are the kernel that Keras computes with."""
    model = _layer(kernel_quantizer="lsq_w3", input_quantizer="lq_a2")
    found = planned(declared_layers(model)[0])
    assert isinstance(found, Plan)
    assert found.options["bases"] == 1  # a grid beside bases has a scale a bit
    bits = np.unpackbits(found.words.view(np.uint8), bitorder="little")[: 3 * 24 * 40].reshape(3, 24, 40)
    layer = model.layers[0]
    step = np.asarray(layer.input_quantizer.levels().scales)
    per_bit = found.scales.reshape(3, 2, 24)[:, 0] / step[0]
    integers = found.options["weight_lowest"] + found.options["weight_step"] * bits.astype(np.float32)
    kernel = np.asarray(layer.kernel_quantizer(layer.kernel.numpy()))
    np.testing.assert_allclose(np.einsum("ic,ick->kc", per_bit, integers), kernel, atol=1e-5)
