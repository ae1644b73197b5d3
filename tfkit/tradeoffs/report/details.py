"""What opens when a point is chosen: templates, which a browser neither shows nor lays out until they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tfkit.tradeoffs.points import Point
from tfkit.tradeoffs.report import artifacts, wording
from tfkit.tradeoffs.report.averages import Average, flat
from tfkit.tradeoffs.report.markup import append, element, facts, folded, table, written
from tfkit.tradeoffs.report.parts.ledger import ledger
from tfkit.tradeoffs.report.parts.measurement import measurement
from tfkit.tradeoffs.report.parts.parity import parity
from tfkit.tradeoffs.report.parts.profile import profile
from tfkit.tradeoffs.report.parts.provenance import provenance

_SEEDS = ("seed", "trust", "accuracy", "in Keras", "latency", "instructions")


class Details:
    """The templates of a page. Seeds and devices share ledgers, so equal parts are kept once and filled in by name."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}
        self._templates: list[Element] = []

    def add(self, place: int, one: Average, on_front: bool) -> None:
        """The template ``point-PLACE``."""
        made = element("template", element("h2", one.name, id="details-title"), id=f"point-{place}")
        made.append(facts(_figures(one, on_front)))
        if len(one.seeds) > 1:
            made.append(table(_SEEDS, [_seed_row(point) for point in one.seeds], 4))
        for point in one.seeds:
            sections = list(self._sections(point))
            for section in sections if len(one.seeds) == 1 else [folded(f"Seed {point.seed}", *sections)]:
                append(made, section)
        self._templates.append(made)

    def templates(self) -> Iterator[Element]:
        """All of them."""
        yield from self._templates

    def _sections(self, point: Point) -> Iterator[Element]:
        bench = artifacts.read(point.artifacts.get("bench"))
        result = artifacts.result_of(bench, point.artifacts.get("tflite"))
        yield self._section("Measurement and trust", measurement(bench, result))
        yield self._section("Op ledger", ledger(artifacts.read(point.artifacts.get("ledger"))))
        yield self._section("Parity with Keras", parity(artifacts.read(point.artifacts.get("parity"))))
        yield self._section("Profile by op", profile(result))
        yield self._section("Provenance", self._with_files(point, provenance(bench, result)))

    def _section(self, title: str, content: Element) -> Element:
        text = written(content)
        if text not in self._parts:
            self._parts[text] = f"part-{len(self._parts)}"
            self._templates.append(element("template", content, id=self._parts[text]))
        return folded(title, element("div", data_part=self._parts[text]))

    def _with_files(self, point: Point, content: Element) -> Element:
        files = [(name, path.name) for name, path in point.artifacts.items()]
        return element("div", facts([("point", point.key), *files]), content)


def _figures(one: Average, on_front: bool) -> Iterator[tuple[str, str]]:
    mean = one.mean
    yield "device", mean.device
    yield "accuracy", wording.accuracy_with_range(one)
    yield "accuracy in Keras", wording.accuracy(mean.keras_accuracy)
    yield ("instructions" if one.emulated else "latency"), wording.cost_with_range(one)
    if not one.emulated:
        yield "throughput", wording.throughput(mean.latency_ms)
    yield "trust", wording.trust(mean.trusted)
    yield "Pareto front", "yes" if on_front else "no"
    yield "size", wording.size(mean.size_bytes)
    yield "peak memory", wording.size(mean.peak_memory_bytes)
    yield "MACs", wording.count(mean.macs)
    yield "parameters", wording.count(mean.parameters)
    yield from flat(mean.settings).items()


def _seed_row(point: Point) -> tuple[str, ...]:
    return (
        str(point.seed),
        wording.trust(point.trusted),
        wording.accuracy(point.accuracy),
        wording.accuracy(point.keras_accuracy),
        wording.latency(point.latency_ms),
        wording.count(point.instructions),
    )
