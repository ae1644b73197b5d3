"""What the compiler made of the kernels' files: no file holds instructions that its name does not promise."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.native_build import host_build

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 instruction sets")

# Of a disassembly's operands: registers that only AVX-512 has, and those that AVX has.
AVX512 = re.compile(r"%zmm\d|%[xy]mm(1[6-9]|2\d|3[01])|%k[0-7]\b|\{%?k[0-7]\}")
AVX = re.compile(r"%ymm\d")


def objects() -> dict[str, Path]:
    """Object files of the kernels: "bconv2d/avx2_lut" to its path."""
    folder = host_build() / "kernels" / "CMakeFiles" / "tfkit_kernels.dir"
    return {str(path.relative_to(folder)).removesuffix(".cc.o"): path for path in folder.rglob("*.o")}


def output_of(*command: str) -> str:
    assert shutil.which(command[0]), f"{command[0]} is missing; install it with: apt-get install -y binutils"
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def instruction_set(name: str) -> str:
    """The first part of the file's name, if it is an instruction set's."""
    first = Path(name).name.split("_")[0]
    return first if first.startswith(("avx", "fma", "popcnt")) else ""


def test_files_hold_only_their_instruction_set() -> None:
    found = set()
    for name, path in objects().items():
        isa = instruction_set(name)
        code = output_of("objdump", "-d", "--no-show-raw-insn", str(path))
        if not isa.startswith("avx512"):
            assert not AVX512.search(code), f"{name}: {AVX512.search(code)}"
        if not isa.startswith(("avx", "fma")):
            assert not AVX.search(code), f"{name}: {AVX.search(code)}"
        if isa.startswith("avx512") and AVX512.search(code):
            found.add("avx512")
        if isa == "avx2" and AVX.search(code):
            found.add("avx2")
    assert found == {"avx2", "avx512"}, "the patterns find nothing any more"


def test_files_of_instruction_sets_share_no_function() -> None:
    """A weak symbol may be kept from any file, and then run on CPUs that lack that file's instructions."""
    for name, path in objects().items():
        if instruction_set(name):
            symbols = [line.split() for line in output_of("nm", "--defined-only", "-C", str(path)).splitlines()]
            assert not [symbol for symbol in symbols if symbol[1] in "WVwvu"], name
