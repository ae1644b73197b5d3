"""What came back: versioned, with every sample and everything needed to trust or repeat it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tfkit._errors import DataError, GoldenError
from tfkit._files import whole_file
from tfkit.bench import statistics

SCHEMA_VERSION = 1
_NUMBERS = re.compile(r"\[\n([-\d.e+,\s]*)\n\s*\]")


@dataclass(frozen=True)
class Latency:
    """Seconds around the runtime's run call alone.

    ``median_s`` is the median of the processes' medians; ``p90_s`` the nearest-rank percentile over all samples, None
    where there are too few of them. ``samples`` is their number.
    """

    samples: int
    median_s: float
    p90_s: float | None
    between_process_cv: float | None

    @classmethod
    def of(cls, processes: list[list[int]]) -> Latency:
        """From nanosecond samples, one list per process."""
        medians = [statistics.median(samples) for samples in processes]
        pooled = [sample for samples in processes for sample in samples]
        try:
            p90 = statistics.percentile(pooled, 0.9) * 1e-9
        except DataError:
            p90 = None
        return cls(len(pooled), statistics.median(medians) * 1e-9, p90, statistics.between_process_cv(medians))


@dataclass(frozen=True)
class Result:
    """One model with one number of threads.

    ``processes`` are the runner's documents, raw samples included, one per start. ``latency`` is None when the golden
    check failed or the device's times mean nothing.
    """

    model: Mapping[str, Any]
    threads: int
    golden: Mapping[str, Any]
    processes: tuple[Mapping[str, Any], ...]
    latency: Latency | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the device computed what the host's reference computed."""
        return bool(self.golden["ok"])


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
