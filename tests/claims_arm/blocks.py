"""How often a program's blocks of instructions run on an emulated Arm core."""

from __future__ import annotations

import atexit
import collections
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

SYSROOT = Path("/usr/aarch64-linux-gnu")
PLUGIN_SOURCE = Path(__file__).with_name("blocks_plugin.c")
# Of the installed qemu's sources; Debian packages it nowhere else.
HEADER_FOLDER = Path(__file__).resolve().parents[2] / "build" / "qemu"

Instructions = tuple[int, ...]
Counts = collections.Counter[Instructions]


@functools.cache
def _plugin() -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "a C compiler is missing; install it with: apt-get install -y gcc"
    missing = f"qemu-plugin.h is missing; fetch it with: .ci/qemu-header {HEADER_FOLDER}"
    assert (HEADER_FOLDER / "qemu-plugin.h").is_file(), missing
    library = Path(tempfile.mkdtemp(prefix="tfkit-blocks-"), "libblocks.so")
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{HEADER_FOLDER}"]
    subprocess.run([compiler, *flags, "-o", library, PLUGIN_SOURCE], check=True)
    atexit.register(shutil.rmtree, library.parent, ignore_errors=True)
    return library


def _executions(cpu: str, prefix: Path, command: Sequence[str]) -> dict[tuple[int, Instructions], int]:
    """Executions by address and instructions."""
    # The static package's qemu-aarch64-static has no plugins; qemu-user's program has.
    assert shutil.which("qemu-aarch64"), "qemu is missing; install it with: apt-get install -y qemu-user"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "blocks")
        emulator = ["qemu-aarch64", "-cpu", cpu, "-L", str(prefix), "-plugin", f"{_plugin()},out={log}"]
        done = subprocess.run([*emulator, *command], capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
        blocks: collections.Counter[tuple[int, Instructions]] = collections.Counter()
        for line in log.read_text().splitlines():
            address, count, code = line.split()
            words = tuple(int(code[at : at + 8], 16) for at in range(0, len(code), 8))
            blocks[int(address, 16), words] += int(count)
    return blocks


def is_branch(word: int) -> bool:
    """Whether an instruction ends a block by branching."""
    return (
        (word & 0x7C000000) == 0x14000000  # B, BL
        or (word & 0xFE000000) == 0x54000000  # B.cond
        or (word & 0x7C000000) == 0x34000000  # CBZ, CBNZ, TBZ, TBNZ
        or (word & 0xFE000000) == 0xD6000000  # BR, BLR, RET
    )


def _joined(blocks: dict[tuple[int, Instructions], int]) -> dict[tuple[int, Instructions], int]:
    """The blocks, those joined again that qemu cut: they end without a branch, so the next one always follows."""
    joined = dict(blocks)
    starting_at = {address: (address, words) for address, words in blocks}
    for address, words in sorted(blocks, reverse=True):
        follower = starting_at.get(address + 4 * len(words))
        count = joined[address, words]
        if is_branch(words[-1]) or follower is None or joined[follower] < count:
            continue
        joined[follower] -= count
        del joined[address, words]
        joined[address, words + follower[1]] = count
        starting_at[address] = (address, words + follower[1])
    return joined


def per_run(cpu: str, program: Path, *arguments: str, prefix: Path = SYSROOT, few: int = 1, many: int = 3) -> Counts:
    """Executions, by instructions, that one more run adds; the program takes the number of runs last.

    ``prefix`` is the folder in which the emulator looks for files first; ``few`` and ``many`` are the numbers of runs
    whose difference is taken.
    """
    runs = {count: _executions(cpu, prefix, [str(program), *arguments, str(count)]) for count in (few, many)}
    difference = {
        block: (count - runs[few].get(block, 0)) // (many - few)
        for block, count in runs[many].items()
        if count > runs[few].get(block, 0) + 1
    }
    counts: Counts = collections.Counter()
    for (_, words), count in _joined(difference).items():
        counts[words] += count
    return counts


def instructions(counts: Counts) -> int:
    """Instructions executed."""
    return sum(len(words) * count for words, count in counts.items())
