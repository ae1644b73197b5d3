"""``tfkit bench`` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.flatbuffers import golden
from tfkit import _native


def tfkit(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tfkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=cwd)


def test_odd_file_names_a_table_and_a_document(tmp_path: Path) -> None:
    odd = tmp_path / "a b'\"; $(touch pwned) `touch pwned`\n.tflite"
    odd.write_bytes(golden("lce_int8").read_bytes())
    options = ("--threads", "1,2", "--preset", "quick", "--json", "out r.json")
    done = tfkit("bench", odd, golden("float32"), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # The reasons of the gate follow the table.
    lines = [line for line in done.stdout.splitlines() if not line.startswith("suspect: ")]
    assert len(lines) == 7
    assert lines[2].startswith("a b'\"; $(touch pwned) `touch pwned`\\n.tflite")
    assert lines[-1] == "device: local"
    assert "Traceback" not in done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([odd.name, "out r.json"])
    document = json.loads((tmp_path / "out r.json").read_text())
    assert document["schema_version"] == 2
    assert [result["model"]["path"] for result in document["results"]] == [str(odd)] * 2 + [str(golden("float32"))] * 2


@pytest.mark.qemu
def test_emulated(tmp_path: Path) -> None:
    done = tfkit("bench", golden("lce_float32"), "--device", "qemu:cortex-a53", "--json", "r.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "emulated: correctness only" in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["device"]["times_meaningful"] is False


def test_a_corrupted_golden_is_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner is replaced by one that compares with a corrupted golden file."""
    platform = _native.host_platform()
    folder = tmp_path / "native" / platform
    folder.mkdir(parents=True)
    (folder / "libtfkit_delegate.so").symlink_to(_native.path("libtfkit_delegate.so"))
    real = _native.path("tfkit_bench")
    wrapper = folder / "tfkit_bench"
    wrapper.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "path = sys.argv[sys.argv.index('--golden') + 1]\n"
        "data = bytearray(open(path, 'rb').read()); data[0] ^= 1; open(path, 'wb').write(data)\n"
        f"os.execv({str(real)!r}, [{str(real)!r}, *sys.argv[1:]])\n"
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("TFKIT_NATIVE_DIR", str(tmp_path / "native"))
    done = tfkit("bench", golden("lce_int8"), "--preset", "quick", "--json", "r.json", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "No latency is reported for a wrong result" in done.stderr
    assert done.stdout.splitlines()[2].split() == ["lce_int8.tflite", "8.2", "KiB", "1", "NO", *"----", "invalid"]
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["ok"] is False
    assert document["results"][0]["latency"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Missing argument 'MODEL.tflite...'"),
        (["none.tflite"], 1, "cannot read none.tflite: No such file or directory"),
        (["text.tflite"], 1, "text.tflite: this is not a TFLite flatbuffer"),
        (["cut.tflite"], 1, "cut.tflite: "),
        (["MODEL", "--threads", "one"], 2, "--threads takes numbers separated by commas"),
        (["MODEL", "--device", "qemu:cortex-a99"], 2, "unknown CPU 'cortex-a99'; did you mean"),
        (["MODEL", "--preset", "fast"], 2, "unknown preset 'fast'"),
        (["MODEL", "--json", "no/folder/r.json"], 1, "no folder no/folder"),
        (["MODEL", "--data", "wrong.npz"], 1, "the model takes"),
        (["MODEL", "--kernl", "x"], 2, "--kernl"),
        (["MODEL", "--sustained", "soon"], 2, "--sustained takes minutes or hours, for example 30m or 1h; got 'soon'"),
        (["MODEL", "--resume"], 2, "--resume continues the file that --json names"),
        (["MODEL", "--device", "qemu:cortex-a53", "--energy"], 2, "is emulated, so --energy would"),
    ],
)
def test_mistakes_are_one_message(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.tflite").write_text("this is a text, no flatbuffer")
    (tmp_path / "cut.tflite").write_bytes(golden("float32").read_bytes()[:700])
    import numpy as np

    np.savez(tmp_path / "wrong.npz", image=np.zeros((1, 9, 9, 3), np.float32))
    before = sorted(tmp_path.iterdir())
    done = tfkit("bench", *[str(golden("float32")) if a == "MODEL" else a for a in arguments], cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(tmp_path.iterdir()) == before
