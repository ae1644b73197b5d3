"""Faster, slower or inconclusive: what it takes, and what is refused. Result files are made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.bench_documents import PHONE, PRESET, process, report, result, written
from tfkit._errors import DataError, RegressionError, UsageError
from tfkit.bench import compare, comparison_table
from tfkit.bench.compare import judge

SEED = 7


def document(medians_us: Sequence[float], name: str = "m.tflite", **more: Any) -> dict[str, Any]:
    processes = [process([round(median * 1000)] * 64) for median in medians_us]
    return report(result(name, processes, **more))


def verdict(tmp_path: Path, before: dict[str, Any], after: dict[str, Any], **options: Any) -> Any:
    return compare(written(tmp_path, "a.json", before), written(tmp_path, "b.json", after), **options)


STEADY = (1000, 1001, 1002, 1003, 1004)


@pytest.mark.parametrize(
    ("after", "expected", "reason"),
    [
        (tuple(1.10 * m for m in STEADY), "slower", "above 3.0%"),
        (tuple(0.90 * m for m in STEADY), "faster", "above 3.0%"),
        (tuple(1.02 * m for m in STEADY), "inconclusive", "not above 3 %"),  # p is small, the difference too
        ((1000, 1300, 990, 1400, 1002), "inconclusive", "starts of one program may differ as much"),
        ((1010, 1090, 1150, 1230, 1300), "inconclusive", "twice the variation between processes, 18"),
        ((1100, 1101, 1102, 1103, 1500), "slower", "above 3.0%"),  # one disturbed process hides nothing
        ((1100, 1101, 1102), "slower", "above 3.0%"),  # 5 and 3: p 2 / 56
        ((1100, 1101), "inconclusive", "5 and 2 processes cannot show a difference"),
    ],
)
def test_verdicts(after: Sequence[float], expected: str, reason: str, tmp_path: Path) -> None:
    (row,) = verdict(tmp_path, document(STEADY), document(after)).rows
    assert row.verdict == expected
    assert reason in row.reason
    assert row.change == pytest.approx(np.median(after) / 1002 - 1, abs=1e-3)
    assert row.processes == (5, len(after))


def test_thousands_of_samples_are_no_thousands_of_draws(tmp_path: Path) -> None:
    """Two starts of one program that differ by 5 %, with 10 000 samples each: nobody can tell."""
    runs = [report(result("m", [process([ns] * 5000 + [ns + 1] * 5000)])) for ns in (1_000_000, 1_050_000)]
    (row,) = verdict(tmp_path, *runs).rows
    assert (row.verdict, row.p) == ("inconclusive", 1.0)


def test_how_often_the_same_and_a_slower_program_are_told_apart() -> None:
    """The rule on simulated processes with 1 % between starts: hardly ever wrong, hardly ever blind."""
    random = np.random.default_rng(SEED)
    same = slower = 0
    for _ in range(400):
        before, again = random.normal(1.0, 0.01, (2, 5))
        same += judge("m", 1, before.tolist(), again.tolist()).verdict == "inconclusive"
        slower += judge("m", 1, before.tolist(), (again * 1.1).tolist()).verdict == "slower"
    assert same >= 0.99 * 400
    assert slower >= 0.99 * 400


def test_each_model_and_thread_count_is_matched(tmp_path: Path) -> None:
    fast, slow = ([process([ns] * 64) for _ in range(5)] for ns in (1_000_000, 1_500_000))
    before = report(result("a", fast), result("a", fast, threads=2), result("b", slow))
    after = report(result("b", slow), result("a", fast, threads=2), result("a", slow))
    found = verdict(tmp_path, before, after)
    assert [(row.model, row.threads, row.verdict) for row in found.rows] == [
        ("a", 1, "slower"),
        ("a", 2, "inconclusive"),
        ("b", 1, "inconclusive"),
    ]
    with pytest.raises(RegressionError, match=r"slower than in .*a\.json: a with 1 threads by 50\.0%"):
        found.check()
    verdict(tmp_path, after, before).check()


def test_two_models_against_each_other(tmp_path: Path) -> None:
    first, second = document(STEADY, "float.tflite"), document([m / 2 for m in STEADY], "binary.tflite")
    with pytest.raises(UsageError, match=r"only one of them has binary\.tflite \(threads 1\), float\.tflite"):
        verdict(tmp_path, first, second)
    (row,) = verdict(tmp_path, first, second, by_order=True).rows
    assert (row.model, row.verdict) == ("float.tflite -> binary.tflite", "faster")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preset": {**PRESET.to_json(), "name": "publish"}}, "preset standard and publish"),
        ({"preset": {**PRESET.to_json(), "runs": 1}}, "preset standard and standard of another version"),
        ({"threads": [2]}, r"threads \[1\] and \[2\]"),
        ({"cpus": "all"}, "cpus big and all"),
        ({"kernel": "reference"}, "kernel None and reference"),
        ({"device": {**PHONE, "name": "ssh:pi"}}, "device name adb and ssh:pi"),
        ({"device": {**PHONE, "properties": {"kind": "adb", "cpu_model": "other"}}}, "cpu_model None and other"),
    ],
)
def test_other_settings_are_refused_without_force(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    other = report(result("m.tflite", [process() for _ in range(5)]), **change)
    with pytest.raises(UsageError, match=f"{message}.*or compare all the same with --force"):
        verdict(tmp_path, document(STEADY), other)
    found = verdict(tmp_path, document(STEADY), other, force=True)
    assert len(found.rows) == 1
    assert "compared all the same: " in comparison_table.as_table(found)


def test_invalid_results_have_no_verdict(tmp_path: Path) -> None:
    (row,) = verdict(tmp_path, document(STEADY), document((2000,) * 5, level="invalid")).rows
    assert (row.verdict, row.p) == ("inconclusive", None)
    assert "the second result is invalid" in row.reason


def test_the_table(tmp_path: Path) -> None:
    after = document([1.1 * m for m in STEADY], level="suspect")
    lines = comparison_table.as_table(verdict(tmp_path, document(STEADY), after)).splitlines()
    assert lines == [
        "model     threads  before   after  change  verdict",
        "--------------------------------------------------",
        "m.tflite        1    1 ms  1.1 ms  +10.0%   slower",
        "slower: m.tflite, threads 1: p 0.0079, and the difference is above 3.0% (suspect: after; see the gate of each "
        "file)",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "has schema version None, this tfkit reads 2"),
        ('{"schema_version": 1, "results": []}', "has schema version 1, .*measure again with this tfkit"),
        ('{"schema_version": 3}', "has schema version 3, this tfkit reads 2"),
        ('{"schema_version": 2}', "'device' is missing or of another type"),
    ],
)
def test_files_that_are_no_results(content: str, message: str, tmp_path: Path) -> None:
    good, bad = written(tmp_path, "good.json", document(STEADY)), tmp_path / "bad.json"
    bad.write_text(content)
    with pytest.raises(DataError, match=message):
        compare(good, bad)
    with pytest.raises(DataError, match=r"cannot read .*none\.json: No such file"):
        compare(tmp_path / "none.json", good)
    edited = document(STEADY)
    edited["results"] = [3]
    with pytest.raises(DataError, match=r"results\[0\] is no object"):
        compare(written(tmp_path, "edited.json", edited), good)


def test_nothing_in_common(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model with the same number of threads in common"):
        verdict(tmp_path, document(STEADY), document(STEADY, "other"), force=True)
    twice = report(*[result("m.tflite", [process()])] * 2)
    with pytest.raises(UsageError, match="a model name occurs twice"):
        verdict(tmp_path, document(STEADY), twice, force=True)
