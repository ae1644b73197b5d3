"""Waiting for a cool device, with a device that cools and a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tfkit.bench import cooling
from tfkit.bench.cooling import POLL_SECONDS, Cooler
from tfkit.devices.conditions import Conditions, Thermal


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def cooler(monkeypatch: pytest.MonkeyPatch, clock: Clock, readings: Sequence[Thermal]) -> Cooler:
    """A device with these readings, the last one for ever."""

    def answers() -> Iterator[Thermal]:
        yield from readings
        while True:
            yield readings[-1]

    left = answers()
    monkeypatch.setattr(cooling, "read", lambda device: Conditions(next(left), None, None, None))
    device: Any = object()
    return Cooler(device, clock.sleep, clock)


def skin(celsius: float, status: int = 0) -> Thermal:
    return Thermal(status, {"skin:s": celsius, "cpu:c": 90.0})


def test_a_cool_device_waits_for_nothing(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    said: list[str] = []
    before, how = cooler(monkeypatch, clock, [skin(30.0)]).wait(300, said.append)
    assert how == {"cool": True, "why": None, "waited_s": 0.0}
    assert before.thermal.skin == 30.0
    assert (clock.now, said) == (0.0, [])


def test_a_warm_device_cools_to_two_degrees_above_its_first_reading(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    said: list[str] = []
    device = cooler(monkeypatch, clock, [skin(30.0), skin(34.0), skin(33.0), skin(32.0)])
    device.wait(300, said.append)
    after, how = device.wait(300, said.append)
    assert after.thermal.skin == 32.0
    assert how == {"cool": True, "why": None, "waited_s": 2 * POLL_SECONDS}
    assert said == ["waiting up to 300 s for the device to cool: 34.0 C, 32.0 C wanted"]


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        (skin(45.0), "45.0 C, 37.0 C wanted"),  # however warm it was at first
        (skin(30.0, status=1), "thermal status light"),
    ],
)
def test_the_wait_ends_and_says_so(reading: Thermal, why: str, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    _, how = cooler(monkeypatch, clock, [reading]).wait(300, lambda line: None)
    assert how == {"cool": False, "why": why, "waited_s": 300.0}


def test_a_chip_may_be_warmer_than_a_hand_could_hold(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    readings = [Thermal(None, {"zone0:cpu": value}) for value in (55.0, 64.0, 70.0, 66.0, 65.0)]
    device = cooler(monkeypatch, clock, readings)
    for _ in range(2):
        assert device.wait(300, lambda line: None)[1]["waited_s"] == 0.0
    assert device.wait(300, lambda line: None)[1] == {"cool": True, "why": None, "waited_s": 2 * POLL_SECONDS}


def test_a_machine_without_sensors_is_cool(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    assert cooler(monkeypatch, clock, [Thermal()]).wait(300, lambda line: None)[1]["cool"]


def test_a_preset_without_cooling_looks_once(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    _, how = cooler(monkeypatch, clock, [skin(30.0, status=1)]).wait(0.0, lambda line: None)
    assert how["cool"] is False
    assert clock.now == 0.0
