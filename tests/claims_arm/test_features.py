"""No kernel executes an instruction that its cores lack, nor holds one in its object file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from helpers.native_build import SOURCES, arm64_build
from tests.claims_arm import blocks, loops, mca, objects
from tests.claims_arm.features import needed
from tests.claims_arm.layers import Layer

# A small layer that each kernel takes whole; with 32 channels groups are possible too.
LAYER = Layer(6, 64)
OWN_FLAGS = re.compile(r"neon(dotprod|i8mm)(_.*)?\.cc\.o")


def arm_kernels(op: str) -> list[str]:
    """Names in the list of an op's kernels, but those of x86-64."""
    text = (SOURCES / "kernels" / op / "kernels.inc").read_text()
    text = re.sub(r"#if defined\(__x86_64__\).*?#endif", "", text, flags=re.DOTALL)
    return re.findall(r"TFKIT_KERNEL\((\w+)\)", text)


# Output (or widths) to the kernels that must be there.
OPS = {
    "float": ("bconv2d", {"neon_lut", "neon_inorder", "neon_xnor", "portable", "reference"}),
    "w2a2": (
        "kbit_conv2d",
        {"neondotprod", "neon_lut", "neon_mlal", "neon_inorder", "neon", "portable", "reference"},
    ),
}


def program() -> Path:
    return arm64_build() / "bench" / "tfkit_kernel_runs"


@pytest.mark.parametrize(
    ("assembly", "feature"),
    [
        ("udot v0.4s, v1.16b, v2.16b", "dotprod"),
        ("sdot v0.2s, v1.8b, v2.8b", "dotprod"),
        ("udot v0.4s, v1.16b, v2.4b[3]", "dotprod"),
        ("smmla v0.4s, v1.16b, v2.16b", "i8mm"),
        ("usmmla v0.4s, v1.16b, v2.16b", "i8mm"),
        ("usdot v0.4s, v1.16b, v2.16b", "i8mm"),
        ("sudot v0.4s, v1.16b, v2.4b[1]", "i8mm"),
        ("cnt z0.b, p0/m, z1.b", "SVE"),
        ("ld1b { z0.b }, p0/z, [x0]", "SVE"),
        ("ptrue p0.b", "SVE"),
        ("eor3 v0.16b, v1.16b, v2.16b, v3.16b", "SHA3"),
        ("ldadd x0, x1, [x2]", "atomics"),
        ("swpal w0, w1, [x2]", "atomics"),
        ("eor v0.16b, v1.16b, v2.16b", None),
        ("cnt v0.16b, v1.16b", None),
        ("uadalp v0.8h, v1.16b", None),
        ("tbl v0.16b, { v1.16b, v2.16b }, v3.16b", None),
        ("usra v0.16b, v1.16b, #4", None),
        ("mla v0.4s, v1.4s, v2.4s", None),
        ("sqdmulh v0.4s, v1.4s, v2.s[1]", None),
        ("ldr x0, [x1, x2]", None),
        ("ldp q0, q1, [x0]", None),
    ],
)
def test_features_are_told_by_encodings(assembly: str, feature: str | None) -> None:
    command = [mca.tool("llvm-mc"), "--triple=aarch64", "-mattr=+v8.6a,+sve2,+sha3", "--show-encoding"]
    done = subprocess.run(command, input=assembly, capture_output=True, text=True, check=True)
    match = re.search(r"encoding: \[(.*)\]", done.stdout)
    assert match, done.stdout
    assert needed(int.from_bytes(bytes(int(byte, 16) for byte in match[1].split(",")), "little")) == feature


def test_object_files_hold_the_baseline_only() -> None:
    """Files with flags of their own, whose kernels selection guards, apart."""
    files = [path for path in (arm64_build() / "kernels").rglob("*.o") if not OWN_FLAGS.fullmatch(path.name)]
    assert len(files) > 10
    count = 0
    for path in files:
        for section in objects.sections(path):
            count += len(section)
            wrong = {placed.text: needed(placed.word) for placed in section if needed(placed.word)}
            assert not wrong, f"{path.name}: {wrong}"
    assert count > 10_000, "the disassembly was not read"


@pytest.mark.qemu
@pytest.mark.parametrize("output", OPS)
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72"])
def test_forced_kernels_execute_the_baseline_only(cpu: str, output: str) -> None:
    op, expected = OPS[output]
    kernels = arm_kernels(op)
    assert expected <= set(kernels)
    for kernel in kernels:
        if kernel == "neondotprod":
            continue
        counts = blocks.per_run(cpu, program(), kernel, output, *LAYER.arguments)
        assert blocks.instructions(counts) > LAYER.products / 128, kernel
        wrong = {feature for words in counts for word in words if (feature := needed(word))}
        assert not wrong, f"{kernel} on {cpu}: {wrong}"


@pytest.mark.qemu
def test_dot_products_are_refused_where_they_do_not_exist() -> None:
    command = [str(program()), "neondotprod", "w3a3", *LAYER.arguments, "1"]
    for cpu, runs in (("cortex-a53", False), ("cortex-a72", False), ("cortex-a76", True)):
        emulator = ["qemu-aarch64", "-cpu", cpu, "-L", str(blocks.SYSROOT)]
        done = subprocess.run([*emulator, *command], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode == 0) == runs, cpu
        assert runs or "kernel 'neondotprod' cannot run this shape on this CPU" in done.stderr


def test_loops_for_in_order_cores_load_64_bits_at_most() -> None:
    """128 bits at once keep such a core from doing anything else for two cycles."""
    files = list((arm64_build() / "kernels").rglob("neon_inorder*.cc.o"))
    assert files
    found = [loop for path in files for section in objects.sections(path) for loop in objects.loops(section)]
    counting = [loop for loop in found if any(placed.instruction.name == "cnt" for placed in loop)]
    assert len(counting) >= 8, "a loop for each number of pixels"
    for loop in counting:
        for placed in loop:
            instruction = placed.instruction
            wide = instruction.is_load and instruction.loaded_bytes > 8
            assert not wide, placed.text


@pytest.mark.qemu
def test_the_hottest_loop_for_in_order_cores_loads_64_bits_at_most() -> None:
    counts = blocks.per_run("cortex-a53", program(), "neon_inorder", "float", *Layer(8, 256).arguments)
    assert not loops.has_wide_load(loops.hottest(counts))
    counts = blocks.per_run("cortex-a53", program(), "neon_xnor", "float", *Layer(8, 256).arguments)
    assert loops.has_wide_load(loops.hottest(counts)), "the test sees no 128-bit loads any more"
