"""What tfkit uses of TF-MOT's pruning beyond its public names is where it was."""

from __future__ import annotations

import numpy as np

from helpers.keras import keras
from tfkit.pruning import tfmot

layers = keras.layers


def test_kernels() -> None:
    layer = layers.Conv2D(4, 3)
    layer.build((None, 8, 8, 2))
    (kernel,) = tfmot.kernels(layer)
    assert kernel is layer.kernel
    assert tfmot.kernels(layers.ReLU()) == []


def test_masks() -> None:
    wrapper = tfmot.PruneLowMagnitude(layers.Dense(4))
    wrapper.build((None, 3))
    ((weight, mask),) = tfmot.masked(wrapper)
    assert weight is wrapper.layer.kernel
    assert mask.shape == weight.shape
    assert np.all(mask.numpy() == 1)


def test_custom_objects_are_of_their_names() -> None:
    assert all(kind.__name__ == name for name, kind in tfmot.custom_objects().items())
