"""The charts for print: PNG, SVG and PDF by matplotlib, which only this needs."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfkit._errors import InputError, MissingToolError
from tfkit._files import whole_file
from tfkit._units import format_bytes, format_count
from tfkit.bench.table import printable
from tfkit.tradeoffs.report.averages import Average
from tfkit.tradeoffs.report.palette import COLOURS, style
from tfkit.tradeoffs.report.study import Device, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
# One column of a two-column paper is 3.3 to 3.5 inches wide; a figure of 5 stays readable in one and fills no page.
_SIZE = (5.0, 3.4)
_SETTINGS: Mapping[Any, Any] = {
    "font.size": 8,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "pdf.fonttype": 42,  # TrueType: publishers refuse type 3
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "tfkit",  # the same sweep gives the same file
    "savefig.dpi": 300,
}
_UNDATED: Mapping[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
_MOST_BARS = 40


@dataclass(frozen=True)
class _Bars:
    """A chart of bars: the name of its file, the field of a point, a title, and how a value is written."""

    name: str
    field: str
    title: str
    form: Callable[[int], str]

    def value(self, one: Average) -> Any:
        return getattr(one.mean, self.field)


_BARS = (
    _Bars("size", "size_bytes", "file size", format_bytes),
    _Bars("memory", "peak_memory_bytes", "peak memory", format_bytes),
    _Bars("macs", "macs", "MACs", format_count),
    _Bars("parameters", "parameters", "parameters", format_count),
)


def check_matplotlib() -> None:
    """Raise ``MissingToolError`` when there is no matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingToolError(
            "figures are drawn by matplotlib, which is not installed: pip install 'tfkit[figures]'. The page and the "
            "CSV file do without it"
        )


