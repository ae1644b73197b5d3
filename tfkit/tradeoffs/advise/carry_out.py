"""Carry a plan out: give the layers their quantizers, train briefly, convert, and measure what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfkit import bench, converters, quantizers, saving, training
from tfkit.converters import calibration
from tfkit.data import Dataset
from tfkit.devices import Device
from tfkit.runtime import Interpreter
from tfkit.tradeoffs.advise.advice import Outcome
from tfkit.tradeoffs.advise.mixture import mixed
from tfkit.tradeoffs.advise.variants import Mix

EPOCHS = 5
_LEARNING_RATE = 1e-3  # weights begin where float training ended
_CALIBRATION = 256

Say = Callable[[str], None]


def carry_out(
    model: Any,
    mix: Mix,
    dataset: Dataset,
    data: str,
    device: Device,
    output: Path,
    *,
    epochs: int = EPOCHS,
    threads: int = 1,
    seed: int = 0,
    say: Say,
) -> Outcome:
    """Train ``model`` in this mix, write ``output`` (.tflite) and the Keras model beside it, and measure both.

    Raises:
        UnsupportedError, ConversionError, ParityError, TrainingError, DeviceError: as the steps do.
    """
    samples = training_inputs(model, dataset, seed)
    made = mixed(model, mix.bits) if mix.bits else model
    if mix.bits:
        quantizers.initialize(made, samples)
        _fit(made, dataset, training.recipe_of(made), epochs, seed, "training", say)
    if mix.rest == "int8":
        from tfkit.quantization import quantize_aware

        made = quantize_aware(made, samples)
        _fit(made, dataset, "int8", max(1, epochs // 2), seed, "training for int8", say)
    say("converting")
    plain = mix.rest == "float" and not mix.bits
    conversion = converters.convert(made, "float32" if plain else "auto", data=data)
    saved = output.with_suffix(".keras")
    saving.save(made, saved)
    conversion.save(output)
    report = bench.run(output, device=device, threads=(threads,), preset="quick", progress=say)
    report.check()
    (result,) = report.results
    reasons = "; ".join(reason["text"] for reason in result.gate["reasons"])
    return Outcome(
        model=str(saved),
        flatbuffer=str(output),
        keras_accuracy=training.evaluate(made, dataset),
        accuracy=_flatbuffer_accuracy(conversion.flatbuffer, made, dataset),
        latency_s=None if result.latency is None else result.latency.median_s,
        bytes=len(conversion.flatbuffer),
        gate=result.gate["level"] + (f" ({reasons})" if reasons else ""),
    )


def training_inputs(model: Any, dataset: Dataset, seed: int) -> np.ndarray:
    """Network inputs of some training images, to set ranges and steps from."""
    from tfkit.training.streams import first_inputs

    return first_inputs(model, dataset, _CALIBRATION, seed)


def untrained_accuracy(model: Any, mix: Mix, samples: np.ndarray, test: calibration.Batch) -> float:
    """The share of ``test`` (labelled network inputs) that the mix gets right before any training."""
    made = mixed(model, mix.bits) if mix.bits else model
    if mix.bits:
        quantizers.initialize(made, samples)
    if mix.rest == "int8":
        from tfkit.quantization import quantize_aware

        made = quantize_aware(made, samples)
    outputs = made.predict(test.arrays[0], verbose=0)
    return float(np.mean(np.argmax(outputs, axis=-1) == test.labels))


def _fit(made: Any, dataset: Dataset, recipe: str, epochs: int, seed: int, label: str, say: Say) -> None:
    chosen = training.RECIPES[recipe]
    chosen = replace(chosen, epochs=epochs, learning_rate=min(chosen.learning_rate, _LEARNING_RATE))

    def progress(epoch: int, count: int, logs: Any) -> None:
        say(f"{label} {epoch}/{count}: loss {logs['loss']:.4f}, test {logs['val_accuracy']:.4f}")

    training.fit(made, dataset, recipe=chosen, seed=seed, progress=progress)


def _flatbuffer_accuracy(flatbuffer: bytes, model: Any, dataset: Dataset) -> float:
    from tfkit.training.streams import preprocessing_of

    x, y = dataset.arrays("test")
    outputs = Interpreter(flatbuffer).predict(preprocessing_of(model).apply(x))
    return float(np.mean(np.argmax(outputs, axis=-1) == y))
