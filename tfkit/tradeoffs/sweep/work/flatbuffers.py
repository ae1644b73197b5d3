"""Steps on flatbuffers: conversion, and the proof of what came out of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit import converters, saving
from tfkit._json import json_text
from tfkit._keras import legacy_keras
from tfkit.data import Dataset
from tfkit.runtime import Interpreter
from tfkit.tradeoffs.sweep.steps import Outcome
from tfkit.tradeoffs.sweep.work.carry import Job
from tfkit.training.streams import network_batches

_CALIBRATION, _PARITY, _BATCH = 256, 128, 256  # samples


def convert(job: Job) -> Outcome:
    """The Keras network as flatbuffer, with the ledger of its ops."""
    settings = job.settings
    conversion = converters.convert(
        saving.load(job.file("keras")),
        settings["format"],
        calibration=_samples(job.dataset, "train", _CALIBRATION) if settings.get("calibrate") else None,
        strict=settings["strict"],
        verify=False,
    )
    legacy_keras().backend.clear_session()
    return Outcome(
        {"size_bytes": len(conversion.flatbuffer)},
        {
            "tflite": (".tflite", conversion.flatbuffer),
            "ledger": (".json", json_text(conversion.ledger.to_json()).encode()),
        },
    )


def verify(job: Job) -> Outcome:
    """Parity with the network it was made from, and accuracy on the whole test split, in the runtime on this host.

    How often both give the same answer is no criterion here, as it is when one file is converted: what quantization
    costs is what a sweep is to show, and the accuracy shows it.
    """
    model = saving.load(job.file("keras"))
    flatbuffer = job.inputs["tflite"]
    data = _samples(job.dataset, "test", _PARITY)
    parity = converters.verify(model, flatbuffer, data=data, min_agreement=0.0, layers=False)
    if not parity.ok:
        return Outcome(reason=parity.summary)
    outcome = Outcome(
        {"accuracy": _accuracy(model, flatbuffer, job.dataset)},
        {"parity": (".json", json_text(parity.to_json()).encode())},
    )
    legacy_keras().backend.clear_session()
    return outcome


def _samples(dataset: Dataset, split: str, limit: int) -> np.ndarray:
    """Raw images from the whole split: a file's beginning may be all of one class."""
    if not dataset.in_memory:
        return dataset.arrays(split, limit)[0]
    images, _ = dataset.arrays(split)
    return images[np.sort(np.random.default_rng(0).permutation(len(images))[:limit])]


def _accuracy(model: Any, flatbuffer: bytes, dataset: Dataset) -> float:
    """Share of the test split whose largest output is its class."""
    interpreter = Interpreter(flatbuffer)
    right = 0
    with dataset.naming_errors():
        for images, labels in network_batches(model, dataset, "test", _BATCH):
            outputs = np.asarray(interpreter.predict(np.asarray(images)))
            right += int(np.sum(np.argmax(outputs, axis=-1) == np.asarray(labels)))
    return right / dataset.size("test")
