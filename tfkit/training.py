"""Train a classifier with defaults that suit its precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfkit._errors import DataError, UsageError
from tfkit._keras import legacy_keras
from tfkit.data import Dataset
from tfkit.layers import is_binary_layer
from tfkit.metadata import IDENTITY, metadata_of
from tfkit.pruning import callbacks as pruning_callbacks
from tfkit.pruning import is_pruned
from tfkit.quantization import calibrate, is_quantize_aware, settle

keras = legacy_keras()

# (epoch from 1, number of epochs, {"loss": ..., "accuracy": ..., "val_accuracy": ...})
Progress = Callable[[int, int, Mapping[str, float]], None]

# Binary weights move only when a latent weight crosses zero, so they take larger steps; int8 training is fine-tuning.
_LEARNING_RATES = {"float32": 3e-3, "binary": 1e-2, "int8": 1e-3, "binary_int8": 1e-3}
_CALIBRATION_SAMPLES = 256


def fit(
    model: Any,
    dataset: Dataset,
    *,
    epochs: int = 15,
    batch_size: int = 64,
    learning_rate: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, list[float]]:
    """Train ``model`` in place on raw data; the model's preprocessing is applied here.

    Adam with a learning rate that falls from ``learning_rate`` to zero along half a cosine; cross entropy.
    Latent binary weights are clipped by their layers. A quantization-aware model has its activation ranges
    set from training data before every epoch and is settled after the last one; a pruned model gets the
    step counter that its schedule needs.
    One seed gives one result on one machine.

    Args:
        model: a classifier with outputs (batch, classes), logits or a softmax.
        dataset: raw images and class numbers; ``x_test`` is evaluated after every epoch.
        epochs: passes over the training data.
        batch_size: samples per step.
        learning_rate: of the first step; by precision when None (float32 3e-3, binary 1e-2, int8 1e-3).
        seed: of shuffling, dropout and everything else random.
        progress: called after every epoch.

    Returns:
        "loss", "accuracy", "val_loss", "val_accuracy": one value per epoch.

    Raises:
        DataError: images or classes do not fit the model, or lie outside the range of its preprocessing.
        UsageError: epochs, batch_size or learning_rate is not positive.
    """
    rate = _LEARNING_RATES[_precision(model)] if learning_rate is None else learning_rate
    if epochs < 1 or batch_size < 1 or not rate > 0:
        raise UsageError(
            f"epochs, batch_size and learning_rate must be positive; got {epochs}, {batch_size} and {rate:g}"
        )
    _check_fit(model, dataset)
    keras.utils.set_random_seed(seed)
    preprocessing = metadata_of(model).preprocessing or IDENTITY
    x_train, x_test = preprocessing.apply(dataset.x_train), preprocessing.apply(dataset.x_test)
    steps = epochs * -(-len(x_train) // batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=not _ends_in_softmax(model)),
        metrics=["accuracy"],
    )
    callbacks: list[Any] = []
    if is_pruned(model):
        callbacks.extend(pruning_callbacks())
    if is_quantize_aware(model):
        callbacks.append(_Ranges(x_train[np.random.default_rng(seed).permutation(len(x_train))[:_CALIBRATION_SAMPLES]]))
    if progress is not None:
        callbacks.append(
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress(epoch + 1, epochs, logs))
        )
    history = model.fit(
        x_train,
        dataset.y_train,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(x_test, dataset.y_test),
        callbacks=callbacks,
        verbose=0,
    )
    if is_quantize_aware(model):
        settle(model)
    return {name: [float(value) for value in values] for name, values in history.history.items()}


def accuracy(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The share of raw samples whose largest output is their class."""
    preprocessing = metadata_of(model).preprocessing or IDENTITY
    outputs = model.predict(preprocessing.apply(x), verbose=0, batch_size=256)
    return float(np.mean(np.argmax(outputs, axis=-1) == y))


class _Ranges(keras.callbacks.Callback):  # type: ignore[name-defined]
    """Set activation ranges from data before every epoch: moving averages from [-6, 6] would lag behind."""

    def __init__(self, samples: np.ndarray) -> None:
        super().__init__()
        self._samples = samples

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        calibrate(self.model, self._samples)


def _precision(model: Any) -> str:
    binary = any(is_binary_layer(layer) for layer in model.layers)
    if is_quantize_aware(model):
        return "binary_int8" if binary else "int8"
    return "binary" if binary else "float32"


def _ends_in_softmax(model: Any) -> bool:
    last = model.layers[-1]
    last = getattr(last, "layer", last)
    if isinstance(last, keras.layers.Softmax):
        return True
    activation = getattr(last, "activation", None)
    return getattr(getattr(activation, "activation", activation), "__name__", "") == "softmax"


def _check_fit(model: Any, dataset: Dataset) -> None:
    outputs = model.output_shape
    if not isinstance(outputs, tuple) or len(outputs) != 2 or len(model.inputs) != 1:
        raise UsageError(f"fit trains classifiers with one input and outputs (batch, classes), not {outputs}")
    wanted, got = tuple(model.input_shape[1:]), dataset.x_train.shape[1:]
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
