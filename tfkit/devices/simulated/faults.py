"""What can go wrong with a device, to be switched on and off."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass


@dataclass
class Faults:
    """All off by default. Set them on ``Phone.faults`` at any time."""

    # The link
    unauthorized: bool = False
    """The user never says yes to the host's key."""
    offline: bool = False
    """The device does not answer the host's greeting."""
    drop_push_after: int | None = None
    """The link breaks when a push has brought this many bytes (once)."""
    drop_command: str | None = None
    """The link breaks during a command that contains this text (once)."""
    drop_after: float = 0.5
    """Seconds from the start of that command."""
    hang_command: str | None = None
    """A command that contains this text never ends."""
    # The files
    free_bytes: int | None = None
    """Room left; a push beyond it fails with "No space left on device"."""
    corrupt_pushes: int = 0
    """So many pushes arrive with one bit changed."""
    # The system
    no_shell_v2: bool = False
    """Android before 7: no exit codes, both outputs in one stream."""
    exec_denied: bool = False
    """Pushed programs may not be executed, as SELinux or a noexec mount has it."""

    def store(self, data: bytes) -> bytes:
        """What arrives on the disk of a piece that was pushed; raises ``OSError`` when there is no room."""
        if self.free_bytes is not None:
            if len(data) > self.free_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.free_bytes -= len(data)
        if self.corrupt_pushes > 0:
            self.corrupt_pushes -= 1
            return bytes([data[0] ^ 1]) + data[1:]
        return data
