"""Data sets and sample files. Everything here is raw: preprocessing belongs to the model's metadata."""

from __future__ import annotations

from tfkit.data._types import Augmentation, Dataset, InputSpec, Samples
from tfkit.data.loading import load
from tfkit.data.named import DATASETS, DatasetSpec
from tfkit.data.samples import fit_samples, read_samples

__all__ = [
    "DATASETS",
    "Augmentation",
    "Dataset",
    "DatasetSpec",
    "InputSpec",
    "Samples",
    "fit_samples",
    "load",
    "read_samples",
]
