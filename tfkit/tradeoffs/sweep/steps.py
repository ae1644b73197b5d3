"""Steps: what is done to get a point, each known by all that its outcome depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

TRAIN, PRUNE, TUNE, CONVERT, VERIFY, BENCH = "train", "prune", "tune", "convert", "verify", "bench"
KINDS = (TRAIN, PRUNE, TUNE, CONVERT, VERIFY, BENCH)


@dataclass(frozen=True)
class Step:
    """One piece of work that several points may share.

    Attributes:
        kind: one of ``KINDS``.
        label: for people: "small_cnn psp channel 0.5, seed 0".
        settings: JSON-ready; what it does.
        inputs: artifact -> the step that makes it; the artifact is handed over as bytes.
        origin: JSON-ready; what it is done with: versions, digests of data and native code.
        cost: what an estimate of its duration needs, JSON-ready; decides nothing else.
    """

    kind: str
    label: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Step] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that the outcome depends on, its inputs' keys included."""
        return digest(
            {
                "kind": self.kind,
                "settings": dict(self.settings),
                "inputs": {name: step.key for name, step in self.inputs.items()},
                "origin": dict(self.origin),
            }
        )


@dataclass(frozen=True)
class Outcome:
    """What a step gave: figures by name, JSON-ready, and files by what they are, with their suffixes.

    ``files`` has, for example, ``"tflite": (".tflite", b"...")``. After a failure there is only ``reason``.
    """

    figures: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    reason: str | None = None
    seconds: float = 0.0


def digest(document: Any) -> str:
    """SHA-256 of ``document`` as canonical JSON: sorted keys, no spaces, no NaN.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
