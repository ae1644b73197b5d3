"""The model of in-order cores against examples counted by hand, and against what is known of LCE's loops."""

from __future__ import annotations

import pytest

from tests.claims_arm.inorder import A53, A55, XNOR_LIMIT, Core, cycles
from tests.claims_arm.operands import parse

BOTH = [A53, A55]


def eor(to: int) -> str:
    return f"eor v{to}.16b, v30.16b, v31.16b"


@pytest.mark.parametrize("core", BOTH, ids=lambda core: core.name)
@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        pytest.param([eor(0), eor(1), eor(2)], 3, id="one vector instruction a cycle"),
        pytest.param([eor(0), "add x1, x1, #16", eor(1), "add x2, x2, #16"], 2, id="integer beside vector"),
        pytest.param(["add x1, x1, #1", "add x2, x2, #1"], 1, id="two integer instructions"),
        pytest.param(["add x1, x1, #1", "add x1, x1, #1"], 2, id="the second reads the first"),
        pytest.param([eor(0), eor(1), "ldr q2, [x0]"], 4, id="128 bits take two cycles alone"),
        pytest.param(["ldr q2, [x0]", "add x1, x1, #1"], 3, id="nothing beside 128 bits"),
        pytest.param(["ldp q2, q3, [x0]"], 4, id="256 bits"),
        pytest.param(["ld1 { v0.4s, v1.4s, v2.4s, v3.4s }, [x1], #64"], 8, id="512 bits"),
        pytest.param(["ldr x1, [x0]", "ldr x2, [x0]"], 2, id="one load a cycle"),
        pytest.param(["ldr x1, [x0]", eor(0)], 1, id="a general load beside vector"),
        pytest.param(["ldr x1, [x0], #8", "add x2, x1, #1"], 4, id="waits for a load"),
        pytest.param(["ldr x1, [x0], #8"], 1, id="the pointer does not wait for the load"),
        pytest.param(["cnt v0.16b, v1.16b", "addp v2.16b, v0.16b, v0.16b"], 5, id="waits for CNT"),
        pytest.param(["uadalp v0.8h, v1.16b"], 4, id="waits for its own sum"),
        pytest.param([f"uadalp v{i}.8h, v30.16b" for i in range(4)], 4, id="four sums hide that"),
        pytest.param(["subs x1, x1, #1", eor(0), "b.ne #-8"], 2, id="branch last of its cycle"),
        pytest.param([eor(0), eor(1), "subs x1, x1, #1", "b.ne #-8"], 3, id="branch needs the flags"),
        pytest.param(["tbl v0.16b, { v1.16b }, v2.16b"], 1, id="lookup in one register"),
        pytest.param(["tbl v0.16b, { v1.16b, v2.16b }, v3.16b", eor(4)], 3, id="lookup in two"),
    ],
)
def test_by_hand(core: Core, loop: list[str], expected: float) -> None:
    assert cycles(core, loop) == expected


@pytest.mark.parametrize(
    ("loop", "a53", "a55"),
    [
        pytest.param(["ldr d0, [x0]", eor(1)], 2, 1, id="64-bit vector load"),
        pytest.param(["ld1 { v0.d }[1], [x0]", eor(1), eor(2)], 4, 4, id="lane load waits for the lanes it keeps"),
        pytest.param(["mov v0.d[1], x1", eor(1)], 4, 4, id="insert waits for the lanes it keeps"),
        pytest.param(["mov v0.d[1], x1", eor(1), eor(2), eor(3), eor(4)], 5, 4, id="insert"),
        # ncnn's practical guide: the second half of a register costs nothing, the first a cycle on A53.
        pytest.param(
            [
                *("ldr d0, [x0]", eor(10), "ldr x5, [x0, #8]", eor(11), "add x0, x0, #16", eor(12), eor(13), eor(14)),
                *("ldr d1, [x0]", "mov v0.d[1], x5", eor(15), "ldr x6, [x0, #8]", eor(16), "add x0, x0, #16"),
                *(eor(17), eor(18), eor(19), eor(20), "mov v1.d[1], x6"),
            ],
            13,
            11,
            id="64 bits by each kind of register",
        ),
    ],
)
def test_where_the_cores_differ(loop: list[str], a53: float, a55: float) -> None:
    assert (cycles(A53, loop), cycles(A55, loop)) == (a53, a55)


def xnor(loads: list[str]) -> list[str]:
    """48 vector instructions: EOR and CNT of 4 pixels and channels, ADDP as a tree, then loads between those."""
    after = [f"cnt v{i}.16b, v{i}.16b" for i in range(16)]
    for half in (8, 4):
        after += [f"addp v{i}.16b, v{i}.16b, v{half + i}.16b" for i in range(half)]
    after += [f"uadalp v{28 + i}.8h, v{i}.16b" for i in range(4)]
    for place, load in enumerate(loads):
        after.insert(2 * place + 2 + place, load)
    return [*(f"eor v{i}.16b, v{16 + i % 4}.16b, v{20 + i // 4}.16b" for i in range(16)), *after]


