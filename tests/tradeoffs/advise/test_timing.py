"""What is kept of a profile, and which devices have no times."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tfkit._errors import UnsupportedError
from tfkit.tradeoffs.advise.timing import calm, check_clock


class Device:
    name = "adb:x"

    def __init__(self, times_meaningful: bool = True, simulated: bool = False) -> None:
        self.times_meaningful = times_meaningful
        self._simulated = simulated

    def properties(self) -> dict[str, Any]:
        return {"simulated": self._simulated}


def test_devices_without_times_are_refused_with_what_to_do() -> None:
    check_clock(Device())  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match=r"is emulated: .*\(--device adb, ssh:HOST, local\).*BENCHMARKS-ARM.md"):
        check_clock(Device(times_meaningful=False))  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="is simulated: its times say nothing about hardware"):
        check_clock(Device(simulated=True))  # type: ignore[arg-type]


def document() -> dict[str, Any]:
    """Six runs, two of them disturbed; the delegate's node 1 has 10 us a run before, 30 in the disturbed ones."""
    return {
        "delegate": {"nodes": [{"node": 1, "op": "", "kernel": "k", "invocations": 8, "nanoseconds": 1000 + 100_000}]},
        "profile": {
            "runs": 6,
            "wall_ns": [100, 103, 300, 100, 300, 104],
            "uneven_runs": 0,
            "delegate_before": {"nodes": [{"node": 1, "invocations": 2, "nanoseconds": 1000}]},
            "plan": [
                {"node": 9, "delegate": "TfkitDelegate", "replaces": [1]},
                {"node": 8, "delegate": "TfLiteXNNPackDelegate", "replaces": [0]},
            ],
            "events": [
                {"kind": "node", "tag": "TfkitDelegate", "node": 9, "us": [10, 10, 30, 10, 30, 10]},
                {"kind": "inner", "tag": "Add (ND)", "node": 8, "us": [4, 5, 50, 5, 50, 6]},
            ],
        },
    }


def test_disturbed_runs_are_left_out() -> None:
    given = document()
    kept = copy.deepcopy(given)
    found = calm(given)
    assert found["profile"]["runs"] == 2
    assert found["profile"]["wall_ns"] == [100, 100]
    assert [event["us"] for event in found["profile"]["events"]] == [[10, 10], [4, 5]]
    # The partition took 10 of 16.7 us in the runs that are kept; so did its node.
    assert found["delegate"]["nodes"][0]["nanoseconds"] == pytest.approx(1000 + 100_000 * 0.6)
    assert given == kept


@pytest.mark.parametrize("change", [{"profile": None}, {"profile": {"wall_ns": [1, 2]}}])
def test_what_is_too_short_stays(change: dict[str, Any]) -> None:
    assert calm({**document(), **change}) == {**document(), **change}
