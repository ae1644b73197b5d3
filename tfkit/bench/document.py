"""The runner's document, as far as the host reads it: checked once, so that nothing after it meets a surprise.

``android_bench/runner/README.md`` describes the whole of it. It comes from another machine over a cable or a network,
so a wrong type is an error that names the place, not a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfkit._errors import DeviceError

SCHEMA_VERSION = 2
MODES = ("latency", "memory", "profile")


@dataclass(frozen=True)
class Maybe:
    """A part that may be null or absent."""

    of: Any


_TENSORS = [{"name": str, "dtype": str}]
_CONDITIONS = {
    "canary_ns": [int],
    "policies": Maybe(
        [
            {
                "policy": Maybe(str),
                "cpus": [int],
                "governor": Maybe(str),
                "max_khz": Maybe(int),
                "time_in_state_ms": Maybe([[int]]),
            }
        ]
    ),
    "thermal": Maybe([{"zone": str, "type": Maybe(str), "millidegrees": int}]),
    "involuntary_switches": Maybe(int),
    "major_faults": Maybe(int),
}
_DOCUMENT = {
    "schema_version": int,
    "mode": str,
    "threads": int,
    "outputs": _TENSORS,
    "load_ns": int,
    "compile_ns": int,
    "first_run_ns": int,
    "golden": Maybe([{"ok": bool, "elements_outside": int, "first_outside": int}]),
    "affinity": Maybe(
        {
            "asked": Maybe(str),
            "cpus": [int],
            "applied": bool,
            "error": Maybe(str),
            "clusters": Maybe([{"cpus": [int], "capacity": Maybe(int), "max_khz": Maybe(int)}]),
            "threads": Maybe([{"name": str, "cpu": int, "allowed": [int]}]),
            "main_cpus": Maybe([int]),
        }
    ),
    "measurement": Maybe(
        {
            "clock_overhead_ns": Maybe(int),
            "backward_steps": Maybe(int),
            "warmup": Maybe({"runs": int, "stable": Maybe(bool)}),
            "run_ns": [int],
            "input_write_ns": [int],
            "output_read_ns": [int],
            "total_ns": Maybe(int),
            "repeatable": Maybe(bool),
        }
    ),
    "conditions": Maybe({"before": Maybe(_CONDITIONS), "after": Maybe(_CONDITIONS)}),
    "memory": Maybe({"stages": [{"stage": str, "vm_hwm": Maybe(int), "pss": Maybe(int), "pss_file": Maybe(int)}]}),
}


def check(document: Any, where: str) -> Mapping[str, Any]:
    """The document, when it is one.

    Raises:
        DeviceError: another schema version, or a part of another type; ``where`` names model and device.
    """
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        got = document.get("schema_version") if isinstance(document, dict) else None
        older = "; the runner is older than this tfkit: install tfkit again, so that both are of one build"
        raise DeviceError(
            f"{where}: the answer is no document of schema {SCHEMA_VERSION}"
            + (older if got == 1 else "; is it tfkit's own runner?")
        )
    if "error" not in document:
        _match(document, _DOCUMENT, "", where)
    return document


def _match(value: Any, pattern: Any, path: str, where: str) -> None:
    if isinstance(pattern, Maybe):
        if value is not None:
            _match(value, pattern.of, path, where)
    elif isinstance(pattern, dict):
        _require(isinstance(value, dict), path, "an object", value, where)
        for key, part in pattern.items():
            _match(value.get(key), part, f"{path}.{key}" if path else key, where)
    elif isinstance(pattern, list):
        _require(isinstance(value, list), path, "a list", value, where)
        if pattern[0] is int:  # the samples: many, so without a call for each
            _require(all(type(item) is int for item in value), path, "a list of integers", value, where)
            return
        for index, item in enumerate(value):
            _match(item, pattern[0], f"{path}[{index}]", where)
    else:
        accepted = pattern is not int or type(value) is int  # True is an int in Python, and no count
        _require(isinstance(value, pattern) and accepted, path, f"of type {pattern.__name__}", value, where)


def _require(right: bool, path: str, accepted: str, value: Any, where: str) -> None:
    if not right:
        raise DeviceError(f"{where}: {path or 'the document'} is not {accepted} but {value!r:.60}; was it cut short?")
