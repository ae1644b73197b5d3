"""Commands that Android has and Linux has not, as scripts that read the device's scripted state."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from tfkit.devices.simulated import tree

STATE = "/system/etc/simulated"

# One status of the timeline per reading, then the standing one.
_DUMPSYS = f"""
case "$1" in
thermalservice)
  status=$(head -n 1 {STATE}/thermal-timeline)
  if [ -n "$status" ]; then
    sed 1d {STATE}/thermal-timeline > {STATE}/thermal-rest; mv {STATE}/thermal-rest {STATE}/thermal-timeline
  else status=$(cat {STATE}/thermal); fi
  sed "s/@/$status/" {STATE}/thermalservice ;;
battery) cat {STATE}/battery ;;
*) echo "Can't find service: $1" ;;
esac
"""
# Settings that tfkit may make are kept, so that a test can see them made and undone.
_CMD = f"""
[ "$1 $2" = "power set-fixed-performance-mode-enabled" ] || {{ echo "cmd: Can't find service: $1" >&2; exit 20; }}
echo "$3" >> {STATE}/fixed-performance-mode
"""


def install_android(root: Path, properties: Mapping[str, str]) -> None:
    """``getprop``, ``dumpsys`` and ``cmd``."""
    one = "".join(f"{shlex.quote(key)}) echo {shlex.quote(value)} ;;\n" for key, value in properties.items())
    every = "; ".join(f"echo {shlex.quote(f'[{key}]: [{value}]')}" for key, value in sorted(properties.items()))
    tree.script(root, "getprop", f"case \"${{1-}}\" in\n{one}'') {every} ;;\n*) echo ;;\nesac\n")
    tree.script(root, "dumpsys", _DUMPSYS)
    tree.script(root, "cmd", _CMD)


def install_uname(root: Path, machine: str, kernel: str) -> None:
    """``uname`` of the device; other tools see the host's kernel."""
    said = f"-m) echo {machine} ;; -r) echo {kernel} ;; -a) echo Linux localhost {kernel} {machine} ;;"
    tree.script(root, "uname", f'case "${{1-}}" in {said} *) echo Linux ;; esac\n')


def install_df(root: Path, free_bytes: int) -> None:
    """``df -k`` of a file system with this much room."""
    free = free_bytes // 1024
    head = "Filesystem 1K-blocks Used Available Use% Mounted on"
    tree.script(root, "df", f"echo '{head}'\necho '/dev/block/dm-1 {free + 4096} 4096 {free} 1% /data'\n")
