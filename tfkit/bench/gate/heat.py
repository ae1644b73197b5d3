"""Heat, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from tfkit.bench.gate.evidence import Evidence
from tfkit.bench.gate.reason import Reason, invalid, suspect
from tfkit.devices.conditions.thermal import STATUS

SEVERE = STATUS.index("severe")
# The slow-down that androidx.benchmark's throttle detector calls throttling.
THROTTLED = 1.10


def status(evidence: Evidence) -> Iterator[Reason]:
    """Android's own word on throttling."""
    seen = [s for _, before, after in evidence.around() for s in (before.thermal.status, after.thermal.status) if s]
    if seen:
        make = invalid if max(seen) >= SEVERE else suspect
        yield make("thermal_status", f"Android's thermal status rose to {STATUS[max(seen)]}; cool the device")


def hot_start(evidence: Evidence) -> Iterator[Reason]:
    """The wait for a cool device ended without one."""
    hot = [host["cooling"] for host, _, _ in evidence.around() if not (host.get("cooling") or {}).get("cool", True)]
    if hot:
        yield suspect("hot_start", f"{evidence.share(hot)} began warm: {hot[-1]['why']}; cool the device")


def canary(evidence: Evidence) -> Iterator[Reason]:
    """A fixed loop of arithmetic that takes longer than at first; the shortest of its times: no pause counts."""
    first = None
    slower = []
    for _, before, after in evidence.inside():
        start, end = min(before["canary_ns"], default=0), min(after["canary_ns"], default=0)
        if start <= 0 or end <= 0:
            continue
        first = start if first is None else min(first, start)
        if max(start, end) > THROTTLED * first:
            slower.append(max(start, end) / first)
    if slower:
        yield suspect(
            "throttled",
            f"fixed arithmetic took {max(slower):.2f} times as long around {evidence.share(slower)}: the cores were "
            "throttled or shared; cool the device, end other programs",
        )


def charging(evidence: Evidence) -> Iterator[Reason]:
    """A battery that charges heats the device. A machine without a thermal limit of a phone does not care."""
    if (evidence.device.get("properties") or {}).get("kind") != "adb":
        return
    if any(c.battery and c.battery.charging for _, before, after in evidence.around() for c in (before, after)):
        yield suspect("charging", "the battery was charging, which heats the device; use adb over Wi-Fi and unplug it")
