"""All sources, the most direct first. Another one is one module and one line here."""

from __future__ import annotations

from tfkit.bench.energy.battery import BatterySource
from tfkit.bench.energy.counters import OdpmSource, RaplSource
from tfkit.bench.energy.hwmon import HwmonSource
from tfkit.bench.energy.source import Source

SOURCES: tuple[Source, ...] = (OdpmSource(), HwmonSource(), RaplSource(), BatterySource())
