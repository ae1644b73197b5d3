"""Randomness that depends on (seed, epoch) only, so that training continues at any epoch as if it had never stopped.

Keras' Dropout and its relatives draw from stateful operations whose seeds are frozen when a ``tf.function`` is traced
and whose counters live in the kernel: they cannot be set back. While training, such layers get a generator whose state
is a variable. That a layer keeps its generator in ``_random_generator`` is no public interface of Keras;
``tests/training/test_randomness.py`` fails when it moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tfkit._keras import flat_layers, legacy_keras

keras = legacy_keras()

# Packages whose layers draw random numbers through a generator only; others may call tf.random themselves.
_KNOWN = ("tf_keras", "larq", "tfkit", "tensorflow_model_optimization")


def derived_seed(seed: int, *path: int) -> int:
    """A seed in [0, 2^32) that depends on all numbers given and is unrelated for neighbours.

    >>> derived_seed(1, 0) == derived_seed(1, 0), derived_seed(1, 0) == derived_seed(1, 1)
    (True, False)
    """
    return int(np.random.SeedSequence([seed % 2**64, *path]).generate_state(1)[0])


class EpochRandomness:
    """What draws random numbers inside one model, and how to set it to a state per epoch; made by ``replayable``."""

    def __init__(self, model: Any, generators: list[Any]) -> None:
        self._model = model
        self._generators = generators
        self._foreign = any(type(layer).__module__.split(".")[0] not in _KNOWN for layer in flat_layers(model))

    def start(self, seed: int, epoch: int) -> None:
        """Set every source of random numbers to where ``epoch`` begins."""
        keras.utils.set_random_seed(derived_seed(seed, epoch))
        for number, generator in enumerate(self._generators):
            generator.reset_from_seed(derived_seed(seed, epoch, number))
        if self._foreign:  # operations of unknown layers restart when they are traced anew
            self._model.make_train_function(force=True)


@contextmanager
def replayable(model: Any) -> Iterator[EpochRandomness]:
    """Give the random layers of ``model`` generators that can be set back; afterwards it has its own again."""
    owners = [layer for layer in flat_layers(model) if hasattr(layer, "_random_generator")]
    originals = [layer._random_generator for layer in owners]
    generators = []
    try:
        for layer, original in zip(owners, originals, strict=True):
            replacement = type(original)(seed=0, rng_type="stateful")
            replacement.make_seed_for_stateless_op()  # creates the generator now and not while tracing
            generators.append(replacement._generator)
            _set(layer, replacement)
        yield EpochRandomness(model, generators)
    finally:
        for layer, original in zip(owners, originals, strict=True):
            _set(layer, original)
        if owners:  # what was traced draws from generators that are gone
            model.train_function = None


def _set(layer: Any, generator: Any) -> None:
    # Past Keras' __setattr__: a tracked generator would become a part of the model's checkpoints.
    layer.__dict__["_random_generator"] = generator
