"""What a sweep would do, before it does: points, runs, time and disk, each with where the figure is from."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from tfkit._units import format_bytes, format_duration
from tfkit.bench.table import aligned
from tfkit.tradeoffs.sweep.estimate import GUESSED, RECORDED, Estimates
from tfkit.tradeoffs.sweep.origins import Origins, data_digest, open_data
from tfkit.tradeoffs.sweep.plan import plan
from tfkit.tradeoffs.sweep.run import known
from tfkit.tradeoffs.sweep.spec import Spec, read_spec
from tfkit.tradeoffs.sweep.state import DONE
from tfkit.tradeoffs.sweep.steps import BENCH, KINDS


def preview(spec: str | os.PathLike[str] | Spec, folder: str | os.PathLike[str], jobs: int = 1) -> str:
    """The plan as a table for people; changes nothing. Raises as ``sweep``."""
    chosen = spec if isinstance(spec, Spec) else read_spec(spec)
    dataset = open_data(chosen.data)
    planned = plan(chosen, Origins(data_digest(dataset)))
    records = known(Path(folder))
    estimates = Estimates(records.values(), dataset.size("train"))
    rows = [["steps", "all", "done", "to do", "time", "disk", "by"]]
    seconds = dict.fromkeys(KINDS, 0.0)
    bytes_ = 0.0
    for kind in KINDS:
        steps = [step for step in planned.steps if step.kind == kind]
        todo = [step for step in steps if step.key not in records]
        sources: Counter[str] = Counter()
        size = 0.0
        for step in todo:
            time, source = estimates.seconds(step)
            seconds[kind] += time
            size += estimates.bytes(step)[0]
            sources[source] += 1
        bytes_ += size
        done = sum(step.key in records and records[step.key].state == DONE for step in steps)
        by = " and ".join(f"{sources[name]} {name}" for name in (RECORDED, GUESSED) if sources[name]) or "-"
        if steps:
            counts = [str(len(steps)), str(done), str(len(todo))]
            rows.append([kind, *counts, format_duration(seconds[kind]), format_bytes(int(size)), by])
    computing = sum(time for kind, time in seconds.items() if kind != BENCH)
    total = computing / jobs + seconds[BENCH]
    lines = [
        f"{len(planned.points)} points: {len(chosen.models)} models x {len(chosen.compressions)} compressions x "
        f"{len(chosen.training.seeds)} seeds x {len(chosen.devices)} devices",
        *aligned(rows),
        f"about {format_duration(total)} with --jobs {jobs}, measurements one after the other; "
        f"about {format_bytes(int(bytes_))} in {folder}",
        "recorded: as similar steps took in this folder; guessed: from MACs, samples and epochs at 5 GFLOP/s, which "
        "may be off several times",
    ]
    return "\n".join(lines)
