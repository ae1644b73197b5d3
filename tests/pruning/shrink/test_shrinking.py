"""What is removed has no effect, and what has one is not removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras, shake_normalizations
from tfkit import models
from tfkit._errors import UnsupportedError, UsageError
from tfkit.layers import QuantConv2D
from tfkit.metadata import metadata_of
from tfkit.pruning.shrink import Left, Removed, Shrunk, shrink

layers = keras.layers
SEED = 7


def functional(inputs: Any, outputs: Any) -> Any:
    """A model whose weights, normalizations included, are those of no initializer."""
    model = keras.Model(inputs, outputs)
    rng = np.random.default_rng(SEED)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return shake_normalizations(model, SEED)


def zero_filters(model: Any, name: str, *channels: int) -> None:
    """Make filters and biases zero, as training with a structured method leaves them."""
    layer = model.get_layer(name)
    for weight in layer.weights:
        values = weight.numpy()
        values[..., list(channels)] = 0
        weight.assign(values)


def zero_inputs(model: Any, name: str, *channels: int) -> None:
    """Make a convolution or dense layer not read some channels."""
    kernel = model.get_layer(name).kernel
    values = kernel.numpy()
    values[..., list(channels), :] = 0
    kernel.assign(values)


def outputs(model: Any, x: Any) -> list[np.ndarray]:
    found = model(x)
    return [np.asarray(one) for one in (found if isinstance(found, list) else [found])]


def same(model: Any, found: Shrunk, samples: int = 3) -> None:
    """Outputs agree to float accuracy, and they do depend on the input."""
    rng = np.random.default_rng(SEED)
    x = [rng.normal(size=(samples, *one.shape[1:])).astype(np.float32) for one in model.inputs]
    x = x if len(x) > 1 else x[0]
    for before, after in zip(outputs(model, x), outputs(found.model, x), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * np.abs(before).max(), err_msg=f"seed {SEED}")
        assert np.ptp(before, axis=0).max() > 0


def channels(found: Shrunk) -> dict[str, tuple[int, int]]:
    return {one.layer: (one.before, one.after) for one in found.removed if one.structure == "channels"}


def reasons(found: Shrunk, layer: str) -> str:
    return "; ".join(one.reason for one in found.left if one.layer == layer)


def stack(*parts: Any, shape: tuple[int, ...] = (9, 8, 3)) -> Any:
    x = inputs = layers.Input(shape, name="image")
    for part in parts:
        x = part(x)
    return functional(inputs, x)


def test_a_filter_of_zeros_goes() -> None:
    model = stack(layers.Conv2D(6, 3, name="a"), layers.ReLU(), layers.Conv2D(4, 3, name="b"), layers.Flatten())
    zero_filters(model, "a", 1, 4)
    found = shrink(model)
    assert channels(found) == {"a": (6, 4)}
    assert found.kept == {"a": [0, 2, 3, 5]}
    assert found.model.get_layer("b").kernel.shape == (3, 3, 4, 4)
    np.testing.assert_array_equal(
        found.model.get_layer("a").kernel, model.get_layer("a").kernel.numpy()[..., [0, 2, 3, 5]]
    )
    same(model, found)
    assert found.before is not None
    assert found.after is not None
    assert found.after.macs < found.before.macs
    assert found.left == ()


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "swish"])
def test_what_normalization_makes_of_zero_is_folded(activation: str) -> None:
    """A constant of another value goes into the readers' biases: 1x1, and "valid", and dense behind a mean."""
    x = inputs = layers.Input((9, 8, 3))
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, name="a")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation(activation)(x)
    ends = [
        layers.Conv2D(4, 1, use_bias=False, name="one")(x),
        layers.Conv2D(4, 3, name="valid")(x),
        layers.Dense(5, name="dense")(layers.GlobalAveragePooling2D()(x)),
        layers.SeparableConv2D(5, 3, depth_multiplier=2, use_bias=False, name="separable")(x),
    ]
    model = functional(inputs, ends)
    zero_filters(model, "a", 0, 5)
    found = shrink(model)
    assert channels(found) == {"a": (6, 4)}
    assert found.model.get_layer("one").use_bias or activation == "relu"
    same(model, found)


