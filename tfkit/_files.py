"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfkit._errors import InputError, UsageError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it on success and vanishes on failure.

    The temporary name keeps the suffix, because savers choose a format by it.
    Raises ``InputError`` when the folder is missing or not writable - at once, before the work is done - or full.
    """
    _refuse_special(Path(path))
    target = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror}; choose a folder that exists and is writable"
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes 0600; a result file is as readable as any other
        temporary.replace(target)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise InputError(f"cannot write {target}: {error.strerror}; make room or choose another folder") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise ``InputError`` now rather than after an hour of work when ``path`` cannot be written."""
    target = Path(path)
    _refuse_special(target)
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: no folder {target.parent}; create it or choose another")
    if not os.access(target.parent, os.W_OK):
        raise InputError(f"cannot write {target}: {target.parent} is not writable; choose another folder")


def check_model_file(path: str | os.PathLike[str]) -> None:
    """As ``check_writable`` for a model to be saved: ``UsageError`` when the name does not end in ``.keras``."""
    target = Path(path)
    if target.suffix != ".keras":
        raise UsageError(f"models are saved as .keras files, which can hold metadata; got {target.name!r}")
    check_writable(target)


def _refuse_special(target: Path) -> None:
    """What appears whole replaces what was there: a device such as /dev/null would be gone for the whole machine."""
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder; give a file name")
    if target.exists() and not target.is_file():
        raise InputError(f"cannot write {target}: it is no regular file; give the name of a file")
