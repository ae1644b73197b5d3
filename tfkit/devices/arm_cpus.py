"""The Arm cores that qemu-user can stand for, and what Linux would say of each in /proc/cpuinfo.

Features are the hardware capabilities that qemu 7.2 gives each model; part numbers are Arm's (MIDR_EL1.PartNum).
"""

from __future__ import annotations

from dataclasses import dataclass

from tfkit._registry import Registry

_V8 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
_V82 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"


@dataclass(frozen=True)
class ArmCpu:
    """One core type: qemu's ``-cpu`` name, part number, Linux' names of its features."""

    name: str
    part: int
    features: str

    def cpuinfo(self, count: int) -> str:
        """/proc/cpuinfo of a machine with ``count`` such cores."""
        core = (
            "processor\t: {}\nBogoMIPS\t: 100.00\n"
            f"Features\t: {self.features}\n"
            "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
            f"CPU part\t: 0x{self.part:03x}\nCPU revision\t: 0\n\n"
        )
        return "".join(core.format(index) for index in range(count))


CPUS: Registry[ArmCpu] = Registry("CPU")
for _cpu in (
    ArmCpu("cortex-a35", 0xD04, _V8),
    ArmCpu("cortex-a53", 0xD03, _V8),
    ArmCpu("cortex-a57", 0xD07, _V8),
    ArmCpu("cortex-a72", 0xD08, _V8),
    ArmCpu("cortex-a76", 0xD0B, f"{_V82} ssbs"),
    ArmCpu("neoverse-n1", 0xD0C, f"{_V82} ssbs"),
):
    CPUS.add(_cpu.name, _cpu)
