"""Builds of android_bench with its tests: for this machine, for 64-bit Arm, and with sanitizers. Incremental."""

from __future__ import annotations

import fcntl
import functools
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "android_bench"
TARGETS = ("tfkit_native_tests", "tfkit_abi_probe")


def _tool(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    assert found, f"{name} is missing; install it with: pip install {name}"
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{(done.stdout + done.stderr)[-4000:]}"


def _build(name: str, *definitions: str) -> Path:
    folder = REPOSITORY / "build" / f"native-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # test processes side by side share one folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make(folder, *definitions)
    return folder


def _make(folder: Path, *definitions: str) -> None:
    _run(
        [
            *(_tool("cmake"), "-S", str(SOURCES), "-B", str(folder), "-G", "Ninja", "-Wno-dev"),
            *(f"-DCMAKE_MAKE_PROGRAM={_tool('ninja')}", f"-DTFKIT_PYTHON={sys.executable}"),
            *("-DTFKIT_TESTS=ON", "-DTFKIT_ARM64=OFF", "-DTFKIT_WERROR=ON"),
            *(f"-D{definition}" for definition in definitions),
        ]
    )
    _run([_tool("cmake"), "--build", str(folder), "--target", *TARGETS])


@functools.cache
def host_build() -> Path:
    """Build folder for this machine."""
    return _build("host")


@functools.cache
def sanitized_build() -> Path:
    """Build folder with AddressSanitizer and UndefinedBehaviorSanitizer, by the system's g++."""
    assert shutil.which("g++"), "g++ is missing; install it with: apt-get install -y g++"
    return _build("sanitized", "TFKIT_SANITIZE=address,undefined", "CMAKE_CXX_COMPILER=g++")


@functools.cache
def arm64_build() -> Path:
    """Build folder for aarch64 Linux, cross-compiled with zig."""
    return _build("arm64", f"CMAKE_TOOLCHAIN_FILE={SOURCES}/cmake/zig-aarch64.cmake")
