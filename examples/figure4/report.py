"""The results of ``experiment.py`` and ``measure.py`` as a page with verdicts, and as plots.

    python examples/figure4/report.py RESULTS.json

Times are read from RESULTS.times.json, where ``measure.py`` writes them, if there is such a file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figure4 import times
from figure4.grid import COLOURS, FIGURES, NAMES
from figure4.judge import HEADINGS, RULE, alike, better
from figure4.points import Lines, Point, lines
from figures import svg
from figures.results import cell

TITLES = {"macs": "MACs", "params": "parameters", "activations": "activations", "memory": "parameters + activations"}
CHANNEL, KERNEL, GROUP, FIXED, DENSE = NAMES
# What the survey says of its figure: (sentence, how to judge, the better line, the other, by which figures).
CLAIMS = (
    ("Channel pruning is better than kernel pruning", better, CHANNEL, KERNEL, FIGURES),
    ("Group pruning is better than kernel pruning", better, GROUP, KERNEL, ("macs", "params")),
    ("Channel and group pruning do alike", alike, CHANNEL, GROUP, ("macs", "params")),
    ("Channel pruning is better than group pruning", better, CHANNEL, GROUP, ("activations", "memory")),
    ("Channel pruning is better without fixed groups", better, CHANNEL, FIXED, FIGURES),
    ("The DenseNet is better than the residual network", better, DENSE, CHANNEL, ("macs", "params")),
    ("The residual network is better than the DenseNet", better, CHANNEL, DENSE, ("activations", "memory")),
)


def verdicts(known: Lines) -> Iterator[str]:
    """Every sentence of the survey by every figure that it speaks of."""
    for sentence, judge, first, second, figures in CLAIMS:
        if first in known and second in known:
            for cost in figures:
                yield judge(known[first], known[second], cost).row(sentence, TITLES[cost])


def rows(known: Lines) -> Iterator[str]:
    """The points, with what is left of the unpruned network of their line."""
    yield f"| line | MACs allowed | error | {' | '.join(TITLES[cost] for cost in FIGURES)} |"
    yield "|---|---|---|---|---|---|---|"
    for name, points in known.items():
        for point in points:
            cells = " | ".join(_cost(point, points[0], cost) for cost in FIGURES)
            yield f"| {name} | {point.share:.0%} | {cell(point.errors)} | {cells} |"


def _cost(point: Point, whole: Point, cost: str) -> str:
    value = point.costs[cost]
    return f"{value:,.0f}" if point is whole else f"{value:,.0f} ({value / whole.costs[cost]:.0%})"


def document(found: Mapping[str, Any], plot: str) -> str:
    """The page, without times."""
    known, settings = lines(found["runs"], FIGURES), found["settings"]
    numbers = {len(point.errors) for points in known.values() for point in points}
    seeds = " to ".join(str(number) for number in sorted({min(numbers), max(numbers)}))
    data = settings["data"].partition(":")[0]  # the folder is a matter of one machine
    return "\n".join(
        [
            f"# Pruned structures of {settings['network']} on {data}\n",
            f"Test error in percent, mean and range over {seeds} seeds. Every network is trained for "
            f"{settings['epochs']} epochs, pruned from there by PSP for half as many, cut and shrunk, and trained on "
            "for a third as many. Counts are those of `tfkit.count` for the shrunk models, means over the seeds, with "
            f"what is left of the unpruned network. Fixed groups have {settings['group_size']} channels.\n",
            f"![{plot}]({plot})\n",
            *rows(known),
            "",
            "## The survey's sentences\n",
            RULE,
            "",
            *HEADINGS,
            *verdicts(known),
            "",
        ]
    )


def figure(known: Lines) -> str:
    """Four plots of the error, against each of the figures."""
    width, height, gap = 460, 330, 50
    points = [point for line in known.values() for point in line]
    parts = svg.legend(gap, [(name, COLOURS[name]) for name in known])
    for number, cost in enumerate(FIGURES):
        left, top = gap + width * (number % 2), 30 + height * (number // 2)
        x = svg.Axis.around((point.costs[cost] for point in points), left, left + width - gap - 24)
        y = svg.Axis.around((value for point in points for value in point.errors), top + height - gap, top, least=0.1)
        curves = [(COLOURS[name], [(p.costs[cost], p.errors) for p in line]) for name, line in known.items()]
        parts += svg.panel(x, y, TITLES[cost], curves)
    return svg.document(2 * width, 30 + 2 * height, parts)


def write(results: Path) -> list[Path]:
    """The page and the plots beside the results."""
    found = json.loads(results.read_text())
    page, plot = results.with_suffix(".md"), results.with_suffix(".svg")
    plot.write_text(figure(lines(found["runs"], FIGURES)))
    text, written = document(found, plot.name), [page, plot]
    if results.with_suffix(".times.json").exists():
        measured, second = json.loads(results.with_suffix(".times.json").read_text()), results.with_suffix(".times.svg")
        second.write_text(times.plot(measured))
        text += "\n" + times.page(found, measured, second.name)
        written.append(second)
    page.write_text(text)
    return written


if __name__ == "__main__":
    for path in write(Path(sys.argv[1])):
        print(path)
