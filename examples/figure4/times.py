"""Times of the pruned networks, for the page and as a plot: the CPU counterpart of the survey's figures 5 and 7."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from figure4.grid import COLOURS, NAMES
from figure4.judge import HEADINGS, Verdict, better
from figure4.points import Lines, lines
from figures import svg
from figures.results import cell

PRECISIONS = ("float32", "int8")
COST = "milliseconds"
CHANNEL, KERNEL, GROUP, FIXED, DENSE = NAMES
# What the survey says of its figure 7: (sentence, the better line, the other).
CLAIMS = (
    ("Channel pruning is better than kernel pruning", CHANNEL, KERNEL),
    ("Channel pruning is better than group pruning", CHANNEL, GROUP),
    ("Channel pruning is better without fixed groups", CHANNEL, FIXED),
    ("The DenseNet without channels is better than group pruning", DENSE, GROUP),
)


def lines_of(times: Mapping[str, Any], precision: str) -> Lines:
    """The lines of one precision, with milliseconds per image for what a point costs."""
    return lines((one for one in times["runs"] if one["precision"] == precision), (COST,))


def page(found: Mapping[str, Any], times: Mapping[str, Any], plot: str) -> str:
    """The part of the page."""
    suspect = sum(one["gate"] != "trusted" for one in times["runs"])
    seeds = len({one["seed"] for one in times["runs"]})
    return "\n".join(
        [
            "## Throughput\n",
            f"One image at a time, one thread, preset `{times['preset']}` of `tfkit bench` on {times['device']}, with "
            f"{seeds} seed{'s' if seeds > 1 else ''} of each network in random order; {suspect} of "
            f"{len(times['runs'])} measurements are not trusted by its gate. Errors are those of the flatbuffers on "
            "the test set; int8 is quantized after training.\n",
            f"![{plot}]({plot})\n",
            *rows(found, times),
            "",
            *HEADINGS,
            *verdicts(times),
            "",
        ]
    )


def rows(found: Mapping[str, Any], times: Mapping[str, Any]) -> Iterator[str]:
    """Every point in every precision, with the share of the time that is left, to be held against that of the MACs."""
    yield "| line | MACs | precision | error | images a second | time |"
    yield "|---|---|---|---|---|---|"
    counted = lines(found["runs"], ("macs",))
    macs = {(p.series, p.share): p.costs["macs"] / ps[0].costs["macs"] for ps in counted.values() for p in ps}
    for precision in PRECISIONS:
        for name, points in lines_of(times, precision).items():
            for point in points:
                time = point.costs[COST]
                left = f"{macs[point.series, point.share]:.0%}"
                spent = f"{time / points[0].costs[COST]:.0%}"
                yield f"| {name} | {left} | {precision} | {cell(point.errors)} | {1e3 / time:,.0f} | {spent} |"


def verdicts(times: Mapping[str, Any]) -> Iterator[str]:
    """The survey's sentences on its figures 7 and 5."""
    for precision in PRECISIONS:
        known = lines_of(times, precision)
        for sentence, first, second in CLAIMS:
            if first in known and second in known:
                yield better(known[first], known[second], COST).row(sentence, f"time, {precision}")
    found = against_quantization(times)
    if found is not None:
        yield found.row("Pruning channels is better than quantization (there to few bits, here int8)", "time")


def against_quantization(times: Mapping[str, Any]) -> Verdict | None:
    """The float network with fewer and fewer channels, against the whole one in int8."""
    pruned, quantized = (lines_of(times, precision).get(CHANNEL) for precision in PRECISIONS)
    return better(pruned, quantized[:1], COST) if pruned and quantized else None


def plot(times: Mapping[str, Any]) -> str:
    """A panel for each precision: the error against images a second."""
    width, height, gap = 460, 330, 50
    drawn = {precision: lines_of(times, precision) for precision in PRECISIONS}
    points = [point for known in drawn.values() for line in known.values() for point in line]
    rates = [1e3 / point.costs[COST] for point in points]
    parts = svg.legend(gap, [(name, COLOURS[name]) for name in NAMES])
    for number, (precision, known) in enumerate(drawn.items()):
        left = gap + width * number
        x = svg.Axis.around(rates, left, left + width - gap - 24)
        y = svg.Axis.around((value for point in points for value in point.errors), 30 + height - gap, 30, least=0.1)
        curves = [(COLOURS[n], [(1e3 / p.costs[COST], p.errors) for p in line]) for n, line in known.items()]
        parts += svg.panel(x, y, f"images a second, {precision}", curves)
    return svg.document(2 * width, 30 + height, parts)
