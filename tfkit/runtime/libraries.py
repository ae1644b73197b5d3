"""libLiteRt.so: for this machine from the installed wheel, for 64-bit Arm from the pinned wheel of that platform.

The library is shipped alone. LiteRT loads GPU accelerators that lie beside it, and the wheel's WebGPU accelerator is
compiled for Armv8.1 (LSE atomics), which kills the process on a Cortex-A53 or A72.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tfkit import _native
from tfkit._errors import MissingToolError, UsageError
from tfkit._registry import unknown_name

LIBRARY = "libLiteRt.so"
LICENCE = "LICENSE.libLiteRt"
VERSION = "2.3.0"
# libLiteRt.so is the same file in the wheels of all Python versions, so one wheel is pinned for all.
ARM64_WHEEL_SHA256 = "853fc608f96da87bd5f3458465dfb9abbf18d5ae6b94eceacead407146f175ae"
PLATFORMS = ("linux-x86_64", _native.ARM64)
_DOWNLOAD_TIMEOUT_S = 600


def litert_library(platform: str | None = None) -> Path:
    """Path of libLiteRt.so for ``platform`` (default: this machine), downloaded and cached at first use for Arm.

    Raises:
        UsageError: a platform that tfkit has no library for.
        MissingToolError: ai-edge-litert is not installed, or the Arm wheel is neither cached nor to be had.
    """
    platform = platform or _native.host_platform()
    if platform == _native.host_platform():
        return _installed()
    if platform != _native.ARM64:
        raise UsageError(unknown_name("platform", platform, dict.fromkeys((*PLATFORMS, _native.host_platform()))))
    return _arm64() / LIBRARY


def litert_licence(library: Path) -> Path | None:
    """The licence text that travels with ``library``; None when its wheel came without one."""
    beside = library.with_name(LICENCE)
    if beside.is_file():
        return beside
    texts = sorted(library.parent.parent.glob("ai_edge_litert-*.dist-info/licenses/LICENSE*"))
    return texts[0] if texts else None


def _installed() -> Path:
    # find_spec does not import the package, which would map the library into this process.
    spec = importlib.util.find_spec("ai_edge_litert")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        library = Path(folder) / LIBRARY
        if library.is_file():
            return library
    raise MissingToolError(f"{LIBRARY} is not installed; run: pip install 'ai-edge-litert=={VERSION}'")


def _arm64() -> Path:
    folder = _cache_folder() / f"litert-{VERSION}-{ARM64_WHEEL_SHA256[:16]}"
    if (folder / LIBRARY).is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".litert-", dir=folder.parent))
    except OSError as error:
        raise MissingToolError(
            f"cannot write the cache {folder.parent}: {error.strerror}; set XDG_CACHE_HOME to a writable folder"
        ) from error
    try:
        _extract(_download(work), work / "whole")
        try:
            (work / "whole").rename(folder)  # appears whole or not at all
        except OSError:
            if not (folder / LIBRARY).is_file():  # else another process was faster, with the same content
                raise
        return folder
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if os.path.isabs(root) else Path.home() / ".cache") / "tfkit"


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--platform", "manylinux_2_27_aarch64", "--python-version", "3.11"]
    command += ["--dest", str(folder), f"ai-edge-litert=={VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_TIMEOUT_S, check=False)
        complaint = done.stderr.strip().splitlines()[-1:] or [f"pip exited with {done.returncode}"]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingToolError(_unavailable(str(error))) from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise MissingToolError(_unavailable(complaint[0]))
    got = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if got != ARM64_WHEEL_SHA256:
        raise MissingToolError(
            f"{wheels[0].name} was downloaded with sha256 {got}, not the tested {ARM64_WHEEL_SHA256}; "
            "it is not used. Check the package index that pip is configured with"
        )
    return wheels[0]


def _extract(wheel: Path, folder: Path) -> None:
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        (folder / LIBRARY).write_bytes(archive.read(f"ai_edge_litert/{LIBRARY}"))
        licence = f"ai_edge_litert-{VERSION}.dist-info/licenses/LICENSE"
        if licence in archive.namelist():
            (folder / LICENCE).write_bytes(archive.read(licence))


def _unavailable(reason: str) -> str:
    return (
        f"{LIBRARY} for {_native.ARM64} is not cached and could not be downloaded ({reason}); "
        f"connect to a package index once, or put the aarch64 wheel of ai-edge-litert {VERSION} into a folder "
        "and set PIP_FIND_LINKS to it"
    )
