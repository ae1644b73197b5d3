"""Boards through the OpenSSH client."""

from __future__ import annotations

import os

from tfkit._errors import DeviceError
from tfkit.devices.remote import RemoteDevice
from tfkit.devices.ssh.address import Address
from tfkit.devices.ssh.link import SshLink

FIRST_TIMEOUT_S = 30.0


def connect(which: str) -> RemoteDevice:
    """Open ``ssh:[user@]host[:port]``; tfkit's files go to ``~/.cache/tfkit`` there, or to $TFKIT_DEVICE_ROOT.

    Raises:
        UsageError: no such address.
        DeviceError: the board does not answer or refuses; says what to do.
        MissingToolError: ssh is not installed.
    """
    link = SshLink(Address.parse(which), which)
    try:
        return RemoteDevice(link, os.environ.get("TFKIT_DEVICE_ROOT") or _home_cache(link))
    except BaseException:
        link.close()
        raise


def _home_cache(link: SshLink) -> str:
    done = link.script('printf "%s" "$HOME"', timeout=FIRST_TIMEOUT_S)
    if not done.stdout.startswith("/"):
        raise DeviceError(f"{link.name} names no home folder; set TFKIT_DEVICE_ROOT to a folder there")
    return f"{done.stdout.rstrip('/')}/.cache/tfkit"
