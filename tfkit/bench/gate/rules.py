"""The list of rules, and the verdict that they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tfkit.bench.gate import cores, figures, heat, meaning
from tfkit.bench.gate.evidence import Evidence
from tfkit.bench.gate.reason import LEVELS, Reason

Rule = Callable[[Evidence], Iterator[Reason]]

# In the order in which a reader should hear them: what the numbers mean at all comes before how steady they are.
RULES: tuple[Rule, ...] = (
    meaning.golden,
    meaning.no_hardware,
    meaning.other_mode,
    meaning.foreign,
    meaning.clock,
    meaning.weak_golden,
    meaning.repeatable,
    cores.affinity,
    cores.clusters,
    cores.threads,
    cores.frequency,
    heat.status,
    heat.hot_start,
    heat.canary,
    heat.charging,
    figures.count,
    figures.processes,
    figures.warm_up,
    figures.load,
    figures.interrupted,
    figures.drift,
    figures.variation,
    figures.noise,
    figures.short,
)


def judge(evidence: Evidence) -> tuple[str, list[Reason]]:
    """The level, and all reasons for it in the order of ``RULES``."""
    reasons = [reason for rule in RULES for reason in rule(evidence)]
    worst = max((LEVELS.index(reason.level) for reason in reasons), default=0)
    return LEVELS[worst], reasons
