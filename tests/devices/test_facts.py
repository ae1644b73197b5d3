"""Facts about a machine from files of a machine."""

from __future__ import annotations

from pathlib import Path

from tfkit.devices import facts
from tfkit.devices.arm_cpus import CPUS


def test_a_machine_with_governors(tmp_path: Path) -> None:
    for index, governor in enumerate(["schedutil", "schedutil", "performance"]):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{index}/cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(governor + "\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(CPUS["cortex-a72"].cpuinfo(2))
    found = facts.host(tmp_path)
    assert found["governors"] == ["performance", "schedutil"]
    assert found["cpu_model"] == "implementer 0x41 parts 0xd08"


def test_a_machine_that_shows_nothing(tmp_path: Path) -> None:
    found = facts.host(tmp_path)
    assert found["governors"] is None
    assert found["cpu_model"] is None


def test_cpuinfo_has_one_entry_per_core() -> None:
    text = CPUS["cortex-a53"].cpuinfo(4)
    assert [line for line in text.splitlines() if line.startswith("processor")] == [
        f"processor\t: {i}" for i in range(4)
    ]
    assert text.count("CPU part\t: 0xd03\n") == 4
    assert "asimddp" not in text
    assert "asimddp" in CPUS["cortex-a76"].cpuinfo(1)
