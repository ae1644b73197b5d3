"""Models of the zoo at full size for the price of their layers: no weight is allocated."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from helpers.keras import keras
from tfkit import models


@cache
def outline(name: str, **arguments: Any) -> Any:
    """The model as ``models.build`` makes it, in a graph that nobody runs: shapes are real, weights never exist.

    Arguments are those of ``models.build`` with a float32 or binary scheme.
    """
    with tf.Graph().as_default():
        return models.build(name, **arguments)


def trainable_params(model: Any) -> int:
    """What most papers count: all weights but the moving statistics of normalizations."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def kernel_shapes(model: Any) -> list[tuple[int, ...]]:
    """Of every convolution and dense layer, sorted: what two builds of one architecture have in common."""
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    return sorted(tuple(layer.kernel.shape) for layer in model.layers if isinstance(layer, kinds))
