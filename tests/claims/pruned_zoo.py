"""Every network of the zoo at half its MACs, as a user gets there: ``python -m tests.claims.pruned_zoo [NAMES]``.

Filters of the smallest norm are dropped (``select`` and ``shrink`` at their defaults), both networks are converted, and
``tfkit bench`` measures the files with its quick preset. Its two runs follow each other, so the ratio of times is taken
again with both in turn in one process. Networks have random weights and the input size that they are made for.

NAMES are networks, by commas, or "all"; without them those that ``tfkit/pruning/ZOO.md`` has no row for yet, small ones
first. The page is written after every network, so a run that is stopped loses one. Not part of ``make bench``: the
whole zoo takes an hour.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import tfkit
from tests.claims import peers
from tests.claims.interleaved import pinned, shortest
from tests.claims.table import rows_of, table
from tfkit import TfkitError, bench
from tfkit._files import whole_file
from tfkit._units import format_bytes
from tfkit.models import REGISTRY, build
from tfkit.pruning.shrink import filter_norms, select, shrink

TARGET = "half the MACs or a reason why not; a smaller file, a lower latency, outputs that agree with Keras"
HEADINGS = (
    *("network", "MACs", "shrunk", "file", "shrunk file", "times faster, in turn", "by quick bench", "gate", "parity"),
    "target",
)
PAGE = Path(__file__).parents[2] / "tfkit" / "pruning" / "ZOO.md"
ROUNDS = 10


def row(name: str, folder: Path) -> tuple[str, ...]:
    """The figures of one network, or why it cannot be shrunk."""
    model = build(name, seed=1)
    try:
        shrunk = shrink(model, keep=select(model, filter_norms(model), 0.5))
    except TfkitError as error:
        reason = " ".join(str(error).split()).replace("|", "/")
        return (name, *["-"] * (len(HEADINGS) - 2), f"refused: {reason[:200]}")
    paths = {"before": folder / "before.tflite", "after": folder / "after.tflite"}
    tfkit.convert(model, verify=False).save(paths["before"])
    conversion = tfkit.convert(shrunk.model)
    conversion.save(paths["after"])
    report = bench.run(list(paths.values()), preset="quick")
    report.check()
    first, second = (result.latency.median_s for result in report.results if result.latency)
    gates = "/".join(dict.fromkeys(result.gate["level"] for result in report.results))
    with pinned():
        times = shortest({which: peers.litert(path.read_bytes()) for which, path in paths.items()}, rounds=ROUNDS)
    sizes = {which: path.stat().st_size for which, path in paths.items()}
    macs = tfkit.count(model).macs, tfkit.count(shrunk.model).macs
    parity = conversion.parity is not None and conversion.parity.ok
    missed = {
        "MACs": macs[1] > 0.5 * macs[0],
        "file": sizes["after"] >= sizes["before"],
        "latency": times["after"] >= times["before"],
        "parity": not parity,
    }
    return (
        *(name, f"{macs[0] / 1e6:.1f} M", f"{macs[1] / 1e6:.1f} M ({macs[1] / macs[0]:.0%})"),
        *(format_bytes(sizes["before"]), format_bytes(sizes["after"])),
        *(f"{times['before'] / times['after']:.2f}x", f"{first / second:.2f}x", gates, "ok" if parity else "NOT ok"),
        "missed: " + ", ".join(what for what, is_missed in missed.items() if is_missed)
        if any(missed.values())
        else "met",
    )


def page(rows: Mapping[str, Sequence[str]]) -> str:
    """The page with these rows, in the order of the zoo."""
    return (
        "# The zoo at half its MACs\n\n"
        "Written by `python -m tests.claims.pruned_zoo`; how it is measured stands at the top of that file. Of the "
        f"machine, only ratios carry over to another one. Target: {TARGET}.\n\n"
        + table(HEADINGS, [rows[name] for name in REGISTRY if name in rows])
        + "\n"
    )


def main() -> None:
    """Measure and write the page."""
    known = rows_of(PAGE, HEADINGS)
    asked = sys.argv[1].split(",") if len(sys.argv) > 1 else [name for name in REGISTRY if name not in known]
    names = list(REGISTRY) if asked == ["all"] else asked
    for name in sorted(names, key=lambda one: REGISTRY[one].macs):
        with tempfile.TemporaryDirectory() as folder:
            known[name] = row(name, Path(folder))
        sys.stderr.write(" | ".join(known[name]) + "\n")
        with whole_file(PAGE) as temporary:
            temporary.write_text(page(known))


if __name__ == "__main__":
    main()
