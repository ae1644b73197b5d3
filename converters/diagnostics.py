"""Keeps what TensorFlow, MLIR and absl write to file descriptor 2 out of the terminal, and finds the reason in it."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LOCK = threading.RLock()  # file descriptor 2 belongs to the whole process
# glog and absl prefixes: severity, date or none, thread, file:line]
_LOG_LINE = re.compile(r"^[IWEF]\d{4} |^WARNING: All log messages before absl|^INFO: |^W\d+ |^\d{4}-\d\d-\d\d ")
_MLIR_ERROR = re.compile(r"\berror: (?P<text>.*)")
_LOCATION = re.compile(r"loc\((?:callsite\()*(?:fused\[)?\"(?P<name>[^\"@:]+)")
_MAX_REASONS = 3


class Diagnostics:
    """The captured text; complete once the ``captured`` block was left."""

    def __init__(self) -> None:
        self.text = ""

    def errors(self) -> list[str]:
        """MLIR's error lines, each once, shortened."""
        found: dict[str, None] = {}
        for line in self.text.splitlines():
            match = _MLIR_ERROR.search(line)
            if match:
                found[_shorten(match["text"])] = None
        return list(found)


@contextmanager
def captured() -> Iterator[Diagnostics]:
    """Collect everything that native code and Python's logging write to stderr inside the block."""
    found = Diagnostics()
    with _LOCK, tempfile.TemporaryFile() as sink:
        _flush()
        saved = os.dup(2)
        # Their Python halves may write to another file descriptor.
        loggers = {logger: logger.level for logger in map(logging.getLogger, ("tensorflow", "absl"))}
        try:
            os.dup2(sink.fileno(), 2)
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield found
        finally:
            for logger, level in loggers.items():
                logger.setLevel(level)
            _flush()
            os.dup2(saved, 2)
            os.close(saved)
            sink.seek(0)
            found.text = sink.read().decode("utf-8", "replace")


def reason(error: BaseException, found: Diagnostics) -> str:
    """One short text for a converter's exception and what it printed."""
    raw = str(error)
    texts = [_shorten(m["text"]) for m in _MLIR_ERROR.finditer(raw)] or found.errors()
    if not texts:
        texts = [_shorten(line) for line in raw.splitlines() if line.strip() and not _LOG_LINE.match(line)]
    unique = list(dict.fromkeys(t for t in texts if t))
    if not unique:
        return type(error).__name__
    more = f" (and {len(unique) - _MAX_REASONS} more)" if len(unique) > _MAX_REASONS else ""
    return "; ".join(unique[:_MAX_REASONS]) + more


def _shorten(text: str, limit: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _flush() -> None:
    with suppress(Exception):  # a closed or replaced stream has nothing to flush
        sys.stderr.flush()
