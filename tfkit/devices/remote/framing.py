"""Scripts framed so that their end is certain.

A lost link and a command that fails look alike in an exit code (ssh returns 255 for both, old Androids always 0). So a
script ends by printing a word that nothing else prints, with its exit code; an answer without it was cut off.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from tfkit.devices.base import Completed


def quoted(words: Iterable[str]) -> str:
    """A command line that a POSIX shell splits into exactly these words.

    >>> quoted(["cat", "a 'b'; $(c)"])
    'cat \\'a \\'"\\'"\\'b\\'"\\'"\\'; $(c)\\''
    """
    return " ".join(shlex.quote(word) for word in words)


@dataclass(frozen=True)
class Frame:
    """One script with its end mark; ``spool`` is a device file for standard error where both streams come as one."""

    text: str
    word: str
    spool: str | None

    @classmethod
    def around(cls, script: str, spool_folder: str | None = None) -> Frame:
        word = f"tfkit-{secrets.token_hex(8)}"
        if spool_folder is None:
            return cls(f"(\n{script}\n)\nprintf '\\n%s %d\\n' {word} $? >&2", word, None)
        spool = f"{spool_folder}/{word}"
        end = f"printf '\\n%s %d\\n' {word} $?\ncat {shlex.quote(spool)}\nrm -f {shlex.quote(spool)}"
        return cls(f"(\n{script}\n) 2>{shlex.quote(spool)}\n{end}", word, spool)

    def open(self, answer: Completed) -> Completed | None:
        """What the script itself answered; None when the answer was cut off."""
        marked = answer.stderr if self.spool is None else answer.stdout
        found = re.search(rf"\r?\n{self.word} (\d+)\r?\n", marked)
        if found is None:
            return None
        if self.spool is None:
            return Completed(int(found[1]), answer.stdout, marked[: found.start()] + marked[found.end() :])
        return Completed(int(found[1]), marked[: found.start()], marked[found.end() :])
