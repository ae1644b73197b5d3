"""What surrounds a measurement on its device: heat, battery, load; and, for a closer look, its cores and room."""

from __future__ import annotations

from tfkit.devices.conditions.battery import Battery
from tfkit.devices.conditions.read import Conditions, read
from tfkit.devices.conditions.surroundings import Surroundings, look
from tfkit.devices.conditions.thermal import Thermal

__all__ = ["Battery", "Conditions", "Surroundings", "Thermal", "look", "read"]
