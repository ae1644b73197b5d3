"""What an instruction of 64-bit Arm, as a disassembler writes it, reads and writes."""

from __future__ import annotations

import re
from dataclasses import dataclass

FLAGS = "flags"
_REGISTER = re.compile(r"\b(?:([bhsdqv])(\d+)|([wx])(\d+)|(sp))\b")
_SETS_FLAGS = frozenset({"adds", "subs", "ands", "bics", "adcs", "sbcs"})
_COMPARES = frozenset({"cmp", "cmn", "tst", "ccmp", "ccmn", "fcmp"})
_READS_FLAGS = frozenset(
    {"csel", "csinc", "csinv", "csneg", "cset", "csetm", "cinc", "cneg", "ccmp", "ccmn", "adc", "sbc"}
)
# Instructions that add to, or replace a part of, what is in their destination.
_UPDATES = frozenset(
    {"uadalp", "sadalp", "usra", "ssra", "mla", "mls", "fmla", "fmls", "umlal", "smlal", "udot", "sdot", "ummla"}
    | {"sli", "sri", "bsl", "bit", "bif", "tbx", "ins", "movk", "bfi", "bfxil", "xtn2", "sqxtn2", "uqxtn2", "shrn2"}
)


@dataclass(frozen=True)
class Instruction:
    """Mnemonic, operands as text, and registers ("v3", "x3", "flags")."""

    name: str
    operands: str
    reads: frozenset[str]
    writes: frozenset[str]

    @property
    def is_branch(self) -> bool:
        """Whether it may go elsewhere."""
        return re.fullmatch(r"b|bl|br|blr|ret|b\.\w+|cbn?z|tbn?z", self.name) is not None

    @property
    def is_load(self) -> bool:
        """Whether it reads memory into registers."""
        return self.name.startswith("ld")

    @property
    def is_store(self) -> bool:
        """Whether it writes memory."""
        return self.name.startswith("st")

    @property
    def loaded_bytes(self) -> int:
        """Bytes that a load moves."""
        target = self.operands.split("[", 1)[0] if "{" not in self.operands else self.operands.split("}", 1)[0]
        lane = re.search(r"\}\s*\[\d+\]", self.operands)
        total = 0
        for match in re.finditer(r"\b([bhsdqvwx])\d+(?:\.(\d*)([bhsd]))?", target):
            kind, count, element = match.groups()
            size = {"b": 1, "h": 2, "s": 4, "w": 4, "d": 8, "x": 8, "q": 16, "v": 16}[kind]
            if element is not None:
                size = {"b": 1, "h": 2, "s": 4, "d": 8}[element]
                replicates = lane is not None or self.name.endswith("r")
                size *= 1 if replicates else int(count or 1)
            total += size
        return total

    @property
    def is_vector(self) -> bool:
        """Whether the vector unit computes it; loads and stores are none."""
        if self.is_load or self.is_store or self.is_branch:
            return False
        return re.search(r"\b[bhsdqv]\d+\b", self.operands) is not None


def _registers(text: str) -> frozenset[str]:
    found = set()
    for match in _REGISTER.finditer(text):
        vector, number, _, general, _ = match.groups()
        found.add(f"v{number}" if vector else f"x{general}" if general else "sp")
    return frozenset(found)


def _of_memory_access(name: str, operands: str) -> tuple[frozenset[str], frozenset[str]]:
    address = re.search(r"\[\s*(?:x\d+|sp)[^\]]*\]", operands)
    data, base = (operands[: address.start()], operands[address.start() :]) if address else (operands, "")
    written_back = _registers(base.split(",")[0]) if re.search(r"\]\s*[,!]", base) else frozenset[str]()
    if name.startswith("st"):
        return _registers(operands), written_back
    # A load into one lane keeps the others.
    kept = _registers(data) if re.search(r"\}\s*\[\d+\]", data) else frozenset[str]()
    return _registers(base) | kept, _registers(data) | written_back


def parse(line: str) -> Instruction:
    """One line of a disassembly, without address.

    >>> sorted(parse("uadalp v0.8h, v1.16b").reads), parse("ldr d0, [x1], #8").loaded_bytes
    (['v0', 'v1'], 8)
    """
    name, _, operands = line.strip().partition(" ") if "\t" not in line.strip() else line.strip().partition("\t")
    operands = operands.strip()
    nothing = frozenset[str]()
    if name.startswith(("ld", "st")):
        reads, writes = _of_memory_access(name, operands)
        return Instruction(name, operands, reads, writes)
    if name.startswith("b.") or name in _COMPARES or re.fullmatch(r"b|bl|br|blr|ret|cbn?z|tbn?z|prfm|nop", name):
        flags = frozenset({FLAGS})
        reads = _registers(operands) | (flags if name.startswith(("b.", "ccm")) else nothing)
        return Instruction(name, operands, reads, flags if name in _COMPARES else nothing)
    first, _, rest = operands.partition(",")
    reads, writes = _registers(rest), _registers(first)
    part = re.match(r"v\d+\.[bhsd]\[\d+\]", first) is not None
    if part or name in _UPDATES or (name.endswith("2") and name[:-1] in _UPDATES):
        reads |= writes
    if name in _SETS_FLAGS:
        writes |= {FLAGS}
    if name in _READS_FLAGS:
        reads |= {FLAGS}
    return Instruction(name, operands, reads, writes)
