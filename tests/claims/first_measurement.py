"""How long it takes from typing ``tfkit bench`` to the start of the runner, on a device that has the bundle already.

In that time Python starts, the device is asked what it is, the host's reference is run, and the conditions are read.
The runner's own time (loading, warm-up, runs) is the preset's. Both ends are read from this machine's clock. The median
of several commands.
"""

from __future__ import annotations

import datetime
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
TARGET = "at most 2 s"
HEADINGS = ("device", "until the runner starts", "")
LIMIT_S = 2.0
REPEATS = 5
MODEL = Path(__file__).parents[1] / "golden" / "flatbuffers" / "lce_float32.tflite"


def until_start(device: str, environment: dict[str, str]) -> float:
    """Seconds from the command to the start of the runner."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "r.json")
        command = [sys.executable, "-m", "tfkit", "bench", str(MODEL), "--preset", "quick", "--device", device]
        start = time.time()
        subprocess.run([*command, "--json", str(answer)], check=True, capture_output=True, env=environment, timeout=600)
        (process,) = json.loads(answer.read_text())["results"][0]["processes"]
    return datetime.datetime.fromisoformat(process["host"]["started"]).timestamp() - start


def row(label: str, device: str, environment: dict[str, str]) -> tuple[str, ...]:
    """The first command brings the bundle, and does not count."""
    until_start(device, environment)
    seconds = statistics.median(until_start(device, environment) for _ in range(REPEATS))
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
