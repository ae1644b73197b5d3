"""tfkit_bench itself: flags, documents, exit codes."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest

from helpers.flatbuffers import gather, golden, identity, with_custom_op_renamed, with_outputs, without_custom_options
from helpers.runner import delegate, tfkit_bench
from tfkit import _native

FLOAT = golden("float32")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--model is required"),
        (["--modle", "x"], "unknown flag '--modle'"),
        (["x.tflite"], "unknown flag 'x.tflite'"),
        (["--model"], "--model needs a value"),
        (["--model", "x", "--threads", "0"], r"--threads takes an integer in \[1, 256\], got '0'"),
        (["--model", "x", "--threads=2x"], "--threads takes an integer in"),
        (["--model", "x", "--seed", "-1"], "--seed takes an integer in"),
        (["--model", "x", "--seed", "18446744073709551616"], "--seed takes an integer in"),
        (["--model", "x", "--min-seconds", "nan"], "--min-seconds takes a number >= 0, got 'nan'"),
        (["--model", "x", "--max-seconds", "-1"], "--max-seconds takes a number >= 0"),
        (["--model", "x", "--runs", "1e3"], "--runs takes an integer in"),
        (["--model", "x", "--runs", "20000"], "--max-runs is smaller than --runs"),
        (["--model", "x", "--kernel", "reference"], "--kernel needs --delegate"),
    ],
)
def test_usage_errors_are_exit_code_2(flags: list[str], message: str) -> None:
    answer = tfkit_bench(*flags, litert=False)
    assert answer.exit_code == 2
    assert answer.document is not None
    assert list(answer.document) == ["schema_version", "error"]
    assert re.search(message, answer.document["error"])


def test_help() -> None:
    answer = tfkit_bench("--help", litert=False)
    assert answer.exit_code == 0
    assert "exit codes: 0 done, 1 failed, 2 usage, 3 golden mismatch" in answer.stdout


def test_the_document(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    answer = tfkit_bench("--model", FLOAT, "--runs", "20", "--warmup-runs=3", "--warmup-seconds=0", "--json", file)
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == ""
    assert [f.name for f in tmp_path.iterdir()] == ["out.json"]
    document = json.loads(file.read_text())
    assert document["schema_version"] == 2
    assert document["inputs"] == [{"name": "image", "dtype": "float32", "shape": [1, 8, 8, 3]}]
    assert document["outputs"] == [{"name": "output_0", "dtype": "float32", "shape": [1, 4]}]
    assert document["custom_ops"] == []
    assert document["delegate"] is None
    assert document["golden"] is None
    measurement = document["measurement"]
    assert measurement["clock"] == "CLOCK_MONOTONIC_RAW"
    assert measurement["warmup"]["runs"] == len(measurement["warmup"]["last_ns"]) == 3
    assert [len(measurement[key]) for key in ("run_ns", "input_write_ns", "output_read_ns")] == [20, 20, 20]
    assert all(isinstance(sample, int) and sample > 0 for sample in measurement["run_ns"])
    assert measurement["repeatable"] is True
    assert min(document["load_ns"], document["compile_ns"], document["first_run_ns"]) > 0
    assert document["context"]["uname"]["sysname"] == "Linux"


def test_loops_end_at_their_limits() -> None:
    capped = tfkit_bench(
        "--model", FLOAT, "--runs=5", "--min-seconds=30", "--max-runs=50", "--warmup-runs=0", "--warmup-seconds=0"
    )
    assert capped.document is not None
    assert len(capped.document["measurement"]["run_ns"]) == 50
    limited = tfkit_bench("--model", FLOAT, "--runs=10000", "--max-seconds=0", "--warmup-seconds=0")
    assert limited.document is not None
    assert len(limited.document["measurement"]["run_ns"]) == 1
    assert limited.document["measurement"]["warmup"]["runs"] == 0
    unmeasured = tfkit_bench("--model", FLOAT, "--runs=0")
    assert unmeasured.document is not None
    assert unmeasured.document["measurement"] is None


def test_the_delegates_kernels_are_reported() -> None:
    answer = tfkit_bench("--model", golden("lce_int8"), "--delegate", delegate(), "--kernel", "reference", "--runs=0")
    assert answer.exit_code == 0, answer.stderr
    assert answer.document is not None
    assert answer.document["custom_ops"] == ["LceQuantize", "LceBconv2d", "LceBconv2d"]
    nodes = [(node["node"], node["op"], node["kernel"]) for node in answer.document["delegate"]["nodes"]]
    assert nodes == [(0, "LceQuantize", "reference"), (1, "LceBconv2d", "reference"), (2, "LceBconv2d", "reference")]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8", "int16", "int32", "int64"])
def test_golden_comparison(dtype: str, tmp_path: Path) -> None:
    model, given, expected = tmp_path / "m.tflite", tmp_path / "in.bin", tmp_path / "golden.bin"
    model.write_bytes(identity(dtype, (4,)))
    base = ["--model", model, "--inputs", given, "--golden", expected, "--runs=3"]
    np.array([1, 100, -8, 4]).astype(dtype).tofile(given)

    np.array([1, 100, -8, 4]).astype(dtype).tofile(expected)
    assert tfkit_bench(*base).exit_code == 0

    np.array([1, 100, -8, 6]).astype(dtype).tofile(expected)
    wrong = tfkit_bench(*base)
    assert wrong.exit_code == 3
    assert wrong.document is not None
    assert wrong.document["golden"] == [
        {"ok": False, "largest_difference": 2, "allowed_difference": 0, "elements_outside": 1, "first_outside": 3}
    ]
    assert wrong.document["measurement"] is None  # a wrong result has no latency

    # 2 is allowed: as 2 steps, or as 2 % of the largest magnitude, 100.
    allowed = ["--relative-tolerance=0.02"] if dtype.startswith("float") else ["--integer-tolerance=2"]
    assert tfkit_bench(*base, *allowed).exit_code == 0
    too_little = ["--relative-tolerance=0.0199"] if dtype.startswith("float") else ["--integer-tolerance=1"]
    assert tfkit_bench(*base, *too_little).exit_code == 3


@pytest.mark.parametrize(
    ("given", "expected", "exit_code"),
    [
        ([np.nan, 1.0], [np.nan, 1.0], 0),
        ([np.nan, 1.0], [0.0, 1.0], 3),
        ([0.0, 1.0], [np.nan, 1.0], 3),
        ([np.inf, 1.0], [np.inf, 1.0], 0),
        ([np.inf, 1.0], [-np.inf, 1.0], 3),
        ([3e38, 1.0], [np.inf, 1.0], 3),
        ([0.0, -0.0], [-0.0, 0.0], 0),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_golden_comparison_of_special_values(
    given: list[float], expected: list[float], exit_code: int, dtype: str, tmp_path: Path
) -> None:
    if dtype == "float16" and 3e38 in given:
        given = [6e4, 1.0]
    (tmp_path / "m.tflite").write_bytes(identity(dtype, (2,)))
    np.array(given).astype(dtype).tofile(tmp_path / "in.bin")
    np.array(expected).astype(dtype).tofile(tmp_path / "golden.bin")
    answer = tfkit_bench(
        *["--model", tmp_path / "m.tflite", "--inputs", tmp_path / "in.bin", "--golden", tmp_path / "golden.bin"],
        *["--relative-tolerance=0.5", "--runs=0"],
    )
    assert answer.exit_code == exit_code, answer.stdout


def test_int64_differences_beyond_doubles(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(identity("int64", (1,)))
    np.array([2**62]).tofile(tmp_path / "in.bin")
    np.array([2**62 + 1]).tofile(tmp_path / "golden.bin")
    base = ["--model", tmp_path / "m.tflite", "--inputs", tmp_path / "in.bin", "--golden", tmp_path / "golden.bin"]
    assert tfkit_bench(*base, "--runs=0").exit_code == 3
    assert tfkit_bench(*base, "--runs=0", "--integer-tolerance=1").exit_code == 0


class TestFailures:
    """Exit code 1, one document with the error, nothing measured."""

    def fails(self, message: str, *flags: str | Path, litert: bool = True) -> None:
        answer = tfkit_bench(*flags, litert=litert)
        assert answer.exit_code == 1, answer.stdout
        assert answer.document is not None
        assert list(answer.document) == ["schema_version", "error"]
        assert message in answer.document["error"]

    def test_files(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("this is a text")
        self.fails("cannot read", "--model", tmp_path / "none")
        self.fails("cannot read", "--model", tmp_path)
        self.fails("reading the model", "--model", tmp_path / "text")
        self.fails("input file", "--model", FLOAT, "--inputs", tmp_path / "text")
        self.fails("golden file", "--model", FLOAT, "--golden", tmp_path / "text")
        self.fails("cannot write", "--model", FLOAT, "--dump-outputs", tmp_path / "no" / "folder")

    def test_libraries(self, tmp_path: Path) -> None:
        self.fails("cannot load LiteRT", "--model", FLOAT, "--litert", tmp_path / "none.so", litert=False)
        self.fails("has no function LiteRtCreateEnvironment", "--model", FLOAT, "--litert", delegate(), litert=False)
        self.fails("cannot load the delegate", "--model", FLOAT, "--delegate", tmp_path / "none.so")
        self.fails(
            "'nonsense' is not accepted; use one of",
            *["--model", golden("lce_int8"), "--delegate", delegate(), "--kernel", "nonsense"],
        )

    def test_ops_that_nothing_runs(self, tmp_path: Path) -> None:
        self.fails("LiteRT status", "--model", golden("lce_int8"))
        model = tmp_path / "m.tflite"
        model.write_bytes(with_custom_op_renamed(golden("lce_int8").read_bytes(), "LceQuantize", "AcmeSign"))
        self.fails("LiteRT status", "--model", model, "--delegate", delegate())
        model.write_bytes(without_custom_options(golden("lce_int8").read_bytes()))
        self.fails("LiteRT status", "--model", model, "--delegate", delegate())

    def test_a_kernel_that_fails_while_running(self, tmp_path: Path) -> None:
        model, index = tmp_path / "m.tflite", tmp_path / "index.bin"
        model.write_bytes(gather(np.arange(4)))
        np.array([3], np.int32).tofile(index)
        assert tfkit_bench("--model", model, "--inputs", index, "--runs=2").exit_code == 0
        np.array([4000], np.int32).tofile(index)
        self.fails("the first run: LiteRT status", "--model", model, "--inputs", index)

    @pytest.mark.parametrize("elements", [1, 2, 3, 64])
    @pytest.mark.parametrize("dtype", ["int8", "float32"])
    def test_an_output_that_is_never_written(self, dtype: str, elements: int, tmp_path: Path) -> None:
        model = tmp_path / "m.tflite"
        model.write_bytes(with_outputs(identity(dtype, (elements,)), [0]))  # LiteRT reports success
        self.fails("never wrote output 'in'", "--model", model, "--runs=0")

    def test_an_unwritable_document(self, tmp_path: Path) -> None:
        answer = tfkit_bench("--model", FLOAT, "--runs=1", "--json", tmp_path / "no" / "folder")
        assert answer.exit_code == 1
        assert "cannot write" in answer.stderr
        assert answer.stdout == ""


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("byte", [0xA5, 0x5A])
def test_outputs_may_hold_any_bytes(byte: int, dtype: str, tmp_path: Path) -> None:
    """Those by which the runner knows an untouched buffer are no exception."""
    model, given, written = tmp_path / "m.tflite", tmp_path / "in.bin", tmp_path / "out.bin"
    model.write_bytes(identity(dtype, (16,)))
    given.write_bytes(bytes([byte]) * 16 * np.dtype(dtype).itemsize)
    answer = tfkit_bench("--model", model, "--inputs", given, "--dump-outputs", written, "--runs=0")
    assert answer.exit_code == 0, answer.stderr
    assert written.read_bytes() == given.read_bytes()


def test_writing_replaces_nothing_but_files(tmp_path: Path) -> None:
    """``--dump-outputs /dev/null``, as root, must leave the device in place."""
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    file.write_text("old")
    link.symlink_to(file)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        answer = tfkit_bench("--model", FLOAT, "--runs=0", "--json", link, "--dump-outputs", pipe)
        assert answer.exit_code == 0, answer.stderr
        assert stat.S_ISFIFO(pipe.lstat().st_mode)
        assert len(os.read(reader, 100)) == 4 * 4
    finally:
        os.close(reader)
    assert link.is_symlink()
    assert json.loads(file.read_text())["schema_version"] == 2


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """A tensor's name comes from an untrusted file: the document stays valid JSON."""
    flatbuffer = identity("float32", (2,))
    model = tmp_path / "m.tflite"
    model.write_bytes(flatbuffer.replace(b"out\0", b'\xff"\n\0'))
    assert model.read_bytes() != flatbuffer
    answer = tfkit_bench("--model", model, "--runs=0")
    assert answer.document is not None, answer.stdout
    assert answer.document["outputs"][0]["name"] == '\ufffd"\n'


def test_odd_file_names(tmp_path: Path) -> None:
    model = tmp_path / "a b'\"; $(touch pwned)\n.tflite"
    model.write_bytes(FLOAT.read_bytes())
    assert tfkit_bench("--model", model, "--runs=1", "--warmup-seconds=0").exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == [model.name]


def test_a_closed_standard_output_is_a_failure() -> None:
    from tfkit.runtime import litert_library

    command = [str(_native.path("tfkit_bench")), "--model", str(FLOAT), "--runs=0", "--litert", str(litert_library())]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "cannot write to standard output" in done.stderr
