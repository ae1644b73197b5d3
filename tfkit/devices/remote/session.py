"""One use of a device: its folder there, what runs from it, and what lost sessions left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfkit._errors import DeviceError
from tfkit.devices import userland
from tfkit.devices.base import Completed
from tfkit.devices.process import TimedOut
from tfkit.devices.remote.framing import quoted
from tfkit.devices.remote.host_lock import HostLock, is_lost
from tfkit.devices.remote.link import Link

OPEN_TIMEOUT_S = 60.0
CLEAN_TIMEOUT_S = 20.0
VARIABLE = "TFKIT_SESSION"

_OPEN = """
umask 077
mkdir -p {root}/cache {run} || exit 97
echo "== tools"
for t in setsid sha256sum; do command -v $t; done
echo "== runs"
ls {root}/runs
echo "== cache"
cd {root}/cache && wc -c */* 2>/dev/null
echo "== userland"
"""
# Every process of a session has its name in the environment, wherever it moved itself.
_END = """
for e in /proc/[0-9]*/environ; do
  p=${{e#/proc/}}; p=${{p%/environ}}
  if [ "$p" != $$ ] && grep -q {mark} "$e" 2>/dev/null; then kill -9 "$p" 2>/dev/null; fi
done
for f in {run}/*.pid; do [ -r "$f" ] && {{ p=$(cat "$f"); kill -9 -"$p" "$p" 2>/dev/null; }}; done
rm -rf {run}
"""


@dataclass
class Session:
    """One session.

    ``cached`` maps paths below ``root/cache`` to sizes, ``used`` are those that this session relies on; ``tools`` are
    the programs that matter and exist.
    """

    link: Link
    root: str
    userland: userland.Userland
    tools: frozenset[str]
    cached: dict[str, int]
    _lock: HostLock
    used: set[str] = field(default_factory=set)
    _started: int = field(default=0)

    @classmethod
    def open(cls, link: Link, root: str) -> Session:
        """Make the session's folder, look around in one round trip, and end what lost sessions left running."""
        lock = HostLock()
        try:
            run = f"{root}/runs/{lock.name}"
            done = link.script(
                _OPEN.format(root=quoted([root]), run=quoted([run])) + userland.PROBE, timeout=OPEN_TIMEOUT_S
            )
            if done.exit_code == 97:
                raise DeviceError(_no_folder(link.name, root, done.stderr))
            found = _sections(done.stdout)
            tools = frozenset(path.rpartition("/")[2] for path in found.get("tools", []))
            session = cls(
                link,
                root,
                userland.parse("\n".join(found.get("userland", []))),
                tools,
                _sizes(found.get("cache", [])),
                lock,
            )
            for name in found.get("runs", []):
                if is_lost(name):
                    session._end(name)
            return session
        except BaseException:
            lock.release()
            raise

    @property
    def name(self) -> str:
        """Its own among all sessions of all hosts."""
        return self._lock.name

    @property
    def folder(self) -> str:
        """The session's own folder on the device."""
        return f"{self.root}/runs/{self._lock.name}"

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        """Run a program in a session of its own, so that a lost link cannot take it for its terminal.

        However the call ends, by an error, a time limit or Ctrl-C, the program does not outlive it.
        """
        self._started += 1
        pid = quoted([f"{self.folder}/{self._started}.pid"])
        starter = "setsid " if "setsid" in self.tools else ""
        script = (
            f"cd {quoted([self.folder])} || exit 98\n"
            f"{VARIABLE}={self._lock.name}; export {VARIABLE}\n"
            f"{starter}{quoted(command)} </dev/null &\np=$!; echo $p >{pid}; wait $p; c=$?; rm -f {pid}; exit $c"
        )
        try:
            return self.link.script(script, timeout=timeout)
        except TimedOut as error:
            self._kill()
            raise TimedOut(
                f"{command[0].rpartition('/')[2]} has not ended on {self.link.name} after {timeout:g} s and was killed"
            ) from error
        except BaseException:
            self._kill()
            raise

    def close(self) -> None:
        """Remove the session's folder and whatever still runs; a device that is gone is cleaned next time.

        The files that were used get the present time, by which the cache drops those that nobody uses.
        """
        try:
            with contextlib.suppress(DeviceError):
                self._end(self._lock.name, first=self._mark_used())
        finally:
            self._lock.release()

    def _kill(self) -> None:
        with contextlib.suppress(DeviceError):
            self._end(self._lock.name, keep=True)

    def _mark_used(self) -> str:
        return f"(cd {quoted([self.root])}/cache && touch -c {quoted(sorted(self.used))})" if self.used else ""

    def _end(self, name: str, *, keep: bool = False, first: str = "") -> None:
        run = quoted([f"{self.root}/runs/{name}"])
        again = f"\nmkdir -p {run}" if keep else ""
        self.link.script(first + _END.format(mark=f"{VARIABLE}={name}", run=run) + again, timeout=CLEAN_TIMEOUT_S)


def _sections(text: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:].strip(), [])
        elif found and line.strip():
            lines.append(line.rstrip("\r"))
    return found


def _sizes(lines: Sequence[str]) -> dict[str, int]:
    pairs = (line.split(None, 1) for line in lines)
    return {pair[1]: int(pair[0]) for pair in pairs if len(pair) == 2 and pair[0].isdigit() and "/" in pair[1]}


def _no_folder(name: str, root: str, complaint: str) -> str:
    reason = (complaint.strip().splitlines() or ["no reason given"])[-1]
    return (
        f"{name}: cannot make the folder {root} ({reason}). Make room there, or set TFKIT_DEVICE_ROOT to a folder on "
        "the device that may be written to and executed from"
    )
