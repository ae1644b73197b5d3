"""Which cores ran, and how fast they were clocked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tfkit.bench.gate.evidence import Evidence
from tfkit.bench.gate.reason import Reason, invalid, suspect

# A clock at 95 % of its highest shows as 5 % in the latency: more than what a comparison is about.
FULL_SPEED = 0.95


def affinity(evidence: Evidence) -> Iterator[Reason]:
    """Cores that were asked for and not given."""
    for process in evidence.measured:
        pinned = process.get("affinity") or {}
        if pinned.get("asked") is None:
            continue
        if not pinned.get("applied"):
            why = f": {pinned['error'][:200]}" if pinned.get("error") else ""
            yield invalid("affinity", f"the CPUs {pinned['asked']!r} were not given{why}; choose others with --cpus")
            return
        allowed = set(pinned["cpus"])
        seen = {thread["cpu"] for thread in pinned.get("threads") or []} | set(pinned.get("main_cpus") or [])
        if seen - allowed:
            strays = ", ".join(map(str, sorted(seen - allowed)))
            yield invalid("affinity", f"threads ran on CPU {strays}, which was not among those asked; measure again")
            return


def clusters(evidence: Evidence) -> Iterator[Reason]:
    """Cores of several kinds: which of them ran is left to chance."""
    for process in evidence.measured:
        pinned = process.get("affinity") or {}
        used = set(pinned.get("cpus") or [])
        kinds = [cluster for cluster in pinned.get("clusters") or [] if used & set(cluster["cpus"])]
        if len(kinds) > 1:
            yield suspect("clusters", "fast and slow cores were mixed; give --cpus big, or a list of equal cores")
            return


def threads(evidence: Evidence) -> Iterator[Reason]:
    """More threads than cores to run on wait for each other."""
    for process in evidence.measured:
        cpus = len((process.get("affinity") or {}).get("cpus") or [])
        if cpus and evidence.threads > cpus:
            yield suspect(
                "threads", f"{evidence.threads} threads shared {cpus} CPUs; give fewer --threads or more --cpus"
            )
            return


def frequency(evidence: Evidence) -> Iterator[Reason]:
    """The mean clock during the timed loop, against the highest that the governor may choose."""
    slow = []
    for process, before, after in evidence.inside():
        speed = mean_speed(process, before, after)
        if speed is not None and speed < FULL_SPEED:
            slow.append(speed)
    if slow:
        yield suspect(
            "frequency",
            f"the cores ran at {min(slow):.0%} of their highest frequency in {evidence.share(slow)}; set the "
            "performance governor, or cool the device",
        )


def mean_speed(process: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """Mean frequency over the highest, of the slowest policy among the cores used; None where cpufreq does not tell."""
    used = set((process.get("affinity") or {}).get("cpus") or [])
    earlier = {policy.get("policy"): policy for policy in before.get("policies") or []}
    speeds = []
    for policy in after.get("policies") or []:
        start = earlier.get(policy.get("policy"))
        if start is None or (used and not used & set(policy["cpus"])):
            continue
        speed = _residency(start.get("time_in_state_ms"), policy.get("time_in_state_ms"), policy.get("max_khz"))
        if speed is not None:
            speeds.append(speed)
    return min(speeds, default=None)


def _residency(before: Any, after: Any, highest: int | None) -> float | None:
    if not before or not after or any(len(row) != 2 for row in [*before, *after]):
        return None
    start = dict(before)
    spent = {khz: max(0, ms - start.get(khz, 0)) for khz, ms in after}
    total = sum(spent.values())
    top = highest or max(spent, default=0)
    return sum(khz * ms for khz, ms in spent.items()) / total / top if total and top > 0 else None
