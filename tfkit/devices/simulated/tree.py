"""The file tree of a simulated device: a shell with the tools a phone has, and qemu, copied from this machine.

Nothing of the host shows inside. The kernel refuses Arm programs; tools that start programs (env, setsid, nohup,
timeout, xargs) hand what the kernel refuses to ``/bin/sh``, as POSIX wants it for scripts. Here ``/bin/sh`` looks at
the file and starts qemu, so that Arm programs run without binfmt_misc. Where a namespace may have one of its own
(Linux 6.7) it names ``/bin/sh`` too, and a shell starts them by name alone; elsewhere write ``env ./program``.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tfkit._errors import MissingToolError
from tfkit.devices import qemu

TOOLS = """
    awk base64 basename cat chmod chown cmp cp cut date dd df dirname du echo env expr false find getconf grep
    gzip head id kill ln ls md5sum mkdir mkfifo mktemp mv nice nohup nproc od paste pgrep printenv printf ps
    pwd readlink realpath rm rmdir sed seq setsid sh sha256sum sleep sort split stat sync tail tar taskset tee
    test timeout touch tr true truncate uname uniq wc which xargs
"""
MISSING_IS_FINE = {"which", "taskset", "pgrep", "ps", "getconf"}

LAUNCHER = """#!/system/lib/shell
# What the kernel would not run: a script, or a program for another processor.
case ${{1-}} in '' | -*) exec /system/bin/sh "$@" ;; esac
case $(head -c 20 "$1" 2>/dev/null | od -An -tx1 | tr -d ' \\n') in
7f454c4602*b700)
  if [ -e /system/etc/simulated/exec-denied ]; then echo "$1: Permission denied" >&2; exit 126; fi
  exec /system/lib/qemu-aarch64 -cpu {cpu} "$@" ;;
7f454c46*) echo "$1: Exec format error" >&2; exit 126 ;;
esac
exec /system/bin/sh "$@"
"""


def build(root: Path, cpu: str, *, glibc: bool) -> None:
    """Make the tree in the empty folder ``root``; ``glibc`` gives it Debian's C library for arm64, as a board has.

    Raises ``MissingToolError`` naming what this machine lacks.
    """
    shutil.copytree(_template(), root, dirs_exist_ok=True, symlinks=True, copy_function=_link)
    launcher = root / "bin/sh"
    launcher.parent.mkdir(exist_ok=True)
    launcher.write_text(LAUNCHER.format(cpu=cpu))
    launcher.chmod(0o755)
    if glibc:
        qemu.check_libraries()
        folder = root / "lib/aarch64-linux-gnu"
        folder.mkdir(parents=True, exist_ok=True)
        for name in qemu.LIBRARIES:
            shutil.copy(qemu.SYSROOT / name, folder / name)
        loader = root / "lib" / qemu.LOADER
        loader.symlink_to(folder.relative_to(root / "lib") / qemu.LOADER)


def script(root: Path, name: str, text: str) -> None:
    """A command of the device, replacing a tool of that name."""
    file = root / "system/bin" / name
    file.unlink(missing_ok=True)
    file.write_text(f"#!/system/bin/sh\n{text}")
    file.chmod(0o755)


@functools.cache
def _template() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="tfkit-device-tree-")
    _KEPT.append(folder)
    root = Path(folder.name)
    for part in ("system/bin", "system/lib", "system/etc/simulated", "usr/bin", "dev", "proc", "sys", "data/local/tmp"):
        (root / part).mkdir(parents=True)
    programs = {name: found for name in TOOLS.split() if (found := which(name))}
    lacking = set(TOOLS.split()) - set(programs) - MISSING_IS_FINE
    if lacking:
        raise MissingToolError(
            f"a simulated device is made of this machine's tools; it lacks {', '.join(sorted(lacking))}; "
            "run: apt-get install -y coreutils findutils grep sed gawk procps util-linux tar"
        )
    for name, program in programs.items():
        shutil.copy(program, root / "system/bin" / name)
    emulator = qemu.program()
    shutil.copy(emulator, root / "system/lib/qemu-aarch64")
    shutil.copy(programs["sh"], root / "system/lib/shell")
    for name in qemu.PROGRAMS:  # where binfmt_misc of the host looks for it
        (root / "usr/bin" / name).symlink_to("/system/lib/qemu-aarch64")
    for library in _libraries([*programs.values(), emulator]):
        target = root / library.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    return root


_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # for as long as the process lives


def which(name: str) -> str | None:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/bin:/bin:/usr/sbin:/sbin")
    return os.path.realpath(found) if found else None


def _libraries(programs: list[str]) -> list[Path]:
    """What the programs link against, as ldd says it; programs that link against nothing are no error."""
    said = subprocess.run(["ldd", *dict.fromkeys(programs)], capture_output=True, text=True, timeout=60, check=False)
    return [Path(path) for path in dict.fromkeys(re.findall(r"^\t(?:\S+ => )?(/\S+) \(0x", said.stdout, re.MULTILINE))]


def _link(source: str, target: str) -> None:
    """A hard link where it can be; the tools' content is never written to."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
