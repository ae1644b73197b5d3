"""JSON-ready facts about a device for the record, in one round trip; what it does not tell is None."""

from __future__ import annotations

from typing import Any

from tfkit.devices.facts import cpu_model
from tfkit.devices.remote.link import Link

TIMEOUT_S = 30.0
# What Android says of itself -> the key it gets.
PROPERTIES = {
    "ro.product.manufacturer": "manufacturer",
    "ro.product.model": "model",
    "ro.soc.model": "soc",
    "ro.build.version.release": "android",
    "ro.build.version.sdk": "api_level",
    "ro.build.fingerprint": "build",
    "ro.tfkit.simulated": "simulated",
}
_SCRIPT = """
for p in {properties}; do echo "$p=$(getprop $p 2>/dev/null | head -n 1)"; done
echo "kernel=$(uname -r)"; echo "machine=$(uname -m)"
echo "load=$(head -n 1 /proc/loadavg 2>/dev/null)"
echo "board=$(tr -d '\\0' </proc/device-tree/model 2>/dev/null)"
echo "boot_id=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
echo "simulated=$(cat /system/etc/simulated/label 2>/dev/null)"
cat /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor 2>/dev/null | sort -u | sed 's/^/governor=/'
echo "== cpuinfo"
cat /proc/cpuinfo
"""


def read(link: Link) -> dict[str, Any]:
    """Model, system, processor, governors, load. Raises ``DeviceError``."""
    done = link.script(_SCRIPT.format(properties=" ".join(PROPERTIES)), timeout=TIMEOUT_S)
    head, _, cpuinfo = done.stdout.partition("== cpuinfo\n")
    pairs = [(key, value.strip()) for key, _, value in (line.partition("=") for line in head.splitlines())]
    said = {key: value for key, value in pairs if value}
    found: dict[str, Any] = {name: said.get(key) for key, name in PROPERTIES.items()}
    found["simulated"] = bool(found["simulated"] or said.get("simulated"))
    found.update({key: said.get(key) for key in ("kernel", "machine", "board", "boot_id")})
    found["governors"] = [value for key, value in pairs if key == "governor"] or None
    found["load_average"] = _load(said.get("load"))
    found["cpu_model"] = cpu_model(cpuinfo)
    processors = [line for line in cpuinfo.splitlines() if line.startswith("processor")]
    found["logical_cpus"] = len(processors) or None
    features = [
        line.partition(":")[2].split() for line in cpuinfo.splitlines() if line.startswith(("Features", "flags"))
    ]
    found["cpu_features"] = features[0] if features else None
    return found


def _load(text: str | None) -> list[float] | None:
    try:
        return [float(value) for value in (text or "").split()[:3]] or None
    except ValueError:
        return None
