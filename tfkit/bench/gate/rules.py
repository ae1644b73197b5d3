"""The list of rules, and the verdict that they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tfkit.bench.gate import cores, figures, heat, meaning
from tfkit.bench.gate.evidence import Evidence
from tfkit.bench.gate.reason import LEVELS, Reason
from tfkit.bench.spec import SUSTAINED

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


# A sustained run is made to see these; its curve shows them, and they are no faults of it.
FINDINGS = (cores.frequency, heat.status, heat.hot_start, heat.canary, figures.drift, figures.variation)


def judge(evidence: Evidence) -> tuple[str, list[Reason]]:
    """The level, and all reasons for it in the order of ``RULES``."""
    rules = [rule for rule in RULES if evidence.preset.name != SUSTAINED or rule not in FINDINGS]
    reasons = [reason for rule in rules for reason in rule(evidence)]
    worst = max((LEVELS.index(reason.level) for reason in reasons), default=0)
    return LEVELS[worst], reasons
