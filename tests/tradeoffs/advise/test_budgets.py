from __future__ import annotations

import pytest

from tfkit._errors import UsageError
from tfkit.tradeoffs.advise import budgets
from tfkit.tradeoffs.advise.budgets import Budgets


@pytest.mark.parametrize(
    ("text", "seconds"), [("20ms", 0.02), ("20 ms", 0.02), (".5s", 0.5), ("3us", 3e-6), ("3µs", 3e-6), ("7NS", 7e-9)]
)
def test_latencies(text: str, seconds: float) -> None:
    assert budgets.latency(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "count"), [("2MB", 2_000_000), ("2 MiB", 2**21), ("1.5kB", 1500), ("12b", 12)])
def test_sizes(text: str, count: int) -> None:
    assert budgets.size(text) == count


@pytest.mark.parametrize("text", ["20 parsecs", "20", "ms", "-3ms", "0ms", "1e3ms", "", "2MB", "nan ms", "20ms 5"])
def test_what_is_no_latency(text: str) -> None:
    with pytest.raises(UsageError, match=r"a latency is a positive number with its unit, for example 20ms .*; got "):
        budgets.latency(text)


def test_what_is_no_size() -> None:
    with pytest.raises(UsageError, match=r"a size is .* 2MB \(b, kb, mb.*; got '20ms'"):
        budgets.size("20ms")


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_what_is_no_share(share: float) -> None:
    with pytest.raises(UsageError, match="share between 0 and 1"):
        Budgets(accuracy=share)


def test_misses_are_told_with_their_limits() -> None:
    limits = Budgets(latency=0.02, size=2048)
    assert limits.misses(0.02, 2048) == ()
    assert limits.misses(0.03, 4096) == ("30 ms where 20 ms are allowed", "4.0 KiB where 2.0 KiB are allowed")
    assert Budgets().misses(1e9, 10**12) == ()
