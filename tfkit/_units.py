"""Seconds, bytes and counts as text: the only place that formats them."""

from __future__ import annotations


def format_seconds(seconds: float) -> str:
    """A duration with three significant digits in the unit that fits.

    >>> format_seconds(0.00123), format_seconds(4.56e-7), format_seconds(75)
    ('1.23 ms', '456 ns', '75 s')
    """
    for limit, factor, unit in ((1e-6, 1e9, "ns"), (1e-3, 1e6, "us"), (1.0, 1e3, "ms")):
        if abs(seconds) < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:.0f} s"


def format_duration(seconds: float) -> str:
    """A time to wait for, in hours and minutes where seconds would be many.

    >>> format_duration(7), format_duration(100), format_duration(8000)
    ('7 s', '1 min 40 s', '2 h 13 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_bytes(count: int) -> str:
    """A size in binary units (KiB = 1024 bytes), because memory and flash come in powers of two.

    >>> format_bytes(512), format_bytes(2048), format_bytes(5 * 1024 * 1024)
    ('512 B', '2.0 KiB', '5.0 MiB')
    """
    if count < 1024:
        return f"{count} B"
    size = count / 1024
    for unit in ("KiB", "MiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def format_count(count: int) -> str:
    """A number of things with three significant digits, in thousands (K), millions (M) or billions (G).

    >>> format_count(987), format_count(36_497_146), format_count(5_243_328_768), format_count(999_999)
    ('987', '36.5 M', '5.24 G', '1.00 M')
    """
    if count < 1000:
        return str(count)
    size = float(count)
    for unit in ("K", "M", "G"):
        size /= 1000
        if round(size, 1) < 1000 or unit == "G":
            break
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:.{digits}f} {unit}"
