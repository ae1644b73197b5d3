"""Which programs a device can run: ABI, C library and its version, kernel, Android's API level."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Version = tuple[int, ...]
# A shell script and its arguments -> what it printed.
Ask = Callable[[Sequence[str]], str]

ABIS = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64", "i386": "x86", "i686": "x86"}

# One round trip. The first bytes of the shell tell what the userland is made for, which a 64-bit kernel under a
# 32-bit userland does not. Every line is there, empty where the device has no such thing.
PROBE = r"""
line() { printf '%s=%s\n' "$1" "$(printf '%s' "$2" | head -n 1)"; }
line machine "$(uname -m 2>/dev/null)"
line kernel "$(uname -r 2>/dev/null)"
line elf "$(for p in /proc/self/exe /system/bin/sh /bin/sh; do
  head -c 20 "$p" 2>/dev/null | od -An -tx1 2>/dev/null | tr -d ' \n' && break; done)"
line sdk "$(getprop ro.build.version.sdk 2>/dev/null)"
line abi "$(getprop ro.product.cpu.abi 2>/dev/null)"
line libc "$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1)"
for f in /lib/*-linux-gnu*/libstdc++.so.6 /usr/lib/*-linux-gnu*/libstdc++.so.6 /usr/lib64/libstdc++.so.6 \
  /usr/lib/libstdc++.so.6 /lib64/libstdc++.so.6 /lib/libstdc++.so.6; do
  if [ -r "$f" ]; then line glibcxx "$(grep -ao 'GLIBCXX_3\.4\.[0-9]*' "$f" | sort -t. -k3 -n | tail -n 1)"; break; fi
done
"""


@dataclass(frozen=True)
class Userland:
    """``abi`` is ``arm64``, ``arm32``, ``x86_64``, ``x86`` or what ``uname -m`` said; ``libc`` is ``glibc``,
    ``bionic``, ``musl`` or None where it cannot be told; versions are empty where they are not known."""

    abi: str
    kernel: Version = ()
    libc: str | None = None
    libc_version: Version = ()
    libstdcxx: Version = ()
    api_level: int | None = None

    @property
    def android(self) -> bool:
        return self.libc == "bionic"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, with versions as text."""
        return {
            key: ".".join(map(str, value)) or None if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }


def parse(text: str) -> Userland:
    """The userland in what ``PROBE`` printed.

    >>> parse("machine=aarch64\\nkernel=5.10.110-rockchip\\nlibc=glibc 2.31\\nglibcxx=GLIBCXX_3.4.28\\n")
    Userland(abi='arm64', kernel=(5, 10, 110), libc='glibc', libc_version=(2, 31), libstdcxx=(3, 4, 28), api_level=None)
    >>> parse("machine=aarch64\\nkernel=4.9\\nelf=7f454c4601010100000000000000000003002800\\nsdk=25\\n").abi
    'arm32'
    """
    lines = [line.partition("=") for line in text.splitlines()]
    found = {key: value.strip() for key, _, value in lines}
    libc, version = _libc(found)
    sdk = found.get("sdk", "")
    return Userland(
        abi=_abi(found),
        kernel=_version(found.get("kernel", "")),
        libc=libc,
        libc_version=version,
        libstdcxx=_version(found.get("glibcxx", "")),
        api_level=int(sdk) if sdk.isdigit() else None,
    )


def _abi(found: dict[str, str]) -> str:
    machine = found.get("machine", "")
    elf = bytes.fromhex(found["elf"]) if re.fullmatch("([0-9a-f]{2}){20}", found.get("elf", "")) else b""
    if machine.startswith("arm") and machine != "arm64":
        return "arm32"
    if elf[:4] == b"\x7fELF" and elf[4] == 1:
        return "arm32" if ABIS.get(machine) == "arm64" else "x86"
    if found.get("abi", "").startswith("armeabi"):
        return "arm32"
    return ABIS.get(machine, machine or "unknown")


def _libc(found: dict[str, str]) -> tuple[str | None, Version]:
    said = found.get("libc", "")
    if found.get("sdk"):
        return "bionic", ()
    if "musl" in said.lower():
        return "musl", _version(said)
    if said.startswith("glibc") or "GLIBC" in said or "GNU libc" in said:
        return "glibc", _version(said.split()[-1])
    return None, ()


def _version(text: str) -> Version:
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
