"""Where steps run that measure nothing: long-lived processes on this machine, which import TensorFlow once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Protocol

from tfkit.tradeoffs.sweep.steps import Outcome


class Pool(Protocol):
    """Carries out steps, several at a time; an executor of ``concurrent.futures`` with a number of places."""

    places: int
    on_this_host: bool  # whether a folder of this host means the same to its processes

    def submit(self, function: Callable[..., Outcome], *arguments: Any) -> Future[Outcome]:
        """Carry out ``function(*arguments)`` in another process."""
        ...

    def renew(self) -> None:
        """New processes for those that died: a step took one along."""
        ...

    def stop(self) -> None:
        """End all work at once; nothing of this pool runs when this returns. It may be called again."""
        ...


class LocalPool:
    """``places`` processes, started when there is work.

    Processes are spawned, not forked: TensorFlow's threads do not survive a fork. Ctrl-C is the parent's affair. All
    end at once when ``stop`` is called, and when the parent is gone, however it went: each watches a pipe whose other
    end only the parent has.
    """

    on_this_host = True

    def __init__(self, places: int) -> None:
        self.places = places
        self._context = multiprocessing.get_context("spawn")
        self._executor: ProcessPoolExecutor | None = None
        self._alive: Connection | None = None

    def submit(self, function: Callable[..., Outcome], *arguments: Any) -> Future[Outcome]:
        """As ``Pool.submit``; raises ``BrokenProcessPool`` after a process died."""
        if self._executor is None:
            watched, self._alive = self._context.Pipe(duplex=False)
            self._executor = ProcessPoolExecutor(
                self.places, mp_context=self._context, initializer=_begin, initargs=(watched, _threads(self.places))
            )
        return self._executor.submit(function, *arguments)

    def renew(self) -> None:
        """As ``Pool.renew``: they are started with the next step."""
        self.stop()

    def stop(self) -> None:
        """As ``Pool.stop``."""
        if self._executor is None:
            return
        assert self._alive is not None
        self._alive.close()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = self._alive = None


def _threads(places: int) -> int:
    """For TensorFlow in each process, so that together they do not want more than there is."""
    return max(1, len(os.sched_getaffinity(0)) // places)


def _begin(watched: Connection, threads: int) -> None:
    """Prepare one of the processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    try:
        watched.recv()
    except (EOFError, OSError):
        os._exit(1)
