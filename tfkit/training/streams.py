"""Data on its way into a network: batch by batch, so that no data set has to fit into memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import DataError, UsageError
from tfkit._keras import legacy_keras
from tfkit.data import Dataset
from tfkit.metadata import IDENTITY, Preprocessing, metadata_of

keras = legacy_keras()

_CHECKED = 256  # images of a data set on disk whose range is looked at before training
_BATCH = 256


def network_batches(model: Any, dataset: Dataset, split: str, batch_size: int, **options: Any) -> Any:
    """``dataset.batches`` after the model's preprocessing: a ``tf.data.Dataset`` of (inputs, labels)."""
    import tensorflow as tf

    found = preprocessing_of(model)
    batches = dataset.batches(split, batch_size, **options)
    if found == IDENTITY:
        return batches
    scale, offset = np.float32(found.scale), np.float32(found.offset)
    return batches.map(lambda x, y: (tf.cast(x, tf.float32) * scale + offset, y)).prefetch(tf.data.AUTOTUNE)


def preprocessing_of(model: Any) -> Preprocessing:
    """The model's preprocessing; none when its metadata has none."""
    return metadata_of(model).preprocessing or IDENTITY


def first_inputs(model: Any, dataset: Dataset, samples: int, seed: int) -> np.ndarray:
    """Network inputs of ``samples`` training images chosen by ``seed``, for calibration."""
    batch, _ = next(iter(network_batches(model, dataset, "train", samples, seed=seed)))
    return np.asarray(batch)


def accuracy(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The share of raw samples whose largest output is their class."""
    apply = preprocessing_of(model).apply
    right = 0
    for start in range(0, len(x), _BATCH):
        part = slice(start, start + _BATCH)
        right += _right(model, apply(x[part]), y[part])
    return right / len(x)


def evaluate(model: Any, dataset: Dataset, split: str = "test", batch_size: int = _BATCH) -> float:
    """The share of a split whose largest output is their class; reads batch by batch.

    Raises:
        DataError: an image that cannot be read.
        UsageError: an unknown split.
    """
    with dataset.naming_errors():
        batches = network_batches(model, dataset, split, batch_size)
        return sum(_right(model, x, np.asarray(y)) for x, y in batches) / dataset.size(split)


def _right(model: Any, inputs: Any, labels: np.ndarray) -> int:
    return int(np.sum(np.argmax(model.predict_on_batch(inputs), axis=-1) == labels))


def check_fit(model: Any, dataset: Dataset) -> None:
    """Raise unless a model can be trained on a data set.

    Raises:
        UsageError: the model is no classifier with one input.
        DataError: images or classes do not fit the model, or lie outside the range of its preprocessing.
    """
    outputs = model.output_shape
    if not isinstance(outputs, tuple) or len(outputs) != 2 or len(model.inputs) != 1:
        raise UsageError(f"fit trains classifiers with one input and outputs (batch, classes), not {outputs}")
    wanted, got = tuple(model.input_shape[1:]), tuple(dataset.shape)
    if len(wanted) != len(got) or any(w is not None and w != g for w, g in zip(wanted, got, strict=True)):
        raise DataError(
            f"the model takes samples of shape {wanted}, the data has {got}; "
            f"build it with --input {'x'.join(map(str, got))}"
        )
    if dataset.classes > outputs[-1]:
        raise DataError(
            f"the data has {dataset.classes} classes, the model {outputs[-1]} outputs; "
            f"build it with --classes {dataset.classes}"
        )
    for split in ("train", "test"):
        images, _ = dataset.arrays(split, None if dataset.in_memory else _CHECKED)
        if images.size:
            preprocessing_of(model).apply(np.array([images.min(), images.max()]))
