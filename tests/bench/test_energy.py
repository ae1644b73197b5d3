"""Joules from recorded files of each kind of source, with the liberties that vendors take; and when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.bench_documents import process
from tfkit._errors import DeviceError, UnsupportedError
from tfkit.bench.energy import Reading, Source
from tfkit.bench.energy.battery import BatterySource
from tfkit.bench.energy.consumption import find, readings, refuse_charging, summary
from tfkit.bench.energy.counters import OdpmSource, RaplSource
from tfkit.bench.energy.hwmon import HwmonSource
from tfkit.devices import Completed

BATTERY = "/sys/class/power_supply/battery/"
RAPL = "/sys/class/powercap/intel-rapl:0/"
HWMON = "/sys/class/hwmon/hwmon3/"
ODPM = "/sys/bus/iio/devices/iio:device0/energy_value"


def battery(*microamperes: int, volts: int = 4_000_000, folder: str = BATTERY) -> list[Reading]:
    return [
        Reading(float(second), {f"{folder}current_now": str(current), f"{folder}voltage_now": str(volts)})
        for second, current in enumerate(microamperes)
    ]


@pytest.mark.parametrize(
    ("series", "watts"),
    [
        (battery(-250_000, -250_000, -250_000), 1.0),  # Linux' rules: microamperes, out is negative
        (battery(250_000, 250_000, 0), 1.0),  # positive out; each value holds until the next
        (battery(-250, -250, -250), 1.0),  # milliamperes
        (battery(250, 250, 250, volts=4_000), 1.0),  # milliamperes and millivolts
        (battery(5_000_000, 1_000_000, 1), 12.0),  # a peak does not change the scale
    ],
)
def test_the_battery_in_any_sign_and_scale(series: list[Reading], watts: float) -> None:
    assert BatterySource().find(series[0].files)
    assert BatterySource().watts(series) == pytest.approx(watts)


def test_the_battery_entry_that_changes_is_the_gauge() -> None:
    stuck = battery(-900_000, -900_000, -900_000, folder="/sys/class/power_supply/bms/")
    real = battery(-200_000, -300_000, -100_000)
    both = [Reading(a.seconds, {**a.files, **b.files}) for a, b in zip(stuck, real, strict=True)]
    assert BatterySource().watts(both) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (battery(-250_000, 250_000), "changed its direction, so it was charged meanwhile"),
        (battery(0, 0, 0), "shows no current"),
        ([*battery(-250_000), Reading(1.0, {})], "could not be read all the time"),
        ([Reading(0.0, {}), Reading(1.0, {})], "cannot be read any more"),
    ],
)
def test_a_gauge_that_cannot_be_believed(series: list[Reading], message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        BatterySource().watts(series)


def test_rapl_counts_on_after_its_range() -> None:
    def at(second: float, energy: int) -> Reading:
        return Reading(second, {f"{RAPL}energy_uj": str(energy), f"{RAPL}max_energy_range_uj": "10000000"})

    source = RaplSource()
    assert source.find(at(0, 5).files)
    assert source.watts([at(0, 8_000_000), at(1, 9_500_000), at(2, 2_500_000)]) == pytest.approx(4.5 / 2)
    with pytest.raises(DeviceError, match="RAPL needs root"):
        source.watts([at(0, 1), Reading(1, {})])
    with pytest.raises(DeviceError, match="does not say where it starts again"):
        source.watts([Reading(0, {f"{RAPL}energy_uj": "5"}), Reading(1, {f"{RAPL}energy_uj": "1"})])


def test_power_rails() -> None:
    def at(second: float, tpu: int, cpu: int) -> Reading:
        return Reading(second, {ODPM: f"t=123\nCH0(T=123)[S10M_VDD_TPU], {tpu}\nCH1(T=123)[S2M_VDD_CPUCL2], {cpu}"})

    source = OdpmSource()
    assert source.find(at(0, 0, 0).files)
    assert not source.find({ODPM: "Permission denied"})
    assert source.watts([at(10, 1_000_000, 5_000_000), at(14, 3_000_000, 11_000_000)]) == pytest.approx(2.0)
    with pytest.raises(DeviceError, match="ran backwards"):
        source.watts([at(0, 5, 5), at(1, 0, 9)])


def test_board_sensors() -> None:
    def at(second: float, **files: int) -> Reading:
        return Reading(second, {f"{HWMON}{name}": str(value) for name, value in files.items()})

    source = HwmonSource()
    # The input rail sees what the processor's rail takes; it is not counted twice.
    series = [at(0, power1_input=5_000_000, power2_input=2_000_000), at(1, power1_input=0, power2_input=0)]
    assert source.find(series[0].files)
    assert source.watts(series) == pytest.approx(5.0)
    ina3221 = [at(s, curr1_input=1500, in1_input=5000, curr2_input=9, in3_input=1) for s in (0, 2)]
    assert source.watts(ina3221) == pytest.approx(7.5)
    assert not source.find(at(0, in1_input=5000).files)
    with pytest.raises(DeviceError, match="could be read all the time"):
        source.watts([series[0], Reading(1, {})])


def test_what_the_sampler_writes_is_read_back_among_other_lines() -> None:
    text = (
        f"noise before\ntfkit-reading 10.5\n{BATTERY}current_now:-250000\nWARNING: of the runner\n"
        f"{BATTERY}voltage_now:4000000\ntfkit-reading soon\nlost\ntfkit-reading 11.5\n"
        f"{ODPM}:t=1\n{ODPM}:CH0(T=1)[A:B], 7\n"
    )
    assert list(readings(text)) == [
        Reading(10.5, {f"{BATTERY}current_now": "-250000", f"{BATTERY}voltage_now": "4000000"}),
        Reading(11.5, {ODPM: "t=1\nCH0(T=1)[A:B], 7"}),
    ]


def test_idle_power_is_taken_off() -> None:
    idle, loop = battery(-250_000, -250_000), battery(-750_000, -750_000)
    document = process([10_000_000] * 100)  # one second
    found = summary(BatterySource(), idle, loop, document)
    assert (found["idle_watts"], found["loop_watts"], found["runs"]) == (pytest.approx(1.0), pytest.approx(3.0), 100)
    assert found["joules_per_run"] == pytest.approx(0.02)
    with pytest.raises(DeviceError, match="3 W with the model, 3 W without"):
        summary(BatterySource(), loop, loop, document)
    with pytest.raises(DeviceError, match="1 readings of the loop phase"):
        summary(BatterySource(), idle, loop[:1], document)


class Telling:
    """A device that answers by the files that a command asks for."""

    name = "adb"

    def __init__(self, files: str = "", dumpsys: str = "", kind: str = "adb") -> None:
        self._files, self._dumpsys, self._kind = files, dumpsys, kind

    def properties(self) -> dict[str, str]:
        return {"kind": self._kind}

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        if "/proc/loadavg" in command[-1]:
            return Completed(0, f"\ntfkit-service battery\n{self._dumpsys}", "")
        return Completed(0, self._files, "")


class AnyBench:
    def __init__(self, device: Telling) -> None:
        self.device = device


def test_a_device_without_a_source() -> None:
    device: Any = Telling()
    with pytest.raises(
        UnsupportedError, match=r"adb tells nothing about its energy; looked for power rails .*RAPL, battery"
    ):
        find(device)
    told: Any = Telling(f"{BATTERY}current_now:1\n{BATTERY}voltage_now:1\n")
    assert find(told).name == "battery gauge"


@pytest.mark.parametrize(
    ("source", "kind", "status", "refused"),
    [
        (BatterySource(), "adb", 2, True),
        (BatterySource(), "adb", 5, True),
        (BatterySource(), "adb", 3, False),
        (OdpmSource(), "adb", 2, True),
        (HwmonSource(), "ssh", 2, False),
    ],
)
def test_energy_is_refused_while_charging(source: Source, kind: str, status: int, refused: bool) -> None:
    device = Telling("", f"  USB powered: false\n  status: {status}\n  level: 50\n", kind)
    bench: Any = AnyBench(device)
    if refused:
        with pytest.raises(UnsupportedError, match=r"is charging \(.*unplug it"):
            refuse_charging(bench, source)
    else:
        refuse_charging(bench, source)


def test_the_whole_measurement_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real runner, real shell, real sampler; only the power is made up."""
    from helpers.flatbuffers import golden
    from tfkit import bench

    class Folder:
        name = "files of a test"
        globs = (f"{tmp_path}/power",)
        drains = False

        def find(self, files: Any) -> bool:
            return True

        def watts(self, series: Sequence[Reading]) -> float:
            assert len(series) >= 2
            return 1.0 if series is idle[0] else 3.0

    idle: list[Any] = []
    real: Callable[..., dict[str, Any]] = summary

    def spied(source: Source, first: Any, loop: Any, answer: Any) -> dict[str, Any]:
        idle.append(first)
        return real(source, first, loop, answer)

    monkeypatch.setattr("tfkit.bench.energy.consumption.SOURCES", (Folder(),))
    monkeypatch.setattr("tfkit.bench.energy.consumption.IDLE_SECONDS", 2)
    monkeypatch.setattr("tfkit.bench.energy.consumption.LOOP_SECONDS", 4.0)
    monkeypatch.setattr("tfkit.bench.energy.consumption.summary", spied)
    report = bench.run(golden("int8"), preset="quick", energy=True)
    energy = report.results[0].energy
    assert energy is not None
    assert energy["loop_seconds"] == pytest.approx(4.0, rel=0.2)
    assert energy["joules_per_run"] == pytest.approx(2.0 * energy["loop_seconds"] / energy["runs"])
    assert "mJ per run above 1 W idle (files of a test)" in bench.as_table(report)
