"""The README's blocks run, in order, in one empty folder: console lines through the command line, Python as it is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```(console|python)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, f"{shlex.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.qemu
def test_readme_runs(tmp_path: Path) -> None:
    assert {kind for kind, _ in BLOCKS} == {"console", "python"}
    for kind, text in BLOCKS:
        if kind == "python":
            run(["-c", text], tmp_path)
            continue
        for line in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
            program, *arguments = shlex.split(line)
            assert program == "tfkit", f"the README types {program!r}; only tfkit is run here"
            run(["-m", "tfkit", *arguments], tmp_path)


def test_makefile_has_what_the_readme_promises() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
