"""Google's ``benchmark_model`` and LCE's ``lce_benchmark_model`` as the runner: their flags, and what they print.

Both share TFLite's benchmark tool and its text. It gives statistics of the runs in whole microseconds and no samples,
so ``measurement.run_ns`` is empty and ``measurement.summary`` has what there is. Neither program can be had where tfkit
is built: this was written for the documented format and tested on such text (``tested_on`` in the document says so).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tfkit._errors import DeviceError, UsageError
from tfkit.bench.spec import Preset

SCHEMA_VERSION = 2
TESTED_ON = "text in the tool's documented format; the program itself was never run"
TOOLS = ("benchmark_model", "lce_benchmark_model")

# Printed bare, after "INFO: ", or after logcat's prefix, according to the version.
_COUNT = re.compile(r"(?:^|\s)count=(\d+)((?: (?:first|curr|min|max|avg|std|p5|median|p95)=[-+.\deE]+)+)\s*$")
_TIMINGS = re.compile(
    r"Inference timings in us: Init: (?P<init>[\d.eE+]+), First inference: (?P<first>[\d.eE+]+), "
    r"Warmup \(avg\): (?P<warmup>[\d.eE+]+), Inference \(avg\): (?P<average>[\d.eE+]+)"
)
_MEMORY = re.compile(r"(?:Memory footprint delta|Peak memory footprint)[^:]*: init=([\d.eE+]+) overall=([\d.eE+]+)")
_GRAPH = re.compile(r"^(?:.*\s)?Graph: \[(.*)\]\s*$", re.MULTILINE)
_THREADS = re.compile(r"Num threads: \[(\d+)\]")


def flags(program: str, model: str, threads: int, preset: Preset) -> list[str]:
    """The command line behind the program, for ``model`` on the device.

    Raises:
        UsageError: a program of another name than the two.
    """
    stem = program.removesuffix(".exe")
    if not any(stem == tool or stem.endswith(f"_{tool}") for tool in TOOLS):
        raise UsageError(
            f"--runner {program} is none of the programs whose output tfkit reads; give {' or '.join(TOOLS)} "
            "(under its own name), or leave the flag out for tfkit's own runner"
        )
    return [
        f"--graph={model}",
        f"--num_threads={threads}",
        f"--warmup_runs={max(1, preset.warmup_runs)}",
        f"--warmup_min_secs={preset.warmup_seconds}",
        f"--num_runs={max(1, preset.runs)}",
        f"--min_secs={preset.min_seconds}",
        f"--max_secs={preset.max_seconds}",
    ]


def parse(stdout: str) -> dict[str, Any]:
    """The document of schema 2 behind what the tool printed; what it does not tell is null.

    Times in nanoseconds, from whole microseconds: the average is the finest figure there is.

    Raises:
        DeviceError: the summary of the timed runs is missing.
    """
    timings = _TIMINGS.search(stdout)
    blocks = [(int(found[1]), _pairs(found[2])) for line in stdout.splitlines() if (found := _COUNT.search(line))]
    if timings is None or not blocks:
        last = (stdout.strip().splitlines() or ["nothing"])[-1]
        raise DeviceError(
            "the runner printed no 'count=...' and 'Inference timings in us: ...' lines, so it is no benchmark_model, "
            f"or it failed; it ended with: {last:.200}"
        )
    # The warm-up prints such a line too, before that of the timed runs.
    count, figures = blocks[-1]
    warmup = blocks[0] if len(blocks) > 1 else (0, {})
    memory = _MEMORY.search(stdout)
    threads = _THREADS.search(stdout)
    graph = _GRAPH.search(stdout)
    average = _ns(timings["average"])
    return {
        "schema_version": SCHEMA_VERSION,
        "runner": "lce_benchmark_model" if _is_lce(stdout) else "benchmark_model",
        "tested_on": TESTED_ON,
        "mode": "latency",
        "threads": int(threads[1]) if threads else 1,
        "seed": None,
        "inputs": [],
        "outputs": [],
        "custom_ops": [],
        "delegate": None,
        "load_ns": 0,
        "compile_ns": _ns(timings["init"]),  # loading is part of it
        "first_run_ns": _ns(timings["first"]),
        "golden": None,
        "affinity": None,
        "measurement": {
            "clock": "microseconds",
            "clock_overhead_ns": None,
            "warmup": {"runs": warmup[0], "mean_ns": _ns(timings["warmup"]), "stable": None},
            "run_ns": [],
            "input_write_ns": [],
            "output_read_ns": [],
            "total_ns": None,
            "repeatable": None,
            "summary": _summary(count, figures, average),
        },
        "conditions": None,
        "memory": None,
        "profile": None,
        "context": {
            "graph": graph[1] if graph else None,
            "memory_delta_mb": {"init": float(memory[1]), "overall": float(memory[2])} if memory else None,
        },
    }


def _summary(count: int, figures: Mapping[str, str], average: int) -> dict[str, int | None]:
    """Nanoseconds; a single run has no spread, and older versions no percentiles."""
    found: dict[str, int | None] = {"count": count, "mean_ns": average}
    for key in ("first", "min", "max", "std", "p5", "median", "p95"):
        text = figures.get(key, figures.get("curr") if key in ("first", "min", "max") and count == 1 else None)
        found[f"{key}_ns"] = None if text is None else _ns(text)
    return found


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split())


def _ns(microseconds: str) -> int:
    try:
        return round(float(microseconds) * 1000)
    except ValueError as error:
        raise DeviceError(f"the runner printed {microseconds!r} where a time in microseconds belongs") from error


def _is_lce(stdout: str) -> bool:
    """Only LCE's program knows these flags, and says which it was given."""
    return "use_reference_bconv" in stdout or "use_indirect_bgemm" in stdout or "lce_benchmark_model" in stdout
