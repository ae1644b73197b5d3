"""How long ``tfkit bench`` takes besides measuring: from the command to its end, without the runner's own time.

The whole command is timed, start of Python and end included, on a device that has the bundle from the time before.
Taken off is what the runner says of itself: loading, compiling, first run, warm-up, timed runs. What is left is more
than the time to the first measurement, for what follows the last one is in it. The median of several commands.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tfkit.devices.simulated.adb_server import private_server
from tfkit.devices.simulated.phone import Phone

TITLE = "From the command to the first measurement, with a cached bundle"
TARGET = "at most 2 s besides the preset's own time"
HEADINGS = ("device", "besides measuring", "")
LIMIT_S = 2.0
REPEATS = 5
MODEL = Path(__file__).parents[1] / "golden" / "flatbuffers" / "lce_float32.tflite"


def besides(device: str, environment: dict[str, str]) -> float:
    """Seconds of one command that the runner does not account for."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "r.json")
        command = [sys.executable, "-m", "tfkit", "bench", str(MODEL), "--preset", "quick", "--device", device]
        start = time.monotonic()
        subprocess.run([*command, "--json", str(answer)], check=True, capture_output=True, env=environment, timeout=600)
        whole = time.monotonic() - start
        (process,) = json.loads(answer.read_text())["results"][0]["processes"]
    measurement = process["measurement"]
    counted = process["load_ns"] + process["compile_ns"] + process["first_run_ns"]
    return whole - (counted + measurement["warmup"]["total_ns"] + measurement["total_ns"]) * 1e-9


def row(label: str, device: str, environment: dict[str, str]) -> tuple[str, ...]:
    """The first command brings the bundle, and does not count."""
    besides(device, environment)
    seconds = statistics.median(besides(device, environment) for _ in range(REPEATS))
    return label, f"{seconds:.2f} s", "met" if seconds <= LIMIT_S else f"missed by {seconds - LIMIT_S:.2f} s"


def rows() -> Iterator[tuple[str, ...]]:
    """This machine, and a simulated phone behind a real adb, whose programs run emulated."""
    yield row("local", "local", dict(os.environ))
    with private_server() as adb, Phone() as phone:
        yield row("simulated phone over adb", phone.spec, {**os.environ, **adb})


def main() -> None:
    """Print the table, with the load that the machine had: ``python -m tests.claims.first_measurement``."""
    sys.stdout.write(f"{TITLE}; {TARGET}. Load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs\n")
    for one in rows():
        sys.stdout.write(" | ".join(one) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
