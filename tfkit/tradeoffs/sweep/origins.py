"""What steps are done with: versions, and digests of data and native code; a step is done again when its own change."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tfkit import __version__, _native, data
from tfkit._errors import TfkitError
from tfkit.bench.artifacts import RUNNER, sha256
from tfkit.data import Dataset
from tfkit.runtime import delegate


@dataclass(frozen=True)
class Origins:
    """``data``: digest of the data set; the methods: what a kind of step depends on besides settings and inputs."""

    data: str

    def training(self) -> Mapping[str, Any]:
        """Training, pruning and fine-tuning."""
        return {"tfkit": __version__, "tensorflow": _version("tensorflow"), "data": self.data}

    def converting(self, calibrated: bool) -> Mapping[str, Any]:
        """Conversion; only calibration looks at data."""
        versions = {"tfkit": __version__, "tensorflow": _version("tensorflow")}
        return {**versions, "data": self.data} if calibrated else versions

    def verifying(self) -> Mapping[str, Any]:
        """Parity and accuracy, in the runtime on this host with tfkit's kernels."""
        return {
            "tfkit": __version__,
            "litert": _version("ai-edge-litert"),
            "delegate": _native_digest(delegate.LIBRARY, _native.host_platform()),
            "data": self.data,
        }

    def measuring(self, device: str) -> Mapping[str, Any]:
        """A measurement; phones and boards are taken for 64-bit Arm, as nothing is asked of them before it begins."""
        platform = _native.host_platform() if device == "local" else _native.ARM64
        return {
            "tfkit": __version__,
            "litert": _version("ai-edge-litert"),
            "delegate": _native_digest(delegate.LIBRARY, platform),
            "runner": _native_digest(RUNNER, platform),
        }


def open_data(name: str) -> Dataset:
    """The data set that a spec names. Raises ``UsageError``, ``DataError``."""
    return data.load(name)


def data_digest(dataset: Dataset) -> str:
    """SHA-256 of the images and labels in memory; of names and sizes of the files for a folder of images."""
    found = hashlib.sha256(f"{dataset.shape} {dataset.classes}".encode())
    if dataset.in_memory:
        for array in (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test):
            found.update(f"{array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()
    folder = Path(dataset.folder)  # type: ignore[attr-defined]  # the one kind that is not in memory
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
    return found.hexdigest()


@functools.cache
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@functools.cache
def _native_digest(name: str, platform: str) -> str | None:
    """None where it is not installed: the step will say so."""
    try:
        return sha256(_native.path(name, platform))
    except TfkitError:
        return None
