"""What each layer costs in each precision, from the variants in which all layers have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfkit._units import format_seconds
from tfkit.counting import count
from tfkit.tradeoffs.advise import planning, risk
from tfkit.tradeoffs.advise.advice import LayerAdvice
from tfkit.tradeoffs.advise.latency import LatencyModel
from tfkit.tradeoffs.advise.mixture import Layer
from tfkit.tradeoffs.advise.planning import Option, Table
from tfkit.tradeoffs.advise.sites import sites
from tfkit.tradeoffs.advise.subject import Subject
from tfkit.tradeoffs.advise.variants import Mix, Variant


class Costs:
    """``table`` is for planning; ``planned`` shows it for people, with what layers may not have, and why."""

    def __init__(self, subject: Subject, variants: Sequence[Variant], latency: LatencyModel) -> None:
        self._latency = latency
        names = [layer.name for layer in subject.layers]
        noises = risk.noises(subject.model, names, subject.seen)
        self._refused = {layer.name: dict(layer.refused) for layer in subject.layers}
        whole: dict[str, tuple[float, int]] = {}
        options: dict[str, dict[str, dict[str, Option]]] = {}
        for variant in variants:
            rest = variant.mix.rest
            of_rest = options.setdefault(rest, {name: {} for name in names})
            if not variant.mix.bits:
                seconds = latency.predict(sites(variant.flatbuffer)).seconds
                whole[rest] = (seconds, len(variant.flatbuffer))
            for name, precision, cost in self._costs(variant, names):
                of_rest[name][precision] = Option(*cost, noises[name][precision])
        macs = {layer.name.rsplit("/", 1)[-1]: layer.macs for layer in count(subject.model).layers}
        self._macs = {name: macs.get(name, 0) for name in names}
        total = sum(self._macs.values()) or 1
        shares = {name: self._macs[name] / total for name in names}
        self.table = Table({rest: options[rest] for rest in whole}, whole, shares)
        self._layers = subject.layers

    def planned(self, mix: Mix) -> tuple[LayerAdvice, ...]:
        """Each layer, with what a plan gives it and what its precisions save beside the plan's rest."""
        rest = mix.rest
        worthwhile = planning.worth(self.table, rest)
        return tuple(self._row(layer, mix.bits.get(layer.name, rest), rest, worthwhile) for layer in self._layers)

    def _costs(self, variant: Variant, names: Sequence[str]) -> list[tuple[str, str, tuple[float, int]]]:
        """(layer, precision, (seconds, bytes)) of a variant all of whose layers have one precision."""
        spent: dict[str, float] = {}
        for site, owner in zip(sites(variant.flatbuffer), variant.owners, strict=True):
            spent[owner] = spent.get(owner, 0.0) + self._latency.seconds(site)
        found = []
        for name in variant.mix.bits or names:
            precision = variant.mix.bits.get(name, variant.mix.rest)
            if name in variant.refused:
                self._refused[name][precision] = variant.refused[name]
            else:
                found.append((name, precision, (spent.get(name, 0.0), variant.weight_bytes.get(name, 0))))
        return found

    def _row(self, layer: Layer, chosen: str, rest: str, worthwhile: Mapping[str, str]) -> LayerAdvice:
        table, name = self.table, layer.name
        options = {p: option for one in (*table.whole, rest) for p, option in table.options[one][name].items()}
        text = None
        if name in worthwhile:
            precision = worthwhile[name]
            saved = options[rest].seconds - options[precision].seconds
            text = f"{precision}: saves {format_seconds(saved)} ({saved / table.whole[rest][0]:.0%})"
        seconds = {p: option.seconds for p, option in options.items()}
        noise = {p: option.noise for p, option in options.items() if p != "float"}
        return LayerAdvice(name, layer.kind, self._macs[name], seconds, noise, self._refused[name], chosen, text)
