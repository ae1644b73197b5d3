"""Whether one measurement is faster than another, or whether nobody can tell.

What is tested are the medians of the processes. Within a process, samples share memory layout, cores and minute, so a
thousand of them are one draw of all that and not a thousand; a test on them calls any two starts of one program
different. The Mann-Whitney test needs four processes on each side to reach p < 0.05 at all. It knows the variation
between processes of one session only, not that between two sessions, hence the second condition: the difference must
also be larger than 3 % and than twice the larger of the two coefficients of variation, in a form that one disturbed
process does not widen: it would hide a difference that the ranks of all the others show.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tfkit._errors import RegressionError, UsageError
from tfkit.bench import samples, statistics
from tfkit.bench.reading import read_report
from tfkit.bench.significance import mann_whitney, smallest_p

SIGNIFICANCE = 0.05
SMALLEST_DIFFERENCE = 0.03
VARIATIONS = 2.0

FASTER, SLOWER, INCONCLUSIVE = "faster", "slower", "inconclusive"


@dataclass(frozen=True)
class Row:
    """One model with one number of threads; ``change`` is the second median over the first, minus 1.

    ``threshold`` is what ``change`` has to exceed, ``p`` the Mann-Whitney test's; ``gates`` are the levels of both.
    """

    model: str
    threads: int
    verdict: str
    reason: str
    first_s: float | None = None
    second_s: float | None = None
    change: float | None = None
    p: float | None = None
    threshold: float | None = None
    processes: tuple[int, int] = (0, 0)
    gates: tuple[str, str] = ("trusted", "trusted")


@dataclass(frozen=True)
class Comparison:
    """``differences`` are those of settings and devices that ``force`` let pass."""

    first: str
    second: str
    rows: tuple[Row, ...]
    differences: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, with ``schema_version``."""
        return {"schema_version": 1, **asdict(self)}

    def check(self) -> None:
        """Raise ``RegressionError`` naming the models that became slower."""
        slower = [row for row in self.rows if row.verdict == SLOWER]
        if slower:
            named = "; ".join(f"{row.model} with {row.threads} threads by {row.change:.1%}" for row in slower)
            raise RegressionError(f"slower than in {self.first}: {named}")


def compare(
    first: str | os.PathLike[str], second: str | os.PathLike[str], *, force: bool = False, by_order: bool = False
) -> Comparison:
    """Compare the result files ``first`` (before) and ``second`` (after), model by model and thread count by count.

    Models are matched by name; with ``by_order`` by their place in the files, to compare two different models.

    Raises:
        DataError: not a result of ``tfkit bench``, or of an old schema.
        UsageError: other devices or settings and no ``force``; no model in common.
    """
    before, after = read_report(first), read_report(second)
    found = tuple(_differences(before, after, by_order))
    if found and not force:
        raise UsageError(
            f"{first} and {second} are no two measurements of one thing: {'; '.join(found)}. Measure again alike, or "
            "compare all the same with --force"
        )
    pairs = list(_pairs(before["results"], after["results"], by_order))
    if not pairs:
        raise UsageError(f"{first} and {second} have no model with the same number of threads in common")
    return Comparison(str(first), str(second), tuple(_row(*pair) for pair in pairs), found)


def _pairs(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], by_order: bool
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    if by_order:
        yield from zip(before, after, strict=False)
        return
    later = {_name(result): result for result in after}
    if len(later) < len(after):
        raise UsageError("a model name occurs twice with one number of threads; match the models with --by-order")
    yield from ((result, later[_name(result)]) for result in before if _name(result) in later)


def _name(result: Mapping[str, Any]) -> tuple[str, int]:
    return str(result["model"].get("name")), result["threads"]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], by_order: bool) -> Iterator[str]:
    for key in ("name", "platform", "label"):
        yield from _differs(f"device {key}", before["device"].get(key), after["device"].get(key))
    for key in ("cpu_model", "serial", "model"):
        yield from _differs(key, *((part["device"].get("properties") or {}).get(key) for part in (before, after)))
    for key in ("preset", "threads", "cpus", "kernel", "runner"):
        yield from _differs(key, before["spec"].get(key), after["spec"].get(key))
    names = [{_name(result) for result in part["results"]} for part in (before, after)]
    if not by_order and names[0] != names[1]:
        only = ", ".join(f"{name} (threads {threads})" for name, threads in sorted(names[0] ^ names[1]))
        yield f"only one of them has {only}"


def _differs(name: str, before: Any, after: Any) -> Iterator[str]:
    if before != after:
        shown = [value.get("name", value) if isinstance(value, dict) else value for value in (before, after)]
        # Two presets of one name whose numbers differ come from two versions of tfkit.
        same = " of another version" if shown[0] == shown[1] else ""
        yield f"{name} {shown[0]} and {shown[1]}{same}"


def medians(result: Mapping[str, Any]) -> list[float]:
    """Seconds: the median of each process that measured something."""
    middles = [samples.middle_ns(process) for process in result["processes"]]
    return [middle * 1e-9 for middle in middles if middle is not None]


def _row(before: Mapping[str, Any], after: Mapping[str, Any]) -> Row:
    gates = (str(before["gate"].get("level")), str(after["gate"].get("level")))
    names = [str(result["model"].get("name")) for result in (before, after)]
    label = names[0] if names[0] == names[1] else " -> ".join(names)
    for result, gate, name in ((before, gates[0], "the first"), (after, gates[1], "the second")):
        if gate == "invalid" or not result.get("latency"):
            why = next((r["text"] for r in result["gate"].get("reasons", []) if r["level"] == "invalid"), "no latency")
            return Row(label, before["threads"], INCONCLUSIVE, f"{name} result is invalid: {why}", gates=gates)
    return judge(label, before["threads"], medians(before), medians(after), gates)


def judge(
    model: str, threads: int, before: Sequence[float], after: Sequence[float], gates: tuple[str, str] = ("", "")
) -> Row:
    """The verdict on process medians, in seconds."""
    first, second = statistics.median(before), statistics.median(after)
    change = second / first - 1
    variation = max(statistics.robust_cv(group) or 0.0 for group in (before, after))
    threshold = max(SMALLEST_DIFFERENCE, VARIATIONS * variation)
    p = mann_whitney(before, after)
    verdict = INCONCLUSIVE
    if smallest_p(len(before), len(after)) >= SIGNIFICANCE:
        reason = (
            f"{len(before)} and {len(after)} processes cannot show a difference, four on each side can; measure with "
            "--preset standard"
        )
    elif p >= SIGNIFICANCE:
        reason = f"p {p:.2g}: starts of one program may differ as much"
    elif abs(change) <= threshold:
        cause = "3 %" if threshold == SMALLEST_DIFFERENCE else f"twice the variation between processes, {threshold:.1%}"
        reason = f"the difference is not above {cause}"
    else:
        verdict = FASTER if change < 0 else SLOWER
        reason = f"p {p:.2g}, and the difference is above {threshold:.1%}"
    sizes = (len(before), len(after))
    return Row(model, threads, verdict, reason, first, second, change, p, threshold, sizes, gates)
