"""What tfkit adds to the time of the underlying converter, the parity check apart.

The converter alone is what a user would call without tfkit: ``TFLiteConverter.from_keras_model(...).convert()`` and
``larq_compute_engine.convert_keras_model``. Both run in turn in one process. The last column is stricter: all of
tfkit's time over the time that it spends in what no conversion can do without, tracing the model and the converter's
core, which it reaches by a shorter way.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

import tfkit
from tests.claims import target
from tfkit._keras import legacy_keras
from tfkit.converters import pipeline
from tfkit.converters.sources import Source
from tfkit.models import build

TITLE = "Conversion: tfkit without its parity check against the converter under it"
MOST = 1.2
TARGET = f"at most {MOST:.2f}, the stricter ratio too"
HEADINGS = (
    *("model", "format", "tfkit", "converter alone", "ratio"),
    *("tfkit over its own tracing and converter core", target.HEADING),
)
REPEATS = 3


def _plain(model: Any, **settings: Any) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    for name, value in settings.items():
        setattr(converter, name, value)
    return bytes(converter.convert())


def _lce(model: Any) -> bytes:
    import larq_compute_engine

    return bytes(larq_compute_engine.convert_keras_model(model))


def _interleaved(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of both calls, run in turn after one unmeasured call each, which pays for imports."""
    first(), second()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for call, spent in zip((first, second), times, strict=True):
            start = time.perf_counter()
            call()
            spent.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


@contextmanager
def _core_seconds() -> Iterator[list[float]]:
    """Collect the seconds that tracing and the converters' cores take inside the block."""
    spent: list[float] = []

    def timed(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            result = original(*args, **kwargs)
            spent.append(time.perf_counter() - start)
            return result

        return call

    with (
        patch.object(Source, "trace", timed(Source.trace)),
        patch.object(pipeline.tflite, "convert", timed(pipeline.tflite.convert)),
        patch.object(pipeline.lce, "convert", timed(pipeline.lce.convert)),
    ):
        yield spent


def rows() -> Iterator[tuple[str, ...]]:
    """One line per model and format."""
    legacy_keras()
    import tensorflow as tf

    samples = np.random.default_rng(0).integers(0, 256, (8, 224, 224, 3)).astype(np.float32)
    integer = {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "representative_dataset": lambda: ([sample[None] / np.float32(127.5) - 1] for sample in samples),
    }
    cases: tuple[tuple[str, str, Callable[[Any], bytes], dict[str, Any]], ...] = (
        ("mobilenet_v2", "float32", _plain, {}),
        ("mobilenet_v2", "int8", lambda model: _plain(model, **integer), {"calibration": samples}),
        ("quicknet", "lce", _lce, {}),
        ("birealnet18", "lce", _lce, {}),
    )
    for name, format_, converter, settings in cases:
        model = build(name)
        with _core_seconds() as core:
            ours, theirs = _interleaved(
                lambda: tfkit.convert(model, format_, verify=False, **settings),  # noqa: B023 - called at once
                lambda: converter(model),  # noqa: B023
            )
        # One trace and one conversion per call; the first call is not measured.
        needed = statistics.median(trace + convert for trace, convert in zip(core[2::2], core[3::2], strict=True))
        yield (
            *(name, format_, f"{ours:.2f} s", f"{theirs:.2f} s", f"{ours / theirs:.2f}", f"{ours / needed:.2f}"),
            target.at_most(max(ours / theirs, ours / needed), MOST),
        )
