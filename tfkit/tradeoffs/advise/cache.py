"""What was measured on one device, kept between runs: times of ops, and latencies of whole networks."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tfkit
from tfkit._errors import InputError
from tfkit._files import whole_file
from tfkit._json import json_text

SCHEMA_VERSION = 1
_IDENTITY = (
    *("kind", "machine", "cpu_model", "logical_cpus", "governors", "kernel"),
    *("manufacturer", "model", "soc", "board", "build"),
)


@dataclass(frozen=True)
class Sample:
    """One op that was timed in its network: ``seconds`` per run, and what it runs in.

    ``runs_in`` is empty, and the time 0, where the op in front or behind does its work.
    """

    kind: str
    macs: int
    traffic: int
    weight_bytes: int
    channels: int
    seconds: float
    runs_in: str


@dataclass(frozen=True)
class Network:
    """One whole network that was timed.

    ``group`` is the architecture: networks of one group are no independent witnesses for each other. ``keys`` are those
    of its ops, in order; ``partitions`` counts the stretches of ops that one runtime or delegate runs.
    """

    name: str
    group: str
    keys: tuple[str, ...]
    partitions: int
    seconds: float


@dataclass
class Measurements:
    """Everything known about one device."""

    samples: dict[str, Sample] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"schema_version": SCHEMA_VERSION, "samples": _plain(self.samples), "networks": _plain(self.networks)}

    @classmethod
    def from_json(cls, document: Any) -> Measurements:
        """Rebuilt from ``to_json``'s dictionary; empty where it is none: what cannot be read is measured again."""
        try:
            if document["schema_version"] != SCHEMA_VERSION:
                return cls()
            samples = {str(key): _sample(value) for key, value in document["samples"].items()}
            networks = {str(key): _network(value) for key, value in document["networks"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()
        return cls(samples, networks)


class Cache:
    """The file of one device, one build of tfkit and one number of threads."""

    def __init__(self, identity: Mapping[str, Any], folder: Path | None = None) -> None:
        text = json.dumps(identity, sort_keys=True, default=str)
        self.path = (folder or default_folder()) / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
        self._identity = dict(identity)

    def read(self) -> Measurements:
        """What is there; nothing when there is no such file, or a damaged one."""
        try:
            document = json.loads(self.path.read_text())
        except (OSError, ValueError, RecursionError):
            return Measurements()
        return Measurements.from_json(document)

    def write(self, measurements: Measurements) -> None:
        """Keep ``measurements``, whole or not at all. Raises ``InputError`` where the folder cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot write the cache {self.path.parent}: {error.strerror}; set XDG_CACHE_HOME to a writable folder"
            ) from error
        with whole_file(self.path) as temporary:
            temporary.write_text(json_text({"identity": self._identity, **measurements.to_json()}) + "\n")


def default_folder() -> Path:
    """``$XDG_CACHE_HOME/tfkit/advise``, or below ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if os.path.isabs(root) else Path.home() / ".cache") / "tfkit" / "advise"


def identity(
    name: str, properties: Mapping[str, Any], artifacts: Mapping[str, Any], threads: int, cpus: str | None
) -> dict[str, Any]:
    """What times depend on besides the op: device, processor, system, binaries, threads."""
    return {
        "device": name,
        "properties": {key: properties[key] for key in _IDENTITY if key in properties},
        "artifacts": dict(artifacts),
        "tfkit": tfkit.__version__,
        "threads": threads,
        "cpus": cpus,
    }


def _plain(entries: Mapping[str, Sample] | Mapping[str, Network]) -> dict[str, Any]:
    return {key: asdict(value) for key, value in entries.items()}


def _sample(fields: Mapping[str, Any]) -> Sample:
    numbers = {name: _count(fields[name]) for name in ("macs", "traffic", "weight_bytes", "channels")}
    return Sample(str(fields["kind"]), **numbers, seconds=_time(fields["seconds"]), runs_in=str(fields["runs_in"]))


def _network(fields: Mapping[str, Any]) -> Network:
    keys = tuple(str(key) for key in fields["keys"])
    return Network(
        str(fields["name"]), str(fields["group"]), keys, _count(fields["partitions"]), _time(fields["seconds"])
    )


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{value!r} is no time")
    return float(value)
