"""Parameters and multiply-accumulate operations (MACs), per layer and total."""

from __future__ import annotations

from tfkit.counting.macs import LayerCount, ModelCount, count

__all__ = ["LayerCount", "ModelCount", "count"]
