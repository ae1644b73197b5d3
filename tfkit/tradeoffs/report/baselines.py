"""Binary and few-bit points beside the int8 ones of the same device, so that nobody is misled by float baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfkit.tradeoffs.report.averages import Average
from tfkit.tradeoffs.report.families import Family

# An int8 point is comparable when it is this close in accuracy, or costs at most this factor more or less.
NEAR_ACCURACY = 0.02
NEAR_COST = 1.25


@dataclass(frozen=True)
class Comparison:
    """One binary or few-bit point against the int8 points of its device.

    ``as_accurate`` is the cheapest int8 point that is at least as accurate, ``as_cheap`` the most accurate one that
    costs no more. ``comparable`` says whether any int8 point is close enough for either to mean something.
    """

    low_bit: Average
    as_accurate: Average | None
    as_cheap: Average | None
    comparable: bool

    @property
    def verdict(self) -> str:
        """One sentence."""
        accuracy, cost = _figures(self.low_bit)
        if self.as_accurate is not None and _figures(self.as_accurate)[1] <= cost:
            return "int8 is at least as good in both"
        if not self.comparable:
            return "no int8 point is comparable, so nothing follows"
        if self.as_accurate is not None:
            factor = _figures(self.as_accurate)[1] / max(cost, 1e-12)
            saved = "fewer instructions" if self.low_bit.emulated else "faster"
            return f"{factor:.2f} times {saved} than int8 of at least this accuracy"
        if self.as_cheap is not None:
            return f"{100 * (accuracy - _figures(self.as_cheap)[0]):.1f} points above the best int8 at this cost"
        return "no int8 point reaches its accuracy or its cost"


def compare(averages: Sequence[Average], families: Mapping[str, Family]) -> tuple[Comparison, ...]:
    """For the averages of one device; ``families`` by the key of the mean.

    Untrusted int8 points prove nothing, unless nothing on the device is trusted, which its remarks then say.
    """
    placed = [one for one in averages if one.cost is not None and one.mean.accuracy is not None]
    trusted = [one for one in placed if one.mean.trusted is not False]
    int8 = [one for one in trusted or placed if families[one.mean.key] == "int8"]
    low_bit = [one for one in placed if families[one.mean.key] in ("binary", "few-bit")]
    return tuple(_compared(one, int8) for one in low_bit)


def warning(device: str, comparisons: Sequence[Comparison], int8: bool) -> str | None:
    """What a reader has to know before believing the binary points of ``device``; ``int8``: it has int8 points."""
    if not comparisons:
        return None
    if not int8:
        return (
            f"{device} has binary or few-bit points and no int8 baseline. Whether they pay cannot be told from this "
            "page: int8 is what they compete with, not float. Add int8 to the sweep's spec."
        )
    alone = [one.low_bit.name for one in comparisons if not one.comparable]
    if not alone:
        return None
    return (
        f"{device}: no int8 point that counts is within {100 * NEAR_ACCURACY:g} points of accuracy or a factor of "
        f"{NEAR_COST:g} in cost of these: {'; '.join(alone)}. Add int8 points of other widths to the sweep's spec "
        "before concluding anything."
    )


def _compared(one: Average, int8: Sequence[Average]) -> Comparison:
    accuracy, cost = _figures(one)
    accurate = [other for other in int8 if _figures(other)[0] >= accuracy]
    cheap = [other for other in int8 if _figures(other)[1] <= cost]
    near = any(
        abs(_figures(other)[0] - accuracy) <= NEAR_ACCURACY
        or cost / NEAR_COST <= _figures(other)[1] <= cost * NEAR_COST
        for other in int8
    )
    return Comparison(
        one,
        min(accurate, key=lambda other: _figures(other)[1], default=None),
        max(cheap, key=lambda other: _figures(other)[0], default=None),
        near,
    )


def _figures(one: Average) -> tuple[float, float]:
    assert one.mean.accuracy is not None
    assert one.cost is not None
    return one.mean.accuracy, one.cost