# What LCE's two indirect loops issue (8 channels x 4 pixels; their sources are not repeated here), and the figures of
# the notes that the rules come from. The notes' third loop, LCE's default with 36.2, cannot be had by these rules: it
# loads four registers by one instruction, which takes 8 cycles here.
@pytest.mark.parametrize("core", BOTH, ids=lambda core: core.name)
def test_the_indirect_loop_of_128_bits(core: Core) -> None:
    """33.9 products a cycle: 96 vector instructions, 12 loads of 2 cycles, and a branch with no partner."""
    # Two halves of the channels; each has 4 UADALP, where LCE joins them by 4 ADDP first: as many.
    loads = [f"ldr q{16 + i % 8}, [x2]" for i in range(12)]
    loop = ["subs w1, w1, #1", *xnor([]), *xnor(loads), "add x2, x2, #128", "b.gt #-440"]
    assert len(loop) == 111
    assert cycles(core, loop) == 121
    assert 4096 / cycles(core, loop) == pytest.approx(33.9, abs=0.1)


@pytest.mark.parametrize(("core", "expected"), [(A53, 32.0), (A55, 36.6)], ids=["A53", "A55"])
def test_the_indirect_loop_of_64_bits(core: Core, expected: float) -> None:
    """64-bit lane loads go beside the arithmetic of an A55 only."""
    loads = [f"ldr q{20 + i}, [x2]" for i in range(4)]
    loads += [f"ld1 {{ v{16 + i % 4}.d }}[{i // 4}], [x{3 + i % 4}]" for i in range(8)]
    loop = ["subs w1, w1, #1", *xnor(loads)]
    loop[-4:-4] = ["add x2, x2, #64"]
    loop.append("b.gt #-240")
    assert len(loop) == 63
    assert 2048 / cycles(core, loop) == pytest.approx(expected, abs=0.1)


def test_no_loop_exceeds_the_limit() -> None:
    """Three vector instructions for 128 products, each a cycle."""
    loop = [instruction for i in range(8) for instruction in (eor(i), f"cnt v{i}.16b, v{i + 8}.16b", eor(i + 16))]
    assert 8 * 128 / cycles(A55, loop) == XNOR_LIMIT


def test_an_unknown_instruction_is_refused() -> None:
    with pytest.raises(ValueError, match="no latency of 'sqrdmulh'"):
        cycles(A55, ["sqrdmulh v0.8h, v1.8h, v2.8h"])


@pytest.mark.parametrize(
    ("line", "reads", "writes"),
    [
        ("ld1 { v3.d }[1], [x1], #8", {"v3", "x1"}, {"v3", "x1"}),
        ("ldr q0, [x1, x2]", {"x1", "x2"}, {"v0"}),
        ("ldp x3, x4, [sp, #16]", {"sp"}, {"x3", "x4"}),
        ("str q0, [x1], #16", {"v0", "x1"}, {"x1"}),
        ("mov v0.d[1], x5", {"v0", "x5"}, {"v0"}),
        ("mov v0.16b, v5.16b", {"v5"}, {"v0"}),
        ("cmp x1, w2", {"x1", "x2"}, {"flags"}),
        ("subs x1, x1, #1", {"x1"}, {"x1", "flags"}),
        ("b.ne #-8", {"flags"}, set()),
        ("cbnz w4, #-8", {"x4"}, set()),
        ("usra v1.16b, v2.16b, #4", {"v1", "v2"}, {"v1"}),
    ],
)
def test_what_instructions_touch(line: str, reads: set[str], writes: set[str]) -> None:
    parsed = parse(line)
    assert (set(parsed.reads), set(parsed.writes)) == (reads, writes)


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("ldr q0, [x1]", 16),
        ("ldr d0, [x1]", 8),
        ("ldr x0, [x1]", 8),
        ("ldr w0, [x1]", 4),
        ("ldp q0, q1, [x1]", 32),
        ("ldp x0, x1, [x1]", 16),
        ("ld1 { v0.d }[1], [x1]", 8),
        ("ld1 { v0.4s }, [x1]", 16),
        ("ld1 { v0.8b }, [x1]", 8),
        ("ld1 { v0.16b, v1.16b }, [x1]", 32),
        ("ld1r { v0.2d }, [x1]", 8),
    ],
)
def test_bytes_that_loads_move(line: str, size: int) -> None:
    assert parse(line).loaded_bytes == size
