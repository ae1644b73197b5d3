"""How often ``tfkit compare`` is right: pairs of runs of one model, and of that model made 10 % slower on purpose.

The model is a chain of convolutions; the slower one has a tenth more of them, so the slow-down is real work and no
edited number. Each pair is two whole runs of a preset, one after the other, as a user makes them before and after a
change. Of as many pairs as are asked, two runs of the same model should be inconclusive and a run of the slower one
slower, at least 19 times out of 20. By default the preset is the real one (``standard``: 20 pairs take about an hour);
``--seconds`` shortens its loops for a machine that others use, and the row says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfkit import bench
from tfkit.bench import PRESETS, Preset

TITLE = "Verdicts of tfkit compare"
TARGET = "two runs of one model inconclusive, of one made 10 % slower slower, each at least 19 times out of 20"
HEADINGS = ("preset", "pairs", "same model: inconclusive", "10 % slower: slower", "conditions", "")
PAIRS = 20
NEEDED = 0.95
LAYERS = 40
SIDE = 28
CHANNELS = 32


def chain(layers: int) -> bytes:
    """A float flatbuffer of equal convolutions, one after the other."""
    import tf_keras

    from tfkit import convert

    inputs = tf_keras.Input((SIDE, SIDE, CHANNELS), batch_size=1)
    x = inputs
    for _ in range(layers):
        x = tf_keras.layers.Conv2D(CHANNELS, 3, padding="same", use_bias=False)(x)
    return bytes(convert(tf_keras.Model(inputs, x), format="float32").flatbuffer)


def measured(model: Path, preset: str, file: Path) -> list[str]:
    """Measure into ``file``; the codes of the gate's reasons."""
    report = bench.run(model, preset=preset, json_path=file)
    report.check()
    return [reason["code"] for reason in report.results[0].gate["reasons"]]


def counted(preset: str, pairs: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Verdicts on the same model, on the slower one, and how often the gate gave which reason."""
    same: Counter[str] = Counter()
    slower: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = {}
        for label, layers in (("usual", LAYERS), ("slow", LAYERS + LAYERS // 10)):
            models[label] = folder / label / "m.tflite"
            models[label].parent.mkdir()
            models[label].write_bytes(chain(layers))
        files = {key: folder / f"{key}.json" for key in ("first", "again", "slow")}
        for number in range(pairs):
            for key, model in (("first", "usual"), ("again", "usual"), ("slow", "slow")):
                reasons.update(measured(models[model], preset, files[key]))
            again = bench.compare(files["first"], files["again"]).rows[0]
            # The slower one is compared with the run before it.
            slow = bench.compare(files["again"], files["slow"]).rows[0]
            same[again.verdict] += 1
            slower[slow.verdict] += 1
            seen = f"same {again.reason}; slower {slow.change or 0:+.1%}, {slow.reason}"
            sys.stderr.write(f"{number + 1}/{pairs}: {seen}\n")
    return same, slower, reasons


def row(preset: str, pairs: int) -> tuple[str, ...]:
    """The counts against the target, and what the gate said of the runs."""
    same, slower, reasons = counted(preset, pairs)
    right = same["inconclusive"], slower["slower"]
    met = min(right) >= NEEDED * pairs
    seen = ", ".join(f"{code} {count}" for code, count in reasons.most_common(4)) or "all trusted"
    conditions = f"load {os.getloadavg()[1]:.1f} on {os.cpu_count()} CPUs; gate of {3 * pairs} runs: {seen}"
    judged = "met" if met else f"missed: {min(right)} of {pairs}"
    shown = PRESETS[preset]
    text = f"{shown.name}, {shown.processes} processes of {shown.min_seconds:g} s"
    return text, str(pairs), f"{right[0]} {dict(same)}", f"{right[1]} {dict(slower)}", conditions, judged


def rows() -> Iterator[tuple[str, ...]]:
    """With the real preset."""
    yield row("standard", PAIRS)


def reduced(seconds: float) -> Preset:
    """``standard`` with shorter loops and no pauses; the processes stay, for they are what is compared."""
    name = f"standard, cut to {seconds:g} s"
    standard = PRESETS["standard"]
    return dataclasses.replace(
        standard,
        name=name,
        min_seconds=seconds,
        warmup_seconds=0.2,
        warmup_stable_seconds=1.0,
        cool_seconds=0.0,
        runs=64,
    )


def main() -> None:
    """Print the row: ``python -m tests.claims.verdicts [--pairs N] [--seconds S]``."""
    np.random.seed(0)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--seconds", type=float, help="shorten the preset's loops")
    arguments = parser.parse_args()
    preset = "standard"
    if arguments.seconds is not None:
        cut = reduced(arguments.seconds)
        PRESETS.add(cut.name, cut)
        preset = cut.name
    for heading, value in zip(HEADINGS, row(preset, arguments.pairs), strict=True):
        sys.stdout.write(f"{heading or 'target'}: {value}\n")


if __name__ == "__main__":
    main()
