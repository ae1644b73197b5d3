"""Other tools' output in their documented formats; no line was recorded from a program run here."""

from __future__ import annotations

import pytest

from tfkit._errors import DeviceError, UsageError
from tfkit.bench import document, foreign
from tfkit.bench.spec import PRESETS

RECENT = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Num threads: [4]
INFO: Graph: [/data/local/tmp/a model.tflite]
INFO: Loaded model /data/local/tmp/a model.tflite
INFO: The input model file size (MB): 16.9008
INFO: Initialized session in 17.187ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=5 first=3512391 curr=3000000 min=2900000 max=3512391 avg=3.1e+06 std=190000 p5=2900000 median=3000000 p95=3512391

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=50 first=2990275 curr=2913402 min=2727568 max=3189954 avg=2.95034e+06 std=109798 p5=2740000 median=2950001 p95=3100000

INFO: Inference timings in us: Init: 17187, First inference: 3512391, Warmup (avg): 3.1e+06, Inference (avg): 2950340
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual memory
INFO: Memory footprint delta from the start of the tool (MB): init=4.21094 overall=46.0859
"""  # noqa: E501
# As of TensorFlow 2.4: no prefix, no percentiles, one warm-up run without statistics, another memory line.
OLD = """\
STARTING!
Use reference bconv: [0]
use_indirect_bgemm: [0]
Num threads: [1]
Graph: [/tmp/q.tflite]
count=1 curr=637079

count=520 first=2531 curr=2793 min=1171 max=9925 avg=1885.74 std=870

Inference timings in us: Init: 66002, First inference: 637079, Warmup (avg): 637079, Inference (avg): 1885.74
Peak memory footprint (MB): init=4.92969 overall=138.809
"""
LOGCAT = "".join(
    f"07-08 15:34:26.201 I/tflite  ( 5395): {line.removeprefix('INFO: ')}\n" for line in RECENT.splitlines()
)


@pytest.mark.parametrize("text", [RECENT, LOGCAT, RECENT.replace("\n", "\r\n")], ids=["plain", "logcat", "crlf"])
def test_a_recent_benchmark_model(text: str) -> None:
    found = document.check(foreign.parse(text), "here")
    assert found["runner"] == "benchmark_model"
    assert "never run" in found["tested_on"]
    assert (found["threads"], found["compile_ns"], found["first_run_ns"]) == (4, 17_187_000, 3_512_391_000)
    measurement = found["measurement"]
    assert measurement["run_ns"] == []
    assert measurement["warmup"] == {"runs": 5, "mean_ns": 3_100_000_000, "stable": None}
    assert measurement["summary"] == {
        "count": 50,
        "mean_ns": 2_950_340_000,
        "first_ns": 2_990_275_000,
        "min_ns": 2_727_568_000,
        "max_ns": 3_189_954_000,
        "std_ns": 109_798_000,
        "p5_ns": 2_740_000_000,
        "median_ns": 2_950_001_000,
        "p95_ns": 3_100_000_000,
    }
    assert found["golden"] is None
    assert found["context"]["memory_delta_mb"] == {"init": 4.21094, "overall": 46.0859}
    assert found["context"]["graph"] == "/data/local/tmp/a model.tflite"


def test_an_old_lce_benchmark_model() -> None:
    found = document.check(foreign.parse(OLD), "here")
    assert found["runner"] == "lce_benchmark_model"
    assert found["measurement"]["warmup"]["runs"] == 1
    summary = found["measurement"]["summary"]
    assert (summary["count"], summary["mean_ns"], summary["min_ns"]) == (520, 1_885_740, 1_171_000)
    assert summary["median_ns"] is summary["p95_ns"] is None
    assert found["context"]["memory_delta_mb"]["overall"] == 138.809


def test_a_single_run_is_its_own_extremes() -> None:
    once = OLD.replace("count=520 first=2531 curr=2793 min=1171 max=9925 avg=1885.74 std=870", "count=1 curr=2793")
    summary = foreign.parse(once)["measurement"]["summary"]
    assert (summary["count"], summary["first_ns"], summary["max_ns"]) == (1, 2_793_000, 2_793_000)
    assert summary["std_ns"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ended with: nothing"),
        ("ERROR: Failed to load the model\nBenchmarking failed.", "ended with: Benchmarking failed"),
        (RECENT.partition("Inference timings")[0], "printed no 'count=...' and 'Inference timings"),
        ("Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): 4", "printed no"),
        (OLD.replace("min=1171", "min=1e"), "printed '1e' where a time in microseconds belongs"),
    ],
)
def test_what_is_no_result(text: str, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        foreign.parse(text)


def test_flags() -> None:
    quick = PRESETS["quick"]
    for program in ("benchmark_model", "android_aarch64_benchmark_model", "lce_benchmark_model"):
        flags = foreign.flags(program, "/tmp/a b.tflite", 2, quick)
        assert flags[:2] == ["--graph=/tmp/a b.tflite", "--num_threads=2"]
        assert {"--num_runs=64", "--warmup_runs=5", "--max_secs=60.0"} <= set(flags)
    with pytest.raises(UsageError, match=r"--runner python is none of the programs.*benchmark_model"):
        foreign.flags("python", "m.tflite", 1, quick)
