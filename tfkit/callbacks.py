"""Callbacks for binary networks, as Larq has them."""

from __future__ import annotations

from tfkit._larq import larq

HyperparameterScheduler = larq.callbacks.HyperparameterScheduler

__all__ = ["HyperparameterScheduler"]
