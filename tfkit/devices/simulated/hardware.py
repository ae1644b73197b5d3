"""What a simulated device says of its hardware: the files of /proc and /sys that tfkit and others read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tfkit.devices.arm_cpus import CPUS

CPU_FOLDER = "sys/devices/system/cpu"


@dataclass(frozen=True)
class Cluster:
    """Cores that share a clock: their numbers, Arm's part number, speeds in kHz, relative capacity."""

    cpus: tuple[int, ...]
    part: int
    capacity: int
    frequencies_khz: tuple[int, ...]


def default_clusters() -> tuple[Cluster, ...]:
    """A little and a big cluster over this machine's own CPUs, so that pinning to them works."""
    allowed = sorted(os.sched_getaffinity(0))
    big = tuple(allowed[len(allowed) // 2 :])
    little = tuple(cpu for cpu in range(max(allowed) + 1) if cpu not in big)
    slow = Cluster(little, 0xD05, 325, (300_000, 1_000_000, 1_804_800))
    return ((slow,) if little else ()) + (Cluster(big, 0xD0B, 1024, (700_000, 1_900_000, 2_841_600)),)


@dataclass
class Battery:
    """Of a phone; ``current_ua`` is negative while it is drained, with the sign and scale that the vendor chose."""

    percent: int = 80
    charging: bool = False
    temperature_c: float = 28.0
    current_ua: int = -400_000
    voltage_uv: int = 4_000_000
    charge_counter_uah: int = 3_200_000


@dataclass
class Thermal:
    """Android's thermal status (0 none to 6 shutdown) and temperatures; ``statuses`` are read once each, in turn."""

    status: int = 0
    skin_c: float = 31.0
    cpu_c: float = 40.0
    statuses: list[int] = field(default_factory=list)


def write(root: Path, path: str, text: str | int) -> None:
    """A scripted file, replaced whole so that no reader sees half of it; in place where it is mounted over."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if path.startswith("system/etc/simulated/proc/"):
        file.write_text(f"{text}\n")
        return
    part = file.with_name(f".{file.name}.new")
    part.write_text(f"{text}\n")
    part.replace(file)


def write_cpus(root: Path, clusters: tuple[Cluster, ...], emulated: str) -> None:
    """/proc/cpuinfo and /sys/devices/system/cpu; features are those of the core that qemu stands for."""
    entries = []
    numbers = sorted(cpu for cluster in clusters for cpu in cluster.cpus)
    for cpu in numbers:
        cluster = next(cluster for cluster in clusters if cpu in cluster.cpus)
        entries.append(
            f"processor\t: {cpu}\nBogoMIPS\t: 38.40\nFeatures\t: {CPUS[emulated].features}\n"
            "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x1\n"
            f"CPU part\t: 0x{cluster.part:03x}\nCPU revision\t: 0\n"
        )
    write(root, "system/etc/simulated/proc/cpuinfo", "\n".join(entries))
    for name in ("possible", "present", "online"):
        write(root, f"{CPU_FOLDER}/{name}", f"0-{numbers[-1]}" if len(numbers) > 1 else "0")
    for cluster in clusters:
        policy = f"{CPU_FOLDER}/cpufreq/policy{cluster.cpus[0]}"
        top = cluster.frequencies_khz[-1]
        files: dict[str, str | int] = {
            "cpuinfo_max_freq": top,
            "cpuinfo_min_freq": cluster.frequencies_khz[0],
            "scaling_max_freq": top,
            "scaling_cur_freq": top,
            "scaling_governor": "schedutil",
            "scaling_available_governors": "performance powersave schedutil",
            "related_cpus": " ".join(map(str, cluster.cpus)),
        }
        for name, value in files.items():
            write(root, f"{policy}/{name}", value)
        write_residency(root, cluster, 0.0)
        for cpu in cluster.cpus:
            write(root, f"{CPU_FOLDER}/cpu{cpu}/cpu_capacity", cluster.capacity)
            write(root, f"{CPU_FOLDER}/cpu{cpu}/topology/core_id", cpu)
            (root / CPU_FOLDER / f"cpu{cpu}/cpufreq").symlink_to(f"../cpufreq/policy{cluster.cpus[0]}")


def write_residency(root: Path, cluster: Cluster, seconds: float) -> None:
    """``time_in_state`` in units of 10 ms: nearly all of the time at the top frequency."""
    ticks = int(seconds * 100)
    share = [ticks // 200 if khz != cluster.frequencies_khz[-1] else ticks for khz in cluster.frequencies_khz]
    lines = [f"{khz} {spent}" for khz, spent in zip(cluster.frequencies_khz, share, strict=True)]
    write(root, f"{CPU_FOLDER}/cpufreq/policy{cluster.cpus[0]}/stats/time_in_state", "\n".join(lines))


def write_thermal(root: Path, thermal: Thermal) -> None:
    """Thermal zones, and what ``dumpsys thermalservice`` reads."""
    for index, (kind, celsius) in enumerate((("cpu-1-0-usr", thermal.cpu_c), ("skin", thermal.skin_c))):
        write(root, f"sys/class/thermal/thermal_zone{index}/type", kind)
        write(root, f"sys/class/thermal/thermal_zone{index}/temp", round(celsius * 1000))
    write(root, "system/etc/simulated/thermal", thermal.status)
    write(root, "system/etc/simulated/thermal-timeline", "\n".join(map(str, thermal.statuses)))
    temperatures = "".join(
        f"\tTemperature{{mValue={value}, mType={kind}, mName={name}, mStatus=@}}\n"
        for value, kind, name in ((thermal.cpu_c, 0, "CPU0"), (28.0, 2, "battery"), (thermal.skin_c, 3, "skin"))
    )
    write(
        root,
        "system/etc/simulated/thermalservice",
        "IsStatusOverride: false\nThermalEventListeners:\n\tcallbacks: 1\nThermal Status: @\n"
        f"Cached temperatures:\n{temperatures}HAL Ready: true\n"
        f"Current temperatures from HAL:\n{temperatures}Current cooling devices from HAL:",
    )


def write_battery(root: Path, battery: Battery) -> None:
    """/sys/class/power_supply and what ``dumpsys battery`` reads."""
    status = "Charging" if battery.charging else "Discharging"
    folder = "sys/class/power_supply/battery"
    for name, value in (
        ("type", "Battery"),
        ("status", status),
        ("capacity", battery.percent),
        ("current_now", battery.current_ua),
        ("voltage_now", battery.voltage_uv),
        ("charge_counter", battery.charge_counter_uah),
        ("temp", round(battery.temperature_c * 10)),
    ):
        write(root, f"{folder}/{name}", value)
    write(root, "sys/class/power_supply/usb/type", "USB")
    write(root, "sys/class/power_supply/usb/online", int(battery.charging))
    write(
        root,
        "system/etc/simulated/battery",
        f"Current Battery Service state:\n  AC powered: false\n  USB powered: {str(battery.charging).lower()}\n"
        f"  Wireless powered: false\n  Charge counter: {battery.charge_counter_uah}\n"
        f"  status: {2 if battery.charging else 3}\n  health: 2\n  present: true\n  level: {battery.percent}\n"
        f"  scale: 100\n  voltage: {battery.voltage_uv // 1000}\n"
        f"  temperature: {round(battery.temperature_c * 10)}\n  technology: Li-ion",
    )
