"""tfkit_bench --mode memory."""

from __future__ import annotations

from pathlib import Path

from helpers.fake_root import FakeRoot
from helpers.flatbuffers import golden
from helpers.runner import delegate, tfkit_bench

STAGES = ["empty", "loaded", "compiled", "first_run", "after_runs"]


def test_stages_of_this_machine() -> None:
    answer = tfkit_bench("--model", golden("lce_int8"), "--delegate", delegate(), "--mode=memory", "--runs=7")
    assert answer.document is not None, answer.stderr
    document = answer.document
    assert document["mode"] == "memory"
    assert document["measurement"] is document["conditions"] is document["profile"] is None
    memory = document["memory"]
    assert memory["runs"] == 7
    assert [stage["stage"] for stage in memory["stages"]] == STAGES
    for stage in memory["stages"]:
        assert 0 < stage["vm_rss"] <= stage["vm_hwm"]
        assert 0 < stage["pss_anon"] + stage["pss_file"] <= 1.01 * stage["pss"]
        assert 0 < stage["rss_anon"] + stage["rss_file"] <= stage["vm_rss"]
    empty, loaded = memory["stages"][:2]
    assert loaded["rss_file"] > empty["rss_file"]  # libLiteRt.so
    assert document["delegate"]["memory"]["packed_bytes"] > 0


def test_a_scripted_kernel(tmp_path: Path) -> None:
    """Figures in KiB become bytes, what is missing null; the reset of the high-water mark is asked for and told."""
    root = FakeRoot(tmp_path, 2)
    root.write("proc/self/status", "VmHWM:\t   3000 kB\nVmRSS:\t 2000 kB\nRssFile:\t 500 kB\nVmRSSx: 1 kB")
    root.write("proc/self/smaps_rollup", "55d-7ff ---p 0 00:00 0 [rollup]\nPss:   1500 kB\nPss_File:  400 kB")
    base = ["--model", golden("float32"), "--mode=memory", "--runs=0", "--root", root.path]
    answer = tfkit_bench(*base)
    assert answer.document is not None, answer.stderr
    memory = answer.document["memory"]
    assert memory["hwm_reset"] is False
    assert memory["stages"][4] == {
        "stage": "after_runs",
        "vm_hwm": 3000 * 1024,
        "vm_rss": 2000 * 1024,
        "rss_anon": None,
        "rss_file": 500 * 1024,
        "pss": 1500 * 1024,
        "pss_anon": None,
        "pss_file": 400 * 1024,
        "private_dirty": None,
    }
    root.write("proc/self/clear_refs", "")
    answer = tfkit_bench(*base)
    assert answer.document is not None
    assert answer.document["memory"]["hwm_reset"] is True
    assert (tmp_path / "proc/self/clear_refs").read_text() == "5"


def test_a_mismatch_measures_nothing(tmp_path: Path) -> None:
    (tmp_path / "golden").write_bytes(b"\0\0\x80\x3f" * 4)
    base = ["--model", golden("float32"), "--golden", tmp_path / "golden"]
    for mode in ("latency", "memory", "profile"):
        answer = tfkit_bench(*base, "--mode", mode)
        assert answer.exit_code == 3
        assert answer.document is not None
        assert answer.document["mode"] == mode
        assert [answer.document[key] for key in ("measurement", "memory", "profile")] == [None, None, None]
