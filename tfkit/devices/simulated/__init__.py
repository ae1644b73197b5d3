"""A simulated Android phone for tests without hardware: the real ``adb`` program connects to it.

Arm programs run in it under qemu, in a folder of their own; properties, cores, temperatures, battery and faults are
scripted. What it computes is right, how long it takes says nothing. In a test suite:

    pytest_plugins = ["tfkit.devices.simulated.pytest"]

    def test_my_model(simulated_phone):
        report = tfkit.bench.run("m.tflite", device=simulated_phone.spec)
"""

from __future__ import annotations

from tfkit.devices.simulated.faults import Faults
from tfkit.devices.simulated.hardware import Battery, Cluster, Thermal
from tfkit.devices.simulated.phone import Phone

__all__ = ["Battery", "Cluster", "Faults", "Phone", "Thermal"]
