"""The user's model with the data that speak about it."""

from __future__ import annotations

import os
from typing import Any

from tfkit import saving
from tfkit.converters import calibration
from tfkit.data import load as load_data
from tfkit.tradeoffs.advise.carry_out import training_inputs
from tfkit.tradeoffs.advise.mixture import layers_of
from tfkit.tradeoffs.advise.variants import random_samples

TEST_SAMPLES = 512


class Subject:
    """What advice is about.

    Attributes:
        model: the float network.
        name: how the user calls it.
        layers: those that may get another precision.
        samples: network inputs to set ranges from; random ones without data.
        seen: the same, None without data.
        dataset: the labelled data, None without.
        test: network inputs with labels, None without data.
    """

    def __init__(self, model: Any, data: str | None, trust_model: bool, seed: int) -> None:
        """Raises ``ModelError``, ``UnsupportedError``, ``DataError`` for a model or data that do not do."""
        by_path = isinstance(model, str | os.PathLike)
        self.model = saving.load(model, trust_model=trust_model) if by_path else model
        self.name = str(model) if by_path else str(getattr(model, "name", "model"))
        self.layers = layers_of(self.model)
        self.dataset: Any = None
        self.test: calibration.Batch | None = None
        self.seen: Any = None
        if data is None:
            self.samples = random_samples(self.model)
            return
        from tfkit.training.streams import check_fit, preprocessing_of

        shape = self.model.input_shape
        fixed = isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:]
        self.dataset = load_data(data, shape=tuple(shape[1:]) if fixed else None)
        check_fit(self.model, self.dataset)
        self.samples = self.seen = training_inputs(self.model, self.dataset, seed)
        x, y = self.dataset.arrays("test", TEST_SAMPLES)
        self.test = calibration.Batch((preprocessing_of(self.model).apply(x),), y)

    @property
    def group(self) -> str:
        """The architecture: networks of one name are no independent witnesses for each other."""
        return str(getattr(self.model, "name", "model"))

    def title(self, mix: str) -> str:
        """How the model in a mix is called in the cache."""
        shape = "x".join(str(size) for size in self.model.input_shape[1:])
        return f"{self.group} {shape} {mix}"