def write_figures(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write each chart in each of ``FORMATS`` into ``folder`` and return the paths.

    ``tradeoff-DEVICE``: accuracy over throughput or instructions; ``size``, ``memory``, ``macs``, ``parameters``: bars.
    """
    import matplotlib

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {folder}: {error.strerror}; choose another folder") from error
    paths = []
    settings: Any = {**matplotlib.rcParamsDefault, **_SETTINGS}
    with matplotlib.rc_context(settings):
        for name, figure in _figures(study):
            for kind in FORMATS:
                path = folder / f"{name}.{kind}"
                with whole_file(path) as temporary:
                    figure.savefig(temporary, format=kind, bbox_inches="tight", metadata=_UNDATED[kind])
                paths.append(path)
    return tuple(paths)


def _figures(study: Study) -> Iterator[tuple[str, Figure]]:
    taken: set[str] = set()
    for device in study.devices:
        placed = [one for one in device.averages if one.cost and one.mean.accuracy is not None]
        if placed:
            yield _file_name(device.name, taken), _tradeoff(study, device, placed)
    for bars in _BARS:
        found: dict[str, Average] = {}
        for one in study.averages:
            device_name = f", {one.mean.device}" if bars.field == "peak_memory_bytes" else ""
            if bars.value(one) is not None:
                found.setdefault(one.name + device_name, one)
        if found:
            yield bars.name, _bars(study, bars, sorted(found.items(), key=lambda item: bars.value(item[1])))


def _file_name(device: str, taken: set[str]) -> str:
    name = base = "tradeoff-" + (re.sub(r"[^A-Za-z0-9.]+", "-", device).strip("-.")[:60] or "device")
    number = 2
    while name.lower() in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name.lower())
    return name


def _tradeoff(study: Study, device: Device, placed: Sequence[Average]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    for place, name in enumerate(study.series):
        of_series = [one for one in placed if one.mean.series == name]
        if of_series:
            _series(axes, name, place, of_series)
    best = sorted((one for one in placed if one.mean.key in device.front), key=_x)
    if len(best) > 1:
        where: Any = "post" if device.emulated else "pre"
        axes.step([_x(one) for one in best], [_y(one) for one in best], where=where, color="black", linestyle="--",
                  linewidth=0.9, label="Pareto front", zorder=1)  # fmt: skip
    axes.set_xlabel("instructions per inference" if device.emulated else "throughput (inferences per second)")
    axes.set_ylabel("test accuracy (%)")
    axes.set_title(_plain(device.name), fontsize=8)
    axes.legend(loc="best", fontsize=7, framealpha=0.9)
    return figure


def _series(axes: Axes, name: str, place: int, of_series: Sequence[Average]) -> None:
    look = style(place)
    colour = COLOURS[look.colour][0]
    for model in dict.fromkeys(one.mean.model for one in of_series):
        line = sorted((one for one in of_series if one.mean.model == model), key=_x)
        axes.plot([_x(one) for one in line], [_y(one) for one in line], color=colour, linewidth=0.8, alpha=0.5)
    axes.errorbar(
        [_x(one) for one in of_series],
        [_y(one) for one in of_series],
        xerr=_reach(of_series, _x_range, _x),
        yerr=_reach(of_series, _y_range, _y),
        fmt="none",
        ecolor=colour,
        elinewidth=0.8,
        capsize=1.5,
    )
    for trusted in (True, False):
        shown = [one for one in of_series if (one.mean.trusted is not False) == trusted]
        axes.plot(
            [_x(one) for one in shown],
            [_y(one) for one in shown],
            linestyle="none",
            marker=look.mark,
            markersize=5,
            color=colour,
            fillstyle="full" if trusted else "none",
            label=_plain(name if trusted else f"{name}, not trusted") if shown else None,
        )


def _x(one: Average) -> float:
    assert one.cost is not None
    return one.cost if one.emulated else 1e3 / one.cost


def _y(one: Average) -> float:
    assert one.mean.accuracy is not None
    return 100 * one.mean.accuracy


def _x_range(one: Average) -> tuple[float, float] | None:
    if one.cost_range is None or one.cost_range.low <= 0:
        return None
    ends = (one.cost_range.low, one.cost_range.high)
    return ends if one.emulated else (1e3 / ends[1], 1e3 / ends[0])


def _y_range(one: Average) -> tuple[float, float] | None:
    return None if one.accuracy_range is None else (100 * one.accuracy_range.low, 100 * one.accuracy_range.high)


def _reach(found: Iterable[Average], range_of: Any, value: Any) -> list[list[float]]:
    """How far the bars reach below and above, as matplotlib takes them."""
    below, above = [], []
    for one in found:
        low, high = range_of(one) or (value(one), value(one))
        below.append(max(value(one) - low, 0.0))
        above.append(max(high - value(one), 0.0))
    return [below, above]


def _bars(study: Study, bars: _Bars, found: Sequence[tuple[str, Average]]) -> Figure:
    from matplotlib.figure import Figure

    shown = list(found[:_MOST_BARS])
    figure = Figure(figsize=(_SIZE[0], 0.6 + 0.2 * len(shown)))
    axes = figure.add_subplot()
    values = [bars.value(one) for _, one in shown]
    colours = [COLOURS[style(study.series.index(one.mean.series)).colour][0] for _, one in shown]
    drawn = axes.barh(range(len(shown)), values, color=colours, height=0.7)
    axes.bar_label(drawn, [f" {bars.form(value)}" for value in values], fontsize=7)
    axes.set_yticks(range(len(shown)), [_plain(name) for name, _ in shown], fontsize=7)
    axes.grid(False)
    axes.set_xticks([])
    axes.margins(y=0.01)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_xmargin(0.18)
    axes.invert_yaxis()
    left_out = len(found) - len(shown)
    axes.set_title(bars.title + (f" ({left_out} larger ones left out)" if left_out else ""), fontsize=8)
    return figure


def _plain(text: str) -> str:
    """A name as it is: matplotlib would read what stands between dollar signs as a formula, and "_..." as no label."""
    escaped = printable(text).replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped
