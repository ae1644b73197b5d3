"""What tfkit_bench reads around its timed loop: frequencies, temperatures, switches, the canary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.fake_root import FakeRoot
from helpers.flatbuffers import golden
from helpers.runner import tfkit_bench

BRIEF = ("--model", golden("float32"), "--runs=3", "--warmup-runs=0", "--warmup-seconds=0")


def conditions(*flags: str | Path) -> dict[str, Any]:
    answer = tfkit_bench(*BRIEF, *flags)
    assert answer.document is not None, answer.stderr
    found: dict[str, Any] = answer.document["conditions"]
    return found


def test_this_machine() -> None:
    found = conditions()
    for when in ("before", "after"):
        assert len(found[when]["canary_ns"]) == 3
        assert all(1e5 < nanoseconds < 1e10 for nanoseconds in found[when]["canary_ns"])
    for counter in ("voluntary_switches", "involuntary_switches", "major_faults"):
        assert 0 <= found["before"][counter] <= found["after"][counter]


def test_a_scripted_phone(tmp_path: Path) -> None:
    root = FakeRoot(tmp_path, 8)
    root.policy(4, {"related_cpus": "4 5 6 7", "scaling_governor": "schedutil", "scaling_min_freq": "800000"})
    root.policy(4, {"scaling_max_freq": "2400000", "scaling_cur_freq": "1800000"})
    root.policy(4, {"stats/time_in_state": "800000 1234\n1800000 5\n2400000 0"})
    root.policy(10, {"related_cpus": "8"})
    root.write("sys/devices/system/cpu/cpufreq/boost", "1")
    root.write("sys/class/thermal/thermal_zone0/type", "cpu-0-0")
    root.write("sys/class/thermal/thermal_zone0/temp", "41234")
    root.write("sys/class/thermal/thermal_zone2/temp", "-3000")
    root.write("sys/class/thermal/thermal_zone10/type", "switched-off")
    root.write("sys/class/thermal/cooling_device0/type", "fan")
    for found in conditions("--root", root.path).values():
        assert found["policies"] == [
            {
                "policy": "policy4",
                "cpus": [4, 5, 6, 7],
                "governor": "schedutil",
                "min_khz": 800_000,
                "max_khz": 2_400_000,
                "cur_khz": 1_800_000,
                "time_in_state_ms": [[800_000, 12_340], [1_800_000, 50], [2_400_000, 0]],
            },
            {
                "policy": "policy10",
                "cpus": [8],
                "governor": None,
                "min_khz": None,
                "max_khz": None,
                "cur_khz": None,
                "time_in_state_ms": None,
            },
        ]
        assert found["thermal"] == [
            {"zone": "thermal_zone0", "type": "cpu-0-0", "millidegrees": 41_234},
            {"zone": "thermal_zone2", "type": "", "millidegrees": -3_000},
        ]


def test_files_of_odd_content(tmp_path: Path) -> None:
    """A folder where a file belongs, text where a number belongs, bytes that are no text."""
    root = FakeRoot(tmp_path, 2)
    root.write("sys/class/thermal/thermal_zone0/temp/inside", "1")
    root.write("sys/class/thermal/thermal_zone1/temp", "hot")
    root.policy(0, {"scaling_cur_freq": "<unknown>", "stats/time_in_state": "no table"})
    (tmp_path / "sys/devices/system/cpu/cpufreq/policy0/scaling_governor").write_bytes(b'\xff"\n')
    found = conditions("--root", root.path)["before"]
    assert found["thermal"] == []
    assert found["policies"][0]["cur_khz"] is None
    assert found["policies"][0]["governor"] == '\ufffd"'
    assert found["policies"][0]["time_in_state_ms"] == []


def test_the_context_tells_a_shell_from_an_app(tmp_path: Path) -> None:
    root = FakeRoot(tmp_path, 2)
    root.write("proc/self/cpuset", "/foreground")
    root.write("proc/self/cgroup", "3:cpuset:/foreground\n0::/uid_2000/pid_1")
    root.write("proc/cpuinfo", "CPU part\t: 0xd05\n\nCPU part\t: 0xd41\nHardware\t: Odd: SoC")
    answer = tfkit_bench("--model", golden("float32"), "--runs=0", "--root", root.path)
    assert answer.document is not None
    context = answer.document["context"]
    assert context["cpuset"] == "/foreground"
    assert context["cgroup"] == "3:cpuset:/foreground\n0::/uid_2000/pid_1"
    assert context["cpuinfo"] == {"CPU part": ["0xd05", "0xd41"], "Hardware": ["Odd: SoC"]}


def test_nothing_is_taken_when_nothing_is_measured() -> None:
    answer = tfkit_bench("--model", golden("float32"), "--runs=0")
    assert answer.document is not None
    assert answer.document["conditions"] is answer.document["measurement"] is None
