"""Whether a value reaches its target, as text."""

from __future__ import annotations


def verdict(value: float, target: float, *, at_most: bool = False) -> str:
    """A target, and whether a value reaches it.

    >>> verdict(66.0, 68), verdict(0.7, 0.7, at_most=True)
    ('>= 68: missed by 2.9 %', '<= 0.7: met')
    """
    missed = value / target - 1 if at_most else 1 - value / target
    return f"{'<=' if at_most else '>='} {target:g}: {'met' if missed <= 0 else f'missed by {missed:.1%}'}".replace(
        "%", " %"
    )
