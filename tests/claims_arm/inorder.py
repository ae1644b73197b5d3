"""A model of how Cortex-A53 and Cortex-A55 issue a loop; for what llvm-mca's models of in-order cores do not give.

llvm-mca lets a short instruction wait for the longer ones before it to write back, which these cores do not do. The
model here has the rules that public sources agree on, and nothing else: no caches, no fetch, no branch misprediction.

Rules
    1. Instructions issue in program order, at most two a cycle, once what they read is there (`LATENCIES`).
    2. The second of a cycle must not read or write what the first writes. A branch is the last of its cycle.
    3. One vector instruction a cycle, one load or store a cycle. TBL takes a cycle for each register of its table.
    4. A load of 128 bits or more issues alone and keeps everything else out for a cycle per 64 bits.
    5. A55: a vector load of 64 bits, and an insert from a general register, issue beside a vector instruction.
    6. A53: neither does; but the two issue beside each other, and loads into general registers beside anything.

Sources
    Rules 1, 3 (TBL), latencies: Arm's Cortex-A55 software optimization guide, by way of LLVM 19's AArch64SchedA55.td
    and SLOTHY's model of the A55; where the two differ, the longer one.
    Rules 4 to 6: measured by ncnn (docs/developer-guide/arm-a53-a55-dual-issue.md); rule 4 also by ONNX Runtime
    (pull requests 10754 and 10862).
    Rule 2, and the A53's latencies: assumed. There is no public guide for the A53; its vector results are taken to be
    ready no sooner than after 4 cycles. Nothing here was calibrated on hardware.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.claims_arm.operands import Instruction, parse

# 128 products need three vector instructions: EOR, CNT and an addition.
XNOR_LIMIT = 128 / 3
WARM_UP, MEASURED = 64, 64

LATENCIES = {
    **dict.fromkeys(("eor", "and", "orr", "bic", "movi", "mvni", "mvn"), 1),
    **dict.fromkeys(("mov", "ext", "trn1", "trn2", "uzp1", "uzp2", "ushr", "shl", "xtn", "xtn2"), 2),
    **dict.fromkeys(("add", "sub", "addp", "uaddlp", "usra", "uaddl", "uaddl2", "uaddw", "uaddw2", "dup", "fmov"), 3),
    **dict.fromkeys(("cnt", "uadalp", "tbl", "tbx", "ins", "zip1", "zip2", "udot", "umlal", "umlal2"), 4),
}
LOAD_LATENCY = 4  # 3 of the A55 into a whole vector register, 4 into a lane or a general register
GENERAL_LATENCY = 1


@dataclass(frozen=True)
class Core:
    """What differs between the two."""

    name: str
    narrow_beside_vector: bool  # rules 5 and 6
    least_vector_latency: int


A53 = Core("Cortex-A53", narrow_beside_vector=False, least_vector_latency=4)
A55 = Core("Cortex-A55", narrow_beside_vector=True, least_vector_latency=1)


def _is_insert(instruction: Instruction) -> bool:
    """Into a vector from a general register."""
    return instruction.name in ("ins", "mov", "fmov") and bool(
        re.fullmatch(r"[vd]\d+(\.d\[[01]\])?, x\d+", instruction.operands)
    )


def _is_narrow_vector_load(instruction: Instruction) -> bool:
    return instruction.is_load and re.match(r"\{|[bhsdq]\d", instruction.operands) is not None


def _latency(core: Core, instruction: Instruction) -> int:
    if instruction.is_load:
        return LOAD_LATENCY
    if _is_insert(instruction):
        return max(LATENCIES["ins"], core.least_vector_latency)
    if not instruction.is_vector:
        return GENERAL_LATENCY
    if instruction.name not in LATENCIES:
        raise ValueError(
            f"the model has no latency of {instruction.name!r}; it knows {', '.join(sorted(LATENCIES))}: add it to "
            "LATENCIES with its source"
        )
    return max(LATENCIES[instruction.name], core.least_vector_latency)


def _busy(instruction: Instruction) -> int:
    """Cycles after its first in which nothing (a wide load) or no vector instruction (TBL) issues."""
    if instruction.is_load:
        return max(0, (instruction.loaded_bytes + 7) // 8 - 1)
    if instruction.name in ("tbl", "tbx"):
        return instruction.operands.split("}")[0].count("v") - 2
    return 0


def _pair(core: Core, first: Instruction, second: Instruction) -> bool:
    """Whether both issue in one cycle, as far as rules 2 to 6 go."""
    if first.is_branch or first.writes & (second.reads | second.writes):
        return False
    both = (first, second)
    if any(one.is_load and _busy(one) for one in both):
        return False
    if all(one.is_load or one.is_store for one in both):
        return False
    inserts = [_is_insert(one) for one in both]
    vectors = [one.is_vector and not insert for one, insert in zip(both, inserts, strict=True)]
    if all(vectors) or all(inserts):
        return False
    narrow = any(inserts) or any(_is_narrow_vector_load(one) for one in both)
    return core.narrow_beside_vector or not (narrow and any(vectors))


def cycles(core: Core, loop: Sequence[str]) -> float:
    """Cycles that one pass through a loop takes, run again and again; lines as a disassembler writes them.

    Raises ValueError for a vector instruction whose latency is not known.
    """
    body = [parse(line) for line in loop]
    latencies = [_latency(core, instruction) for instruction in body]
    ready: dict[str, int] = {}
    now = 0  # the cycle that the next instruction may issue in, at the earliest
    vector_free = 0
    previous: Instruction | None = None  # issued alone in cycle `now`, so that another may join it
    ends = []
    for _ in range(WARM_UP + MEASURED):
        for instruction, latency in zip(body, latencies, strict=True):
            start = max([now, *(ready.get(register, 0) for register in instruction.reads)])
            if instruction.is_vector and not _is_insert(instruction):
                start = max(start, vector_free)
            joins = start == now and previous is not None and _pair(core, previous, instruction)
            if not joins and previous is not None:
                start = max(start, now + 1)
            busy = _busy(instruction)
            written_back = instruction.reads & instruction.writes if instruction.is_load else frozenset[str]()
            for register in instruction.writes:
                late = GENERAL_LATENCY if register in written_back and register[0] != "v" else latency
                ready[register] = start + late + (busy if late == latency else 0)
            if instruction.is_vector and busy:
                vector_free = start + 1 + busy
            if joins:
                now, previous = start + 1, None
            elif instruction.is_load and busy:
                now, previous = start + 1 + busy, None
            else:
                now, previous = start, instruction
        ends.append(now if previous is None else now + 1)
    return (ends[-1] - ends[WARM_UP - 1]) / MEASURED
