"""The whole way with faked conversions and a faked stopwatch: times follow a rule, so the right advice is known.

A "flatbuffer" is JSON here: which precision each layer has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tfkit._errors import UnsupportedError
from tfkit._keras import legacy_keras
from tfkit.tradeoffs.advise import Budgets, advisor, costs
from tfkit.tradeoffs.advise import run as advise_run
from tfkit.tradeoffs.advise.advice import Advice
from tfkit.tradeoffs.advise.cache import Sample
from tfkit.tradeoffs.advise.reference import Reference
from tfkit.tradeoffs.advise.sites import Site
from tfkit.tradeoffs.advise.timing import Stopwatch, Timed
from tfkit.tradeoffs.advise.variants import Mix, Variant

keras = legacy_keras()
LAYERS = ("stem", "large", "small", "head")
MACS = {"stem": 1_000_000, "large": 4_000_000, "small": 40_000, "head": 1000}
# ns per MAC; signs pay for the large layer only: the small one has to be packed first.
SPEED = {"float": 1.0, "int8": 0.5, "few-bit": 0.4, "binary": 0.05}
BYTES = {"float": 4.0, "int8": 1.0, "few-bit": 0.25, "binary": 0.125}
PACKING = 5e-5


def sites(flatbuffer: bytes) -> tuple[Site, ...]:
    found = []
    for index, (name, precision) in enumerate(json.loads(flatbuffer.split(b"\0")[0]).items()):
        macs = MACS[name]
        found.append(Site(index, f"{name} {precision}", f"CONV_2D {precision}", macs, macs // 10, macs // 100, 16))
    return tuple(found)


def seconds(site: Site) -> float:
    precision = site.key.split()[1]
    packing = PACKING if precision in ("few-bit", "binary") else 0.0
    return site.macs * SPEED[precision] * 1e-9 + packing


def fake_converted(model: Any, mix: Mix, samples: Any) -> Variant:
    each = {name: mix.bits.get(name, mix.rest) for name in LAYERS}
    sizes = {name: int(1000 * BYTES[precision]) for name, precision in each.items()}
    flatbuffer = json.dumps(each).encode() + b"\0" * sum(sizes.values())
    return Variant(mix, flatbuffer, LAYERS, {}, sizes)


def fake_tried(model: Any, mixes: Sequence[Mix], samples: Any, say: Any) -> tuple[dict[str, Variant], dict[str, str]]:
    return {mix.title: fake_converted(model, mix, samples) for mix in mixes}, {}


class FakeStopwatch(Stopwatch):
    """A network takes the sum of its ops and a tenth of a millisecond."""

    calls: ClassVar[list[list[str]]] = []

    def time(self, flatbuffers: Mapping[str, bytes], turns: int = 1) -> dict[str, Timed]:
        self.calls.append(list(flatbuffers))
        found = {}
        for name, data in flatbuffers.items():
            ops = sites(data)
            made = [Sample(s.kind, s.macs, s.traffic, s.weight_bytes, s.channels, seconds(s), "XNNPACK") for s in ops]
            found[name] = Timed(ops, tuple(made), 1, sum(map(seconds, ops)) + 1e-5)
        return found


def references() -> list[Reference]:
    """Four architectures of the same layers."""
    mixes = [Mix("float"), Mix("int8"), Mix("float", {"large": "binary"}), Mix("int8", {"large": "few-bit"})]
    return [Reference(f"r{n}", f"g{n}", fake_converted(None, mix, None).flatbuffer) for n, mix in enumerate(mixes)]


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advise_run, "Stopwatch", FakeStopwatch)
    for module, name, fake in (
        (advisor, "references", references),
        (advisor, "tried", fake_tried),
        (advisor, "converted", fake_converted),
        (advisor, "sites", sites),
        (costs, "sites", sites),
    ):
        monkeypatch.setattr(module, name, fake)
    FakeStopwatch.calls = []


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(4)
    x = inputs = keras.Input((8, 8, 1))
    for name, filters in (("stem", 8), ("large", 8), ("small", 4)):
        x = keras.layers.Conv2D(filters, 3, name=name)(x)
    return keras.Model(inputs, keras.layers.Dense(10, name="head")(keras.layers.Flatten()(x)), name="net")


def asked(model: Any, folder: Path, budgets: Budgets | None = None) -> Advice:
    return advise_run.advise(model, budgets=budgets, cache=folder)


def test_only_what_is_worth_it_gets_bits(model: Any, tmp_path: Path) -> None:
    found = asked(model, tmp_path)
    assert (found.rest, found.bits) == ("int8", {"large": "binary"})
    truth = (1e6 * 0.5 + 4e6 * 0.05 + 4e4 * 0.5 + 1e3 * 0.5) * 1e-9 + PACKING + 1e-5
    assert found.plan.predicted_s == pytest.approx(truth, rel=0.03)
    assert found.plan.low_s < truth < found.plan.high_s
    assert found.plan.bytes == len(fake_converted(None, Mix("int8", {"large": "binary"}), None).flatbuffer)
    large, small = found.layers
    assert large.seconds["float"] == pytest.approx(4e-3, rel=0.02)
    assert large.worth is not None
    assert large.worth.startswith("binary: saves 1.7")
    assert (large.chosen, small.chosen, small.worth) == ("binary", "int8", None)
    assert "held-out error" in found.statement


def test_the_table_and_the_json_say_it(model: Any, tmp_path: Path) -> None:
    found = asked(model, tmp_path)
    text = found.table()
    assert "plan: int8, 1 binary layers" in text
    assert "    large: binary" in text
    assert "A risk, no promise" in text
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["bits"] == {"large": "binary"}
    assert document["risk_db"] == pytest.approx(-10 * np.log10(found.risk))
    assert [one["title"] for one in document["networks"]] == [
        *("float", "int8", "float, 2 few-bit layers", "int8, 2 few-bit layers"),
        *("float, 2 binary layers", "int8, 2 binary layers"),
    ]


def test_the_safest_plan_within_the_limits(model: Any, tmp_path: Path) -> None:
    assert asked(model, tmp_path, Budgets(latency=1.0)).rest == "float"
    loose = asked(model, tmp_path, Budgets(latency=3e-3))
    assert (loose.rest, loose.bits) == ("int8", {})
    tight = asked(model, tmp_path, Budgets(latency=1e-3))
    assert (tight.rest, tight.bits) == ("int8", {"large": "binary"})
    small = asked(model, tmp_path, Budgets(size=3000))
    assert small.plan.bytes <= 3000
    assert small.bits


def test_limits_that_no_mix_keeps_name_the_closest(model: Any, tmp_path: Path) -> None:
    with pytest.raises(
        UnsupportedError,
        match=r"no mix of precisions keeps the limits \(.* where 1 us are allowed\). The closest is int8, 1 binary",
    ):
        asked(model, tmp_path, Budgets(latency=1e-6))


def right(model: Any, mix: Mix, samples: Any, test: Any) -> float:
    return 0.3 if mix.bits else 0.97 if mix.rest == "int8" else 0.99


def test_a_least_accuracy_is_asked_of_the_untrained_plan(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisor, "untrained_accuracy", right)

    def within(**limits: Any) -> Advice:
        return advise_run.advise(model, data="digits", budgets=Budgets(**limits), cache=tmp_path)

    found = within(accuracy=0.95)
    assert (found.rest, found.bits) == ("int8", {})  # the fastest that is right often enough
    assert found.accuracies == {"float": 0.99, "plan": 0.97}
    assert "97.0% right before any training, the float model 99.0%" in found.table()
    assert within(accuracy=0.98).rest == "float"
    with pytest.raises(
        UnsupportedError, match=r"right in 99.5% of the test samples .*: the best .* is in 99.0%\. Allow"
    ):
        within(accuracy=0.995)
    with pytest.raises(UnsupportedError, match=r"no plan is right in 95.0% .* the best that was tried is in 30.0%"):
        within(accuracy=0.95, latency=1e-3)


def test_a_second_advice_times_nothing(model: Any, tmp_path: Path) -> None:
    first = asked(model, tmp_path)
    assert len(FakeStopwatch.calls) == 2  # reference networks, the model's own
    again = asked(model, tmp_path)
    assert len(FakeStopwatch.calls) == 2
    assert again == first
