"""The README's blocks run, in order, in one empty folder: console lines through the command line, Python as it is.

The phone that they name is a simulated one.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tfkit.devices import connect
from tfkit.devices.simulated import Phone

pytest_plugins = ["tfkit.devices.simulated.pytest"]

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```(console|python)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, f"{shlex.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.qemu
def test_readme_runs(tmp_path: Path, simulated_phone: Phone) -> None:
    connect(simulated_phone.spec).close()  # adb knows it from now on, as it knows one that was plugged in
    assert {kind for kind, _ in BLOCKS} == {"console", "python"}
    for kind, text in BLOCKS:
        if kind == "python":
            run(["-c", text], tmp_path)
            continue
        for line in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
            program, *arguments = shlex.split(line)
            assert program == "tfkit", f"the README types {program!r}; only tfkit is run here"
            run(["-m", "tfkit", *arguments], tmp_path)
    phone = json.loads((tmp_path / "phone.json").read_text())
    assert (phone["ok"], phone["device"]["name"]) == (True, simulated_phone.spec)
    assert phone["artifacts"]["label"] == "glibc bundle"
    (result,) = phone["results"]
    assert result["golden"]["ok"] is True
    assert (result["gate"]["level"], result["latency"]) == ("invalid", None)  # the clock is not a phone's
    assert all(process["measurement"]["run_ns"] for process in result["processes"])


def test_makefile_has_what_the_readme_promises() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
