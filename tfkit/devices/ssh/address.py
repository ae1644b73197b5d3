"""``[user@]host[:port]``, as far as tfkit has to understand it; the rest is OpenSSH's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tfkit._errors import UsageError

_SHAPE = re.compile(
    r"(?:(?P<user>[^@\s:/]+)@)?(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^@\s:\[\]/]+))(?::(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True)
class Address:
    """``host`` may be a name from the user's ssh configuration; ``port`` None leaves it to that."""

    host: str
    user: str | None = None
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ``UsageError`` for what is no address, or could be taken for an option of ssh.

        >>> Address.parse("pi@raspberry:2222")
        Address(host='raspberry', user='pi', port=2222)
        >>> Address.parse("[fe80::1%eth0]:22").host
        'fe80::1%eth0'
        """
        found = _SHAPE.fullmatch(text)
        if found is None or text.startswith("-") or "@-" in text or not 0 < int(found["port"] or 22) < 65536:
            raise UsageError(
                f"a board is given as ssh:[user@]host[:port], for example ssh:pi@raspberrypi.local; got 'ssh:{text}'"
            )
        port = None if found["port"] is None else int(found["port"])
        return cls(found["six"] or found["host"], found["user"], port)

    def arguments(self) -> list[str]:
        """For the ssh program, the host last, after the end of options."""
        user = [] if self.user is None else ["-l", self.user]
        port = [] if self.port is None else ["-p", str(self.port)]
        return [*user, *port, "--", self.host]
