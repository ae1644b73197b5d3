"""What ssh's complaints mean and what to do about them."""

from __future__ import annotations

from tfkit.devices.base import Completed

_MARKS = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "shows another host key than before: it was reinstalled, or something stands in between. If you know why, run: "
        "ssh-keygen -R {host}",
    ),
    (
        "Host key verification failed",
        "has a host key that this user has not accepted yet; run once by hand: ssh {host}",
    ),
    (
        "Permission denied",
        "refuses the login; tfkit asks for no passwords. Install your key there (ssh-copy-id {host}) and, if it has a "
        "passphrase, load it (ssh-add)",
    ),
    ("Too many authentication failures", "refuses the login after too many keys; name one in ~/.ssh/config"),
    ("Could not resolve hostname", "is no host name that this machine knows; check the spelling or use its address"),
    ("Connection refused", "runs no ssh server on that port; start it there (systemctl start ssh) or give the port"),
    ("No route to host", "is not reachable; is it switched on and on this network?"),
    ("Network is unreachable", "is not reachable; is this machine on the network?"),
    ("Connection timed out", "does not answer; is it switched on and on this network?"),
    ("timed out", "stopped answering; is it still on, and on this network?"),
    ("Broken pipe", "lost its link in the middle; check the network and repeat the command"),
    ("Connection closed", "closed the connection; was it restarted? Repeat the command"),
    ("Connection reset", "closed the connection; was it restarted? Repeat the command"),
    ("No space left", "has no room left; delete files there, or set TFKIT_DEVICE_ROOT to a folder with room"),
    ("Read-only file system", "may not be written there; set TFKIT_DEVICE_ROOT to a folder that may"),
)


def explain(name: str, host: str, done: Completed) -> str:
    """One sentence for an ssh call that did not do its work."""
    for mark, meaning in _MARKS:
        if mark in done.stderr:
            return f"{name} {meaning.format(host=host)}"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if not lines:
        return f"{name} lost its link in the middle of a command; check the network and repeat it"
    return f"{name}: ssh failed: {lines[-1]}"
