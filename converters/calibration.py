"""Calibration and verification data: raw samples from a file, a named data set or memory, preprocessed for a model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import DataError
from tfkit.data import InputSpec, Samples, fit_samples, read_samples
from tfkit.metadata import ModelMetadata


@dataclass(frozen=True)
class Batch:
    """Network inputs, preprocessed, in the model's order, all with the same first axis; labels when known."""

    arrays: tuple[np.ndarray, ...]
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.arrays[0])

    def one_by_one(self) -> Iterator[list[np.ndarray]]:
        """Batches of a single sample, as TensorFlow Lite's calibration wants them."""
        for i in range(len(self)):
            yield [array[i : i + 1] for array in self.arrays]

    def take(self, count: int) -> Batch:
        """The first ``count`` samples."""
        labels = None if self.labels is None else self.labels[:count]
        return Batch(tuple(a[:count] for a in self.arrays), labels)


def read(
    source: Any,
    inputs: Sequence[InputSpec],
    metadata: ModelMetadata,
    *,
    split: str = "test",
    classes: int | None = None,
) -> Batch:
    """Read raw data and apply the model's preprocessing.

    Args:
        source: a path to an .npz file, a data set's name as ``tfkit.data.load`` takes it, one array, a mapping by
            input name, or samples.
        inputs: what the model takes.
        metadata: the model's, with its preprocessing.
        split: of a data set: ``"train"`` to calibrate, ``"test"`` to verify.
        classes: labels must lie below, when the model is a classifier.

    Raises:
        DataError: names, shapes, types or labels that do not fit; values outside the preprocessing's range.
    """
    if isinstance(source, str | os.PathLike):
        samples = read_samples(source, inputs, split=split, classes=classes)
    elif isinstance(source, Samples):
        arrays = dict(source.inputs)
        arrays = arrays if source.labels is None else arrays | {"y": source.labels}
        samples = fit_samples(arrays, inputs, "the samples", classes=classes)
    elif isinstance(source, Mapping):
        samples = fit_samples({k: np.asarray(v) for k, v in source.items()}, inputs, "the mapping", classes=classes)
    elif isinstance(source, np.ndarray):
        if len(inputs) != 1:
            names = ", ".join(spec.name for spec in inputs)
            raise DataError(f"one array was given, the model takes {len(inputs)}: give a mapping with {names}")
        samples = fit_samples({"x": source}, inputs, "the array")
    else:
        raise DataError(
            f"data is a {type(source).__name__}; give an .npz path, a named data set, an array, "
            "or a mapping by input name"
        )
    return Batch(tuple(_prepare(samples.inputs[s.name], s, metadata) for s in inputs), samples.labels)


def _prepare(raw: np.ndarray, spec: InputSpec, metadata: ModelMetadata) -> np.ndarray:
    if metadata.preprocessing is None or not np.issubdtype(np.dtype(spec.dtype), np.floating):
        return raw
    return metadata.preprocessing.apply(raw)


def seeded(inputs: Sequence[InputSpec], metadata: ModelMetadata, count: int, seed: int) -> Batch:
    """Random samples in the range the model was made for, each with exact zeros and the range's ends.

    Without preprocessing metadata: a standard normal distribution. Integer inputs: 0 to 127.
    """
    generator = np.random.default_rng(seed)
    arrays = []
    for spec in inputs:
        shape = (count, *(n or 1 for n in spec.shape))
        dtype = np.dtype(spec.dtype)
        found = metadata.preprocessing
        if not np.issubdtype(dtype, np.floating):
            arrays.append(generator.integers(0, 2 if dtype == np.bool_ else 128, shape).astype(dtype))
        elif found is None or not np.isfinite([found.raw_min, found.raw_max]).all():
            values = generator.standard_normal(shape)
            values.reshape(count, -1)[:, 0] = 0.0
            arrays.append(values.astype(dtype))
        else:
            raw = generator.uniform(found.raw_min, found.raw_max, shape)
            flat = raw.reshape(count, -1)
            flat[:, 0], flat[:, -1] = found.raw_min, found.raw_max
            arrays.append(found.apply(raw).astype(dtype))
    return Batch(tuple(arrays))
