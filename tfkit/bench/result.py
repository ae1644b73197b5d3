"""What came back: versioned, with every sample and everything needed to trust or repeat it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tfkit._errors import DataError, GoldenError
from tfkit._files import whole_file
from tfkit.bench import statistics

SCHEMA_VERSION = 2
_NUMBERS = re.compile(r"\[\n([-\d.e+,\s]*)\n\s*\]")


@dataclass(frozen=True)
class Latency:
    """Seconds around the runtime's run call alone.

    ``median_s`` is the median of the processes' medians, ``interval_s`` its 95 % bootstrap interval over processes.
    ``p90_s`` is the nearest-rank percentile over all samples and ``p90_bound_s`` what they prove of it; as ``p95_s``
    and ``p99_s`` None where there are too few samples. ``samples`` is their number. ``whole_call_s`` is the median with
    input write and output read; ``first_run_s``, ``compile_s`` and ``load_s`` are medians over processes.
    """

    samples: int
    median_s: float
    p90_s: float | None
    between_process_cv: float | None
    p90_bound_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    interval_s: tuple[float, float] | None = None
    process_medians_s: tuple[float, ...] = ()
    whole_call_s: float | None = None
    first_run_s: float | None = None
    compile_s: float | None = None
    load_s: float | None = None

    @classmethod
    def of(cls, processes: Sequence[Sequence[int]], middles: Sequence[float] | None = None) -> Latency:
        """From nanosecond samples, one list per process; ``middles`` are their medians where they are known already."""
        medians = [middle * 1e-9 for middle in middles or map(statistics.median, processes)]
        pooled = sorted(sample for samples in processes for sample in samples)
        return cls(
            len(pooled),
            statistics.median(medians),
            _carried(statistics.percentile, pooled, 0.9),
            statistics.between_process_cv(medians),
            _carried(statistics.percentile_bound, pooled, 0.9),
            _carried(statistics.percentile, pooled, 0.95),
            _carried(statistics.percentile, pooled, 0.99),
            statistics.bootstrap_interval(medians),
            tuple(medians),
        )


def _carried(function: Any, samples: Sequence[int], quantile: float) -> float | None:
    try:
        return float(function(samples, quantile)) * 1e-9
    except DataError:
        return None


@dataclass(frozen=True)
class Result:
    """One model with one number of threads.

    ``processes`` are the runner's documents, raw samples included, one per start, each with what the host saw under
    ``host``. ``gate`` says how far the figures can be trusted. ``latency`` is None when the golden check failed or the
    device's times mean nothing; ``memory``, ``profile``, ``energy`` and ``sustained`` are None unless they were asked.
    """

    model: Mapping[str, Any]
    threads: int
    golden: Mapping[str, Any]
    processes: tuple[Mapping[str, Any], ...]
    latency: Latency | None = None
    gate: Mapping[str, Any] = field(default_factory=lambda: {"level": "trusted", "reasons": []})
    memory: Mapping[str, Any] | None = None
    profile: Mapping[str, Any] | None = None
    energy: Mapping[str, Any] | None = None
    sustained: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether the device computed what the host's reference computed; a foreign runner does not tell."""
        return self.golden["ok"] is not False


@dataclass
class Report:
    """All results of one ``run``, with the machine and the artifacts that made them."""

    device: Mapping[str, Any]
    spec: Mapping[str, Any]
    artifacts: Mapping[str, Any]
    host: Mapping[str, Any]
    created: str
    results: list[Result] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(result.ok for result in self.results)

    def check(self) -> None:
        """Raise ``GoldenError`` naming the models that did not compute what the host's reference computed."""
        failed = [result for result in self.results if not result.ok]
        if failed:
            raise GoldenError(
                "; ".join(f"{r.model['path']} with {r.threads} threads: {r.golden['summary']}" for r in failed)
                + ". No latency is reported for a wrong result"
            )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, with ``schema_version``."""
        return {"schema_version": SCHEMA_VERSION, "ok": self.ok, **asdict(self)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write ``to_json`` to ``path``, whole or not at all."""
        text = json.dumps(self.to_json(), indent=1, allow_nan=False)
        # Thousands of samples stay on one line; a string holds no line break, so none is touched.
        text = _NUMBERS.sub(lambda match: "[" + " ".join(match[1].split()) + "]", text)
        with whole_file(Path(path)) as temporary:
            temporary.write_text(text + "\n")
