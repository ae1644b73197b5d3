"""The time of an op that was not measured, from those of its kind that were.

Per kind of op (``Site.kind``), in logarithms, since times span four orders of magnitude:

    log seconds = w0 + w · log(1 + [macs, traffic, weight bytes, channels])

by ridge regression, corrected by the residual of the nearest samples. Whatever lies outside the box of what was
measured, with a margin, is refused: outside it a straight line is a guess.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tfkit.tradeoffs.advise.cache import Sample
from tfkit.tradeoffs.advise.sites import Site

MARGIN = 1.5  # times larger or smaller than anything measured
_RIDGE = 0.3
_SHORTEST = 1e-7  # what takes less than the profiler's tick may be told as no time, which has no logarithm
_FEATURES = ("macs", "traffic", "weight_bytes", "channels")


class Kinds:
    """A regression for each kind of op."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        grouped: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            grouped[sample.kind].append(sample)
        self._fits = {kind: _Fit.of(members) for kind, members in grouped.items()}

    @property
    def error(self) -> float:
        """Relative error of a guessed time: the root mean square over all samples, each left out once."""
        residuals = np.concatenate([fit.residuals for fit in self._fits.values()] or [np.zeros(1)])
        return float(np.expm1(np.sqrt(np.mean(residuals**2))))

    def refusal(self, site: Site) -> str | None:
        """Why no time is given for ``site``; None when one is."""
        fit = self._fits.get(site.kind)
        if fit is None:
            return f"no {site.kind} was measured"
        position = _position(site)
        for name, value, low, high in zip(_FEATURES, position, fit.low, fit.high, strict=True):
            if not low - np.log(MARGIN) <= value <= high + np.log(MARGIN):
                given, least, most = (int(np.expm1(x)) for x in (value, low, high))
                return (
                    f"a {site.kind} with {given:,} {name.replace('_', ' ')}, where {least:,} to {most:,} were measured"
                )
        return None

    def sample(self, site: Site) -> Sample:
        """A guess, for a site that is not refused."""
        fit = self._fits[site.kind]
        sizes = (site.macs, site.traffic, site.weight_bytes, site.channels)
        seconds = fit.seconds(_position(site)) if fit.runs_in else 0.0
        return Sample(site.kind, *sizes, seconds=seconds, runs_in=fit.runs_in)


@dataclass(frozen=True)
class _Fit:
    points: np.ndarray  # [sample, feature], logarithms
    logs: np.ndarray  # of seconds
    weights: np.ndarray
    runs_in: str
    residuals: np.ndarray  # of each sample from a fit without it

    @classmethod
    def of(cls, samples: list[Sample]) -> _Fit:
        points = np.array([_position(sample) for sample in samples])
        logs = np.log(np.array([max(sample.seconds, _SHORTEST) for sample in samples]))
        runs_in = Counter(sample.runs_in for sample in samples).most_common(1)[0][0]
        residuals = []
        for index in range(len(samples)):
            kept = np.arange(len(samples)) != index
            if kept.any():
                guess = _guess(points[index], points[kept], logs[kept], _line(points[kept], logs[kept]))
                residuals.append(guess - logs[index])
        return cls(points, logs, _line(points, logs), runs_in, np.array(residuals))

    @property
    def low(self) -> np.ndarray:
        return np.asarray(self.points.min(0))

    @property
    def high(self) -> np.ndarray:
        return np.asarray(self.points.max(0))

    def seconds(self, position: np.ndarray) -> float:
        return float(np.exp(_guess(position, self.points, self.logs, self.weights)))


def _position(item: Sample | Site) -> np.ndarray:
    return np.log1p(np.array([item.macs, item.traffic, item.weight_bytes, item.channels], np.float64))


def _line(points: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Slopes about the centre, ridged towards a time in proportion to the largest of MACs and traffic."""
    centre = points.mean(0)
    slopes = np.array([1.0, 0.0, 0.0, 0.0]) if points[:, 0].any() else np.array([0.0, 1.0, 0.0, 0.0])
    moved = points - centre
    wanted = logs - logs.mean() - moved @ slopes
    change = np.linalg.solve(moved.T @ moved + _RIDGE * np.eye(points.shape[1]), moved.T @ wanted)
    slopes = slopes + change
    return np.append(slopes, logs.mean() - centre @ slopes)


def _guess(position: np.ndarray, points: np.ndarray, logs: np.ndarray, weights: np.ndarray) -> float:
    """The line, moved by the residuals of the samples around, which weigh by the inverse square of their distance."""
    residuals = logs - (points @ weights[:-1] + weights[-1])
    near = 1.0 / (0.05 + np.sum((points - position) ** 2, axis=1))
    return float(position @ weights[:-1] + weights[-1] + near @ residuals / (near.sum() + 1.0))
