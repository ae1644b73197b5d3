"""Counted instructions, against another way to count them and against each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.flatbuffers import golden, identity
from tfkit._errors import MissingToolError
from tfkit.tradeoffs.sweep.instructions import count, instructions

CPU = "cortex-a76"


@pytest.mark.qemu
def test_counts_are_those_of_one_inference(tmp_path: Path) -> None:
    small, large = tmp_path / "small.tflite", tmp_path / "large.tflite"
    small.write_bytes(identity("float32", (1, 1024)))
    large.write_bytes(identity("float32", (1, 1024 * 64)))
    few, many = instructions(small, CPU), instructions(large, CPU)
    # Copies of 252 KiB more: a vector register holds 16 bytes, and a copy loads and stores them at least once.
    assert many - few > 63 * 4096 / 16 * 2
    assert 0 < few < 100_000


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(count.shutil, "which", lambda name: None)
    with pytest.raises(MissingToolError, match="takes a C compiler for a plugin of qemu; run: apt-get install -y gcc"):
        instructions(golden("float32"), CPU)
