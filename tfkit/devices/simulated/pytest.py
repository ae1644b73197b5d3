"""Fixtures for any test suite: ``pytest_plugins = ["tfkit.devices.simulated.pytest"]``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tfkit.devices.simulated.adb_server import private_server
from tfkit.devices.simulated.phone import Phone


@pytest.fixture(scope="session")
def _adb_environment() -> Iterator[dict[str, str]]:
    with private_server() as environment:
        yield environment


@pytest.fixture
def private_adb(_adb_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """adb talks to a server of the test session; a server that the user runs is left alone."""
    for name in ("ANDROID_SERIAL", "ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", _adb_environment["ANDROID_ADB_SERVER_PORT"])
    return _adb_environment


@pytest.fixture
def simulated_phone(private_adb: dict[str, str]) -> Iterator[Phone]:
    """A fresh simulated phone; ``.spec`` is what ``--device`` takes."""
    with Phone() as phone:
        yield phone
        _forget(phone)


def _forget(phone: Phone) -> None:
    """The session's adb server does not go on looking for a phone that is gone."""
    from tfkit.devices import process

    process.run(["adb", "disconnect", phone.serial], timeout=30)
