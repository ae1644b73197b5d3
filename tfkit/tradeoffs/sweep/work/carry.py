"""One step in a process of a pool: bytes in, bytes out; a failure is an outcome with its reason."""

from __future__ import annotations

import functools
import importlib
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfkit import data as data_sets
from tfkit._errors import TfkitError
from tfkit.data import Dataset
from tfkit.tradeoffs.sweep.steps import CONVERT, PRUNE, TRAIN, TUNE, VERIFY, Outcome

# Keras keeps state of its process that steps clear; workers of a cluster may have several threads.
_ONE_AT_A_TIME = threading.Lock()

# kind -> (module, function of a ``Job``)
_WORK = {
    TRAIN: ("networks", "train"),
    PRUNE: ("networks", "prune"),
    TUNE: ("networks", "tune"),
    CONVERT: ("flatbuffers", "convert"),
    VERIFY: ("flatbuffers", "verify"),
}


@dataclass(frozen=True)
class Job:
    """What a step is given.

    Attributes:
        settings: what to do.
        inputs: artifacts by name.
        dataset: the data of the sweep.
        folder: for files, gone after the step.
        scratch: for checkpoints, which survive this process where the folder can be kept.
    """

    settings: Mapping[str, Any]
    inputs: Mapping[str, bytes]
    dataset: Dataset
    folder: Path
    scratch: Path

    def file(self, name: str) -> Path:
        """An input as a file, named by its kind."""
        path = self.folder / f"model.{name}"
        path.write_bytes(self.inputs[name])
        return path


def carry(
    kind: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, bytes],
    scratch: str | None,
    *,
    data: str | Dataset,
) -> Outcome:
    """Carry out a step that measures nothing; ``data`` is the data set, or its name. Raises nothing but Ctrl-C."""
    started = time.perf_counter()
    try:
        module, function = _WORK[kind]
        work: Callable[[Job], Outcome] = getattr(importlib.import_module(f"{__package__}.{module}"), function)
        dataset = _opened(data) if isinstance(data, str) else data
        with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="tfkit-sweep-") as folder:
            outcome = work(Job(settings, inputs, dataset, Path(folder), Path(scratch or folder)))
    except TfkitError as error:
        outcome = Outcome(reason=str(error))
    except Exception as error:  # of Keras or a converter; one point less, not the end of a sweep
        outcome = Outcome(reason=f"{type(error).__name__}: {error}")
    return replace(outcome, seconds=time.perf_counter() - started)


@functools.cache
def _opened(name: str) -> Dataset:
    return data_sets.load(name)
