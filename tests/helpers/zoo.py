"""Models of the zoo at full size for the price of their layers: no weight is allocated."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from helpers.keras import keras
from tfkit import models


@cache
def outline(name: str, **arguments: Any) -> Any:
    """The model as ``models.build`` makes it, in a graph that nobody runs: shapes are real, weights never exist.

    Arguments are those of ``models.build`` with a float32 or binary scheme.
    """
    with unallocated():
        return models.build(name, **arguments)


@contextmanager
def unallocated() -> Iterator[None]:
    """A graph that nobody runs; what is built in it has shapes but no values."""
    import tensorflow as tf

    bases = {kind: kind.__bases__ for kind in _subclasses(keras.layers.Layer)}
    try:
        with tf.Graph().as_default(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*set_learning_phase.* is deprecated")
            keras.backend.set_learning_phase(0)  # of this graph; else normalizations add both branches: slow
            yield
    finally:
        # In a graph Keras gives its classes other bases, which layers made before do not fit.
        for kind, before in bases.items():
            if kind.__bases__ != before:
                kind.__bases__ = before


def _subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def trainable_params(model: Any) -> int:
    """What most papers count: all weights but the moving statistics of normalizations."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def kernel_shapes(model: Any) -> list[tuple[int, ...]]:
    """Of every convolution and dense layer, sorted: what two builds of one architecture have in common."""
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    return sorted(tuple(layer.kernel.shape) for layer in model.layers if isinstance(layer, kinds))
