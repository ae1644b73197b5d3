"""What reading or writing an image costs by itself: the C library's memchr (of a byte that is not there) and memset.

No op that reads its input or writes its output once is faster than these, which do nothing else.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from tests.claims.interleaved import Call

_libc = ctypes.CDLL(None)
_libc.memchr.argtypes = _libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
_libc.memchr.restype = _libc.memset.restype = ctypes.c_void_p


def _pair(function: Callable[[int, int, int], object], size: int) -> tuple[Call, Call]:
    """Calls on no bytes and on four times `size`, as the difference of a short and a long graph has four ops."""
    memory = ctypes.create_string_buffer(size + 64)
    start = -(-ctypes.addressof(memory) // 64) * 64
    byte = 1

    def long() -> object:
        for _ in range(4):
            function(start, byte, size)
        return memory

    def short() -> object:
        for _ in range(4):
            function(start, byte, 0)
        return memory

    return short, long


def read(size: int) -> tuple[Call, Call]:
    """Of `size` zeros."""
    return _pair(_libc.memchr, size)


def write(size: int) -> tuple[Call, Call]:
    """Of `size` bytes."""
    return _pair(_libc.memset, size)
