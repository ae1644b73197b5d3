"""What adb's complaints mean and what to do about them."""

from __future__ import annotations

from tfkit.devices.base import Completed

# As ``adb devices`` names them.
STATES = {
    "unauthorized": "unlock its screen and accept this computer's key (tick 'Always allow'); if nothing shows, revoke "
    "USB debugging authorizations in its Developer options and plug it in again",
    "authorizing": "unlock its screen and accept this computer's key",
    "offline": "it does not answer; unplug it and plug it in again, or run: adb reconnect offline",
    "connecting": "it does not answer yet; wait, or run: adb reconnect offline",
    "no permissions": "this user may not open the USB device; install the udev rules (apt-get install "
    "android-sdk-platform-tools-common), join the group plugdev and plug it in again",
    "recovery": "it is in recovery; restart it: adb reboot",
    "sideload": "it is in sideload mode; restart it: adb reboot",
    "bootloader": "it is in the bootloader; restart it: fastboot reboot",
}
_MARKS = (
    ("unauthorized", f"is unauthorized: {STATES['unauthorized']}"),
    ("device offline", f"is offline: {STATES['offline']}"),
    ("still connecting", f"is connecting: {STATES['connecting']}"),
    ("not found", "went away: unplugged, restarted, or out of reach. Plug it in again and repeat the command"),
    (
        "no devices/emulators",
        "went away: unplugged, restarted, or out of reach. Plug it in again and repeat the command",
    ),
    ("more than one device", "is not the only device; say which one, see: tfkit devices"),
    ("no permissions", f"cannot be opened: {STATES['no permissions']}"),
    ("insufficient permissions", f"cannot be opened: {STATES['no permissions']}"),
    ("No space left", "has no room left; delete files there (tfkit's are in /data/local/tmp/tfkit)"),
    ("Read-only file system", "may not be written there; set TFKIT_DEVICE_ROOT to a folder that may"),
    ("Permission denied", "refuses: permission denied; set TFKIT_DEVICE_ROOT to a folder that may be written"),
    ("cannot connect to daemon", "has no adb server here; run: adb start-server"),
    ("failed to start server", "has no adb server here; run: adb start-server"),
    ("protocol fault", "lost its link in the middle; check the cable and repeat the command"),
    ("error: closed", "lost its link in the middle; check the cable and repeat the command"),
)


def explain(name: str, done: Completed) -> str:
    """One sentence for an adb call that did not do its work."""
    said = f"{done.stderr}\n{done.stdout}"
    for mark, meaning in _MARKS:
        if mark in said:
            return f"{name} {meaning}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if not lines:
        return f"{name} lost its link in the middle of a command; check the cable or the network and repeat it"
    return f"{name}: adb failed: {lines[-1]}"
