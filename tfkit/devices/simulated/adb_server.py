"""An adb server of one's own, on a private port: the user's server and its devices are never touched."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator

from tfkit._errors import MissingToolError

INSTALL = "apt-get install -y adb"


@contextlib.contextmanager
def private_server() -> Iterator[dict[str, str]]:
    """Environment variables under which ``adb`` talks to a fresh server; it is ended afterwards.

    Raises ``MissingToolError`` when adb is not installed.
    """
    adb = shutil.which("adb")
    if adb is None:
        raise MissingToolError(f"adb is not installed; run: {INSTALL}")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="tfkit-adb-", ignore_cleanup_errors=True) as home:
        changes = {"ANDROID_ADB_SERVER_PORT": str(port), "HOME": home, "ADB_MDNS": "0", "TMPDIR": home}
        environment = {**os.environ, **changes}
        try:
            yield changes
        finally:
            subprocess.run([adb, "kill-server"], env=environment, capture_output=True, timeout=30, check=False)
