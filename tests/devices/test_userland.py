"""Userlands from what devices print."""

from __future__ import annotations

import pytest

from tfkit.devices.userland import Userland, parse

ELF32, ELF64 = "7f454c4601010100000000000000000003002800", "7f454c460201010000000000000000000300b700"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"machine=aarch64\nkernel=6.1.21-v8+\nelf={ELF64}\nlibc=glibc 2.36\nglibcxx=GLIBCXX_3.4.30\n",
            Userland("arm64", (6, 1, 21), "glibc", (2, 36), (3, 4, 30)),
        ),
        (
            f"machine=aarch64\r\nkernel=5.10.66-android12\r\nelf={ELF64}\r\nsdk=31\r\nabi=arm64-v8a\r\nlibc=\r\n",
            Userland("arm64", (5, 10, 66), "bionic", api_level=31),
        ),
        ("machine=x86_64\nlibc=ldd (Ubuntu GLIBC 2.31-0ubuntu9) 2.31\n", Userland("x86_64", (), "glibc", (2, 31))),
        ("machine=aarch64\nlibc=musl libc (aarch64) 1.2.4\n", Userland("arm64", (), "musl", (1, 2, 4))),
        ("machine=riscv64\n", Userland("riscv64")),
        ("", Userland("unknown")),
    ],
)
def test_known_systems(text: str, expected: Userland) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "abi"),
    [
        ("machine=armv7l\n", "arm32"),
        ("machine=armv8l\n", "arm32"),
        (f"machine=aarch64\nelf={ELF32}\n", "arm32"),
        ("machine=aarch64\nsdk=25\nabi=armeabi-v7a\n", "arm32"),
        (f"machine=x86_64\nelf={ELF32}\n", "x86"),
        ("machine=i686\n", "x86"),
    ],
)
def test_32_bit_programs_under_any_kernel(text: str, abi: str) -> None:
    assert parse(text).abi == abi
