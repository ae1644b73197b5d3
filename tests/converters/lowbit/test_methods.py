"""The table of methods against the converter: a model with a layer for each name, and what its ledger says of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
import tfkit.converters.lowbit.methods as methods
from tfkit import layers, quantizers
from tfkit._keras import legacy_keras
from tfkit.converters.declared import declared_layers
from tfkit.converters.lowbit.columns import INT8, LCE, OWN, REFUSED, STORED
from tfkit.converters.lowbit.plan import Plan, planned
from tfkit.converters.reasons import Reason

keras = legacy_keras()

ACTIVATIONS = [n for n in quantizers.ALIASES if getattr(quantizers.get(n), "role", "kernel") == "activations"]
KERNELS = [n for n in quantizers.ALIASES if n not in ACTIVATIONS]


def some(names: list[str]) -> pytest.MarkDecorator:
    """A test of every sixth name, and as a slow one of all."""
    return pytest.mark.parametrize(
        "names", [pytest.param(names[::6], id="some"), pytest.param(names, id="all", marks=pytest.mark.slow)]
    )


def _branches(quantized: Sequence[dict[str, Any]], names: Sequence[str], fixed: float = 1.0) -> Any:
    """One dense layer a name on one input, their learned scales begun."""
    keras.utils.set_random_seed(7)
    inputs = keras.Input((40,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", layers.NotBinaryWarning)
        made = [layers.QuantDense(12, name=n, **q) for n, q in zip(names, quantized, strict=True)]
    model = keras.Model(inputs, keras.layers.Concatenate()([layer(inputs) for layer in made]))
    for layer in made:
        quantizer = layer.kernel_quantizer
        if isinstance(quantizer, quantizers.Quantizer):
            quantizer.start(layer.kernel.latent_variable.numpy())
        if isinstance(quantizer, quantizers.INQ):
            quantizer.fix(layer.kernel.latent_variable.numpy(), fixed)
    return model


def _entries(model: Any, format: str, **options: Any) -> dict[str, Any]:
    found = tfkit.convert(model, format, verify=False, **options).ledger.entries
    return {entry.layer: entry for entry in found}


def test_every_quantizer_is_in_the_table_once() -> None:
    named = [name for method in methods.METHODS for name in method.names]
    assert sorted(named) == sorted(quantizers.ALIASES)


@some(KERNELS)
def test_kernels_alone_are_stored_in_their_bits(names: list[str]) -> None:
    entries = _entries(_branches([{"kernel_quantizer": n} for n in names], names), "lowbit")
    for name in names:
        assert (entries[name].ships_as, entries[name].status) == (STORED, "ok"), name
        method, bits = methods.method_of(name), quantizers.get(name).precision
        if method.bits != "learned":
            assert entries[name].precision == f"W{bits} in float", name
            assert method.bits in ("k", str(bits)), name


@some(KERNELS)
def test_kernels_with_few_bit_inputs_have_an_op_of_their_own(names: list[str]) -> None:
    model = _branches([{"kernel_quantizer": n, "input_quantizer": "dorefa_a2"} for n in names], names)
    entries = _entries(model, "lowbit")
    for name in names:
        packed = OWN in methods.method_of(name).columns
        assert entries[name].ships_as == (OWN if packed else STORED), name
        assert entries[name].status == ("ok" if packed else "note"), name


@some(ACTIVATIONS)
def test_activations_have_an_op_of_their_own_or_are_rounded_in_float(names: list[str]) -> None:
    model = _branches([{"kernel_quantizer": "twn", "input_quantizer": n} for n in names], names)
    entries = _entries(model, "auto")
    for name in names:
        assert (entries[name].ships_as,) == methods.method_of(name).columns, name
        assert (entries[name].status == "note") == (entries[name].ships_as == STORED), name


@some(KERNELS)
def test_kernels_are_exact_in_int8_where_the_table_says_so(names: list[str]) -> None:
    samples = np.random.default_rng(1).normal(size=(4, 40)).astype(np.float32)
    model = _branches([{"kernel_quantizer": n} for n in names], names)
    entries = _entries(model, "int8", calibration=samples)
    for name in names:
        exact = INT8 in methods.method_of(name).columns
        assert (entries[name].ships_as, entries[name].code) == (INT8, "saved" if exact else "not_integers"), name


@some(KERNELS)
def test_signs_have_an_lce_op(names: list[str]) -> None:
    model = _branches([{"kernel_quantizer": n, "input_quantizer": "ste_sign"} for n in names], names)
    entries = _entries(model, "lce")
    for name in names:
        assert (entries[name].precision == "binary") == (LCE in methods.method_of(name).columns), name


def test_inq_with_free_weights_is_refused() -> None:
    names = [name for method in methods.METHODS if method.refused for name in method.names]
    entries = _entries(_branches([{"kernel_quantizer": n} for n in names], names, fixed=0.5), "lowbit")
    assert {(e.ships_as, e.code, e.status) for e in entries.values()} == {(REFUSED, "off_grid", "fallback")}


def test_weights_without_quantized_inputs_have_no_op_of_their_own() -> None:
    found = planned(declared_layers(_branches([{"kernel_quantizer": "bwn"}], ["bwn"]))[0])
    assert isinstance(found, Reason)
    assert found.code == "float_activations"


def test_the_documentation_is_the_table() -> None:
    page = Path(methods.__file__).with_name("METHODS.md")
    assert page.read_text(encoding="utf-8") == methods.documentation()


def test_an_unknown_name_has_no_row() -> None:
    with pytest.raises(KeyError, match="dorefa_w9"):
        methods.method_of("dorefa_w9")


def test_packed_bits_are_the_kernel() -> None:
    """Weights, read back by their definition, are the kernel that Keras computes with."""
    model = _branches([{"kernel_quantizer": "lsq_w3", "input_quantizer": "lq_a2"}], ["layer"])
    found = planned(declared_layers(model)[0])
    assert isinstance(found, Plan)
    assert found.options["bases"] == 1  # a grid beside bases has a scale a bit
    bits = np.unpackbits(found.words.view(np.uint8), bitorder="little")[: 3 * 12 * 40].reshape(3, 12, 40)
    layer = model.get_layer("layer")
    step = np.asarray(layer.input_quantizer.levels().scales)
    per_bit = found.scales.reshape(3, 2, 12)[:, 0] / step[0]
    integers = found.options["weight_lowest"] + found.options["weight_step"] * bits.astype(np.float32)
    kernel = np.asarray(layer.kernel_quantizer(layer.kernel.latent_variable.numpy()))
    np.testing.assert_allclose(np.einsum("ic,ick->kc", per_bit, integers), kernel, atol=1e-5)
