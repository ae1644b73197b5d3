"""Networks whose latency follows a known rule, so that what is fitted can be compared with the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tfkit.tradeoffs.advise.cache import Measurements, Network, Sample
from tfkit.tradeoffs.advise.latency import UNKNOWN_ERROR, LatencyModel, OutsideMeasured
from tfkit.tradeoffs.advise.sites import Site

SEED = 5
CONV, ADD = "CONV_2D 3x3 float32", "ADD float32"


def op(kind: str, size: float, runs_in: str = "XNNPACK") -> Sample:
    """Half a nanosecond per MAC; an addition takes a tenth of a nanosecond per byte."""
    count = round(size)
    if kind == ADD:
        return Sample(kind, 0, count, 0, 32, count * 1e-10, runs_in)
    return Sample(kind, count, count // 50, count // 30, 32, count * 5e-10, runs_in)


def truth(samples: list[Sample], partitions: int) -> float:
    """Written out here once more: 5 % more in XNNPACK, 0.8 us an op, 3 us a partition, 6 us a run."""
    own = sum(s.seconds * (1.05 if s.runs_in == "XNNPACK" else 1.0) for s in samples)
    return own + 0.8e-6 * len(samples) + 3e-6 * partitions + 6e-6


def site(sample: Sample, key: str) -> Site:
    return Site(0, key, sample.kind, sample.macs, sample.traffic, sample.weight_bytes, sample.channels)


def measured(groups: int = 6, noise: float = 0.0) -> Measurements:
    rng = np.random.default_rng(SEED)
    found = Measurements()
    for number in range(groups):
        samples = [op(CONV, 10 ** rng.uniform(4.5, 6.5)) for _ in range(rng.integers(5, 25))]
        samples += [op(ADD, 10 ** rng.uniform(4, 5.5), "tfkit") for _ in range(rng.integers(1, 6))]
        keys = tuple(f"{number}/{index}" for index in range(len(samples)))
        found.samples.update(zip(keys, samples, strict=True))
        seconds = truth(samples, 2) * (1 + noise * rng.normal())
        found.networks[f"n{number}"] = Network(f"n{number}", f"g{number}", keys, 2, seconds)
    return found


def test_a_new_network_of_measured_ops_is_predicted() -> None:
    known = measured()
    samples = [op(CONV, 2e5), op(CONV, 3e5), op(ADD, 4e4, "tfkit")]
    known.samples.update(zip("abc", samples, strict=True))
    found = LatencyModel(known).predict([site(s, key) for s, key in zip(samples, "abc", strict=True)])
    assert found.seconds == pytest.approx(truth(samples, 2), rel=0.04), f"seed {SEED}"
    assert found.measured == 1.0
    assert found.low < found.seconds < found.high


def test_ops_that_were_not_measured_are_estimated_from_their_kind() -> None:
    model = LatencyModel(measured())
    samples = [op(CONV, 2.2e5), op(CONV, 7.1e5)]
    found = model.predict([site(s, "new" + str(s.macs)) for s in samples])
    assert found.seconds == pytest.approx(truth(samples, 1), rel=0.05), f"seed {SEED}"
    assert found.measured == 0.0


def test_each_architecture_is_held_out_once() -> None:
    model = LatencyModel(measured(noise=0.01))
    assert {one.group for one in model.held_out} == {f"g{n}" for n in range(6)}
    assert max(abs(one.error) for one in model.held_out) < 0.08, f"seed {SEED}"
    assert model.error < 0.08
    assert "6 of 6 networks within 10 % (6 architectures" in model.statement


def test_a_held_out_network_has_no_say_in_its_own_prediction() -> None:
    known = measured()
    honest = {one.name: one.predicted for one in LatencyModel(known).held_out}
    known.networks["n2"] = replace(known.networks["n2"], seconds=5 * known.networks["n2"].seconds)
    spoilt = {one.name: one.predicted for one in LatencyModel(known).held_out}
    assert spoilt["n2"] == honest["n2"]
    assert spoilt["n1"] != honest["n1"]


def test_networks_of_one_architecture_leave_together() -> None:
    known = measured()
    known.networks = {name: replace(network, group="one") for name, network in known.networks.items()}
    assert LatencyModel(known).held_out == ()


def test_without_networks_the_error_is_said_to_be_unknown() -> None:
    model = LatencyModel(Measurements({"a": op(CONV, 1e5)}))
    assert model.error == UNKNOWN_ERROR
    assert "error not known yet (0 networks timed); +-25% is assumed" in model.statement


def test_refuses_what_it_has_not_seen() -> None:
    model = LatencyModel(measured())
    with pytest.raises(OutsideMeasured, match="no SVDF int8 was measured"):
        model.predict([replace(site(op(CONV, 1e5), "x"), kind="SVDF int8")])
    with pytest.raises(OutsideMeasured, match=r"with 900,000,000 macs, where [\d,]+ to [\d,]+ were measured"):
        model.predict([site(op(CONV, 9e8), "x")])
    with pytest.raises(OutsideMeasured, match="no latency is predicted from what was measured on this device"):
        model.predict([site(op(CONV, 10), "x")])


def test_a_fused_op_costs_nothing() -> None:
    known = measured()
    known.samples["pad"] = replace(op(ADD, 1e4), kind="PAD float32", seconds=0.0, runs_in="")
    known.samples["conv"] = op(CONV, 1e5)
    model = LatencyModel(known)
    alone = model.predict([site(known.samples["conv"], "conv")]).seconds
    padded = model.predict([site(known.samples["pad"], "pad"), site(known.samples["conv"], "conv")]).seconds
    assert padded == pytest.approx(alone, rel=1e-9)
