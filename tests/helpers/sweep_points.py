"""Points of a sweep that was never run, with documents such as `tfkit convert` and `tfkit bench` write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers import bench_documents
from tfkit.bench.profile.model import Profile, Row
from tfkit.converters.ledger import Entry, Ledger
from tfkit.converters.parity.result import Layer, Output, Parity
from tfkit.tradeoffs.points import Interval, Point

EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>&\"'"


def point(series: str = "float32", seed: int = 0, device: str = "local", **changed: Any) -> Point:
    """A finished point on a device with a clock, or with ``instructions`` on an emulated one."""
    settings = changed.pop("settings", {"width": 1.0})
    values: dict[str, Any] = {
        "model": "small_cnn",
        "state": "done",
        "accuracy": 0.95,
        "keras_accuracy": 0.951,
        "latency_ms": None if "instructions" in changed else 2.0,
        "size_bytes": 40_000,
        "peak_memory_bytes": 900_000,
        "macs": 1_000_000,
        "parameters": 10_000,
        "trusted": None if "instructions" in changed else True,
    } | changed
    text = json.dumps([series, seed, device, settings, values], default=str)
    key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return Point(key=key, series=series, seed=seed, device=device, settings=settings, **values)


def study_points(folder: Path, seeds: int = 3) -> tuple[Point, ...]:
    """A small study on two devices, with documents in ``folder``; the second device has no int8 baseline."""
    methods = {  # accuracy of the widest, latency factor, size factor, declared
        "float32": (0.972, 1.0, 1.0, None),
        "int8 QAT": (0.968, 0.52, 0.27, "int8"),
        "binary": (0.921, 0.36, 0.08, "binary"),
        "lsq_w2 lsq_a2": (0.957, 0.61, 0.11, "few-bit"),
        "psp channel 0.5 + int8 QAT": (0.961, 0.33, 0.15, "int8"),
    }
    found = []
    for device in ("local", "qemu:cortex-a76"):
        for series, (accuracy, cost, size, declared) in methods.items():
            if device != "local" and "int8" in series:
                continue
            for step, width in enumerate((0.25, 0.5, 1.0, 2.0)):
                for seed in range(seeds):
                    better = accuracy - 0.05 * (3 - step) ** 1.4 / 4 + 0.004 * (seed - 1)
                    latency = 8.0 * cost * width**1.5 * (1 + 0.03 * seed)
                    figures: dict[str, Any] = {"latency_ms": latency}
                    if device == "local":
                        figures["latency_interval"] = Interval(latency * 0.93, latency * 1.06)
                        figures["trusted"] = not (series == "binary" and width == 2.0)
                    else:
                        figures = {"instructions": round(latency * 9e6)}
                    artifacts = documents(folder, series, declared, device, seed, figures.get("latency_ms"))
                    found.append(
                        point(
                            series,
                            seed,
                            device,
                            settings={"width": width, "data": "digits"},
                            accuracy=better,
                            keras_accuracy=better + 0.001,
                            size_bytes=round(800_000 * size * width**2),
                            peak_memory_bytes=None if device != "local" else round(2e6 * size * width + 3e5),
                            macs=round(3e7 * width**2),
                            parameters=round(2e5 * width**2),
                            artifacts=artifacts,
                            **figures,
                        )
                    )
    reason = "train: the loss became infinite in epoch 3; lower the learning rate"
    found.append(point("binary", 9, state="failed", reason=reason, accuracy=None, latency_ms=None))
    return tuple(found)


def documents(
    folder: Path, series: str, declared: str | None, device: str, seed: int, latency_ms: float | None
) -> Mapping[str, Path]:
    """Ledger, parity and measurement of one point."""
    names = [f"conv_{number}" for number in range(6)]
    entries = [
        Entry(name, "QuantConv2D", declared, "LceBconv2d", declared, 2304, "ok", "weights", ships_as="LCE")
        for name in names[1:]
        if declared
    ]
    layers = tuple(Layer(name, "CONV_2D", "relative", 1e-7, 120.5) for name in names)
    parity = Parity(
        "float", "litert", seed, (Output("probs", "digits", 450, "relative", 2e-7, 1e-4, 1.0),), layers=layers
    )
    total = (latency_ms or 1.0) * 1e-3
    rows = tuple(
        Row(n, "CONV_2D", name, "XNNPACK", 0, "Convolution (NHWC, F32)", total / 7, 5_000_000, 0, "measured")
        for n, name in enumerate(names)
    )
    profile = Profile(rows, total, total / 7, 0.0, 64, 0)
    result = bench_documents.result("m.tflite", [bench_documents.process()])
    if latency_ms is not None:
        result["latency"] = {"median_s": total, "p90_s": total * 1.04, "interval_s": [total * 0.98, total * 1.02]}
        result["profile"] = profile.to_json()
    if series == "binary":
        reasons = [{"code": "variation", "level": "suspect", "text": "starts differ by 12 %"}]
        result["gate"] = {"level": "suspect", "reasons": reasons}
    machine = {**bench_documents.PHONE, "name": device, "times_meaningful": latency_ms is not None}
    made = {
        "ledger": Ledger(tuple(entries)).to_json(),
        "parity": parity.to_json(),
        "bench": bench_documents.report(result, device=machine),
    }
    place = len(list(folder.iterdir()))
    return {name: bench_documents.written(folder, f"{place}.{name}.json", value) for name, value in made.items()}
