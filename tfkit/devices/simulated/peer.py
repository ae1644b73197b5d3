"""Who is at the other end of a loopback connection: what runs commands for others serves its own user only."""

from __future__ import annotations

import os
from pathlib import Path

LOOPBACK = "0100007F"  # 127.0.0.1 as /proc/net/tcp writes it


def is_ours(address: tuple[str, int], port: int, table: Path = Path("/proc/net/tcp")) -> bool:
    """Whether a connection from ``address`` to our ``port`` was made by this user, or by root.

    Where the kernel does not tell (no such table), everyone on this machine is let in.
    """
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return True
    wanted = [f"{LOOPBACK}:{address[1]:04X}", f"{LOOPBACK}:{port:04X}"]
    owners = [int(fields[7]) for line in lines if (fields := line.split())[1:3] == wanted]
    return not owners or owners[0] in (os.geteuid(), 0)
