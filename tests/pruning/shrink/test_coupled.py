"""Which channels go together, against what the architectures are."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.keras import keras
from tfkit import blocks, models
from tfkit.pruning.shrink import CoupledSet, coupled_channels

layers = keras.layers


def members(found: CoupledSet, kind: str = "filters") -> dict[str, Any]:
    return {member.layer: member.indices for member in found.members if member.kind == kind}


def test_a_chain_has_one_set_per_layer() -> None:
    x = inputs = layers.Input((8, 8, 3))
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(6, 3, name="a")(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = layers.Flatten()(layers.AveragePooling2D(2)(x))
    model = keras.Model(inputs, layers.Dense(4, name="dense")(x))
    first, last = coupled_channels(model)
    assert (first.name, first.size, first.fixed) == ("a", 6, None)
    assert {member.layer: member.kind for member in first.members} == {
        "a": "filters",
        "bn": "normalization",
        "depthwise": "depthwise",
    }
    np.testing.assert_array_equal(members(first, "depthwise")["depthwise"], np.arange(12).reshape(6, 2))
    (reader,) = first.readers
    assert reader.layer == "dense"
    # Pixel p of channel c is feature p · 12 + c, with two channels behind each of the six.
    wanted = [sorted(pixel * 12 + 2 * channel + one for pixel in range(4) for one in range(2)) for channel in range(6)]
    np.testing.assert_array_equal(reader.indices, wanted)
    assert (last.name, last.fixed) == ("dense", "'dense' is an output of the model")


def test_residual_stages_are_one_set_each() -> None:
    model = models.build("resnet18", input_shape=(32, 32, 3), classes=4, width=0.25)
    found = {one.name: one for one in coupled_channels(model)}
    stage = found["stage2_block1_shortcut"]
    assert set(members(stage)) == {"stage2_block1_shortcut", "stage2_block1_conv2", "stage2_block2_conv2"}
    assert all(np.array_equal(indices[:, 0], np.arange(stage.size)) for indices in members(stage).values())
    assert set(members(found["stage2_block1_conv1"])) == {"stage2_block1_conv1"}


def test_a_layer_may_be_in_several_sets() -> None:
    """Behind a concatenation that is added to, a layer's filters go with those of two others."""
    inputs = layers.Input((8, 8, 3))
    one, two = layers.Conv2D(2, 1, name="one")(inputs), layers.Conv2D(3, 1, name="two")(inputs)
    both = layers.Add()([layers.Concatenate()([one, two]), layers.Conv2D(5, 1, name="sum")(inputs)])
    model = keras.Model(inputs, layers.Conv2D(4, 1, name="end")(both))
    first, second, _ = coupled_channels(model)
    assert {name: list(indices[:, 0]) for name, indices in members(first).items()} == {"one": [0, 1], "sum": [0, 1]}
    assert {name: list(indices[:, 0]) for name, indices in members(second).items()} == {
        "two": [0, 1, 2],
        "sum": [2, 3, 4],
    }
    assert [list(reader.indices[:, 0]) for reader in second.readers] == [[2, 3, 4]]


def test_shuffles_are_followed() -> None:
    inputs = layers.Input((4, 4, 24))
    x = blocks.shufflenet_unit(inputs, 24, groups=3, name="unit")
    model = keras.Model(inputs, layers.Conv2D(4, 1, name="end")(x))
    (squeezed,) = [one for one in coupled_channels(model) if one.name == "unit_squeeze"]
    number = squeezed.size // 3
    depthwise = members(squeezed, "depthwise")["unit_depthwise"][:, 0]
    # Channel i·n + j is at place j·3 + i behind the shuffle: section 3.1 of the paper.
    np.testing.assert_array_equal(depthwise, [j * 3 + i for i in range(3) for j in range(number)])
    assert [reader.layer for reader in squeezed.readers] == ["unit_expand"]


def test_what_may_not_go_says_why() -> None:
    found = {one.name: one for one in coupled_channels(models.build("small_cnn", scheme="binary", width=0.5))}
    assert "sign(0) = +1" in str(found["stem"].fixed)
