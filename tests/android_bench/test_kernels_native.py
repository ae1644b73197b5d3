"""The GoogleTest suite of android_bench, on this machine, under sanitizers, and on emulated Arm cores."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.native_build import SOURCES, arm64_build, host_build, sanitized_build, thread_sanitized_build

BINARY = Path("tests") / "tfkit_native_tests"
ARM_SYSROOT = Path("/usr/aarch64-linux-gnu")


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "[  PASSED  ]" in done.stdout
    assert "SKIPPED" not in done.stdout


def test_on_this_machine() -> None:
    run([str(host_build() / BINARY)])


@pytest.mark.slow
def test_under_sanitizers() -> None:
    run([str(sanitized_build() / BINARY)])


@pytest.mark.slow
def test_under_thread_sanitizer() -> None:
    binary = str(thread_sanitized_build() / BINARY)
    run([binary, "--gtest_filter=ThreadPool.*:Delegate.*Thread*:Delegate.RunsAChain*:DelegateGlue.*"])


def instruction_sets() -> list[str]:
    """The names with which a file asks for flags of its own."""
    lists = re.findall(r"^set\(isa_\w+ ([^)]+)\)", (SOURCES / "kernels" / "CMakeLists.txt").read_text(), re.MULTILINE)
    return [name for names in lists for name in names.split()]


@pytest.mark.parametrize("build", [host_build, arm64_build])
def test_files_with_own_flags_share_no_code(build: Callable[[], Path]) -> None:
    """The linker keeps one copy of a shared function: not one that needs instructions which the CPU may lack."""
    prefix = re.compile(rf"({'|'.join(instruction_sets())})(_.*)?\.cc\.o")
    objects = [path for path in (build() / "kernels").rglob("*.cc.o") if prefix.fullmatch(path.name)]
    assert objects
    shared = []
    for path in objects:
        listing = subprocess.run(["readelf", "-sW", path], capture_output=True, text=True, check=True).stdout
        for line in listing.splitlines():
            fields = line.split()
            if len(fields) > 7 and fields[4] in ("WEAK", "UNIQUE") and fields[6] != "UND":
                shared.append(f"{path.name}: {fields[7]}")
    assert not shared


@pytest.mark.qemu
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72", "cortex-a76", "max"])
def test_on_emulated_arm(cpu: str) -> None:
    assert shutil.which("qemu-aarch64"), "qemu is missing; install it with: apt-get install -y qemu-user"
    assert (ARM_SYSROOT / "lib" / "libc.so.6").exists(), (
        "the Arm C library is missing; install it with: apt-get install -y libc6-arm64-cross"
    )
    run(["qemu-aarch64", "-L", str(ARM_SYSROOT), "-cpu", cpu, str(arm64_build() / BINARY)])


@pytest.mark.slow
@pytest.mark.parametrize("compiler", [["aarch64-linux-gnu-g++"], ["clang++", "--target=aarch64-linux-gnu"]])
def test_arm_kernels_suit_other_compilers(compiler: list[str]) -> None:
    """A board's own g++, and a clang as old as that of NDK r25: their arm_neon.h, pragmas and asm differ from zig's."""
    for program in (compiler[0], "aarch64-linux-gnu-g++"):  # clang takes the C++ library of the other
        assert shutil.which(program), (
            f"{program} is missing; install it with: apt-get install -y clang g++-aarch64-linux-gnu"
        )
    flags = ["-std=c++17", "-O3", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-fPIC", f"-I{SOURCES}"]
    sources = [path for path in (SOURCES / "kernels").rglob("*.cc") if re.match(r"(neon|arm)[_.]", path.name)]
    assert sources
    for path in sources:
        command = [*compiler, *flags, "-S", "-o", "/dev/null", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{path.name}: {done.stderr[-4000:]}"
