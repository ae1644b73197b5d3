"""How training is going, on stderr: one line per epoch, and within long epochs a line that keeps moving."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import click

from tfkit._units import format_duration

_REDRAW_S = 0.2
_LINE_S = 30.0  # between two lines of one epoch where nobody watches a terminal


class TrainingProgress:
    """Tells epochs and steps of one stage; the time left is counted from this run's own steps.

    All but the first one: it builds the graph and may take longer than a whole epoch.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._start = self._told = time.perf_counter()
        self._first = self._start  # when the first step ended
        self._done = 0
        self._epochs = 0
        self._moving = sys.stderr.isatty()
        self._width = 0

    def step(self, epoch: int, epochs: int, step: int, steps: int, logs: Mapping[str, float]) -> None:
        """To be called after every step."""
        self._done += 1
        now = time.perf_counter()
        if self._done == 1:
            self._first = now
        if now - self._told < (_REDRAW_S if self._moving else _LINE_S):
            return
        self._told = now
        rest = ""
        if self._done > 1:
            left = (now - self._first) / (self._done - 1) * ((epochs - epoch) * steps + steps - step)
            rest = f", {format_duration(left)} left"
        self._say(
            f"{self._label} {epoch}/{epochs}, step {step}/{steps}: loss {float(logs['loss']):.4f}, "
            f"accuracy {float(logs['accuracy']):.4f}{rest}",
            stays=not self._moving,
        )

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        """To be called after every epoch."""
        now = self._told = time.perf_counter()
        spent = now - self._start
        self._epochs += 1
        steady = (now - self._first) * self._done / (self._done - 1) if self._done > 1 else spent
        left = steady / self._epochs * (epochs - epoch)
        self._say(
            f"{self._label} {epoch}/{epochs}: loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}, "
            f"test {logs['val_accuracy']:.4f}, "
            + (f"{format_duration(left)} left" if epoch < epochs else f"took {format_duration(spent)}"),
            stays=True,
        )

    def _say(self, line: str, stays: bool) -> None:
        head = "\r" if self._moving else ""
        click.echo(head + line.ljust(self._width), err=True, nl=stays)
        self._width = 0 if stays else len(line)
