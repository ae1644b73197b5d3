"""What the page's script works with: figures and names, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tfkit.bench.table import printable
from tfkit.tradeoffs.report import wording
from tfkit.tradeoffs.report.averages import Average
from tfkit.tradeoffs.report.palette import MARKS, style
from tfkit.tradeoffs.report.spreadsheet import HEADINGS, cells
from tfkit.tradeoffs.report.study import Study


def content(study: Study) -> dict[str, Any]:
    """JSON-ready. ``points`` are the averages; a CSV line comes with the place of its average."""
    models = _places(one.mean.model for one in study.averages)
    series, devices = _places(study.series), _places(device.name for device in study.devices)
    front = {key for device in study.devices for key in device.front}
    points = []
    lines: list[list[Any]] = []
    for place, one in enumerate(study.averages):
        mean = one.mean
        points.append(
            {
                "series": series[mean.series],
                "model": models[mean.model],
                "device": devices[mean.device],
                "front": mean.key in front,
                "int8": study.families[mean.key] == "int8",
                **_figures(one),
                **_texts(one),
            }
        )
        lines += [[place, *map(printable, cells(point))] for point in one.seeds]
    return {
        "series": [_series(name, place) for name, place in series.items()],
        "devices": [{"name": printable(device.name), "emulated": device.emulated} for device in study.devices],
        "points": points,
        "csv": {"headings": HEADINGS, "lines": lines},
    }


def _places(names: Iterable[str]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _series(name: str, place: int) -> dict[str, Any]:
    look = style(place)
    return {"name": printable(name), "colour": f"c{look.colour}", "mark": MARKS[look.mark]}


def _figures(one: Average) -> dict[str, Any]:
    mean = one.mean
    return {
        "accuracy": mean.accuracy,
        "accuracies": [one.accuracy_range.low, one.accuracy_range.high] if one.accuracy_range else None,
        "latency": mean.latency_ms,
        "instructions": mean.instructions,
        "costs": [one.cost_range.low, one.cost_range.high] if one.cost_range else None,
        "size": mean.size_bytes,
        "memory": mean.peak_memory_bytes,
        "macs": mean.macs,
        "parameters": mean.parameters,
        "trusted": mean.trusted,
        "seeds": len(one.seeds),
    }


def _texts(one: Average) -> dict[str, Any]:
    mean = one.mean
    searched = (mean.series, mean.model, wording.settings(mean.settings), mean.device)
    return {
        "label": printable(one.variant),
        "search": printable(" ".join(searched)).lower(),
        "text": {
            "accuracy": wording.accuracy(mean.accuracy),
            "cost": wording.cost(one),
            "size": wording.size(mean.size_bytes),
            "memory": wording.size(mean.peak_memory_bytes),
            "macs": wording.count(mean.macs),
            "parameters": wording.count(mean.parameters),
        },
    }
