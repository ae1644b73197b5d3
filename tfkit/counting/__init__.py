"""Operations, parameters and memory of a model, per layer and in total."""

from __future__ import annotations

from tfkit.counting.model import LayerCount, ModelCount, count

__all__ = ["LayerCount", "ModelCount", "count"]
