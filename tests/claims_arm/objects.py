"""Instructions of object files, by llvm-objdump."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.claims_arm import mca
from tests.claims_arm.operands import Instruction, parse

_LINE = re.compile(r"^\s*([0-9a-f]+):\s+([0-9a-f]{8})\s+(.*)$")
_TARGET = re.compile(r"0x([0-9a-f]+) <")


@dataclass(frozen=True)
class Placed:
    """An instruction in its section."""

    address: int
    word: int
    text: str

    @property
    def instruction(self) -> Instruction:
        """What it reads and writes."""
        return parse(self.text)

    @property
    def target(self) -> int | None:
        """Where a branch goes."""
        match = _TARGET.search(self.text)
        return int(match[1], 16) if match and self.instruction.is_branch else None


def sections(path: Path) -> list[list[Placed]]:
    """Instructions of each section with code; addresses start at 0 in each."""
    command = [mca.tool("llvm-objdump"), "-d", "--mattr=+v8.6a,+sve2,+sha3", str(path)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found: list[list[Placed]] = []
    for line in listing.splitlines():
        if line.startswith("Disassembly of section"):
            found.append([])
        elif match := _LINE.match(line):
            text = re.sub(r"\s+", " ", match[3].split("//")[0]).strip()
            found[-1].append(Placed(int(match[1], 16), int(match[2], 16), text))
    return found


def loops(section: list[Placed]) -> list[list[Placed]]:
    """The innermost ones: from the target of a branch back to that branch, with no other such branch between."""
    found = []
    for last in section:
        if last.target is None or last.target > last.address:
            continue
        body = [placed for placed in section if last.target <= placed.address <= last.address]
        backwards = [one for one in body if one.target is not None and one.target <= one.address]
        if len(backwards) == 1:
            found.append(body)
    return found
