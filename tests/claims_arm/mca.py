"""Cycles of blocks of instructions in llvm-mca's models of cores: steady state, caches and branches ignored.

LLVM >= 19: older ones have no model of the Neoverse N1 (they take the Cortex-A57's for it).
"""

from __future__ import annotations

import functools
import itertools
import re
import shutil
import subprocess
from collections.abc import Sequence

from tests.claims_arm.blocks import Counts, Instructions

OLDEST = 19
ITERATIONS = 100
# The blocks that make up all but this share of the instructions are taken at 1 instruction a cycle.
IGNORED = 0.0005


@functools.cache
def tool(name: str) -> str:
    """Path of an LLVM tool that is new enough."""
    for version in range(25, OLDEST - 1, -1):
        found = shutil.which(f"{name}-{version}") or shutil.which(name, path=f"/usr/lib/llvm-{version}/bin")
        if found:
            return found
    raise AssertionError(f"{name} of LLVM >= {OLDEST} is missing; install it with: apt-get install -y llvm-{OLDEST}")


def version() -> str:
    """What the tool says it is."""
    text = subprocess.run([tool("llvm-mca"), "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"LLVM version (\S+)", text)
    assert match, text
    return f"LLVM {match[1]}"


@functools.cache
def assembly(words: Instructions) -> list[str]:
    """The instructions as text; branch targets are offsets, which the model ignores."""
    data = "\n".join(" ".join(f"0x{byte:02x}" for byte in word.to_bytes(4, "little")) for word in words)
    command = [tool("llvm-mc"), "--disassemble", "--triple=aarch64", "-mattr=+v8.6a,+sve2"]
    done = subprocess.run(command, input=data, capture_output=True, text=True, check=True)
    lines = [line.strip() for line in done.stdout.splitlines() if line.startswith("\t") and line[1] != "."]
    assert len(lines) == len(words), done.stdout + done.stderr
    return lines


_cycles: dict[tuple[str, Instructions], float] = {}


def _model(core: str, blocks: Sequence[Instructions]) -> None:
    """Fill `_cycles` for those blocks that are not in it, all by one call of each tool: starting them takes longest."""
    blocks = [words for words in dict.fromkeys(blocks) if (core, words) not in _cycles]
    if not blocks:
        return
    lines = iter(assembly(tuple(word for words in blocks for word in words)))
    regions = (
        "\n".join([f"# LLVM-MCA-BEGIN {i}", *itertools.islice(lines, len(words)), "# LLVM-MCA-END"])
        for i, words in enumerate(blocks)
    )
    views = ["--instruction-info=false", "--resource-pressure=false"]
    command = [tool("llvm-mca"), "--mtriple=aarch64", f"-mcpu={core}", f"--iterations={ITERATIONS}", *views, "-"]
    done = subprocess.run(command, input="\n".join(regions) + "\n", capture_output=True, text=True, check=False)
    found = re.findall(r"^Total Cycles:\s+(\d+)", done.stdout, re.MULTILINE)
    assert len(found) == len(blocks), done.stderr
    for words, total in zip(blocks, found, strict=True):
        _cycles[core, words] = int(total) / ITERATIONS


def cycles(core: str, words: Instructions) -> float:
    """Cycles that one pass through a block takes when it is run again and again."""
    _model(core, [words])
    return _cycles[core, words]


def total_cycles(core: str, counts: Counts) -> float:
    """Modelled cycles of a whole run."""
    by_weight = sorted(counts.items(), key=lambda item: -item[1] * len(item[0]))
    left = sum(count * len(words) for words, count in by_weight)
    ignored = IGNORED * left
    modelled = []
    for words, count in by_weight:
        if left <= ignored:
            break
        modelled.append((words, count))
        left -= count * len(words)
    _model(core, [words for words, _ in modelled])
    return left + sum(count * _cycles[core, words] for words, count in modelled)
