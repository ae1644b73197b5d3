"""What surrounds a measurement on its device: heat, battery, load. Read before and after each process."""

from __future__ import annotations

from tfkit.bench.conditions.battery import Battery
from tfkit.bench.conditions.read import Conditions, read
from tfkit.bench.conditions.thermal import Thermal

__all__ = ["Battery", "Conditions", "Thermal", "read"]
