"""One process of a measurement: a cool device before it, the runner, the conditions after it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

from tfkit.bench.artifacts import sha256
from tfkit.bench.bundle import Bundle
from tfkit.bench.cooling import Cooler, Say
from tfkit.bench.gate.heat import THROTTLED
from tfkit.bench.runner import flags_of, start, start_foreign
from tfkit.bench.spec import Preset
from tfkit.bench.subject import Subject
from tfkit.devices import Device
from tfkit.devices.conditions import read

# androidx.benchmark: discard what was measured while throttled, wait, try again; not for ever.
THROTTLED_RETRIES = 2
THROTTLED_PAUSE = 90.0


@dataclass
class Bench:
    """An open device with all that is pushed to it.

    ``observed`` is False for an emulator, whose conditions are the host's and mean nothing. ``foreign`` is another
    tool's program to run instead of the bundle's.
    """

    device: Device
    bundle: Bundle
    preset: Preset
    kernel: str | None
    cpus: str | None
    observed: bool
    cooler: Cooler
    say: Say
    foreign: Path | None = None

    def measure(self, subject: Subject, threads: int) -> dict[str, Any]:
        """The runner's document, with ``host``: when it started, how cool it was, what else the host saw.

        Raises:
            InferenceError, DeviceError: as ``tfkit.bench.runner.start``.
        """
        discarded: list[dict[str, Any]] = []
        while True:
            found = self._once(subject, threads)
            ratio = slow_down(found)
            if not self._patient or ratio <= THROTTLED or len(discarded) == THROTTLED_RETRIES:
                found["host"]["discarded"] = discarded
                return found
            discarded.append({"slow_down": round(ratio, 3), "started": found["host"]["started"]})
            self.say(f"fixed arithmetic became {ratio:.2f} times slower; again after {THROTTLED_PAUSE:.0f} s")
            sleep(THROTTLED_PAUSE)

    @property
    def _patient(self) -> bool:
        """Whether a throttled process is worth a pause: a simulated device is slowed by its host's other work."""
        return self.preset.cool_seconds > 0 and "simulated" not in (self.device.label or "")

    def _once(self, subject: Subject, threads: int) -> dict[str, Any]:
        before, cooling = self.cooler.wait(self.preset.cool_seconds, self.say) if self.observed else (None, None)
        started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        if self.foreign is None:
            answer = self.once(subject, threads)
        else:
            answer = start_foreign(self.foreign, subject, self.device, threads, self.preset)
        after = read(self.device) if self.observed else None
        host = {
            "started": started,
            "cooling": cooling,
            "before": before.to_json() if before else None,
            "after": after.to_json() if after else None,
        }
        return {**answer, "host": host}

    def once(self, subject: Subject, threads: int, extra: tuple[str, ...] = ()) -> Mapping[str, Any]:
        """The runner's document alone, with ``extra`` flags. Raises as ``measure``."""
        flags = [*self.flags(subject, threads), *self.preset.flags(), *extra]
        return start(subject, self.device, self.bundle, flags, self.preset.longest_seconds)

    def flags(self, subject: Subject, threads: int) -> list[str]:
        """The runner's flags for one model, whose files are pushed."""
        return flags_of(subject, self.device, threads, self.kernel, self.cpus)

    def push(self) -> None:
        """Bring the bundle to the device. Raises ``DeviceError``."""
        if self.foreign is None:
            self.bundle.push(self.device)

    def provenance(self) -> dict[str, Any]:
        """Hashes and versions of what runs."""
        if self.foreign is None:
            return dict(self.bundle.provenance())
        return {"runner_sha256": sha256(self.foreign), "runner": self.foreign.name, "label": None}


def slow_down(document: Mapping[str, Any]) -> float:
    """How many times longer the canary took after the timed loop than before it; 1 where it is not told."""
    conditions = document.get("conditions") or {}
    before, after = (((conditions.get(when) or {}).get("canary_ns")) or [] for when in ("before", "after"))
    return min(after) / min(before) if before and after and min(before) > 0 else 1.0
