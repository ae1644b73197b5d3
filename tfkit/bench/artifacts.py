"""The files that make a measurement, and their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfkit import _native
from tfkit.runtime import delegate, litert_library
from tfkit.runtime.libraries import VERSION

RUNNER = "tfkit_bench"


@dataclass(frozen=True)
class Artifacts:
    """Host paths of what a device of one platform is given; ``litert_version`` None: not known."""

    runner: Path
    delegate: Path
    litert: Path
    litert_version: str | None = VERSION

    @classmethod
    def for_platform(cls, platform: str) -> Artifacts:
        """Find, and for Arm fetch, what ``platform`` needs. Raises ``MissingToolError``."""
        return cls(
            _native.path(RUNNER, platform),
            _native.path(delegate.LIBRARY, platform),
            litert_library(platform),
        )

    def provenance(self) -> Mapping[str, str | None]:
        """SHA-256 of each file, and LiteRT's version."""
        return {
            "runner_sha256": sha256(self.runner),
            "delegate_sha256": sha256(self.delegate),
            "litert_sha256": sha256(self.litert),
            "litert_version": self.litert_version,
        }


def sha256(file: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
