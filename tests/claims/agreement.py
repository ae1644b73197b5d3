"""Whether tfkit's medians are those of LiteRT's own benchmark script, on this machine, run in turn.

``ai_edge_litert/tools/benchmark_litert_model.py`` of the installed wheel and ``tfkit_bench`` run the same model with
one thread and XNNPACK's default flags, each in fresh processes by turns, on the same CPU and for as many runs. Compared
are medians of processes that ran next to each other, and of these ratios the median counts: what else the machine does
hits both of a pair alike. Both sides measure around the run call, the script from Python. From 5 ms on the relative
difference counts; below, the call from Python itself shows, so the absolute one is reported.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.claims.interleaved import pinned
from tfkit._units import format_seconds
from tfkit.bench.bundle import Bundle
from tfkit.bench.cooling import Cooler
from tfkit.bench.measure import Bench
from tfkit.bench.spec import Preset
from tfkit.bench.subject import Subject, prepare
from tfkit.devices import connect
from tfkit.runtime.model_file import read_model

TITLE = "Agreement with LiteRT's own benchmark script"
TARGET = "medians within 3 % for models of 5 ms and more"
HEADINGS = ("model", "tfkit", "LiteRT's script", "difference", "clock around a call", "")
LIMIT = 0.03
LARGE_S = 5e-3
ROUNDS = 15
RUNS = 60
WARMUP = 20
PRESET = Preset("agreement", WARMUP, 0.0, 0.0, RUNS, 0.0, RUNS, 600.0, processes=1)


def models(folder: Path) -> Iterator[tuple[str, Path]]:
    """Float networks of the zoo, untrained: two of 5 ms and more, two below."""
    from tfkit import convert
    from tfkit import models as zoo

    for name, side in (("resnet18", 224), ("mobilenet_v2", 224), ("mobilenet_v1", 96), ("squeezenet_1_0", 64)):
        path = folder / f"{name}_{side}.tflite"
        path.write_bytes(convert(zoo.build(name, input_shape=(side, side, 3)), format="float32").flatbuffer)
        yield f"{name}, float32, {side}x{side}", path


def by_script(model: Path) -> float:
    """Seconds: the script's median."""
    found = find_spec("ai_edge_litert")
    assert found is not None
    assert found.submodule_search_locations
    script = Path(found.submodule_search_locations[0], "tools", "benchmark_litert_model.py")
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "r.json")
        command = [sys.executable, str(script), f"--model={model}", "--num_threads=1", f"--result_json={answer}"]
        subprocess.run(
            [*command, f"--num_runs={RUNS}", f"--warmup_runs={WARMUP}"], check=True, capture_output=True, timeout=600
        )
        return float(json.loads(answer.read_text())["latency"]["median_ms"]) * 1e-3


def by_tfkit(bench: Bench, subject: Subject) -> tuple[float, float]:
    """Seconds: the median of one process, and what taking the time of a call costs."""
    measurement = bench.once(subject, 1)["measurement"]
    return statistics.median(measurement["run_ns"]) * 1e-9, measurement["clock_overhead_ns"] * 1e-9


def compared(model: Path) -> tuple[list[float], list[float], float]:
    """Seconds: tfkit's medians, the script's, in pairs; and the clock's share in tfkit's."""
    ours, theirs, clock = [], [], []
    with connect("local") as device, tempfile.TemporaryDirectory() as folder, pinned():
        bundle = Bundle.for_device(device)
        bundle.push(device)
        bench = Bench(device, bundle, PRESET, None, None, False, Cooler(device), lambda line: None)
        subject = prepare(model, read_model(model), None, 0, Path(folder, "subject"))
        for number in range(ROUNDS):
            if number % 2:
                theirs.append(by_script(model))
            median, overhead = by_tfkit(bench, subject)
            ours.append(median)
            clock.append(overhead)
            if not number % 2:
                theirs.append(by_script(model))
    return ours, theirs, statistics.median(clock)


def rows() -> Iterator[tuple[str, ...]]:
    """One line per model."""
    with tempfile.TemporaryDirectory() as folder:
        for label, path in models(Path(folder)):
            ours, theirs, clock = compared(path)
            first, second = statistics.median(ours), statistics.median(theirs)
            relative = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True)) - 1
            if max(first, second) >= LARGE_S:
                judged = "met" if abs(relative) <= LIMIT else f"missed: {abs(relative):.1%}"
                shown = f"{relative:+.1%}"
            else:
                judged, shown = "absolute only", f"{relative * second * 1e6:+.1f} us ({relative:+.1%})"
            yield label, format_seconds(first), format_seconds(second), shown, f"{clock * 1e9:.0f} ns", judged


def main() -> None:
    """Print the table, with the load that the machine had: ``python -m tests.claims.agreement``."""
    sys.stdout.write(f"{TITLE}; {TARGET}. Load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs\n")
    for row in rows():
        sys.stdout.write(" | ".join(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
