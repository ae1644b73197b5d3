"""What is known of one model on one device: variants timed, costs, and the plan that keeps its promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tfkit._errors import UnsupportedError
from tfkit._units import format_bytes, format_seconds
from tfkit.tradeoffs.advise import planning
from tfkit.tradeoffs.advise.advice import Advice, Whole
from tfkit.tradeoffs.advise.budgets import Budgets
from tfkit.tradeoffs.advise.cache import Cache
from tfkit.tradeoffs.advise.carry_out import untrained_accuracy
from tfkit.tradeoffs.advise.costs import Costs
from tfkit.tradeoffs.advise.latency import LatencyModel, OutsideMeasured, Prediction
from tfkit.tradeoffs.advise.mixture import BITS
from tfkit.tradeoffs.advise.planning import Estimate
from tfkit.tradeoffs.advise.reference import FEWEST_GROUPS, references
from tfkit.tradeoffs.advise.sites import sites
from tfkit.tradeoffs.advise.subject import Subject
from tfkit.tradeoffs.advise.timing import Stopwatch
from tfkit.tradeoffs.advise.variants import RESTS, Mix, Variant, converted, tried

Say = Callable[[str], None]
_MOST_PLANS = 6  # converted before giving up on limits that sums alone seemed to keep


@dataclass(frozen=True)
class _Tried:
    """A plan that was converted, and predicted from its own ops."""

    plan: Estimate
    variant: Variant
    prediction: Prediction

    def misses(self, budgets: Budgets) -> tuple[str, ...]:
        return budgets.misses(self.prediction.seconds, len(self.variant.flatbuffer))


class Advisor:
    """Converts and times at once; ``advice`` plans."""

    def __init__(self, subject: Subject, stopwatch: Stopwatch, store: Cache, say: Say) -> None:
        """Raises ``UnsupportedError`` when the model cannot even be converted in float."""
        self._subject, self._stopwatch, self._store, self._say = subject, stopwatch, store, say
        self._known = store.read()
        self._right: dict[str, float] = {}
        uniform = [Mix(rest) for rest in RESTS]
        for precision in BITS:
            able = {layer.name: precision for layer in subject.layers if precision not in layer.refused}
            uniform += [Mix(rest, able) for rest in RESTS] if able else []
        self._variants, self._failed = tried(subject.model, uniform, subject.samples, say)
        if Mix("float").title not in self._variants:
            raise UnsupportedError(self._failed[Mix("float").title])
        self._measure()
        self._latency = LatencyModel(self._known)

    def advice(self, budgets: Budgets, device: str, threads: int) -> Advice:
        """The plan, with everything that led to it. Raises ``UnsupportedError`` for limits that no plan keeps."""
        costs = Costs(self._subject, list(self._variants.values()), self._latency)
        chosen = self._choose(costs.table, budgets)
        plan, found = chosen.plan, chosen.prediction
        accuracies = {}
        if self._subject.test is not None:
            accuracies = {"float": self._accuracy(Mix()), "plan": self._accuracy(plan.mix)}
        size = len(chosen.variant.flatbuffer)
        return Advice(
            model=self._subject.name,
            device=device,
            threads=threads,
            layers=costs.planned(plan.mix),
            networks=[self._whole(variant) for variant in self._variants.values()],
            plan=Whole(plan.mix.title, found.seconds, found.low, found.high, None, size),
            plan_measured=found.measured,
            bits=plan.mix.bits,
            rest=plan.mix.rest,
            risk=plan.risk,
            accuracies=accuracies,
            statement=self._latency.statement,
            notes=[f"{title} is not possible: {reason}" for title, reason in self._failed.items()],
        )

    def _measure(self) -> None:
        """Time what is not in the cache yet."""
        groups = {network.group for network in self._known.networks.values()}
        if len(groups - {self._subject.group}) < FEWEST_GROUPS:
            self._say("timing reference networks, once for this device")
            self._time({one.name: (one.flatbuffer, one.group) for one in references()})
        own = {self._subject.title(v.mix.title): v.flatbuffer for v in self._variants.values()}
        new = {name: (data, self._subject.group) for name, data in own.items() if self._is_new(name, data)}
        self._time(new)

    def _is_new(self, name: str, flatbuffer: bytes) -> bool:
        known = self._known.networks.get(name)
        return known is None or known.keys != tuple(site.key for site in sites(flatbuffer))

    def _time(self, flatbuffers: Mapping[str, tuple[bytes, str]]) -> None:
        """Keep the times of networks, given with their architecture, and of their ops."""
        if not flatbuffers:
            return
        timed = self._stopwatch.time({name: data for name, (data, _) in flatbuffers.items()})
        for name, (_, group) in flatbuffers.items():
            self._known.samples.update(timed[name].by_key())
            self._known.networks[name] = timed[name].network(name, group)
        self._store.write(self._known)

    def _whole(self, variant: Variant) -> Whole:
        found = self._latency.predict(sites(variant.flatbuffer))
        measured = self._known.networks[self._subject.title(variant.mix.title)].seconds
        return Whole(variant.mix.title, found.seconds, found.low, found.high, measured, len(variant.flatbuffer))

    def _choose(self, table: planning.Table, budgets: Budgets) -> _Tried:
        """The first plan that keeps the limits once it is converted; without limits on either, the fastest."""
        plans = planning.candidates(table, budgets)
        made: list[_Tried] = []
        best = 0.0
        for plan in plans[:: max(1, len(plans) // _MOST_PLANS)]:
            if budgets.accuracy is not None:
                right = self._accuracy(plan.mix)
                best = max(best, right)
                if right < budgets.accuracy:
                    continue
            made.append(self._tried(plan))
            if (budgets.latency is not None or budgets.size is not None) and not made[-1].misses(budgets):
                return made[-1]
        kept = [one for one in made if not one.misses(budgets)]
        if kept:
            return min(kept, key=lambda one: one.prediction.seconds)
        raise UnsupportedError(self._refusal(table, budgets, best, made))

    def _refusal(self, table: planning.Table, budgets: Budgets, best: float, made: Sequence[_Tried]) -> str:
        if best and not made:
            return (
                f"no plan is right in {budgets.accuracy:.1%} of the test samples before training: the best that was "
                f"tried is in {best:.1%}. Allow less, allow more time or bytes, or leave the least accuracy out and "
                "look at what --train reaches"
            )
        nearest = self._tried(planning.closest(table, budgets))
        plan, seconds, size = nearest.plan, nearest.prediction.seconds, len(nearest.variant.flatbuffer)
        return (
            f"no mix of precisions keeps the limits ({'; '.join(nearest.misses(budgets))}). The closest is "
            f"{plan.mix.title}: {format_seconds(seconds)}, {format_bytes(size)}. Allow that much, or make the network "
            "smaller (tfkit prune, --width)"
        )

    def _accuracy(self, mix: Mix) -> float:
        assert self._subject.test is not None  # a least accuracy asks for data
        key = repr(mix)
        if key not in self._right:
            self._say(f"trying {mix.title} on test data, untrained")
            self._right[key] = untrained_accuracy(self._subject.model, mix, self._subject.samples, self._subject.test)
        return self._right[key]

    def _tried(self, plan: Estimate) -> _Tried:
        variant = self._variants.get(plan.mix.title)
        if variant is None or variant.mix != plan.mix:
            self._say(f"converting a plan: {plan.mix.title}")
            variant = converted(self._subject.model, plan.mix, self._subject.samples)
        return _Tried(plan, variant, self._predicted(variant))

    def _predicted(self, variant: Variant) -> Prediction:
        """The prediction; where an op is unlike all that were timed, the plan's ops are timed first, not the plan."""
        found = sites(variant.flatbuffer)
        try:
            return self._latency.predict(found)
        except OutsideMeasured:
            (timed,) = self._stopwatch.time({"ops that only the plan has": variant.flatbuffer}).values()
            self._known.samples.update(timed.by_key())
            self._store.write(self._known)
            self._latency = LatencyModel(self._known)
            return self._latency.predict(found)
