"""A runner's document is checked before anything believes it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from helpers.bench_documents import process
from tfkit._errors import DeviceError
from tfkit.bench.document import check


def test_a_good_document_passes() -> None:
    document = process()
    assert check(document, "here") is document
    for part in ("measurement", "conditions", "memory", "affinity", "golden"):
        assert check({**process(), part: None}, "here")
    assert check({"schema_version": 2, "error": "no room"}, "here")["error"] == "no room"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("threads",), "1", "threads is not of type int but '1'"),
        (("threads",), True, "threads is not of type int but True"),
        (("outputs",), {}, "outputs is not a list"),
        (("outputs", 0), 3, r"outputs\[0\] is not an object but 3"),
        (("measurement", "run_ns"), [1, 2.5], "measurement.run_ns is not a list of integers"),
        (("measurement", "run_ns"), None, "measurement.run_ns is not a list but None"),
        (("measurement", "warmup", "runs"), None, "measurement.warmup.runs is not of type int"),
        (("affinity", "applied"), "yes", "affinity.applied is not of type bool"),
        (("conditions", "before", "canary_ns"), "x" * 999, "conditions.before.canary_ns is not a list but 'x{59};"),
        (
            ("conditions", "after", "policies", 0, "time_in_state_ms"),
            [[1], ["a"]],
            r"time_in_state_ms\[1\] is not a list",
        ),
    ],
)
def test_a_wrong_type_names_its_place(path: tuple[Any, ...], value: Any, message: str) -> None:
    document = copy.deepcopy(process())
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(DeviceError, match=f"m.tflite on adb: .*{message}"):
        check(document, "m.tflite on adb")
