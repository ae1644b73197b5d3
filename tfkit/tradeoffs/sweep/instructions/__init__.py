"""How many instructions an emulated Arm core executes for one inference: what stands for time where there is none.

A count says nothing of stalls, caches or how many instructions a core starts at once; it compares kernels on one core
type, and its figures are the same on every host.
"""

from __future__ import annotations

from tfkit.tradeoffs.sweep.instructions.count import instructions

__all__ = ["instructions"]
