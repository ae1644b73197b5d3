"""What devices say about heat, battery and load: recorded forms, and nonsense."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from tfkit.devices import Completed
from tfkit.devices.conditions import Battery, Conditions, Thermal, read
from tfkit.devices.conditions.battery import parse_dumpsys, parse_supplies
from tfkit.devices.conditions.thermal import parse_thermalservice, parse_zones

# The form of Android 10 to 15, after AOSP's ThermalManagerService.dump.
THERMALSERVICE = """\
IsStatusOverride: false
ThermalEventListeners:
	callbacks: 1
Thermal Status: 2
Cached temperatures:
 Temperature{mValue=99.0, mType=3, mName=skin-old, mStatus=0}
HAL Ready: true
HAL connection:
	ThermalHAL 2.0 connected: yes
Current temperatures from HAL:
	Temperature{mValue=41.5, mType=3, mName=VIRTUAL-SKIN, mStatus=2}
	Temperature{mValue=33.1, mType=2, mName=battery, mStatus=0}
	Temperature{mValue=NaN, mType=0, mName=cpu0, mStatus=0}
	Temperature{mValue=-273.15, mType=0, mName=cpu1, mStatus=0}
	Temperature{mValue=61.0, mType=9, mName=npu, mStatus=0}
Current cooling devices from HAL:
	CoolingDevice{mValue=3, mType=2, mName=cpufreq}
Temperature static thresholds from HAL:
	TemperatureThreshold{mType=3, mName=VIRTUAL-SKIN, mHotThrottlingThresholds=[NaN, 39.0]}
"""
BATTERY = """\
Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Max charging current: 500000
  status: 2
  health: 2
  present: true
  level: 57
  scale: 100
  voltage: 4021
  temperature: 312
  technology: Li-ion
"""


def test_thermalservice() -> None:
    thermal = parse_thermalservice(THERMALSERVICE)
    assert thermal == Thermal(2, {"skin:VIRTUAL-SKIN": 41.5, "battery:battery": 33.1, "other:npu": 61.0})
    assert thermal.skin == 41.5
    cached = parse_thermalservice(THERMALSERVICE.replace("from HAL:\n\tTemperature", ":\n").partition("HAL Ready")[0])
    assert cached.celsius == {"skin:skin-old": 99.0}
    assert parse_thermalservice("Can't find service: thermalservice") == Thermal(None, {})


def test_zones() -> None:
    zone = "/sys/class/thermal/thermal_zone"
    thermal = parse_zones(
        {
            f"{zone}0/type": "cpu-thermal",
            f"{zone}0/temp": "48312",
            f"{zone}1/type": "off",
            f"{zone}1/temp": "0",
            f"{zone}2/temp": "abc",
            f"{zone}3/type": "vendor's own",  # whole degrees
            f"{zone}3/temp": "35",
            f"{zone}10/temp": "51000",
            "/proc/loadavg": "1 2 3 1/2 3",
        }
    )
    assert thermal == Thermal(None, {"zone0:cpu-thermal": 48.312, "zone3:vendor's own": 35.0, "zone10:": 51.0})
    assert thermal.skin == 51.0


def test_androids_battery() -> None:
    assert parse_dumpsys(BATTERY) == Battery("Charging", True, 57, 31.2)
    resting = BATTERY.replace("USB powered: true", "USB powered: false").replace("status: 2", "status: 3")
    assert parse_dumpsys(resting) == Battery("Discharging", False, 57, 31.2)
    assert parse_dumpsys("Can't find service: battery") is None
    assert parse_dumpsys(BATTERY.replace("present: true", "present: false")) is None
    # Full and unplugged by software only: a cable is there all the same as far as anyone can tell.
    assert Battery("Full", False).charging
    assert not Battery("Not charging", False).charging


@pytest.mark.parametrize(
    ("supplies", "battery"),
    [
        ({}, None),
        ({"AC/type": "Mains", "AC/online": "1"}, None),
        ({"hid/type": "Battery", "hid/scope": "Device", "hid/status": "Discharging"}, None),
        (
            {
                "BAT0/type": "Battery",
                "BAT0/status": "Discharging",
                "BAT0/capacity": "80",
                "AC/type": "Mains",
                "AC/online": "0",
            },
            Battery("Discharging", False, 80),
        ),
        (
            {"bms/type": "Battery", "bms/status": "Unknown", "battery/type": "Battery", "battery/status": "Charging"},
            Battery("Charging", False),
        ),
        ({"BAT0/type": "Battery", "usb/type": "USB", "usb/online": "1"}, Battery("Unknown", True)),
    ],
)
def test_power_supplies(supplies: dict[str, str], battery: Battery | None) -> None:
    assert parse_supplies({f"/sys/class/power_supply/{name}": text for name, text in supplies.items()}) == battery


class Answering:
    """A device that gives one answer."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        assert command[:2] == ["sh", "-c"]
        assert 0 < timeout <= 60
        return Completed(0, self._answer, "")


def conditions(files: str, **services: str) -> Conditions:
    said = "".join(f"\ntfkit-service {name}\n{text}" for name, text in services.items())
    device: Any = Answering(files + said)
    return read(device)


def test_a_phone_is_asked_for_its_services() -> None:
    shell = "/proc/loadavg:3.25 2.0 1.0 2/900 1234\n/sys/devices/system/cpu/online:0-3,6\n"
    found = conditions(shell, thermalservice=THERMALSERVICE, battery=BATTERY)
    assert found == Conditions(parse_thermalservice(THERMALSERVICE), parse_dumpsys(BATTERY), 3.25, 5)
    assert Conditions.from_json(found.to_json()) == found


def test_a_service_that_says_nothing_spoils_nothing() -> None:
    zone = "/sys/class/thermal/thermal_zone3/"
    found = conditions(f"{zone}type:cpu\n{zone}temp:40000\n", thermalservice="", battery="Can't find service: battery")
    assert found == Conditions(Thermal(None, {"zone3:cpu": 40.0}), None, None, None)


def test_a_shell_without_dumpsys_and_one_with() -> None:
    """The script itself, in a real shell; dumpsys is made up."""
    from tfkit.devices.conditions.read import SCRIPT

    plain = subprocess.run(["sh", "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert "/proc/loadavg:" in plain
    assert "tfkit-service" not in plain
    made_up = f"dumpsys() {{ echo said $1; }}\n{SCRIPT}"
    spoken = subprocess.run(["sh", "-c", made_up], capture_output=True, text=True, check=True).stdout
    assert spoken.endswith(
        "\ntfkit-service thermalservice\nsaid thermalservice\n\ntfkit-service battery\nsaid battery\n"
    )


def test_a_board_is_asked_for_files_only() -> None:
    assert conditions("/proc/loadavg:0.5 0 0 1/1 1\n") == Conditions(Thermal(), None, 0.5, None)


def test_nonsense_never_raises() -> None:
    """Cut, shuffled and repeated pieces of real answers; the seed is in the failure's random state."""
    chance = random.Random(5)
    text = THERMALSERVICE + BATTERY + "/proc/loadavg:nan x\n/sys/devices/system/cpu/online:9-1,-,\n" * 3
    for _ in range(300):
        pieces = [text[start : start + chance.randrange(80)] for start in chance.choices(range(len(text)), k=20)]
        shell, first, second = ("".join(chance.choices(pieces, k=10)) for _ in range(3))
        found = conditions(shell, thermalservice=first, battery=second)
        assert Conditions.from_json(found.to_json()) == found


def test_this_machine_answers() -> None:
    from tfkit.devices import connect

    with connect("local") as device:
        found = read(device)
    assert found.load is not None
    assert found.cpus is not None
