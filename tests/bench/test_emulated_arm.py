"""Models of LCE's own converter on emulated Arm cores, through tfkit_bench, against LCE's own interpreter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.emulated_arm import run_on
from helpers.flatbuffers import golden, with_outputs
from helpers.lce_runtimes import lce_reference

SEED = 43
CPUS = ("cortex-a53", "cortex-a72", "cortex-a76")

pytestmark = pytest.mark.qemu


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cpu", CPUS)
def test_int8_and_bitpacked_outputs_bit_for_bit(cpu: str, threads: int, tmp_path: Path) -> None:
    flatbuffer = with_outputs(golden("lce_int8").read_bytes(), [7, 8])
    image = np.random.default_rng(SEED).integers(-128, 128, (1, 9, 7, 40)).astype(np.int8)
    expected = lce_reference(flatbuffer, [image])
    code, document = run_on(cpu, flatbuffer, [image], expected, tmp_path, f"--threads={threads}")
    assert code == 0, f"seed {SEED}: {document['golden']}"
    assert [tensor["dtype"] for tensor in document["outputs"]] == ["int32", "int8"]
    assert [comparison["largest_difference"] for comparison in document["golden"]] == [0, 0]
    assert document["context"]["uname"]["machine"] == "aarch64"


@pytest.mark.parametrize("cpu", CPUS)
def test_float_output_within_1e_5(cpu: str, tmp_path: Path) -> None:
    flatbuffer = golden("lce_float32").read_bytes()
    image = np.random.default_rng(SEED).uniform(-1, 1, (1, 12, 12, 3)).astype(np.float32)
    expected = lce_reference(flatbuffer, [image])
    code, document = run_on(cpu, flatbuffer, [image], expected, tmp_path, "--relative-tolerance=1e-5")
    assert code == 0, f"seed {SEED}: {document['golden']}"
    ops = [node["op"] for node in document["delegate"]["nodes"]]
    assert ops == ["LceQuantize", "LceBconv2d", "ADD", "LceQuantize", "LceBMaxPool2d", "LceBconv2d", "LceBconv2d"]


def test_the_check_can_fail(tmp_path: Path) -> None:
    flatbuffer = golden("lce_int8").read_bytes()
    image = np.random.default_rng(SEED).integers(-128, 128, (1, 9, 7, 40)).astype(np.int8)
    (wrong,) = lce_reference(flatbuffer, [image])
    wrong = wrong.copy()
    wrong.flat[100] ^= 1
    code, document = run_on("cortex-a53", flatbuffer, [image], [wrong], tmp_path)
    assert code == 3
    assert document["golden"][0]["first_outside"] == 100
    assert document["golden"][0]["elements_outside"] == 1
