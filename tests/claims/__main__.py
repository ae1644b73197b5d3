"""Measure every claim about speed and write the figures: ``python -m tests.claims BENCHMARKS.md`` (``make bench``)."""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path

import tfkit
from tests.claims import (
    conversion,
    kernels,
    kernels_avx2,
    kernels_glue,
    kernels_kbit,
    kernels_kbit_roads,
    kernels_networks,
    lowbit_networks,
    memory,
    pruned_networks,
    sparse_networks,
    startup,
    unpacked_weights,
)
from tests.claims.table import table
from tfkit._files import whole_file
from tfkit.devices.facts import host

CLAIMS = (
    startup,
    conversion,
    kernels,
    kernels_avx2,
    kernels_glue,
    kernels_kbit,
    kernels_kbit_roads,
    kernels_networks,
    lowbit_networks,
    sparse_networks,
    unpacked_weights,
    pruned_networks,
    memory,
)


def document() -> str:
    """The page, with the machine that the figures are from."""
    machine = host()
    parts = [
        "# Benchmarks",
        "Written by `make bench`; each ratio compares two things run in turn in one process. Of the machine, only "
        "ratios carry over to another one. How a table is measured stands at the top of its module in `tests/claims`.",
        f"tfkit {tfkit.__version__}, {machine['cpu_model']}, {machine['logical_cpus']} CPUs, "
        f"{machine['system']} {machine['kernel']}, {datetime.date.today()}.",
    ]
    start = time.monotonic()
    for claim in CLAIMS:
        sys.stderr.write(f"{claim.TITLE}\n")
        lines = []
        for row in claim.rows():
            minutes, seconds = divmod(int(time.monotonic() - start), 60)
            sys.stderr.write(f"{minutes:3d}:{seconds:02d}  {'  '.join(cell for cell in row if cell)}\n")
            lines.append(row)
        parts += [f"## {claim.TITLE}", f"Target: {claim.TARGET}.", table(claim.HEADINGS, lines)]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the document to the path given."""
    text = document()
    with whole_file(Path(sys.argv[1])) as temporary:
        temporary.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
