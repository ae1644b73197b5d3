"""A closer look at devices, from what they print."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tfkit.devices import cores
from tfkit.devices.conditions import Battery, Conditions, Surroundings, Thermal
from tfkit.devices.conditions.surroundings import SCRIPT, parse

PHONE = """core 0 325 1804800 schedutil -
core 4 1024 2841600 schedutil -
core 5 1024 2841600 schedutil -
Features\t: fp asimd asimddp
room /dev/block/dm-1 1000 400 600 40% /data
tfkit-conditions
/proc/loadavg:0.52 0.31 0.2 1/900 4242
/sys/class/thermal/thermal_zone0/type:cpu-1-0-usr
/sys/class/thermal/thermal_zone0/temp:41000

tfkit-service thermalservice
Thermal Status: 2

tfkit-service battery
  USB powered: true
  status: 2
  level: 81
"""


def test_a_phone() -> None:
    found = parse(PHONE)
    assert found.conditions == Conditions(
        Thermal(2, {"zone0:cpu-1-0-usr": 41.0}), Battery("Charging", True, 81), 0.52, None
    )
    assert (found.free_bytes, found.features) == (600 * 1024, ("fp", "asimd", "asimddp"))
    big = cores.big_cluster(found.cores)
    assert ([core.number for core in big], cores.mask(big)) == ([4, 5], "0x30")


def test_a_board() -> None:
    supply = "/sys/class/power_supply/bat"
    found = parse(
        "core 0 - 1500000 ondemand settable\nthrottled throttled=0x50005\n"
        f"tfkit-conditions\n{supply}/type:Battery\n{supply}/status:Discharging\n{supply}/capacity:55\n"
    )
    assert found.conditions.battery == Battery("Discharging", False, 55)
    assert found.throttled == 0x50005
    assert (found.cores[0].settable, found.cores[0].governor) == (True, "ondemand")


@pytest.mark.parametrize(
    "text", ["", "room df: no such file\nthrottled what\nFeatures\ntfkit-conditions\n/proc/loadavg:\n"]
)
def test_a_machine_that_tells_nothing(text: str) -> None:
    assert parse(text) == Surroundings(Conditions(Thermal(), None, None, None), (), (), None, None)


def test_the_script_in_a_real_shell(tmp_path: Path) -> None:
    said = subprocess.run(["sh", "-c", SCRIPT, "sh", str(tmp_path)], capture_output=True, text=True, check=True).stdout
    found = parse(said)
    assert found.cores
    assert found.features
    assert found.free_bytes is not None
    assert found.conditions.load is not None


def test_without_speeds_all_cores_are_alike() -> None:
    found = cores.parse("core 1 - - - -\ncore 0 - - - -\ncore x 1 2 3 4\n")
    assert [core.number for core in cores.big_cluster(found)] == [0, 1]
    assert cores.big_cluster([]) == []
