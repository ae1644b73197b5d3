"""``advise``: measure a model's layers on a device in each precision, and propose which mix is worth it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfkit._errors import UsageError
from tfkit.devices import connect
from tfkit.tradeoffs.advise.advice import Advice
from tfkit.tradeoffs.advise.advisor import Advisor
from tfkit.tradeoffs.advise.budgets import Budgets
from tfkit.tradeoffs.advise.carry_out import EPOCHS, carry_out
from tfkit.tradeoffs.advise.subject import Subject
from tfkit.tradeoffs.advise.timing import Stopwatch
from tfkit.tradeoffs.advise.variants import Mix

Say = Callable[[str], None]


def advise(
    model: Any,
    device: str = "local",
    *,
    data: str | None = None,
    budgets: Budgets | None = None,
    threads: int = 1,
    train: bool = False,
    epochs: int = EPOCHS,
    output: str | os.PathLike[str] | None = None,
    seed: int = 0,
    trust_model: bool = False,
    cache: Path | None = None,
    progress: Say | None = None,
) -> Advice:
    """Measure the layers of a float model on a device in float, int8, few bits and one bit, and propose a plan.

    The first and the last kernel stay as they are. What is measured is kept per device and shape in the user's cache
    folder; the first advice for a device also times a few small reference networks, which takes minutes.

    Args:
        model: a functional or sequential tf_keras model, or the path of one.
        device: what ``tfkit.devices.connect`` takes; one whose clock times hardware.
        data: labelled data, as ``tfkit train`` takes it: for what quantization costs, and to train on.
        budgets: limits of the plan; the plan is then the safest that keeps them.
        threads: of the runtime.
        train: carry the plan out: train, convert, measure.
        epochs: of ``train``.
        output: the .tflite that ``train`` writes, the .keras beside it.
        seed: of training.
        trust_model: load Python code that a model file carries.
        cache: another folder for what was measured.
        progress: called with one line per step.

    Raises:
        UsageError: ``train`` or a least accuracy without data, ``train`` without ``output``.
        UnsupportedError: a device without times, a model whose layers cannot be chosen, budgets that no mix keeps;
            the message has the closest plan.
        ModelError, DataError, ConversionError, DeviceError: as conversion and benchmarks raise them.
    """
    say = progress or (lambda line: None)
    limits = budgets or Budgets()
    if data is None and (train or limits.accuracy is not None):
        what = "training" if train else "a least accuracy"
        raise UsageError(f"{what} needs labelled data; give --data (data=), for example digits")
    if train and output is None:
        raise UsageError("training writes what it makes; give output=, the .tflite to write")
    with connect(device) as opened:
        stopwatch = Stopwatch(opened, threads, say)
        say("reading the model")
        subject = Subject(model, data, trust_model, seed)
        advisor = Advisor(subject, stopwatch, stopwatch.cache(cache), say)
        advice = advisor.advice(limits, device, threads)
        if not train:
            return advice
        outcome = carry_out(
            subject.model,
            Mix(advice.rest, advice.bits),
            subject.dataset,
            str(data),
            opened,
            Path(str(output)),
            epochs=epochs,
            threads=threads,
            seed=seed,
            say=say,
        )
    return replace(advice, outcome=outcome)