def test_a_constant_is_no_zero_where_it_is_padded() -> None:
    """Around the image the reader sees 0, inside the constant: no bias stands for that."""
    x = inputs = layers.Input((9, 8, 3))
    x = layers.Conv2D(6, 3, padding="same", name="a")(x)
    x = layers.BatchNormalization(name="bn")(x)
    model = functional(inputs, layers.Conv2D(4, 3, padding="same", name="b")(layers.ReLU()(x)))
    zero_filters(model, "a", 0, 1, 2, 3, 4)
    for weight, value in (("beta", [1, 1, -1, -1, 0, 1]), ("moving_mean", [0] * 6)):
        getattr(model.get_layer("bn"), weight).assign(np.array(value, np.float32))
    found = shrink(model)
    assert found.kept == {"a": [0, 1, 5]}
    (left,) = found.left
    assert (left.layer, left.structure, left.count) == ("a", "channels", 2)
    assert "'b' (Conv2D) pads it with zeros" in left.reason
    same(model, found)


def test_same_padding_that_adds_nothing() -> None:
    """A 2x2 kernel with stride 2 covers even sizes without a border."""
    x = inputs = layers.Input((8, 8, 3))
    x = layers.BatchNormalization()(layers.Conv2D(6, 1, name="a")(x))
    model = functional(inputs, layers.Conv2D(4, 2, 2, padding="same", name="b")(x))
    zero_filters(model, "a", 3)
    found = shrink(model)
    assert channels(found) == {"a": (6, 5)}
    same(model, found)


def test_a_normalization_without_scale_is_constant() -> None:
    """Network slimming: gamma is zero, whatever the filter is."""
    model = stack(
        layers.Conv2D(6, 3, name="a"),
        layers.BatchNormalization(name="bn"),
        layers.ReLU(),
        layers.Conv2D(4, 1, name="b"),
    )
    gamma = model.get_layer("bn").gamma
    gamma.assign(gamma.numpy() * np.array([1, 0, 1, 0, 0, 1], np.float32))
    found = shrink(model)
    assert found.kept == {"a": [0, 2, 5]}
    same(model, found)


def test_channels_that_nobody_reads_go_with_what_they_read() -> None:
    model = stack(layers.Conv2D(6, 3, name="a"), layers.Conv2D(5, 3, name="b"), layers.Conv2D(4, 3, name="c"))
    zero_inputs(model, "c", 1, 2)
    kernel = model.get_layer("b").kernel
    values = kernel.numpy()
    values[:, :, 3, [0, 3, 4]] = 0  # what is read by the unread alone
    kernel.assign(values)
    found = shrink(model)
    assert found.kept == {"a": [0, 1, 2, 4, 5], "b": [0, 3, 4]}
    same(model, found)


def test_sums_need_all_to_agree() -> None:
    x = inputs = layers.Input((9, 8, 3))
    one = layers.Conv2D(6, 3, padding="same", name="one")(x)
    two = layers.Conv2D(6, 1, name="two")(x)
    y = layers.ReLU()(layers.Add()([one, two]))
    model = functional(inputs, layers.Conv2D(4, 3, name="end")(y))
    zero_filters(model, "one", 0, 1, 2)
    zero_filters(model, "two", 2, 3)
    found = shrink(model)
    assert found.kept == {"one": [0, 1, 3, 4, 5], "two": [0, 1, 3, 4, 5]}
    assert [(one.layer, one.count) for one in found.left] == [("one", 2), ("two", 1)]
    assert "go together with channels of 'two'" in reasons(found, "one")
    same(model, found)


def test_concatenations_and_products() -> None:
    x = inputs = layers.Input((8, 8, 3))
    one = layers.Conv2D(4, 1, name="one")(x)
    two = layers.Conv2D(6, 3, padding="same", name="two")(x)
    both = layers.Concatenate(name="both")([one, two, one])
    gate = layers.Conv2D(5, 1, activation="relu", name="squeeze")(layers.GlobalAveragePooling2D(keepdims=True)(both))
    gate = layers.Conv2D(14, 1, activation="sigmoid", name="excite")(gate)
    model = functional(inputs, layers.Conv2D(4, 3, name="end")(layers.Multiply()([gate, both])))
    zero_filters(model, "one", 3)
    zero_filters(model, "two", 0, 2)
    zero_filters(model, "squeeze", 4)
    found = shrink(model)
    # "one" is read twice, so 14 channels lose 4; a gate of 0.5 times nothing is nothing.
    assert channels(found) == {"one": (4, 3), "two": (6, 4), "squeeze": (5, 4), "excite": (14, 10)}
    same(model, found)


