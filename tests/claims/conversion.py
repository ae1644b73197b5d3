"""Print what tfkit adds to the time of the underlying converter, the parity check apart; the aim is at most 20 %.

Run it by hand: ``python tests/converters/measure_overhead.py [repeats]``. A test would decide by timing.

The underlying converter is what a user would call without tfkit: ``TFLiteConverter.from_keras_model(...).convert()``
and ``lce.convert_keras_model``. The second ratio is stricter: all of tfkit's time against its own call into the
converter's core, which it reaches by a shorter way.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tfkit
from tfkit._keras import legacy_keras
from tfkit.converters import pipeline
from tfkit.converters.targets import lce, tflite
from tfkit.models import build


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """Median wall time of ``call``."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def inner(call: Callable[[], Any], repeats: int) -> float:
    """Median time that ``call`` spends inside the underlying converters."""
    spent: list[float] = []

    def timed(original: Any) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                spent.append(time.perf_counter() - start)

        return wrapper

    originals = tflite.convert, lce.convert
    pipeline.tflite.convert, pipeline.lce.convert = timed(tflite.convert), timed(lce.convert)  # type: ignore[assignment]
    try:
        for _ in range(repeats):
            call()
    finally:
        pipeline.tflite.convert, pipeline.lce.convert = originals  # type: ignore[assignment]
    return statistics.median(spent)


def main() -> None:
    """Measure some models of the zoo and print one line each."""
    import larq_compute_engine
    import tensorflow as tf

    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    legacy_keras()
    samples = np.random.default_rng(0).integers(0, 256, (8, 224, 224, 3)).astype(np.float32)

    def plain(model: Any, **settings: Any) -> bytes:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        for name, value in settings.items():
            setattr(converter, name, value)
        return bytes(converter.convert())

    def calibrated() -> Any:
        return ([s[None] / np.float32(127.5) - 1] for s in samples)

    integer = {"optimizations": [tf.lite.Optimize.DEFAULT], "representative_dataset": calibrated}
    cases: list[tuple[str, str, Callable[[Any], Any], dict[str, Any]]] = [
        ("mobilenet_v2", "float32", plain, {}),
        ("mobilenet_v2", "int8", lambda m: plain(m, **integer), {"calibration": samples}),
        ("quicknet", "lce", larq_compute_engine.convert_keras_model, {}),
        ("birealnet18", "lce", larq_compute_engine.convert_keras_model, {}),
    ]
    print(f"{'model':14}{'format':9}{'tfkit':>8}{'plain':>8}{'ratio':>7}{'core':>8}{'ratio':>7}")  # noqa: T201
    for name, format, converter, settings in cases:
        model = build(name)

        def ours(model: Any = model, format: str = format, settings: Any = settings) -> Any:
            return tfkit.convert(model, format, verify=False, **settings)

        ours()  # first calls pay for imports
        theirs = seconds(lambda: converter(model), repeats)  # noqa: B023 - called at once
        total, core = seconds(ours, repeats), inner(ours, repeats)
        line = f"{name:14}{format:9}{total:7.2f}s{theirs:7.2f}s{total / theirs:7.2f}{core:7.2f}s{total / core:7.2f}"
        print(line)  # noqa: T201


if __name__ == "__main__":
    main()
