"""``tfkit train`` in a process of its own, killed at arbitrary moments and started again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfkit.saving import load

_PATIENCE_S = 300


@dataclass
class Run:
    """What became of a command: how often it was stopped, by which exit codes, and what it said at last."""

    codes: list[int] = field(default_factory=list)
    stdout: str = ""
    stderr: list[str] = field(default_factory=list)


def train(arguments: Sequence[str], signals: Sequence[int] = (), seed: int = 0, command: str = "train") -> Run:
    """Run ``tfkit train`` (or prune) until it is done; every process but the last gets a signal after one more epoch.

    The signal comes up to a second after the line of that epoch: while the next one trains, is evaluated, or is
    being written.
    """
    rng = random.Random(seed)
    argv = [sys.executable, "-m", "tfkit", command, *arguments]
    run = Run()
    for number in (*signals, None):
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        if number is not None:
            for line in process.stderr:
                run.stderr.append(line.rstrip())
                if ", accuracy " in line:
                    break
            time.sleep(rng.uniform(0, 1.0) ** 2)
            process.send_signal(number)
        stdout, stderr = process.communicate(timeout=_PATIENCE_S)
        run.stdout = stdout
        run.stderr += stderr.splitlines()
        run.codes.append(process.returncode)
    return run


def weights(path: Path) -> list[Any]:
    """The stored weights of a model file, latent ones as they are."""
    return list(load(path).get_weights())


def assert_same_bits(first: Sequence[Any], second: Sequence[Any], message: str = "") -> None:
    """Fail unless both lists of arrays are equal to the last bit, zeros' signs included."""
    assert len(first) == len(second)
    for number, (a, b) in enumerate(zip(first, second, strict=True)):
        assert a.shape == b.shape
        different = int(np.sum(np.frombuffer(a.tobytes(), np.uint8) != np.frombuffer(b.tobytes(), np.uint8)))
        assert not different, f"array {number} differs in {different} bytes; {message}"


KILL, INTERRUPT = signal.SIGKILL, signal.SIGINT