def test_depthwise_and_its_multiplier() -> None:
    x = inputs = layers.Input((9, 8, 3))
    x = layers.ReLU()(layers.Conv2D(6, 3, name="a")(x))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x))
    x = layers.ReLU(6.0)(layers.ZeroPadding2D()(layers.ReLU()(x)))
    model = functional(inputs, layers.Conv2D(4, 1, name="end")(x))
    zero_filters(model, "a", 2)
    depthwise = model.get_layer("depthwise").depthwise_kernel
    values = depthwise.numpy()
    values[:, :, 4, :] = 0
    values[:, :, 5, 0] = 0  # half of a channel
    depthwise.assign(values)
    bn = next(layer for layer in model.layers if isinstance(layer, layers.BatchNormalization))
    bn.beta.assign(-np.abs(bn.beta.numpy()) - 5)  # the ReLU behind cuts off: zero before the padding
    found = shrink(model)
    assert found.kept == {"a": [0, 1, 3, 5], "depthwise": [0, 1, 2, 3, 6, 7, 10, 11]}
    x = np.random.default_rng(SEED).normal(size=(2, 9, 8, 3)).astype(np.float32) * 20
    np.testing.assert_allclose(found.model(x), model(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("order", ["flatten", "reshape"])
def test_flattened_pixels_go_with_their_channel(order: str) -> None:
    flat = layers.Flatten() if order == "flatten" else layers.Reshape((7 * 6 * 5,))
    model = stack(layers.Conv2D(5, 3, name="a"), layers.ReLU(), flat, layers.Dense(4, name="dense"))
    zero_filters(model, "a", 0, 3)
    found = shrink(model)
    assert found.model.get_layer("dense").kernel.shape == (7 * 6 * 3, 4)
    same(model, found)


def test_groups_lose_equally_many() -> None:
    x = inputs = layers.Input((9, 8, 4))
    x = layers.Conv2D(12, 1, name="a")(x)
    x = layers.Conv2D(9, 3, groups=3, name="grouped")(x)
    model = functional(inputs, layers.Conv2D(4, 1, name="end")(x))
    zero_filters(model, "a", 0, 1, 4, 8, 9)
    zero_filters(model, "grouped", 0, 3, 4)
    found = shrink(model)
    # Of the groups of 4 inputs, 2, 1 and 2 are zero: each loses one; of the 3 filters 1, 2 and 0.
    assert channels(found) == {"a": (12, 9)}
    assert "equally many channels in every part" in reasons(found, "a")
    assert "equally many channels in every part" in reasons(found, "grouped")
    assert sum(one.count for one in found.left if one.layer == "a") == 2
    same(model, found)


def test_whole_groups_go() -> None:
    x = inputs = layers.Input((9, 8, 4))
    x = layers.Conv2D(12, 1, name="a")(x)
    x = layers.Conv2D(9, 3, groups=3, name="grouped")(x)
    model = functional(inputs, layers.Conv2D(4, 1, name="end")(x))
    zero_filters(model, "grouped", 3, 4, 5)  # the inputs of the group are then read by nobody
    found = shrink(model)
    assert Removed("grouped", "groups", 3, 2) in found.removed
    assert found.model.get_layer("grouped").groups == 2
    assert found.kept == {"a": [0, 1, 2, 3, 8, 9, 10, 11], "grouped": [0, 1, 2, 6, 7, 8]}
    same(model, found)


def test_kernels_that_make_no_channel_unused() -> None:
    model = stack(layers.Conv2D(6, 3, name="a"), layers.Conv2D(5, 3, name="b"), layers.Conv2D(4, 3, name="c"))
    kernel = model.get_layer("b").kernel
    values = kernel.numpy()
    values[:, :, 2, :] = 0  # every kernel of an input: it goes
    values[:, :, 0, 1] = values[:, :, 4, 3] = 0
    kernel.assign(values)
    found = shrink(model)
    assert found.kept == {"a": [0, 1, 3, 4, 5]}
    (left,) = found.left
    assert left == Left("b", "kernels", 2, left.reason)
    assert "a dense convolution stores all" in left.reason
    same(model, found)


@pytest.mark.parametrize(
    ("size", "strides", "dilation", "zero", "left"),
    [
        ((3, 3), 1, 1, np.s_[[0, 2], :], (1, 3)),
        ((3, 3), 1, 1, np.s_[:, [0, 2]], (3, 1)),
        ((5, 3), 1, 1, np.s_[[0, 3, 4], :], (3, 3)),  # one row of zeros stays inside
        ((3, 3), 1, 2, np.s_[[0, 2], :], (1, 3)),
        ((3, 3), 1, 1, np.s_[[0, 1], :], (3, 3)),  # on one side only
        ((3, 3), 2, 1, np.s_[[0, 2], :], (1, 3)),  # 9 rows: one of padding above and below
        ((3, 3), 2, 1, np.s_[:, [0, 2]], (3, 3)),  # 8 columns: padding on the right alone
    ],
)
@pytest.mark.parametrize("kind", [layers.Conv2D, layers.DepthwiseConv2D])
def test_kernels_get_smaller(kind: Any, size: Any, strides: int, dilation: int, zero: Any, left: Any) -> None:
    arguments = {"padding": "same", "name": "a", "strides": strides, "dilation_rate": dilation}
    layer = kind(4, size, **arguments) if kind is layers.Conv2D else kind(size, **arguments)
    model = stack(layer, layers.Conv2D(4, 1, name="b"))
    kernel = model.get_layer("a").weights[0]
    values = kernel.numpy()
    values[zero] = 0
    kernel.assign(values)
    found = shrink(model)
    assert found.model.get_layer("a").kernel_size == left
    assert (Removed("a", "taps", size[0] * size[1], left[0] * left[1]) in found.removed) == (left != size)
    same(model, found)


def test_connections_between_blocks_go() -> None:
    """A convolution whose channels form blocks becomes one with groups; a grouped one gets more of them."""
    x = inputs = layers.Input((9, 8, 3))
    x = layers.Conv2D(8, 1, name="a")(x)
    x = layers.Conv2D(12, 3, name="blocks")(x)
    x = layers.Conv2D(16, 1, groups=2, name="grouped")(x)
    model = functional(inputs, layers.Conv2D(4, 1, name="end")(x))
    for name, blocks in (("blocks", 4), ("grouped", 2)):
        kernel = model.get_layer(name).kernel
        values = kernel.numpy()
        groups = model.get_layer(name).groups
        read, made = values.shape[-2:]
        for one in range(read):
            for other in range(made):
                inside = other % (made // groups) // (made // groups / blocks)
                if one // (read / blocks) != inside:
                    values[..., one, other] = 0
        kernel.assign(values)
    found = shrink(model)
    assert found.model.get_layer("blocks").groups == 4
    assert found.model.get_layer("blocks").kernel.shape == (3, 3, 2, 12)
    assert Removed("blocks", "inputs of each filter", 8, 2) in found.removed
    assert found.model.get_layer("grouped").groups == 4
    same(model, found)


def shuffled(x: Any, groups: int) -> Any:
    height, width, number = x.shape[1:]
    x = layers.Reshape((height * width, groups, number // groups))(x)
    return layers.Reshape((height, width, number))(layers.Permute((1, 3, 2))(x))


def test_channel_shuffles() -> None:
    """Between grouped convolutions every group gets as many channels of each group as before."""
    x = inputs = layers.Input((6, 5, 6))
    x = layers.Conv2D(12, 1, groups=2, name="first")(x)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(shuffled(x, 2))
    x = layers.Conv2D(8, 1, groups=2, name="second")(x)
    model = functional(inputs, layers.Conv2D(4, 1, name="end")(x))
    # Channel g·6 + j goes to place j·2 + g, which the second convolution's group (j·2 + g) // 6 reads.
    zero_filters(model, "first", 0, 4, 6 + 2, 6 + 3, 6 + 5)
    found = shrink(model)
    kept = {channel for channel in range(12) if channel not in (0, 4, 6 + 2, 6 + 3)}
    assert set(found.kept["first"]) in ({*kept}, {*kept, 6 + 3} - {6 + 5})
    assert found.model.get_layer("second").kernel.shape == (1, 1, 4, 8)
    same(model, found)


def test_several_inputs_and_outputs() -> None:
    one, two = layers.Input((6, 6, 3), name="one"), layers.Input((6, 6, 2), name="two")
    a = layers.Conv2D(4, 3, name="a")(one)
    b = layers.Conv2D(4, 3, name="b")(two)
    model = functional([one, two], [layers.Conv2D(2, 1, name="c")(layers.Subtract()([a, b])), a])
    zero_filters(model, "a", 1)
    zero_filters(model, "b", 1)
    found = shrink(model)
    assert found.removed == ()
    assert "'a' is an output of the model" in reasons(found, "b")
    same(model, found)


def test_shared_layers_agree_over_their_uses() -> None:
    inputs = layers.Input((8, 8, 3))
    shared = layers.Conv2D(5, 3, padding="same", name="shared")
    first = layers.Conv2D(5, 1, name="first")(inputs)
    second = layers.Conv2D(5, 1, name="second")(inputs)
    joined = layers.Concatenate()([shared(first), shared(second)])
    model = functional(inputs, layers.Conv2D(2, 1, name="end")(joined))
    zero_filters(model, "first", 0, 2)
    zero_filters(model, "second", 0, 3)
    zero_filters(model, "shared", 4)
    found = shrink(model)
    assert found.kept == {"first": [1, 2, 3, 4], "second": [1, 2, 3, 4], "shared": [0, 1, 2, 3]}
    same(model, found)


def test_models_inside_models_are_opened() -> None:
    backbone = stack(layers.Conv2D(6, 3, name="a"), layers.ReLU(name="relu"), shape=(9, 8, 3))
    inputs = layers.Input((9, 8, 3))
    model = functional(inputs, layers.Conv2D(4, 1, name="end")(backbone(inputs, training=False)))
    zero_filters(backbone, "a", 5)
    found = shrink(model)
    assert channels(found) == {"a": (6, 5)}
    same(model, found)


@keras.utils.register_keras_serializable(package="tests")
class Reversed(layers.Layer):  # type: ignore[misc, name-defined]
    """A layer of the user's."""

    def call(self, x: Any) -> Any:
        return x[..., ::-1]


def test_custom_layers_keep_their_channels() -> None:
    model = stack(
        layers.Conv2D(6, 3, name="a"),
        layers.Conv2D(5, 3, name="b"),
        Reversed(name="mine"),
        layers.Conv2D(4, 1, name="c"),
    )
    zero_filters(model, "a", 1)
    zero_filters(model, "b", 1)
    found = shrink(model)
    assert channels(found) == {"a": (6, 5)}
    assert "'mine' (Reversed) reads them: tfkit does not know what Reversed does" in reasons(found, "b")
    same(model, found)


def test_functions_of_all_channels_keep_them() -> None:
    model = stack(
        *(
            layers.Conv2D(6, 3, name="a"),
            layers.Softmax(name="softmax"),
            layers.Conv2D(5, 1, activation="softmax", name="b"),
        ),
        layers.Conv2D(4, 1, name="c"),
    )
    zero_filters(model, "a", 1)
    zero_filters(model, "b", 1)
    found = shrink(model)
    assert found.removed == ()
    assert "'softmax' (Softmax)" in reasons(found, "a")
    assert "the activation of 'b' (Conv2D) works on all channels together" in reasons(found, "b")


def binary(filters: int, name: str) -> Any:
    return QuantConv2D(filters, 1, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False, name=name)


def test_binary_layers_are_refused_and_their_neighbours_kept() -> None:
    """A zero that becomes a sign is +1."""
    model = stack(
        *(layers.Conv2D(5, 3, name="stem"), layers.Conv2D(6, 3, name="float"), binary(4, "binary")),
        *(layers.BatchNormalization(), layers.Conv2D(4, 1, name="end")),
    )
    for name in ("stem", "float", "binary"):
        zero_filters(model, name, 1)
    found = shrink(model)
    assert channels(found) == {"stem": (5, 4)}
    assert "sign(0) = +1" in reasons(found, "float")
    assert "sign(0) = +1" in reasons(found, "binary")
    same(model, found)
    with pytest.raises(
        UnsupportedError, match=r"'binary' \(QuantConv2D\) cannot be pruned: its kernel is binary, and sign"
    ):
        shrink(model, keep={"binary": [0, 1]})


def test_what_may_stay_is_asked_for() -> None:
    """The others are zero where they are read, whatever normalization makes of them."""
    x = inputs = layers.Input((9, 8, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", name="a")(x)))
    model = functional(inputs, layers.Conv2D(4, 3, padding="same", name="b")(x))
    found = shrink(model, keep={"a": [0, 2, 5]})
    assert found.kept == {"a": [0, 2, 5]}
    masked = keras.models.clone_model(model)
    masked.set_weights(model.get_weights())
    zero_inputs(masked, "b", 1, 3, 4)
    same(masked, found)
    again = shrink(model, keep={"a": np.array([True, False, True, False, False, True])})
    np.testing.assert_array_equal(again.model.get_layer("b").kernel, found.model.get_layer("b").kernel)


def test_what_may_stay_binds_only_those_that_agree() -> None:
    x = inputs = layers.Input((9, 8, 3))
    y = layers.Add()([layers.Conv2D(6, 1, name="one")(x), layers.Conv2D(6, 1, name="two")(x)])
    model = functional(inputs, layers.Conv2D(4, 3, name="end")(y))
    found = shrink(model, keep={"one": [0, 1, 2]})
    assert found.removed == ()
    assert [(left.layer, left.count) for left in found.left] == [("one", 3)]
    assert shrink(model, keep={"one": [0, 1, 2], "two": [1, 2, 3]}).kept == {"one": [0, 1, 2, 3], "two": [0, 1, 2, 3]}


def test_multiples() -> None:
    model = stack(layers.Conv2D(20, 3, name="a"), layers.ReLU(), layers.Conv2D(4, 3, name="b"))
    zero_filters(model, "a", *range(9))
    found = shrink(model, multiple_of=8)
    assert channels(found) == {"a": (20, 16)}
    assert "rounded up to a multiple of 8" in reasons(found, "a")
    same(model, found)
    assert channels(shrink(model)) == {"a": (20, 11)}
    assert channels(shrink(model, multiple_of=32)) == {}


def test_one_channel_stays() -> None:
    model = stack(layers.Conv2D(5, 3, name="a"), layers.ReLU(), layers.Conv2D(4, 3, name="b"))
    zero_filters(model, "a", *range(5))
    found = shrink(model)
    assert channels(found) == {"a": (5, 1)}
    assert reasons(found, "a") == "a layer keeps at least one channel"


def test_other_dimensions_and_transposed() -> None:
    x = inputs = layers.Input((12, 3))
    x = layers.Conv1D(6, 3, padding="causal", name="a")(x)
    x = layers.PReLU(shared_axes=[1], name="prelu")(x)
    x = layers.Conv1DTranspose(5, 3, 2, padding="same", name="b")(x)
    x = layers.MaxPooling1D()(layers.ELU()(x))
    model = functional(inputs, layers.Dense(2, name="dense")(layers.GlobalMaxPooling1D()(x)))
    zero_filters(model, "a", 1)
    zero_filters(model, "b", 0)
    kernel = model.get_layer("b").kernel
    values = kernel.numpy()
    values[:, 0, :] = 0  # a filter of a transposed convolution lies on the axis before
    kernel.assign(values)
    found = shrink(model)
    assert "a" in channels(found)
    same(model, found)


def test_functions_of_tensorflow() -> None:
    import tensorflow as tf

    x = inputs = layers.Input((9, 8, 3))
    one, two = layers.Conv2D(6, 1, name="one")(x), layers.Conv2D(6, 1, name="two")(x)
    y = tf.nn.relu(one + two) * 2.0
    model = functional(inputs, layers.Conv2D(4, 3, name="end")(y))
    zero_filters(model, "one", 1, 2)
    zero_filters(model, "two", 2, 3)
    found = shrink(model)
    assert channels(found) == {"one": (6, 5), "two": (6, 5)}
    same(model, found)


def test_names_metadata_and_files_survive(tmp_path: Path) -> None:
    model = models.build("small_cnn", input_shape=(16, 16, 3), width=0.5, seed=1)
    zero_filters(model, "stem", 1)
    for name in ("block1a_bn", "block1b_bn", "stem_bn"):
        for weight in model.get_layer(name).weights[:2]:
            weight.assign(weight.numpy() * (np.arange(16) != 1))
    zero_inputs(model, "block1a", 1)
    found = shrink(model)
    assert found.model.name == model.name
    assert [layer.name for layer in found.model.layers] == [layer.name for layer in model.layers]
    assert metadata_of(found.model) == metadata_of(model)
    same(model, found)
    path = tmp_path / "small.keras"
    tfkit.save(found.model, path)
    again = tfkit.load(path)
    x = np.random.default_rng(SEED).normal(size=(2, 16, 16, 3)).astype(np.float32)
    np.testing.assert_array_equal(again(x), found.model(x))
    assert metadata_of(again) == metadata_of(model)
    assert path.stat().st_size > 0


def test_types_survive() -> None:
    model = stack(
        layers.Conv2D(6, 3, name="a", dtype="mixed_bfloat16", kernel_regularizer="l2", trainable=False),
        layers.Conv2D(4, 3, name="b"),
    )
    zero_filters(model, "a", 1)
    found = shrink(model).model.get_layer("a")
    assert found.compute_dtype == "bfloat16"
    assert found.kernel_regularizer is not None
    assert not found.trainable


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"nobody": [0]}, r"no layer 'nobody'; those with channels are a, b"),
        ({"relu": [0]}, r"'relu' \(ReLU\) has no channels of its own"),
        ({"a": [0, 6]}, r"keep\['a'\] is a list of channels 0 to 5; got \[0, 6\]"),
        ({"a": [0.5]}, r"keep\['a'\] is a list of channels 0 to 5"),
        ({"a": []}, r"keep\['a'\] is empty; a layer keeps at least one of its 6"),
        ({"a": [True, False]}, r"keep\['a'\] has 2 bools; 'a' has 6 channels"),
    ],
)
def test_wrong_plans_are_refused(keep: Any, message: str) -> None:
    model = stack(layers.Conv2D(6, 3, name="a"), layers.ReLU(name="relu"), layers.Conv2D(4, 3, name="b"))
    with pytest.raises(UsageError, match=message):
        shrink(model, keep=keep)


def test_wrong_models_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="is subclassed or not built"):
        shrink(keras.Sequential([layers.Dense(3)]))
    with pytest.raises(UnsupportedError, match=r"shrink takes a tf_keras model, not builtins\.int"):
        shrink(3)
    small = keras.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(UnsupportedError, match="is quantization-aware; shrink the float model"):
        shrink(tfkit.quantize_aware(small))
    with pytest.raises(UnsupportedError, match=r"is being pruned; call tfkit\.strip"):
        shrink(tfkit.prune(small))
    with pytest.raises(UsageError, match="multiple_of is a number of channels, at least 1; got 0"):
        shrink(small, multiple_of=0)


def test_table_says_what_happened() -> None:
    x = inputs = layers.Input((9, 8, 3))
    one, two = layers.Conv2D(6, 1, name="one")(x), layers.Conv2D(6, 1, name="two")(x)
    model = functional(inputs, layers.Conv2D(4, 3, name="end")(layers.Add()([one, two])))
    zero_filters(model, "one", 1, 2)
    zero_filters(model, "two", 2)
    text = shrink(model).table()
    assert "one: 6 -> 5 channels" in text
    assert "end: 6 -> 5 inputs" in text
    assert "macs: " in text
    assert "could not remove 1 channels of 'one', because they go together with channels of 'two'" in text
