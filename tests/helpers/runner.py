"""Call tfkit_bench on this machine, the way a script would."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit import _native
from tfkit.runtime import litert_library


@dataclass(frozen=True)
class Answer:
    """Exit code, the JSON document (None when standard output is none), standard error."""

    exit_code: int
    document: dict[str, Any] | None
    stdout: str
    stderr: str


def tfkit_bench(*flags: str | Path, litert: bool = True) -> Answer:
    """Run the runner; ``litert`` adds the flag that names the library."""
    command = [str(_native.path("tfkit_bench")), *map(str, flags)]
    if litert:
        command += ["--litert", str(litert_library())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    try:
        document = json.loads(done.stdout)
    except ValueError:
        document = None
    return Answer(done.returncode, document, done.stdout, done.stderr)


def delegate() -> str:
    """Path of the delegate of this machine."""
    return str(_native.path("libtfkit_delegate.so"))
