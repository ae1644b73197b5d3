"""What a simulated phone and a simulated board share: the tree, the sandbox, the scripted hardware."""

from __future__ import annotations

import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from tfkit.devices.simulated import commands, hardware, tree
from tfkit.devices.simulated.hardware import Battery, Cluster, Thermal
from tfkit.devices.simulated.sandbox import Sandbox

TICK_S = 0.25


class Machine:
    """Files and processes of one simulated device; ``close`` ends and removes them all.

    Args:
        cpu: the core that qemu stands for, as in ``qemu:CPU``.
        clusters: its cores as /sys shows them; by default over this machine's CPUs, so that pinning works.
        kernel: what ``uname -r`` says.
        machine: what ``uname -m`` says.
        rooted: whether /sys may be written, the governor for one.
        way: how commands enter it, see ``tfkit.devices.simulated.sandbox``; the best that works by default.
        glibc: whether it has a C library for Arm programs, as a board has.
    """

    def __init__(
        self,
        *,
        cpu: str = "cortex-a76",
        clusters: Sequence[Cluster] | None = None,
        kernel: str = "5.15.104-android13",
        machine: str = "aarch64",
        rooted: bool = False,
        way: str | None = None,
        glibc: bool = False,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tfkit-simulated-", ignore_cleanup_errors=True)
        self.root = Path(self._folder.name, "root")
        self.clusters = tuple(clusters) if clusters is not None else hardware.default_clusters()
        try:
            tree.build(self.root, cpu, glibc=glibc)
            commands.install_uname(self.root, machine, kernel)
            hardware.write_cpus(self.root, self.clusters, cpu)
            self.state("proc/version", f"Linux version {kernel} (simulated)")
            self.set_load(0.2)
            self.boot()
            self.thermal, self.battery = Thermal(), Battery()
            self.set_thermal()
            if rooted:
                self.state("rooted", 1)
            self.sandbox = Sandbox(self.root, cpu, way)
        except BaseException:
            self._folder.cleanup()
            raise
        self._closed = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def state(self, name: str, text: str | int) -> None:
        """A scripted file that the device's commands read."""
        hardware.write(self.root, f"system/etc/simulated/{name}", text)

    def set_thermal(self, **changes: object) -> None:
        """Change fields of ``Thermal`` and let the device say so, for example ``status=3`` or ``statuses=[2, 1]``."""
        for name, value in changes.items():
            setattr(self.thermal, name, value)
        hardware.write_thermal(self.root, self.thermal)

    def set_battery(self, **changes: object) -> None:
        """Change fields of ``Battery`` and let the device say so, for example ``charging=True``."""
        for name, value in changes.items():
            setattr(self.battery, name, value)
        hardware.write_battery(self.root, self.battery)

    def set_load(self, load: float) -> None:
        """What /proc/loadavg says of the last minute."""
        self.state("proc/loadavg", f"{load:.2f} 0.15 0.10 1/500 1234")

    def boot(self) -> None:
        """A new boot id, as after a restart."""
        self.state("proc/sys/kernel/random/boot_id", str(uuid.uuid4()))

    def close(self) -> None:
        self._closed.set()
        self._ticker.join()
        self.sandbox.kill_all()
        self._folder.cleanup()

    def _tick(self) -> None:
        start = time.monotonic()
        while not self._closed.wait(TICK_S):
            for cluster in self.clusters:
                hardware.write_residency(self.root, cluster, time.monotonic() - start)
