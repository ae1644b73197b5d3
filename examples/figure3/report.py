"""The results of ``experiment.py`` as a table with what they say, and as a plot: ``python report.py RESULTS.json``."""

from __future__ import annotations

import itertools
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figures import svg
from figures.results import cell, spread

Point = tuple[str, str, int]  # method, mode, bits
COLOURS = {"activations": "#3566a8", "weights": "#3b8b4b", "both": "#8d4aa5"}
MODES = tuple(COLOURS)


def points(found: Mapping[str, Any]) -> dict[Point, list[float]]:
    """Errors of all seeds, by point."""
    errors: dict[Point, list[float]] = {}
    for one in found["runs"]:
        errors.setdefault((one["method"], one["mode"], one["bits"]), []).append(one["error"])
    return errors


def compared(errors: Mapping[Point, Sequence[float]], pairs: Sequence[tuple[Point, Point]]) -> Iterator[str]:
    """How often the first of two points has the smaller mean error, and where it has not."""
    counts = {"hold": 0, "clear": 0, "spread": 0}
    against = []
    for low, high in pairs:
        difference = statistics.fmean(errors[low]) - statistics.fmean(errors[high])
        decided = abs(difference) > spread(errors[low], errors[high])
        if difference <= 0:
            counts["hold"] += 1
            counts["clear"] += decided
        elif not decided:
            counts["spread"] += 1
        else:
            against.append(f"{_name(low)} is {difference:.2f} points above {_name(high)}")
    yield f"holds for {counts['hold']} of {len(pairs)} pairs, {counts['clear']} of them by more than the seeds differ"
    if counts["spread"]:
        yield f"for {counts['spread']} the means say otherwise by less"
    if against:
        yield "not so: " + "; ".join(against)


def statements(errors: Mapping[Point, Sequence[float]]) -> Iterator[str]:
    """The survey's three sentences, each with what this data says."""
    more = []
    for method, mode in dict.fromkeys(point[:2] for point in errors):
        widths = sorted(bits for name, way, bits in errors if (name, way) == (method, mode))
        more += [((method, mode, b), (method, mode, a)) for a, b in itertools.pairwise(widths)]
    weights = [((m, "weights", b), (m, "activations", b)) for m, way, b in errors if way == "activations"]
    lq = [(("LQ-Net", way, b), ("DoReFa", way, b)) for m, way, b in errors if m == "LQ-Net"]
    for text, pairs in (
        ("The error falls with the bits", more),
        ("Quantized activations cost more than quantized weights", weights),
        ("LQ-Net is at least as good as DoReFa", lq),
    ):
        known = [pair for pair in pairs if all(point in errors for point in pair)]
        yield f"- {text}: {'; '.join(compared(errors, known)) if known else 'no data'}."


def document(found: Mapping[str, Any], plot: str) -> str:
    """The page."""
    errors, settings = points(found), found["settings"]
    rows = ["| method | bits | activations | weights | both |", "|---|---|---|---|---|"]
    for method, bits in dict.fromkeys((m, b) for m, way, b in errors if way):
        cells = [cell(errors.get((method, mode, bits))) for mode in MODES]
        rows.append(f"| {method} | {bits} | {' | '.join(cells)} |")
    seeds = max(len(values) for values in errors.values())
    return "\n".join(
        [
            f"# Test error of {settings['network']} on {settings['data']}\n",
            f"Percent, mean and range over {seeds} seeds, {settings['epochs']} epochs each. "
            f"Float: {cell(errors.get(('float', '', 32)))}.\n",
            f"![{plot}]({plot})\n",
            *rows,
            "",
            *statements(errors),
            "",
            "Means that differ by less than the range of the seeds of either of the two decide nothing.\n",
        ]
    )


def figure(found: Mapping[str, Any]) -> str:
    """A point for each mean, a line from the lowest to the highest seed; the axis of the error is logarithmic."""
    errors = points(found)
    width, height, left, bottom = 900, 420, 50, 360
    columns = list(dict.fromkeys((m, b) for m, way, b in errors if way))
    axis = svg.Axis.around((value for values in errors.values() for value in values), bottom, 30, least=0.1)
    parts = [*svg.legend(left, list(COLOURS.items())), *svg.levels(axis, left, width)]
    base = errors.get(("float", "", 32))
    if base:
        level = axis.at(statistics.fmean(base))
        parts.append(svg.line(left, level, width, level, "#c0392b"))
        parts.append(svg.text(width - 4, level - 4, "float", "end", "#c0392b"))
    step = (width - left) / max(len(columns), 1)
    for number, (method, bits) in enumerate(columns):
        middle = left + step * (number + 0.5)
        parts.append(svg.text(middle, bottom + 18, str(bits), "middle"))
        if not number or columns[number - 1][0] != method:
            parts.append(svg.text(middle - step / 3, bottom + 36, method))
        for place, mode in enumerate(MODES):
            values = errors.get((method, mode, bits))
            if values:
                parts += svg.point(middle + (place - 1) * step / 5, axis, values, COLOURS[mode])
    parts.append(svg.text(left - 6, bottom + 18, "bits", "end"))
    return svg.document(width, height, parts)


def write(results: Path) -> list[Path]:
    """Table and plot beside the results."""
    found = json.loads(results.read_text())
    page, plot = results.with_suffix(".md"), results.with_suffix(".svg")
    plot.write_text(figure(found))
    page.write_text(document(found, plot.name))
    return [page, plot]


def _name(point: Point) -> str:
    return f"{point[0]} {point[2]} {point[1]}"


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])):
        print(written)
