"""Metrics for binary networks, as Larq has them."""

from __future__ import annotations

from larq.metrics import FlipRatio

__all__ = ["FlipRatio"]
