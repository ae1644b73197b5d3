"""How long ``tfkit bench`` takes to reach a device that has the bundle already, until the runner may start.

Opening the device, deciding what it needs, and finding every file in its cache; on the simulated phone, whose link is
loopback, so that only tfkit's own share shows. Claimed: 2 s at most. Run: python -m tests.claims.device_start
"""

from __future__ import annotations

import os
import statistics
import time

from tfkit.bench.bundle import Bundle
from tfkit.devices import connect
from tfkit.devices.simulated import Phone
from tfkit.devices.simulated.adb_server import private_server

REPEATS = 9
CLAIM_S = 2.0


def reach(spec: str) -> float:
    """Seconds until the runner's command is known."""
    begun = time.perf_counter()
    with connect(spec) as device:
        bundle = Bundle.for_device(device)
        bundle.push(device)
        bundle.command([])
        return time.perf_counter() - begun


def main() -> None:
    with private_server() as environment, Phone() as phone:
        os.environ["ANDROID_ADB_SERVER_PORT"] = environment["ANDROID_ADB_SERVER_PORT"]
        first = reach(phone.spec)
        again = [reach(phone.spec) for _ in range(REPEATS)]
    print(f"first, everything is sent: {first:.2f} s")  # noqa: T201
    print(  # noqa: T201
        f"again, nothing is sent: median {statistics.median(again):.2f} s, longest {max(again):.2f} s "
        f"(claimed: {CLAIM_S:g} s), load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
