"""The three shapes data comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dataset:
    """A labelled data set with a fixed split; images are raw, (sample, height, width, channel)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: int


@dataclass(frozen=True)
class InputSpec:
    """What one model input takes: ``shape`` without the batch axis, None where any size will do."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype | type | str = "float32"


@dataclass(frozen=True)
class Samples:
    """Arrays by input name, all with the same first axis, and labels when there are any."""

    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))
