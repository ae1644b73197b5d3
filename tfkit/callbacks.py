"""Callbacks for binary networks, as Larq has them."""

from __future__ import annotations

from larq.callbacks import HyperparameterScheduler

__all__ = ["HyperparameterScheduler"]
