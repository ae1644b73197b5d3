"""Counts by a plugin for qemu, compiled when it is first needed; what starting costs is subtracted."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tfkit._errors import DeviceError, MissingToolError
from tfkit.bench.bundle import Bundle
from tfkit.bench.runner import flags_of, start
from tfkit.bench.spec import Preset
from tfkit.bench.subject import Subject, prepare
from tfkit.devices import process
from tfkit.devices.arm_cpus import CPUS
from tfkit.devices.qemu import INSTALL, QemuDevice
from tfkit.runtime.model_file import read_model

_SOURCE = Path(__file__).with_name("counter.c")
_FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
_RUNS = (1, 9)  # what varies from start to start, some thousand instructions, is divided by their difference
_LONGEST_S = 3600.0


def instructions(flatbuffer: Path, cpu: str) -> int:
    """Instructions of one inference on an emulated ``cpu`` with one thread, input and output copies included.

    The difference between a process with many inferences and one with few, by the inferences between them.

    Raises:
        MissingToolError: no qemu with plugins, or no C compiler.
        DeviceError, InferenceError: as ``tfkit.bench.run``.
    """
    with tempfile.TemporaryDirectory(prefix="tfkit-count-") as folder:
        library = _plugin(Path(folder))
        subject = prepare(flatbuffer, read_model(flatbuffer), None, 0, Path(folder, "subject"))
        few, many = (_executed(subject, cpu, library, Path(folder), runs) for runs in _RUNS)
    return (many - few) // (_RUNS[1] - _RUNS[0])


def _executed(subject: Subject, cpu: str, library: Path, folder: Path, runs: int) -> int:
    found = folder / f"executed-{runs}"
    with QemuDevice(CPUS[cpu], ("-plugin", f"{library},out={found}")) as device:
        bundle = Bundle.for_device(device)
        bundle.push(device)
        flags = flags_of(subject, device, 1, None, None)
        exactly = Preset("count", 0, 0.0, 0.0, runs, 0.0, runs, _LONGEST_S, processes=1)
        start(subject, device, bundle, [*flags, *exactly.flags()], _LONGEST_S)
    try:
        return int(found.read_text())
    except (OSError, ValueError) as error:
        raise DeviceError(f"qemu counted no instructions of {subject.path}: {error}; {_takes_plugins()}") from error


def _plugin(folder: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise MissingToolError(
            "counting instructions takes a C compiler for a plugin of qemu; run: apt-get install -y gcc"
        )
    library = folder / "libcounter.so"
    command = [compiler, *_FLAGS, f"-DPLUGIN_VERSION={_version()}", "-o", str(library), str(_SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingToolError(f"{compiler} does not compile the plugin of qemu: {done.stderr.strip()[-300:]}")
    return library


@functools.cache
def _version() -> int:
    """Of the plugin interface: qemu 9 refuses 1, those before know nothing later."""
    program = shutil.which("qemu-aarch64")
    if program is None:
        raise MissingToolError(f"counting instructions takes qemu-aarch64, which has plugins; run: {INSTALL}")
    found = re.search(r"version (\d+)", process.run([program, "--version"], timeout=30).stdout)
    return 2 if found and int(found[1]) >= 9 else 1


def _takes_plugins() -> str:
    return "is qemu-aarch64 built with plugins, as Debian's qemu-user is?"
