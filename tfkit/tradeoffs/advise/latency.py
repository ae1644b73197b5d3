"""The latency of a network from the times of its ops.

    latency = sum over runtimes r of a_r · (times of the ops that run in r) + b · ops + c · partitions + d

An op's time is the one measured for the same op, or that of ops of its kind, see ``kinds``. The profiler's clock ticks
in microseconds and costs time, calls and buffers lie between the ops: a, b, c and d take that up. They are fitted to
whole networks, by robust least squares of relative errors with a prior (a near 1, the others near what a call costs):
few networks do, one that was disturbed does little harm, and no term becomes absurd.

How good it is, is measured on networks of other architectures than those it was fitted to: each group is left out once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from tfkit._errors import UnsupportedError
from tfkit.tradeoffs.advise.cache import Measurements, Network, Sample
from tfkit.tradeoffs.advise.kinds import Kinds
from tfkit.tradeoffs.advise.sites import Site

RUNTIMES = ("XNNPACK", "tfkit", "interpreter")
# What is believed of a, b, c, d before any network was timed, and how firmly; seconds but for a.
_PRIOR = np.array([1.0, 1.0, 1.0, 5e-7, 5e-7, 5e-6])
_SPREAD = np.array([0.03, 0.05, 0.05, 1e-6, 1e-6, 1e-5])
_NOISE = 0.02  # of a measured latency
_FAR = 0.04
_ROUNDS = 20
# Without held-out networks the error is not known; this is what is said then.
UNKNOWN_ERROR = 0.25
CONFIDENCE = 0.9


class OutsideMeasured(UnsupportedError):
    """An op of a kind, or of a size, that was not measured on this device."""


@dataclass(frozen=True)
class Prediction:
    """Seconds, and the range that held nine of ten held-out networks; ``measured`` is the share that was measured."""

    seconds: float
    low: float
    high: float
    measured: float


@dataclass(frozen=True)
class HeldOut:
    """One network, predicted by a model that was fitted without its group."""

    name: str
    group: str
    predicted: float
    seconds: float

    @property
    def error(self) -> float:
        """Relative: 0.1 is 10 % too slow."""
        return self.predicted / self.seconds - 1


class LatencyModel:
    """Fitted to the measurements of one device."""

    def __init__(self, measurements: Measurements) -> None:
        self.samples: Mapping[str, Sample] = measurements.samples
        self.kinds = Kinds(measurements.samples.values())
        self._networks = [n for n in measurements.networks.values() if all(k in self.samples for k in n.keys)]
        self._overheads = _fitted([(self._row(n), n.seconds) for n in self._networks])
        self.held_out = tuple(self._left_out())

    @property
    def error(self) -> float:
        """The relative error that nine of ten held-out networks stay below; ``UNKNOWN_ERROR`` with fewer than three."""
        errors = [abs(one.error) for one in self.held_out]
        return max(_NOISE, float(np.quantile(errors, CONFIDENCE))) if len(errors) >= 3 else UNKNOWN_ERROR

    @property
    def statement(self) -> str:
        """The error in words."""
        errors = [abs(one.error) for one in self.held_out]
        if len(errors) < 3:
            return f"error not known yet ({len(self._networks)} networks timed); +-{UNKNOWN_ERROR:.0%} is assumed"
        groups = len({one.group for one in self.held_out})
        within = sum(error <= 0.1 for error in errors)
        return (
            f"held-out error: median {median(errors):.1%}, nine of ten within {self.error:.1%}; {within} of "
            f"{len(errors)} networks within 10 % ({groups} architectures, each predicted without its own latencies)"
        )

    def predict(self, sites: Sequence[Site]) -> Prediction:
        """The latency of a network with these ops.

        Raises:
            OutsideMeasured: an op of a kind that was never measured here, or larger or smaller than all that were.
        """
        found = [self.samples.get(s.key) for s in sites]
        strangers = [s for s, known in zip(sites, found, strict=True) if known is None]
        refused = [reason for s in strangers if (reason := self.kinds.refusal(s))]
        if refused:
            listed = "; ".join(dict.fromkeys(refused))
            raise OutsideMeasured(f"no latency is predicted from what was measured on this device: {listed}")
        guessed = [known or self.kinds.sample(s) for s, known in zip(sites, found, strict=True)]
        seconds = float(_row(guessed, _partitions(guessed)) @ self._overheads)
        exact = sum(known.seconds for known in found if known is not None)
        total = sum(one.seconds for one in guessed)
        measured = exact / total if total else 1.0
        error = self.error + (1 - measured) * self.kinds.error
        return Prediction(seconds, seconds * (1 - min(error, 0.99)), seconds * (1 + error), measured)

    def missing(self, sites: Sequence[Site]) -> tuple[Site, ...]:
        """The ops that were not measured."""
        return tuple(site for site in sites if site.key not in self.samples)

    def seconds(self, site: Site) -> float:
        """Time of one op with its share of the overheads per op. Raises as ``predict``."""
        if site.key not in self.samples and (reason := self.kinds.refusal(site)):
            raise OutsideMeasured(reason)
        sample = self.samples.get(site.key) or self.kinds.sample(site)
        return float(_row([sample], 0) @ self._overheads - self._overheads[-1])

    def _row(self, network: Network) -> np.ndarray:
        return _row([self.samples[key] for key in network.keys], network.partitions)

    def _left_out(self) -> list[HeldOut]:
        found = []
        for group in dict.fromkeys(network.group for network in self._networks):
            others = [(self._row(n), n.seconds) for n in self._networks if n.group != group]
            overheads = _fitted(others)
            for network in self._networks:
                if network.group == group and others:
                    predicted = float(self._row(network) @ overheads)
                    found.append(HeldOut(network.name, group, predicted, network.seconds))
        return found


def _row(samples: Sequence[Sample], partitions: int) -> np.ndarray:
    """What a network has of each term: seconds per runtime, ops, partitions, one."""
    sums = [sum(s.seconds for s in samples if s.runs_in == runtime) for runtime in RUNTIMES]
    return np.array([*sums, float(sum(s.runs_in != "" for s in samples)), float(partitions), 1.0])


def _partitions(samples: Sequence[Sample]) -> int:
    """Stretches of ops that run in one place; each op of the interpreter is one of its own."""
    count, previous = 0, ""
    for sample in (s for s in samples if s.runs_in):
        count += sample.runs_in != previous or sample.runs_in == "interpreter"
        previous = sample.runs_in
    return count


def _fitted(networks: Sequence[tuple[np.ndarray, float]]) -> np.ndarray:
    """The terms that fit best: each network weighs by its relative error, the prior by its spread.

    A network that is far off was disturbed while it was timed: beyond ``_FAR`` its weight falls (Huber's M-estimate, by
    iteratively reweighted least squares).
    """
    if not networks:
        return _PRIOR.copy()
    rows = np.array([row / seconds for row, seconds in networks])
    weights = np.ones(len(rows))
    solution = _PRIOR.copy()
    for _ in range(_ROUNDS):
        scaled = np.concatenate([rows * (weights / _NOISE)[:, None], np.diag(1 / _SPREAD)])
        wanted = np.concatenate([weights / _NOISE, _PRIOR / _SPREAD])
        # In units of the spreads, so that seconds and factors are of one size.
        solution = np.maximum(np.linalg.lstsq(scaled * _SPREAD, wanted, rcond=None)[0] * _SPREAD, 0.0)
        weights = np.sqrt(np.minimum(1.0, _FAR / np.maximum(np.abs(rows @ solution - 1), 1e-9)))
    return np.asarray(solution)
