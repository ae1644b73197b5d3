"""Which mix of precisions: from the safest on, one layer after the other is given fewer bits, best value first.

A step changes one layer and saves time, bytes, or both, for some noise (see ``risk``). The next step is always the one
that saves most of what is still too much per noise that it adds. Times are sums over layers: what stands between two
layers of different precisions shows only when the mix is converted, which is done for the plan that is proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tfkit.tradeoffs.advise.budgets import Budgets
from tfkit.tradeoffs.advise.variants import Mix

WORTH = 0.02  # of the network's latency: less is not worth a precision that needs training


@dataclass(frozen=True)
class Option:
    """One layer in one precision: seconds and bytes of the layer and all that belongs to it, and its noise."""

    seconds: float
    bytes: int
    noise: float


@dataclass(frozen=True)
class Estimate:
    """A mix with what the sums say of it; ``risk`` is the mean noise over layers, weighed by their MACs."""

    mix: Mix
    seconds: float
    bytes: int
    risk: float


@dataclass(frozen=True)
class Table:
    """Everything that a choice is made from.

    Attributes:
        options: rest -> layer -> precision -> what it costs between layers of that rest; see ``Mix``.
        whole: rest -> seconds and bytes of the whole network with no layer in bits.
        shares: layer -> share of the MACs of all layers.
    """

    options: Mapping[str, Mapping[str, Mapping[str, Option]]]
    whole: Mapping[str, tuple[float, int]]
    shares: Mapping[str, float]

    def estimate(self, mix: Mix) -> Estimate:
        """The sums for a mix."""
        seconds, size = self.whole[mix.rest]
        risk = 0.0
        for name, options in self.options[mix.rest].items():
            rest = options[mix.rest]
            chosen = options[mix.bits[name]] if name in mix.bits else rest
            seconds += chosen.seconds - rest.seconds
            size += chosen.bytes - rest.bytes
            risk += self.shares[name] * chosen.noise
        return Estimate(mix, max(seconds, 0.0), max(size, 0), risk)

    def steps(self, mix: Mix) -> Iterator[tuple[str, str, float, float, float]]:
        """(layer, precision, seconds saved, bytes saved, noise added) for every change of one layer to fewer bits."""
        for name, options in self.options[mix.rest].items():
            now = options[mix.bits.get(name, mix.rest)]
            for precision in ("few-bit", "binary"):
                if precision in options and options[precision].noise > now.noise:
                    new = options[precision]
                    added = self.shares[name] * (new.noise - now.noise)
                    yield name, precision, now.seconds - new.seconds, float(now.bytes - new.bytes), added


def ladder(table: Table, rest: str, budgets: Budgets) -> list[Estimate]:
    """From the rest alone to the fewest bits: every plan on the way, each with one change more."""
    found = [table.estimate(Mix(rest))]
    total_seconds, total_bytes = table.whole[rest]
    while True:
        here = found[-1]
        time_counts = budgets.latency is None or here.seconds > budgets.latency
        bytes_count = budgets.size is not None and here.bytes > budgets.size

        def value(
            seconds: float, size: float, time_counts: bool = time_counts, bytes_count: bool = bytes_count
        ) -> float:
            if not (time_counts or bytes_count):
                return seconds / total_seconds
            return time_counts * seconds / total_seconds + bytes_count * size / max(1, total_bytes)

        best, gain = None, 0.0
        for name, precision, seconds, size, noise in table.steps(here.mix):
            gained = value(seconds, size)
            if gained > 1e-4 and gained / max(noise, 1e-9) > gain:
                best, gain = (name, precision), gained / max(noise, 1e-9)
        if best is None:
            return found
        found.append(table.estimate(replace(here.mix, bits={**here.mix.bits, best[0]: best[1]})))


def worth(table: Table, rest: str) -> dict[str, str]:
    """Layer -> the precision in bits that saves most, where that is at least ``WORTH`` of the network's latency.

    Few bits are preferred to signs that save less than ``WORTH`` more.
    """
    least = WORTH * table.whole[rest][0]
    found = {}
    for name, options in table.options[rest].items():
        saved = {p: options[rest].seconds - options[p].seconds for p in ("few-bit", "binary") if p in options}
        enough = {p: s for p, s in saved.items() if s >= least}
        if not enough:
            continue
        if "few-bit" in enough and enough.get("binary", 0.0) - enough["few-bit"] < least:
            found[name] = "few-bit"
        else:
            found[name] = max(enough, key=lambda p: enough[p])
    return found


def candidates(table: Table, budgets: Budgets) -> list[Estimate]:
    """Plans in the order in which they should be tried: the safest that keep the budgets first.

    Without a limit on latency or size these are the rests alone, and each with all layers that are worth it, the
    fastest first; which of them is the fastest indeed, only their conversions tell. Empty: no plan keeps the budgets.
    """
    if budgets.latency is None and budgets.size is None:
        plans = [table.estimate(Mix(rest, bits)) for rest in table.whole for bits in ({}, worth(table, rest))]
        unique = {(plan.mix.rest, tuple(sorted(plan.mix.bits.items()))): plan for plan in plans}
        return sorted(unique.values(), key=lambda plan: plan.seconds)
    plans = [plan for rest in table.whole for plan in ladder(table, rest, budgets)]
    return sorted((p for p in plans if not budgets.misses(p.seconds, p.bytes)), key=lambda p: (p.risk, p.seconds))


def closest(table: Table, budgets: Budgets) -> Estimate:
    """Where no plan keeps the budgets: the one that comes nearest to all of them, by the largest excess."""
    plans = [plan for rest in table.whole for plan in ladder(table, rest, budgets)]

    def excess(plan: Estimate) -> float:
        over = [plan.seconds / budgets.latency] if budgets.latency else []
        over += [plan.bytes / budgets.size] if budgets.size else []
        return max(over, default=0.0)

    return min(plans, key=excess)
