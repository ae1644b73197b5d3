"""Which devices the adb server knows, and which one is meant."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tfkit._errors import DeviceError, UsageError
from tfkit.devices.adb import client
from tfkit.devices.adb.complaints import STATES, explain

_NETWORK = re.compile(r"[\w.\-\[\]:]+:\d{1,5}")

# How long a phone that lost its link may take until it answers again.
RETURN_S = 5.0
# States in which the phone's user is asked for the key.
ASKING = ("unauthorized", "authorizing")


@dataclass(frozen=True)
class Attached:
    """One line of ``adb devices -l``; ``state`` is ``device`` when it can be used."""

    serial: str
    state: str
    model: str | None = None

    @property
    def ready(self) -> bool:
        return self.state == "device"

    @property
    def advice(self) -> str | None:
        """What to do about a device that cannot be used."""
        return (
            None if self.ready else STATES.get(self.state, f"adb says {self.state!r}; unplug it and plug it in again")
        )


def parse(text: str) -> list[Attached]:
    """The devices in what ``adb devices -l`` printed.

    >>> parse("List of devices attached\\n0A1B  device usb:1-1 product:oriole model:Pixel_6 device:oriole\\n")
    [Attached(serial='0A1B', state='device', model='Pixel 6')]
    >>> parse("List of devices attached\\nX1  no permissions (user not in plugdev); see [http://x]\\n")[0].state
    'no permissions'
    """
    found = []
    for line in text.splitlines():
        serial, _, rest = line.partition("\t") if "\t" in line else line.partition(" ")
        rest = rest.strip()
        if not rest or line.startswith(("List of", "*")):
            continue
        state = "no permissions" if rest.startswith("no permissions") else rest.split()[0]
        model = re.search(r"\bmodel:(\S+)", rest)
        found.append(Attached(serial, state, model[1].replace("_", " ") if model else None))
    return found


def attached() -> list[Attached]:
    """Every device the server knows. Raises ``MissingToolError`` without adb, ``DeviceError`` without a server."""
    done = client.run(["devices", "-l"], timeout=client.SERVER_TIMEOUT_S)
    if done.exit_code:
        raise DeviceError(explain("adb", done))
    return parse(done.stdout)


def choose(wanted: str, default: str | None = None) -> str:
    """The serial that is meant: the wanted one, else ``default``, else the only one there is.

    Raises:
        UsageError: several devices and none named; lists them.
        DeviceError: none, not this one, or one that cannot be used; says what to do.
    """
    found = attached()
    name = wanted or default or ""
    if _NETWORK.fullmatch(name) and not any(one.serial == name and one.ready for one in found):
        found = _connected(name)
    if not name:
        return _only(found)
    chosen = [one for one in found if one.serial == name]
    if not chosen:
        raise DeviceError(f"adb knows no device {name!r}; attached: {_list(found)}. See: tfkit devices")
    if chosen[0].advice:
        raise DeviceError(f"adb:{name} is {chosen[0].state}: {chosen[0].advice}")
    return name


def _connected(name: str) -> list[Attached]:
    """What is attached after ``adb connect``; one that lost its link takes a moment to be itself again."""
    deadline = time.monotonic() + RETURN_S
    while True:
        said = client.run(["connect", name], timeout=client.SERVER_TIMEOUT_S).stdout.strip()
        found = attached()
        answers = any(one.serial == name and (one.ready or one.state in ASKING) for one in found)
        if answers or time.monotonic() > deadline:
            break
        client.run(["disconnect", name], timeout=client.SERVER_TIMEOUT_S)
        time.sleep(0.3)
    if not any(one.serial == name for one in found):
        raise DeviceError(
            f"adb cannot reach {name} ({said}); is the device on this network with debugging over Wi-Fi on?"
        )
    return found


def _only(found: Sequence[Attached]) -> str:
    if not found:
        raise DeviceError(
            "no Android device is attached; plug one in with USB debugging on (Settings, Developer options), or give "
            "adb:HOST:PORT for debugging over Wi-Fi"
        )
    ready = [one for one in found if one.ready]
    if len(found) > 1 and len(ready) != 1:
        raise UsageError(f"{len(found)} Android devices are attached; say which: {_list(found)}")
    if not ready:
        raise DeviceError(f"adb:{found[0].serial} is {found[0].state}: {found[0].advice}")
    return ready[0].serial


def _list(found: Sequence[Attached]) -> str:
    return ", ".join(f"adb:{one.serial}" + (f" ({one.model or one.state})") for one in found) or "none"
