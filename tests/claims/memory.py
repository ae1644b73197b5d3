"""Memory of whole binary networks, tfkit's delegate in LiteRT against LCE's interpreter, one fresh process each.

Compared is what malloc has handed out for the interpreter once it has run: all tensors, workspace, packed weights
(`tests.claims.memory_worker`). It does not depend on timing. XNNPACK packs full-precision weights once more, so like is
compared with like, with it and without; of LCE's two modes the one with less counts. Beside it what the delegate itself
planned, and by how much the process grew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tfkit
from tests.claims import target
from tests.claims.kernels_networks import NETWORKS
from tfkit.models import build

TITLE = "Memory of whole binary networks, 224x224"
TARGET = "arena, workspace and packed weights no more than LCE's"
HEADINGS = (
    *("model", "other ops by", "tfkit's heap", "LCE's heap", "ratio"),
    *("planned by the delegate", "tfkit's process grew", "LCE's process grew", target.HEADING),
)
WORKER = Path(__file__).with_name("memory_worker.py")
OTHER_OPS = {"XNNPACK": "-xnnpack", "the interpreter": ""}

Report = dict[str, int]


def measured(who: str, flatbuffer: Path) -> Report:
    """Bytes by name, from a process of its own."""
    command = [sys.executable, str(WORKER), who, str(flatbuffer)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{who}: {done.stderr[-2000:]}"
    report: Report = json.loads(done.stdout.splitlines()[-1])
    return report


def compared(flatbuffer: Path, suffix: str) -> tuple[Report, Report]:
    """tfkit, and of LCE's modes the one with the smaller heap."""
    theirs = (measured(f"lce{mode}{suffix}", flatbuffer) for mode in ("", "-indirect"))
    return measured(f"tfkit{suffix}", flatbuffer), min(theirs, key=lambda report: report["heap"])


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB"


def rows() -> Iterator[tuple[str, ...]]:
    """Two lines per network."""
    with tempfile.TemporaryDirectory() as folder:
        for name in NETWORKS:
            path = Path(folder, f"{name}.tflite")
            path.write_bytes(tfkit.convert(build(name), "lce", verify=False).flatbuffer)
            for other_ops, suffix in OTHER_OPS.items():
                ours, theirs = compared(path, suffix)
                ratio = ours["heap"] / theirs["heap"]
                yield (
                    *(name, other_ops, _megabytes(ours["heap"]), _megabytes(theirs["heap"]), f"{ratio:.2f}"),
                    *(_megabytes(ours["planned"]), _megabytes(ours["resident"]), _megabytes(theirs["resident"])),
                    target.at_most(ratio, 1.0),
                )
