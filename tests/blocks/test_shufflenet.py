"""ShuffleNet's blocks against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import keras
from helpers.reference import Weights, average_pool, block_model, check_block, relu
from tfkit import blocks

SEED = 61
GROUPS = (1, 2, 3, 4, 8)


def shuffled(x: np.ndarray, groups: int) -> np.ndarray:
    """The permutation of section 3.1, channel by channel: channel j of group i goes to position j·groups + i."""
    length = x.shape[-1] // groups
    result = np.empty_like(x)
    for i in range(groups):
        for j in range(length):
            result[..., j * groups + i] = x[..., i * length + j]
    return result


@pytest.mark.parametrize("groups", GROUPS)
def test_channel_shuffle_is_its_permutation(groups: int) -> None:
    model = block_model(lambda x: blocks.channel_shuffle(x, groups, name="s"), (3, 5, 48), SEED)
    x = np.arange(2 * 3 * 5 * 48, dtype=np.float32).reshape(2, 3, 5, 48)
    y = model(x).numpy()
    np.testing.assert_array_equal(y, shuffled(x, groups))
    # Shuffling again with the other factor brings every channel home.
    back = block_model(lambda x: blocks.channel_shuffle(x, 48 // groups, name="s"), (3, 5, 48), SEED)
    np.testing.assert_array_equal(back(y).numpy(), x)


@pytest.mark.parametrize("groups", GROUPS)
def test_every_group_hears_every_group(groups: int) -> None:
    """After the shuffle the inputs of each group of the next convolution come from all groups."""
    channels = groups * groups * 2
    model = block_model(lambda x: blocks.channel_shuffle(x, groups, name="s"), (1, 1, channels), SEED)
    origin = np.repeat(np.arange(groups), channels // groups).astype(np.float32)
    parts = np.split(model(origin.reshape(1, 1, 1, -1)).numpy().ravel(), groups)
    assert all(set(part) == set(range(groups)) for part in parts)


def test_shuffle_names_what_does_not_divide() -> None:
    with pytest.raises(ValueError, match="3 groups do not divide 32 channels"):
        blocks.channel_shuffle(keras.layers.Input((4, 4, 32)), 3, name="s")


@pytest.mark.parametrize("groups", GROUPS)
def test_stride_1_adds(groups: int) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        y = shuffled(weights.conv_norm_relu(x, "u_squeeze", groups=groups), groups)
        y = weights.depthwise_norm(y, "u_depthwise")
        return relu(x + weights.conv_norm(y, "u_expand", groups=groups))

    channels = 96
    model = block_model(lambda x: blocks.shufflenet_unit(x, channels, 1, groups, name="u"), (5, 6, channels), SEED)
    assert model.get_layer("u_squeeze").filters == channels // 4
    check_block(model, formula, SEED)


@pytest.mark.parametrize("groups", GROUPS)
def test_stride_2_concatenates(groups: int) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        x = relu(x)
        y = shuffled(weights.conv_norm_relu(x, "u_squeeze"), groups)
        y = weights.depthwise_norm(y, "u_depthwise", 2)
        y = weights.conv_norm(y, "u_expand", groups=groups)
        # Figure 2 (c): the activation comes after the concatenation.
        return relu(np.concatenate([average_pool(x, 3, 2), y], -1))

    # The first unit of the network: its first convolution is not grouped, its input comes from a ReLU.
    model = block_model(
        lambda x: blocks.shufflenet_unit(keras.layers.ReLU()(x), 96, 2, groups, first_groups=1, name="u"),
        (5, 6, 24),
        SEED,
    )
    assert model.output_shape == (None, 3, 3, 96)
    check_block(model, formula, SEED)


def test_the_bottleneck_is_a_multiple_of_the_groups() -> None:
    """136 / 4 = 34 channels cannot be 4 groups: ShuffleNet 0.5x with 4 groups has 36."""
    model = block_model(lambda x: blocks.shufflenet_unit(x, 136, 1, 4, name="u"), (4, 4, 136), SEED)
    assert model.get_layer("u_squeeze").filters == 36


def test_channels_must_fit_the_stride() -> None:
    inputs = keras.layers.Input((4, 4, 24))
    with pytest.raises(ValueError, match="a unit of stride 1 keeps its channels; got 24 and filters=48"):
        blocks.shufflenet_unit(inputs, 48, 1, name="u")
    with pytest.raises(ValueError, match="a unit of stride 2 adds channels; got 24 and filters=24"):
        blocks.shufflenet_unit(inputs, 24, 2, name="u")
