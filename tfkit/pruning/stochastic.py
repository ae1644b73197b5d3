"""Random numbers that depend on a seed, a layer and a step only, so that a continued run draws the same."""

from __future__ import annotations

import zlib
from typing import Any

import tensorflow as tf

from tfkit.pruning.reparameterized import Reparameterized


class Stochastic(Reparameterized):
    """A wrapper that draws random numbers, counted by a variable that is among the network's weights."""

    seed = 0

    def structure(self, kernel: Any) -> None:
        self.drawn = self.add_weight("drawn", (), dtype="int32", initializer="zeros", trainable=False)

    def uniform(self, shape: Any, stream: int = 0) -> Any:
        """Numbers in [1e-6, 1 - 1e-6] for this step."""
        return tf.random.stateless_uniform(shape, self._seed(stream), 1e-6, 1 - 1e-6)

    def normal(self, shape: Any, stream: int = 0) -> Any:
        """Standard normal numbers for this step."""
        return tf.random.stateless_normal(shape, self._seed(stream))

    def after_step(self, step: Any, rate: Any) -> None:
        self.drawn.assign_add(1)

    def _seed(self, stream: int) -> Any:
        name = zlib.crc32(f"{self.layer.name}/{self.seed}/{stream}".encode()) & 0x7FFFFFFF
        return tf.stack([tf.convert_to_tensor(self.drawn), tf.constant(name, tf.int32)])
