"""The results of ``experiment.py`` as a table with what they say, and as a plot: ``python report.py RESULTS.json``."""

from __future__ import annotations

import itertools
import json
import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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
    counts = {"hold": 0, "spread": 0}
    against = []
    for low, high in pairs:
        difference = statistics.fmean(errors[low]) - statistics.fmean(errors[high])
        if difference <= 0:
            counts["hold"] += 1
        elif difference <= max(max(errors[p]) - min(errors[p]) for p in (low, high)):
            counts["spread"] += 1
        else:
            against.append(f"{_name(low)} is {difference:.2f} points above {_name(high)}")
    yield f"holds for {counts['hold']} of {len(pairs)} pairs"
    if counts["spread"]:
        yield f"for {counts['spread']} the means say otherwise by less than the seeds differ"
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
        cells = [_cell(errors.get((method, mode, bits))) for mode in MODES]
        rows.append(f"| {method} | {bits} | {' | '.join(cells)} |")
    seeds = max(len(values) for values in errors.values())
    return "\n".join(
        [
            f"# Test error of {settings['network']} on {settings['data']}\n",
            f"Percent, mean and range over {seeds} seeds, {settings['epochs']} epochs each. "
            f"Float: {_cell(errors.get(('float', '', 32)))}.\n",
            f"![{plot}]({plot})\n",
            *rows,
            "",
            *statements(errors),
            "",
            "Means that differ by less than the range of the seeds of either of the two decide nothing.\n",
        ]
    )


def svg(found: Mapping[str, Any]) -> str:
    """A point for each mean, a line from the lowest to the highest seed; the axis of the error is logarithmic."""
    errors = points(found)
    width, height, left, bottom = 900, 420, 50, 360
    columns = list(dict.fromkeys((m, b) for m, way, b in errors if way))
    everything = [value for values in errors.values() for value in values]
    low, high = max(min(everything), 0.1) / 1.2, max(everything) * 1.2

    def y(value: float) -> float:
        return bottom - (bottom - 30) * math.log(max(value, low) / low) / math.log(high / low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="18">test error in percent</text>',
    ]
    for tick in (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 90):
        if low <= tick <= high:
            parts.append(f'<line x1="{left}" x2="{width}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>')
            parts.append(f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    base = errors.get(("float", "", 32))
    if base:
        level = y(statistics.fmean(base))
        parts.append(f'<line x1="{left}" x2="{width}" y1="{level:.1f}" y2="{level:.1f}" stroke="#c0392b"/>')
        parts.append(f'<text x="{width - 4}" y="{level - 4:.1f}" text-anchor="end" fill="#c0392b">float</text>')
    step = (width - left) / max(len(columns), 1)
    for number, (method, bits) in enumerate(columns):
        middle = left + step * (number + 0.5)
        parts.append(f'<text x="{middle:.1f}" y="{bottom + 18}" text-anchor="middle">{bits}</text>')
        if not number or columns[number - 1][0] != method:
            parts.append(f'<text x="{middle - step / 3:.1f}" y="{bottom + 36}">{method}</text>')
        for place, mode in enumerate(MODES):
            values = errors.get((method, mode, bits))
            if values:
                x, colour = middle + (place - 1) * step / 5, COLOURS[mode]
                ends = f'y1="{y(min(values)):.1f}" y2="{y(max(values)):.1f}"'
                parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" {ends} stroke="{colour}" stroke-width="2"/>')
                parts.append(f'<circle cx="{x:.1f}" cy="{y(statistics.fmean(values)):.1f}" r="4" fill="{colour}"/>')
    for place, (mode, colour) in enumerate(COLOURS.items()):
        parts.append(f'<circle cx="{left + 200 + 110 * place}" cy="14" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{left + 210 + 110 * place}" y="18">{mode}</text>')
    parts.append(f'<text x="{left - 6}" y="{bottom + 18}" text-anchor="end">bits</text>')
    return "\n".join([*parts, "</svg>\n"])


def write(results: Path) -> list[Path]:
    """Table and plot beside the results."""
    found = json.loads(results.read_text())
    page, plot = results.with_suffix(".md"), results.with_suffix(".svg")
    plot.write_text(svg(found))
    page.write_text(document(found, plot.name))
    return [page, plot]


def _cell(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    return f"{statistics.fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _name(point: Point) -> str:
    return f"{point[0]} {point[2]} {point[1]}"


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])):
        print(written)
