"""One case per rule, and the cases next to it that must not match."""

from __future__ import annotations

from typing import Any

import larq
import pytest
import tensorflow as tf

import tfkit
from helpers.conversion import BINARY, keras, layers
from tfkit.converters.declared import declared_layers
from tfkit.converters.reasons import RULES, explain

INPUT = (6, 6, 64)
SIGN = "ste_sign"


def build(layer: Any, shape: tuple[int, ...] = INPUT) -> Any:
    i = layers.Input(shape)
    return keras.Model(i, layer(i))


def tf_sign(x: Any) -> Any:
    """Gives exact zeros for zeros, as many a home-made binary quantizer does."""
    return tf.sign(x) * tf.cast(tf.abs(x) > 0.002, x.dtype)


def conv(**kwargs: Any) -> Any:
    settings: dict[str, Any] = {**BINARY, "padding": "valid", **kwargs}
    return larq.layers.QuantConv2D(32, 3, **settings)


CASES = {
    "separable": larq.layers.QuantSeparableConv2D(
        8, 3, input_quantizer=SIGN, depthwise_quantizer=SIGN, pointwise_quantizer=SIGN
    ),
    "depthwise": larq.layers.QuantDepthwiseConv2D(3, input_quantizer=SIGN, depthwise_quantizer=SIGN),
    "transposed": larq.layers.QuantConv2DTranspose(8, 3, input_quantizer=SIGN, kernel_quantizer=SIGN),
    "weights_only": conv(input_quantizer=None),
    "activations_only": conv(kernel_quantizer=None),
    "input_levels": conv(input_quantizer="ste_heaviside"),
    "ternary": conv(kernel_quantizer="ste_tern"),
    "kernel_zeros": conv(kernel_quantizer=tf_sign),
    "kernel_levels": conv(kernel_quantizer=larq.quantizers.DoReFaQuantizer(2, mode="weights")),
    "groups": conv(groups=4),
}


@pytest.mark.parametrize("code", CASES)
def test_do_name_the_reason(code: str) -> None:
    """What the rule says is what the converter does: the layer really is no binary op."""
    model = build(CASES[code])
    conversion = tfkit.convert(model, "lce", verify=False)
    (entry,) = conversion.ledger.entries
    assert (entry.status, entry.code) == ("fallback", code)
    assert "binary" not in entry.precision
    assert entry.matched_by == "weights"


def relu(x: Any) -> Any:
    """Named like Keras' own, and something else: the answer depends on the shape."""
    return x - tf.reduce_max(x, axis=1, keepdims=True)


class Doubled(larq.layers.QuantDense):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return 2 * super().call(inputs)


OTHER_CASES: dict[str, tuple[Any, tuple[int, ...], str]] = {
    "three dimensions": (larq.layers.QuantConv3D(32, 2, **BINARY), (4, 4, 4, 32), "rank"),
    "causal": (larq.layers.QuantConv1D(32, 3, padding="causal", **BINARY), (16, 32), "causal"),
    "half padding": (conv(padding="same", pad_values=0.5), INPUT, "pad_values"),
    "half padding of steps": (
        larq.layers.QuantConv1D(32, 3, padding="same", pad_values=0.5, **BINARY), (16, 32), "pad_values",
    ),
    "narrow groups": (larq.layers.QuantConv1D(32, 3, groups=4, **BINARY), (16, 64), "groups"),
    "dense, weights only": (larq.layers.QuantDense(8, kernel_quantizer=SIGN), (64,), "weights_only"),
    "dense, ternary": (larq.layers.QuantDense(8, input_quantizer=SIGN, kernel_quantizer="ste_tern"), (64,), "ternary"),
    "own activation": (larq.layers.QuantDense(8, activation=relu, **BINARY), (6, 64), "activation"),
    "own code": (Doubled(8, **BINARY), (64,), "foreign_layer"),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHER_CASES)
def test_do_name_the_reason_where_no_rewrite_helps(case: str) -> None:
    layer, shape, code = OTHER_CASES[case]
    (entry,) = tfkit.convert(build(layer, shape), "lce", verify=case != "half padding").ledger.entries
    assert (entry.status, entry.code, entry.rewritten) == ("fallback", code, "")
    assert "binary" not in entry.precision


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_quantizer": "magnitude_aware_sign"},
        {"input_quantizer": "approx_sign"},
        {"input_quantizer": "swish_sign"},
        {"groups": 2},
        {"strides": 2},
        {"dilation_rate": 2},
        {"padding": "same", "pad_values": 1},
        {"use_bias": True},
    ],
    ids=str,
)
def test_do_not_find_a_reason_where_there_is_none(settings: dict[str, Any]) -> None:
    model = build(conv(**settings))
    (entry,) = tfkit.convert(model, "lce", verify=False).ledger.entries
    assert (entry.status, entry.op) == ("ok", "LceBconv2d")
    (declared,) = declared_layers(model)
    assert all(rule(declared, "lce") is None for rule in RULES)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_the_fix_of_a_separable_layer_has_its_dimensions(dimensions: int) -> None:
    layer = getattr(larq.layers, f"QuantSeparableConv{dimensions}D")(
        8, 5, input_quantizer=SIGN, depthwise_quantizer=SIGN, pointwise_quantizer=SIGN
    )
    (declared,) = declared_layers(build(layer, (8,) * dimensions + (64,)))
    assert explain(declared, "lce", []).fix.startswith(f"use QuantConv{dimensions}D,")


def test_another_format_is_no_cure_for_what_lce_cannot_do_either() -> None:
    (declared,) = declared_layers(build(CASES["depthwise"]))
    found = explain(declared, "float32", [])
    assert found.code == "format"
    assert "one channel fills no 32-bit word" in found.text
    assert found.fix.endswith("QuantConv2D; then convert with format lce")
    (declared,) = declared_layers(build(conv()))
    assert explain(declared, "float32", []).fix == "convert with format lce"


def test_do_pass_on_the_converters_words_when_no_rule_knows() -> None:
    (declared,) = declared_layers(build(conv()))
    found = explain(declared, "lce", ["something about a pattern"])
    assert found.code == "unknown"
    assert "something about a pattern" in found.text
