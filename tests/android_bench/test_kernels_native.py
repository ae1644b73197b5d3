"""The GoogleTest suite of android_bench, on this machine, under sanitizers, and on emulated Arm cores."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.native_build import arm64_build, host_build, sanitized_build

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


@pytest.mark.qemu
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72", "cortex-a76"])
def test_on_emulated_arm(cpu: str) -> None:
    assert shutil.which("qemu-aarch64"), "qemu is missing; install it with: apt-get install -y qemu-user"
    assert (ARM_SYSROOT / "lib" / "libc.so.6").exists(), (
        "the Arm C library is missing; install it with: apt-get install -y libc6-arm64-cross"
    )
    run(["qemu-aarch64", "-L", str(ARM_SYSROOT), "-cpu", cpu, str(arm64_build() / BINARY)])
