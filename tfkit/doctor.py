"""What works on this machine, what is missing, what that costs and the one command that brings it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from packaging.requirements import Requirement

from tfkit import _native
from tfkit._errors import TfkitError
from tfkit.devices import qemu
from tfkit.devices.adb import client as adb
from tfkit.devices.ssh import link as ssh

Status = Literal["ok", "untested", "missing"]

TESTED_PYTHON = "3.11"

# What a user loses without the package; a package that is not listed is needed by every command.
_NEEDED_FOR = {
    "tensorflow": "build, train, convert, verify",
    "tf_keras": "build, train, convert, verify",
    "tensorflow-model-optimization": "int8 quantization-aware training, pruning",
    "larq": "binary layers",
    "larq-compute-engine": "convert --format lce",
    "tflite-runtime": "convert --runtime tflite-2.14, bench with the older runtime",
    "ai-edge-litert": "inspect, bench, parity checks",
    "scikit-learn": "the data set 'digits', quickstart",
}

_REINSTALL = "pip install --force-reinstall --no-deps ."


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    ``fix`` is empty when nothing is to be done; ``costs`` names the commands that do not work without it.
    """

    topic: str
    name: str
    status: Status
    found: str
    costs: str = ""
    fix: str = ""


def examine() -> Iterator[Finding]:
    """Yield one finding after another; nothing is changed and TensorFlow is not imported."""
    yield _python()
    yield from _packages()
    yield from _native_parts()
    yield from _programs()


def _python() -> Finding:
    version, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    tested = version.startswith(TESTED_PYTHON + ".") and system == "Linux x86_64"
    return Finding(
        "python",
        "python",
        "ok" if tested else "untested",
        f"{version} on {system}",
        fix="" if tested else f"the tested set is Python {TESTED_PYTHON} on Linux x86_64",
    )


def _packages() -> Iterator[Finding]:
    """Compare what is installed with tfkit's own requirements, the one place that holds the tested set."""
    for line in metadata.requires("tfkit") or []:
        requirement = Requirement(line)
        if requirement.marker and "extra" in str(requirement.marker):
            continue
        name = requirement.name
        costs = _NEEDED_FOR.get(name, "every command")
        if requirement.marker and not requirement.marker.evaluate():
            yield Finding("package", name, "missing", "no wheel for this Python or system", costs,
                          f"use Python {TESTED_PYTHON} on Linux x86_64 for these commands")  # fmt: skip
            continue
        wanted = f'pip install "{requirement.name}{requirement.specifier}"'
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding("package", name, "missing", "-", costs, wanted)
            continue
        if requirement.specifier.contains(version, prereleases=True):
            yield Finding("package", name, "ok", version)
        else:
            yield Finding("package", name, "untested", f"{version}, tested with {requirement.specifier}", costs, wanted)


def _native_parts() -> Iterator[Finding]:
    uses = {_native.host_platform(): "bench --device local, binary models", _native.ARM64: "bench --device qemu:CPU"}
    for target, costs in uses.items():
        for name in ("libtfkit_delegate.so", "tfkit_bench"):
            try:
                _native.path(name, target)
                yield Finding("native", f"{name} ({target})", "ok", "installed")
            except TfkitError:
                yield Finding("native", f"{name} ({target})", "missing", "-", costs, _REINSTALL)


def _programs() -> Iterator[Finding]:
    emulator = next((name for name in qemu.PROGRAMS if shutil.which(name)), qemu.PROGRAMS[0])
    yield _program(emulator, "bench --device qemu:CPU", qemu.INSTALL)
    lacking = qemu.missing_libraries()
    if lacking:
        costs = "bench --device qemu:CPU, adb"
        yield Finding("program", "Arm C library", "missing", f"no {', '.join(lacking)}", costs, qemu.INSTALL)
    else:
        yield Finding("program", "Arm C library", "ok", str(qemu.SYSROOT))
    yield _program("adb", "bench --device adb", adb.INSTALL)
    yield _program("ssh", "bench --device ssh:HOST", ssh.INSTALL, "-V")
    yield _program("c++", "nothing: the ziglang wheel compiles where there is no C++ compiler", "apt-get install g++")


def _program(name: str, costs: str, fix: str, version_flag: str = "--version") -> Finding:
    where = shutil.which(name)
    if where is None:
        return Finding("program", name, "missing", "-", costs, fix)
    try:
        done = subprocess.run([where, version_flag], capture_output=True, text=True, timeout=20, check=False)
        lines = (done.stdout or done.stderr).strip().splitlines()
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("program", name, "missing", f"does not run: {error}", costs, fix)
    return Finding("program", name, "ok", lines[0] if lines else where)
