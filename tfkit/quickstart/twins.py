"""The four networks of the quickstart: one small CNN as float, int8, pruned and binary twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tfkit import models, pruning, quantization, training
from tfkit.data import Dataset

SEED = 1
MODEL = "small_cnn"
BATCH_SIZE = 64
SPARSITY = 0.8

Progress = Callable[[int, int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Twin:
    """One network: how to make it from the trained float network and the data, and what to convert it to."""

    name: str
    format: str
    epochs: int
    make: Callable[[Twin, Any, Dataset, Progress], Any]

    @property
    def recipe(self) -> str:
        """Everything that decides the weights; a trained network is reused while this stays the same."""
        return f"{MODEL} {self.name} epochs={self.epochs} batch={BATCH_SIZE} seed={SEED} sparsity={SPARSITY}"

    def train(self, float_model: Any, data: Dataset, progress: Progress) -> Any:
        """The trained network; ``float_model`` is None for those that start afresh."""
        return self.make(self, float_model, data, progress)


def _fit(twin: Twin, model: Any, data: Dataset, progress: Progress) -> Any:
    training.fit(model, data, epochs=twin.epochs, batch_size=BATCH_SIZE, seed=SEED, progress=progress)
    return model


def _float(twin: Twin, _: Any, data: Dataset, progress: Progress) -> Any:
    return _fit(twin, models.build(MODEL, seed=SEED), data, progress)


def _int8(twin: Twin, float_model: Any, data: Dataset, progress: Progress) -> Any:
    return _fit(twin, quantization.quantize_aware(float_model), data, progress)


def _sparse(twin: Twin, float_model: Any, data: Dataset, progress: Progress) -> Any:
    steps = twin.epochs * -(-len(data.x_train) // BATCH_SIZE)
    # The last quarter trains what is left with the masks fixed.
    pruned = pruning.prune(float_model, SPARSITY, end_step=steps * 3 // 4, frequency=5)
    return pruning.strip(_fit(twin, pruned, data, progress))


def _binary(twin: Twin, _: Any, data: Dataset, progress: Progress) -> Any:
    return _fit(twin, models.build(MODEL, scheme="binary", seed=SEED), data, progress)


TWINS = (
    Twin("float32", "float32", 12, _float),
    Twin("int8 QAT", "int8", 4, _int8),
    Twin("pruned 80 %", "float32", 10, _sparse),
    Twin("binary", "lce", 15, _binary),
)
