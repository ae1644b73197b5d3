"""Metrics for binary networks, as Larq has them."""

from __future__ import annotations

from tfkit._larq import larq

FlipRatio = larq.metrics.FlipRatio

__all__ = ["FlipRatio"]
