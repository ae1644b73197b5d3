"""Count and model the NEON convolutions on emulated Arm cores: ``python -m tests.claims_arm BENCHMARKS-ARM.md``.

``make bench-arm`` installs what it needs first. Builds the kernels for 64-bit Arm with the project's zig toolchain.
"""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path

import tfkit
from tests.claims.table import table
from tests.claims_arm import mca
from tests.claims_arm.runs import Runs
from tests.claims_arm.tables import MODELLED, TABLES
from tests.helpers.native_build import arm64_kernels
from tfkit._files import whole_file


def document(runs: Runs) -> str:
    """The page."""
    parts = [
        "# Benchmarks on emulated Arm",
        "Written by `make bench-arm`. No Arm hardware was used: instructions are counted under qemu-user, and cycles "
        f"are {MODELLED}, as are branches. They compare loops; they are not times.",
        f"tfkit {tfkit.__version__}, {mca.version()}, {datetime.date.today()}.",
    ]
    for entry in TABLES:
        start = time.monotonic()
        sys.stderr.write(f"{entry.title} ...")
        sys.stderr.flush()
        parts += [f"## {entry.title}", entry.text, table(entry.headings, list(entry.rows(runs)))]
        sys.stderr.write(f" {time.monotonic() - start:.0f} s\n")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the document to the path given."""
    sys.stderr.write("building the kernels for 64-bit Arm; minutes the first time\n")
    program = arm64_kernels() / "bench" / "tfkit_kernel_runs"
    text = document(Runs(program))
    with whole_file(Path(sys.argv[1])) as temporary:
        temporary.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
