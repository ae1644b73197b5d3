from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

from helpers.keras import keras, run_layer_test, sign, values_with_edges
from tfkit.layers import NotBinaryWarning, QuantConv2D, is_binary_layer

SEED = 7
BINARY = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def build(channels: int = 3, **arguments: object) -> QuantConv2D:
    layer = QuantConv2D(4, 3, **arguments)
    layer.build((None, 6, 6, channels))
    layer.kernel.assign(values_with_edges(tuple(layer.kernel.shape), SEED))
    return layer


def test_signature_is_that_of_keras_and_quantizer_arguments() -> None:
    ours = dict(inspect.signature(QuantConv2D.__init__).parameters)
    theirs = inspect.signature(keras.layers.Conv2D.__init__).parameters
    for name in ("input_quantizer", "kernel_quantizer", "pad_values"):
        assert ours.pop(name).default is None
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize(
    ("padding", "strides", "dilation", "groups"),
    [
        ("valid", 1, 1, 1),
        ("same", 1, 1, 1),
        ("same", 2, 1, 1),
        ("same", 1, 2, 1),
        ("valid", (2, 1), 1, 1),
        ("same", 1, 1, 32),
    ],
)
def test_is_the_float_layer_on_signs(padding: str, strides: object, dilation: int, groups: int) -> None:
    """QuantConv2D(x) == Conv2D with sign(kernel) on sign(x) padded with ones; exact, since sums of ±1 are."""
    channels = 32 * groups if groups > 1 else 5
    filters = groups * 2
    x = values_with_edges((2, 7, 6, channels), SEED)
    layer = QuantConv2D(filters, 3, strides, padding, dilation_rate=dilation, groups=groups, use_bias=False, **BINARY)
    layer.build(x.shape)
    layer.kernel.assign(values_with_edges(tuple(layer.kernel.shape), SEED + 1))
    reference = keras.layers.Conv2D(filters, 3, strides, "valid", dilation_rate=dilation, groups=groups, use_bias=False)
    padded = sign(x)
    if padding == "same":
        stride = (strides, strides) if isinstance(strides, int) else strides
        pads = []
        for size, step in zip(x.shape[1:3], stride, strict=True):
            total = max((-(-size // step) - 1) * step + 2 * dilation + 1 - size, 0)
            pads.append((total // 2, total - total // 2))
        padded = np.pad(padded, [(0, 0), *pads, (0, 0)], constant_values=1.0)
    reference.build(padded.shape)
    reference.set_weights([sign(layer.get_weights()[0])])
    np.testing.assert_array_equal(layer(x).numpy(), reference(padded).numpy(), err_msg=f"seed {SEED}")


def test_without_quantizers_it_is_conv2d() -> None:
    x = values_with_edges((2, 6, 6, 3), SEED)
    layer = build(padding="same")
    reference = keras.layers.Conv2D(4, 3, padding="same")
    reference.build(x.shape)
    reference.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(x).numpy(), reference(x).numpy())
    assert layer.pad_values == 0.0
    assert layer.kernel_constraint is None


def test_latent_weights_are_what_is_stored() -> None:
    layer = build(**BINARY)
    assert np.unique(layer.get_weights()[0]).size > 2


@pytest.mark.parametrize("inputs", ["ste_sign", "approx_sign"])
def test_gradients_against_formulas(inputs: str) -> None:
    """d/dx by STE: g · 1[|x| <= 1] (BNN, equation 4) or, approx_sign: g · (2 - 2|x|) · 1[|x| < 1] (Bi-Real Net, 6)."""
    import tensorflow as tf

    x = values_with_edges((1, 3, 3, 8), SEED)
    layer = QuantConv2D(2, 3, use_bias=False, input_quantizer=inputs, kernel_quantizer="ste_sign")
    layer.build(x.shape)
    kernel = values_with_edges(tuple(layer.kernel.shape), SEED + 1)
    layer.kernel.assign(kernel)
    upstream = np.array([[[[1.0, -2.0]]]], np.float32)
    with tf.GradientTape() as tape:
        variable = tf.Variable(x)
        loss = tf.reduce_sum(layer(variable) * upstream)
    dx, dk = tape.gradient(loss, [variable, layer.kernel])
    # A 3x3 kernel on a 3x3 input is one dot product per filter.
    towards_x = np.einsum("hwio,o->hwi", sign(kernel), upstream.reshape(-1))[None]
    slope = (np.abs(x) <= 1) if inputs == "ste_sign" else np.where(np.abs(x) <= 1, 2 - 2 * np.abs(x), 0)
    np.testing.assert_allclose(dx.numpy(), towards_x * slope, rtol=1e-6, atol=1e-6, err_msg=f"seed {SEED}")
    towards_k = sign(x)[0][..., None] * upstream.reshape(-1)
    np.testing.assert_allclose(dk.numpy(), towards_k * (np.abs(kernel) <= 1), rtol=1e-6, err_msg=f"seed {SEED}")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": "same", **BINARY},
        {"padding": "same", "use_bias": False, "activation": "relu", **BINARY},
        {"input_quantizer": "approx_sign", "kernel_quantizer": "magnitude_aware_sign", "strides": 2},
    ],
)
def test_layer(arguments: dict[str, object]) -> None:
    layer = run_layer_test(lambda: QuantConv2D(4, 3, **arguments), (6, 6, 3), SEED)
    assert is_binary_layer(layer) == bool(arguments)


def test_latent_weights_are_clipped_while_training() -> None:
    layer = QuantConv2D(4, 3, **BINARY)
    model = keras.Sequential([keras.layers.Input((5, 5, 2)), layer])
    model.compile(keras.optimizers.SGD(100.0), "mse")
    x = values_with_edges((8, 5, 5, 2), SEED)
    model.fit(x, np.ones((8, 3, 3, 4), np.float32), verbose=0)
    kernel = layer.get_weights()[0]
    assert np.abs(kernel).max() == 1.0


@pytest.mark.parametrize(
    ("arguments", "pad"),
    [
        ({"padding": "same", **BINARY}, 1.0),
        ({"padding": "SAME", **BINARY}, 1.0),
        ({"padding": "valid", **BINARY}, 0.0),
        ({"padding": "same", **BINARY, "pad_values": 0.0}, 0.0),
        ({"padding": "same"}, 0.0),
    ],
)
def test_default_padding(arguments: dict[str, object], pad: float) -> None:
    layer = QuantConv2D(4, 3, **arguments)
    assert layer.pad_values == pad
    assert QuantConv2D.from_config(layer.get_config()).pad_values == pad


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_quantizer": "ste_sign"}, 'weights-only layer; add input_quantizer="ste_sign"'),
        ({"input_quantizer": "ste_sign"}, "activations-only layer; add kernel_quantizer"),
        ({"input_quantizer": "ste_sign", "kernel_quantizer": "ste_tern"}, "kernel_quantizer SteTern does not give"),
        ({"input_quantizer": "ste_heaviside", "kernel_quantizer": "ste_sign"}, "SteHeaviside does not give -1 and"),
        ({"input_quantizer": "ste_sign", "kernel_quantizer": "dorefa_quantizer"}, "DoReFa does not give"),
        ({**BINARY, "padding": "same", "pad_values": 0.5}, "pad_values is 0.5"),
    ],
)
def test_what_would_not_be_binary_warns_in_the_callers_name(arguments: dict[str, object], message: str) -> None:
    with pytest.warns(NotBinaryWarning, match=message) as caught:
        QuantConv2D(4, 3, **arguments)
    assert [warning.filename for warning in caught] == [__file__]


def test_narrow_groups_warn_when_the_channels_are_known() -> None:
    layer = QuantConv2D(4, 3, groups=2, **BINARY)
    with pytest.warns(NotBinaryWarning, match="16 input channels per group"):
        layer.build((None, 5, 5, 32))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        BINARY,
        {**BINARY, "padding": "same"},
        {"input_quantizer": "ste_tern", "kernel_quantizer": "ste_tern"},
        {**BINARY, "groups": 2},
    ],
)
def test_no_warning_when_all_is_well(arguments: dict[str, object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        QuantConv2D(4, 3, **arguments).build((None, 5, 5, 64))


def test_edges_are_in_the_data() -> None:
    values = values_with_edges((2, 6, 6, 3), SEED).reshape(-1)
    assert all(np.any(values == edge) for edge in (0.0, 1.0, -1.0))
    assert np.any(np.signbit(values) & (values == 0))
