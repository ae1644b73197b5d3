"""Each way in which a measurement goes wrong is seen, and a good one is trusted. All documents are made up."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from helpers.bench_documents import COOL, PHONE, PRESET, evidence, inside, policy, process
from tfkit.bench import spec
from tfkit.bench.gate import Evidence, judge
from tfkit.devices.conditions import Battery, Conditions, Thermal

Change = Callable[[dict[str, Any]], None]


def changed(change: Change) -> dict[str, Any]:
    one = copy.deepcopy(process())
    change(one)
    return one


def codes(shown: Evidence) -> dict[str, str]:
    level, reasons = judge(shown)
    worst = {reason.level for reason in reasons}
    assert level == ("invalid" if "invalid" in worst else "suspect" if worst else "trusted")
    return {reason.code: reason.level for reason in reasons}


def test_a_good_measurement_is_trusted() -> None:
    assert judge(evidence()) == ("trusted", [])


def _host(when: str, conditions: Conditions) -> Change:
    return lambda p: p["host"].update({when: conditions.to_json()})


def _measurement(**values: Any) -> Change:
    return lambda p: p["measurement"].update(values)


def _affinity(**values: Any) -> Change:
    return lambda p: p["affinity"].update(values)


def _after(**values: Any) -> Change:
    return lambda p: p["conditions"]["after"].update(values)


HALF_SPEED = [policy(((1_000_000, 3_000), (2_000_000, 100)))]

FAULTS: list[tuple[str, str, str, Change]] = [
    ("clock", "invalid", "went backwards", _measurement(backward_steps=1)),
    ("clock", "invalid", "went backwards", _measurement(run_ns=[1_000_000] * 255 + [-5])),
    ("mode", "invalid", "also did profile", lambda p: p.update(mode="profile")),
    ("repeatable", "suspect", "gave another output", _measurement(repeatable=False)),
    ("foreign_runner", "suspect", "benchmark_model neither compares", lambda p: p.update(runner="benchmark_model")),
    (
        "affinity",
        "invalid",
        "were not given: Operation not permitted",
        _affinity(applied=False, error="Operation not permitted"),
    ),
    ("affinity", "invalid", "threads ran on CPU 2,", _affinity(main_cpus=[5, 2])),
    ("affinity", "invalid", "threads ran on CPU 0,", _affinity(threads=[{"name": "w", "cpu": 0, "allowed": [0]}])),
    ("clusters", "suspect", "fast and slow cores", _affinity(asked=None, cpus=list(range(8)))),
    ("frequency", "suspect", "ran at 50% of their highest", _after(policies=HALF_SPEED)),
    ("thermal_status", "suspect", "rose to light", _host("after", replace(COOL, thermal=Thermal(1, {})))),
    ("thermal_status", "invalid", "rose to severe", _host("after", replace(COOL, thermal=Thermal(3, {})))),
    ("hot_start", "suspect", "began warm: 41 C", lambda p: p["host"].update(cooling={"cool": False, "why": "41 C"})),
    ("throttled", "suspect", "took 1.20 times as long", lambda p: p["conditions"].update(after=inside(24_000_000))),
    ("charging", "suspect", "battery was charging", _host("before", replace(COOL, battery=Battery("Full", True)))),
    ("few_samples", "suspect", "100 samples in 1 of 5", _measurement(run_ns=[1_000_000] * 100)),
    ("warm_up", "suspect", "no steady state", _measurement(warmup={"runs": 9, "stable": False})),
    ("load", "suspect", "kept 7.0 tasks running", _host("before", replace(COOL, load=8.0))),
    ("interrupted", "suspect", "interrupted 1.0 times each", _after(involuntary_switches=256)),
    ("drift", "suspect", "+10% from its start", _measurement(run_ns=[1_000_000] * 128 + [1_100_000] * 128)),
    ("variation", "suspect", "vary by 9%", _measurement(run_ns=[1_200_000] * 256)),
    ("noise", "suspect", "one run in ten", _measurement(run_ns=[1_000_000, *[9_000_000] * 3] * 64)),
    ("short", "suspect", "reading the clock takes", _measurement(clock_overhead_ns=200_000)),
]


@pytest.mark.parametrize(("code", "level", "text", "change"), FAULTS, ids=[f"{f[0]}-{i}" for i, f in enumerate(FAULTS)])
def test_a_fault_in_one_process_of_five_is_seen(code: str, level: str, text: str, change: Change) -> None:
    shown = evidence(process(), process(), changed(change), process(), process())
    assert codes(shown)[code] == level
    assert text in next(reason.text for reason in judge(shown)[1] if reason.code == code)


def test_a_fault_is_the_only_one_that_is_reported() -> None:
    """Also a canary that is slow in a process beside others: it is compared with the best of all."""
    slow = changed(lambda p: p.update(conditions={"before": inside(30_000_000), "after": inside(30_000_000)}))
    assert codes(evidence(process(), slow, process(), process(), process())) == {"throttled": "suspect"}
    backwards = changed(_measurement(backward_steps=2))
    assert codes(evidence(backwards, *[process() for _ in range(4)])) == {"clock": "invalid"}


@pytest.mark.parametrize(("simulated", "meaningful"), [(True, True), (False, False)])
def test_times_of_no_hardware_are_invalid(simulated: bool, meaningful: bool) -> None:
    device = {**PHONE, "simulated": simulated, "times_meaningful": meaningful}
    level, reasons = judge(evidence(device=device))
    assert (level, [reason.code for reason in reasons]) == ("invalid", ["no_hardware"])
    assert ("a simulated" if simulated else "an emulated") in reasons[0].text


def test_a_wrong_result_is_invalid() -> None:
    assert codes(evidence(golden={"ok": False, "summary": "output 'y' differs"})) == {"golden": "invalid"}
    assert codes(evidence(weak_golden=0.2)) == {"weak_golden": "suspect"}


def test_too_few_processes() -> None:
    assert codes(evidence(process())) == {"unfinished": "suspect"}
    quick = replace(PRESET, processes=1)
    assert codes(evidence(process(), preset=quick)) == {"one_process": "suspect"}
    two_days = replace(PRESET, days=2)
    (reason,) = judge(evidence(preset=two_days))[1]
    assert reason.text == "5 of 10 processes on 2 days are measured; continue with --resume"


def test_what_a_sustained_run_is_made_to_see_is_no_fault_of_it() -> None:
    hot = changed(_after(policies=HALF_SPEED))
    hot["measurement"]["run_ns"] = [1_000_000] * 128 + [2_000_000] * 128
    hot["conditions"]["after"]["canary_ns"] = [40_000_000]
    hot["host"]["after"] = replace(COOL, thermal=Thermal(3, {})).to_json()
    shown = [process(), hot]
    assert {"frequency", "drift", "throttled", "thermal_status"} <= set(codes(evidence(*shown)))
    assert set(codes(evidence(*shown, preset=spec.sustained(2)))) == {"noise"}


def test_more_threads_than_cores() -> None:
    assert codes(evidence(threads=8)) == {"threads": "suspect"}


def test_a_charger_does_not_matter_to_a_board() -> None:
    plugged = changed(_host("before", replace(COOL, battery=Battery("Charging", True))))
    board = {**PHONE, "properties": {"kind": "ssh"}}
    assert judge(evidence(*[plugged] * 5, device=board))[0] == "trusted"


def test_what_a_device_does_not_tell_is_no_reason() -> None:
    silent = process()
    silent["affinity"] = None
    silent["conditions"] = {"before": None, "after": None}
    silent["host"].update(before=None, after=None, cooling=None)
    silent["measurement"].update(clock_overhead_ns=None, warmup=None, backward_steps=None)
    assert judge(evidence(*[silent] * 5))[0] == "trusted"


@pytest.mark.parametrize("residency", [[[1]], [], [[2_000_000, 100, 3]], None])
def test_odd_residency_is_no_reason(residency: Any) -> None:
    odd = changed(_after(policies=[{"policy": "policy4", "cpus": [4], "max_khz": 0, "time_in_state_ms": residency}]))
    assert judge(evidence(*[odd] * 5))[0] == "trusted"
