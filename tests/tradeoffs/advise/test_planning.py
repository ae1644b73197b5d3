"""Plans against all mixes, tried one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tfkit.tradeoffs.advise import planning
from tfkit.tradeoffs.advise.budgets import Budgets
from tfkit.tradeoffs.advise.planning import Estimate, Option, Table
from tfkit.tradeoffs.advise.variants import Mix

SEED = 11
NOISE = {"float": 0.0, "int8": 0.001, "few-bit": 0.3, "binary": 0.8}


def table(layers: int = 5, seed: int = SEED) -> Table:
    rng = np.random.default_rng(seed)
    options, shares = {}, rng.dirichlet(np.ones(layers))
    for number in range(layers):
        base = rng.uniform(0.5e-3, 2e-3)
        speed = {"float": 1.0, "int8": 0.6, "few-bit": rng.uniform(0.3, 0.9), "binary": rng.uniform(0.1, 0.4)}
        size = {"float": 4000, "int8": 1000, "few-bit": 250, "binary": 125}
        options[f"l{number}"] = {
            p: Option(base * speed[p], size[p] * (number + 1), NOISE[p] * rng.uniform(0.8, 1.2)) for p in NOISE
        }
    whole = {
        rest: (
            1e-3 + sum(o[rest].seconds for o in options.values()),
            500 + sum(o[rest].bytes for o in options.values()),
        )
        for rest in ("float", "int8")
    }
    return Table(dict.fromkeys(whole, options), whole, {n: float(s) for n, s in zip(options, shares, strict=True)})


def every_mix(costs: Table) -> list[Estimate]:
    names = list(costs.shares)
    return [
        costs.estimate(Mix(rest, {n: p for n, p in zip(names, bits, strict=True) if p}))
        for rest in ("float", "int8")
        for bits in itertools.product(("", "few-bit", "binary"), repeat=len(names))
    ]


def test_an_estimate_is_the_sum_of_its_layers() -> None:
    costs = table()
    found = costs.estimate(Mix("int8", {"l1": "binary"}))
    parts = [layer["binary" if name == "l1" else "int8"] for name, layer in costs.options["int8"].items()]
    assert found.seconds == pytest.approx(1e-3 + sum(part.seconds for part in parts))
    assert found.bytes == 500 + sum(part.bytes for part in parts)
    assert found.risk == pytest.approx(
        sum(costs.shares[n] * part.noise for n, part in zip(costs.shares, parts, strict=True))
    )


def test_each_rung_saves_time_and_adds_noise() -> None:
    rungs = planning.ladder(table(), "int8", Budgets())
    assert len(rungs) > 5
    assert all(a.seconds > b.seconds and a.risk < b.risk for a, b in itertools.pairwise(rungs))


@pytest.mark.parametrize("seed", range(4))
def test_a_budget_is_kept_with_little_more_noise_than_needed(seed: int) -> None:
    costs = table(seed=seed)
    mixes = every_mix(costs)
    for share in (0.3, 0.6, 0.9):
        fastest, slowest = min(m.seconds for m in mixes), max(m.seconds for m in mixes)
        limit = Budgets(latency=fastest + share * (slowest - fastest))
        plan = planning.candidates(costs, limit)[0]
        best = min((m for m in mixes if not limit.misses(m.seconds, m.bytes)), key=lambda m: m.risk)
        assert not limit.misses(plan.seconds, plan.bytes)
        assert plan.risk <= best.risk + 0.25, f"seed {seed}"


def test_a_size_is_kept_too() -> None:
    costs = table()
    limit = Budgets(size=9000)
    plan = planning.candidates(costs, limit)[0]
    assert plan.bytes <= 9000 < costs.whole["int8"][1]


def test_an_impossible_budget_has_no_plan_and_the_closest_is_the_fastest() -> None:
    costs = table()
    limit = Budgets(latency=1e-6)
    assert planning.candidates(costs, limit) == []
    fastest = min(every_mix(costs), key=lambda m: m.seconds)
    assert planning.closest(costs, limit).seconds == pytest.approx(fastest.seconds)


def test_without_limits_only_what_is_worth_it_gets_bits() -> None:
    costs = table()
    options = dict(costs.options["int8"])
    int8 = options["l0"]["int8"]
    options["l0"] = {"float": options["l0"]["float"], "int8": int8, "few-bit": Option(int8.seconds * 0.999, 1, 0.3)}
    costs = Table({**costs.options, "int8": options}, costs.whole, costs.shares)
    found = planning.worth(costs, "int8")
    assert "l0" not in found
    plans = planning.candidates(costs, Budgets())
    assert {plan.mix.rest: plan.mix.bits for plan in plans if plan.mix.bits}["int8"] == found
    assert [plan.seconds for plan in plans] == sorted(plan.seconds for plan in plans)


def test_few_bits_are_preferred_to_signs_that_save_hardly_more() -> None:
    costs = table()
    rest = costs.options["int8"]["l0"]["int8"]
    options = {**costs.options["int8"], "l0": {
        "float": rest, "int8": rest, "few-bit": Option(rest.seconds * 0.5, 1, 0.3),
        "binary": Option(rest.seconds * 0.49, 1, 0.8),
    }}  # fmt: skip
    assert planning.worth(Table({"int8": options}, costs.whole, costs.shares), "int8")["l0"] == "few-bit"
