"""Conditions from what devices print."""

from __future__ import annotations

from tfkit.devices import conditions, cores

PHONE = """core 0 325 1804800 schedutil -
core 4 1024 2841600 schedutil -
core 5 1024 2841600 schedutil -
zone 41000 cpu-1-0-usr
zone 35 old-vendor
zone -274000 broken
zone 0 off
load 0.52 0.31 0.2 1/900 4242
Features\t: fp asimd asimddp
room /dev/block/dm-1 1000 400 600 40% /data
android Thermal Status: 2
android   USB powered: true
android   level: 81
"""


def test_a_phone() -> None:
    found = conditions.parse(PHONE)
    assert found.zones == (("cpu-1-0-usr", 41.0), ("old-vendor", 35.0))
    assert (found.thermal_status, found.charging, found.battery_percent) == (2, True, 81)
    assert (found.free_bytes, found.load, found.features) == (600 * 1024, 0.52, ("fp", "asimd", "asimddp"))
    big = cores.big_cluster(found.cores)
    assert ([core.number for core in big], cores.mask(big)) == ([4, 5], "0x30")


def test_a_board() -> None:
    text = "core 0 - 1500000 ondemand settable\nbattery Discharging 55\nthrottled throttled=0x50005\n"
    found = conditions.parse(text)
    assert (found.charging, found.battery_percent, found.throttled) == (False, 55, 0x50005)
    assert (found.cores[0].settable, found.cores[0].governor) == (True, "ondemand")


def test_a_machine_that_tells_nothing() -> None:
    found = conditions.parse("load \nzone - \nroom df: no such file\n")
    assert found == conditions.Conditions((), (), (), None, None, None, None, None, None)


def test_without_speeds_all_cores_are_alike() -> None:
    found = cores.parse("core 1 - - - -\ncore 0 - - - -\ncore x 1 2 3 4\n")
    assert [core.number for core in cores.big_cluster(found)] == [0, 1]
    assert cores.big_cluster([]) == []
