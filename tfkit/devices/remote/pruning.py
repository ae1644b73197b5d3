"""The cache on a device kept within a bound: what was not used for longest goes first."""

from __future__ import annotations

from tfkit.devices.remote.framing import quoted
from tfkit.devices.remote.session import Session

# Dozens of models beside the programs, and little of what any phone or board has.
LIMIT_BYTES = 512 << 20
TIMEOUT_S = 60.0

# Counted in KiB: Android's shell has 32 bits. Where another session is at work nothing goes, since that one has seen
# what is there and relies on it; a folder that saw no command for a day is no session's any more. A device that cannot
# tell (no find, no ls by time) keeps everything.
_SCRIPT = """
cd {cache} || exit 0
for r in ../runs/*; do
  [ "$r" = ../runs/{own} ] || [ -z "$(find "$r" -prune -mtime -1 2>&1)" ] || exit 0
done
kib() {{ echo $((($(wc -c <"$1") + 1023) / 1024)); }}
over=-{room}
for f in */*; do [ -f "$f" ] && over=$((over + $(kib "$f"))); done
ls -trd */* 2>/dev/null | while read -r f; do
  [ $over -gt 0 ] || break
  case " {used} " in *" $f "*) continue ;; esac
  size=$(kib "$f") && rm -f "./$f" || continue
  rmdir "./${{f%/*}}" 2>/dev/null
  over=$((over - size)); echo "$f"
done
true
"""


def make_room(session: Session, arriving: int) -> None:
    """Drop files of the cache until ``arriving`` bytes more are within the bound; never one that this session uses.

    Raises ``DeviceError``.
    """
    if sum(session.cached.values()) + arriving <= LIMIT_BYTES:
        return
    script = _SCRIPT.format(
        cache=quoted([f"{session.root}/cache"]),
        own=session.name,
        room=max(LIMIT_BYTES - arriving, 0) >> 10,
        used=" ".join(sorted(session.used)),
    )
    for entry in session.link.script(script, timeout=TIMEOUT_S).stdout.splitlines():
        session.cached.pop(entry.strip(), None)
