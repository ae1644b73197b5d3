"""Incremental builds of android_bench: its tests here, for 64-bit Arm and with sanitizers, and its fuzzer."""

from __future__ import annotations

import fcntl
import functools
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "android_bench"
TARGETS = ("tfkit_native_tests", "tfkit_abi_probe", "tfkit_delegate", "tfkit_kernel_runs")
ARM64 = f"CMAKE_TOOLCHAIN_FILE={SOURCES}/cmake/zig-aarch64.cmake"


def _tool(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    assert found, f"{name} is missing; install it with: pip install {name}"
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{(done.stdout + done.stderr)[-4000:]}"


def _build(name: str, *definitions: str, targets: Sequence[str] = TARGETS) -> Path:
    folder = REPOSITORY / "build" / f"native-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # test processes side by side share one folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make(folder, definitions, targets)
    return folder


def _make(folder: Path, definitions: Sequence[str], targets: Sequence[str]) -> None:
    _run(
        [
            *(_tool("cmake"), "-S", str(SOURCES), "-B", str(folder), "-G", "Ninja", "-Wno-dev"),
            *(f"-DCMAKE_MAKE_PROGRAM={_tool('ninja')}", f"-DTFKIT_PYTHON={sys.executable}"),
            *(f"-DTFKIT_TESTS={'ON' if targets == TARGETS else 'OFF'}", "-DTFKIT_ARM64=OFF", "-DTFKIT_WERROR=ON"),
            *(f"-D{definition}" for definition in definitions),
        ]
    )
    _run([_tool("cmake"), "--build", str(folder), "--target", *targets])


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
def thread_sanitized_build() -> Path:
    """Build folder with ThreadSanitizer, by the system's g++."""
    assert shutil.which("g++"), "g++ is missing; install it with: apt-get install -y g++"
    return _build("threads", "TFKIT_SANITIZE=thread", "CMAKE_CXX_COMPILER=g++")


@functools.cache
def fuzzer_build() -> Path:
    """Build folder with the delegate's fuzzer, all its code instrumented, by clang."""
    clang = shutil.which("clang++")
    missing = "clang with libFuzzer is missing; install it with: apt-get install -y clang libclang-rt-dev"
    assert clang, missing
    folder = subprocess.run([clang, "-print-runtime-dir"], capture_output=True, text=True, check=True).stdout.strip()
    assert list(Path(folder).glob("libclang_rt.fuzzer*")), missing
    sanitizers = "TFKIT_SANITIZE=fuzzer-no-link,address,undefined"
    return _build(
        "fuzzer", "TFKIT_FUZZ=ON", sanitizers, f"CMAKE_CXX_COMPILER={clang}", targets=("tfkit_fuzz_delegate",)
    )


@functools.cache
def arm64_build() -> Path:
    """Build folder for aarch64 Linux, cross-compiled with zig."""
    return _build("arm64", ARM64)


@functools.cache
def arm64_kernels() -> Path:
    """Build folder for aarch64 Linux with the kernels and the program that runs one; needs no GoogleTest."""
    return _build("arm64-kernels", ARM64, targets=("tfkit_kernel_runs",))
