"""Where the compiled parts are: the delegate and the runner, for this machine and for Arm."""

from __future__ import annotations

import os
import platform as _platform
from importlib.metadata import distribution
from pathlib import Path

from tfkit._errors import MissingToolError

ARM64 = "linux-aarch64"


def host_platform() -> str:
    """This machine in the words of the build, for example ``linux-x86_64``."""
    machine = _platform.machine().lower().replace("arm64", "aarch64")
    return f"{_platform.system().lower()}-{machine}"


def path(name: str, platform: str | None = None) -> Path:
    """Path of a compiled file, for example ``libtfkit_delegate.so``.

    ``TFKIT_NATIVE_DIR`` names another folder that holds the ``linux-*`` folders, for those who build by hand.

    Raises:
        MissingToolError: tfkit was installed without its native part for ``platform``.
    """
    platform = platform or host_platform()
    found = folder(platform) / name
    if found.is_file():
        return found
    raise MissingToolError(
        f"{found} does not exist: tfkit was installed without its native part for {platform}; "
        "reinstall it from its sources with: pip install --force-reinstall --no-deps ."
    )


def folder(platform: str) -> Path:
    """Where the files for ``platform`` are, or would be."""
    override = os.environ.get("TFKIT_NATIVE_DIR")
    if override:
        return Path(override) / platform
    # Asked of the distribution, not of __file__: an editable install keeps the binaries in site-packages.
    return Path(str(distribution("tfkit").locate_file("tfkit/_native"))) / platform
