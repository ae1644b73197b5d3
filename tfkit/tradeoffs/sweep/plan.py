"""From a spec to points and the steps behind them: what several points need is one step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tfkit import models
from tfkit.tradeoffs.sweep.compression import Compression
from tfkit.tradeoffs.sweep.origins import Origins
from tfkit.tradeoffs.sweep.spec import DeviceSettings, ModelSettings, Spec, Training
from tfkit.tradeoffs.sweep.steps import BENCH, CONVERT, PRUNE, TRAIN, TUNE, VERIFY, Step, digest
from tfkit.training.recipes import RECIPES


@dataclass(frozen=True)
class Planned:
    """One point to be: the steps that make it, in order, the last one on its device."""

    series: str
    model: str
    settings: Mapping[str, Any]
    seed: int
    device: str
    steps: tuple[Step, ...]

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that it depends on, its name in the legend included."""
        return digest({"series": self.series, "steps": [step.key for step in self.steps]})

    @property
    def label(self) -> str:
        """For people."""
        width = f" width {self.settings['width']:g}" if "width" in self.settings else ""
        return f"{self.model}{width} {self.series}, seed {self.seed}, {self.device}"


@dataclass(frozen=True)
class Plan:
    """All points of a sweep, in the order of the spec."""

    points: tuple[Planned, ...]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Each once; what a step needs comes before it."""
        return tuple({step.key: step for point in self.points for step in point.steps}.values())


def plan(spec: Spec, origins: Origins) -> Plan:
    """Every model, compressed in every way, with every seed, on every device; points that are the same are one."""
    points: dict[str, Planned] = {}
    for network, compression, seed in itertools.product(spec.models, spec.compressions, spec.training.seeds):
        chain = tuple(_chain(spec, network, compression, seed, origins))
        settings: dict[str, Any] = {"data": spec.data}
        if network.width is not None:
            settings["width"] = network.width
        settings |= compression.settings()
        for device in spec.devices:
            steps = (*chain, _bench(chain[-2], device, origins))
            point = Planned(compression.series, network.name, settings, seed, device.label, steps)
            points.setdefault(point.key, point)
    return Plan(tuple(points.values()))


def _chain(spec: Spec, network: ModelSettings, compression: Compression, seed: int, origins: Origins) -> Iterator[Step]:
    """From training to the verified flatbuffer; the last but one step converts."""
    training = spec.training
    size = _size(network)
    trained = _train(network, compression, training, seed, origins, size)
    yield trained
    name = f"{trained.label.rpartition(',')[0]}"
    if compression.prune is not None:
        method = {
            key: getattr(compression, key)
            for key in ("prune", "structure", "rate", "pattern", "block")
            if getattr(compression, key) is not None
        }
        name += f" {compression.series.partition(' + ')[0] if compression.name is None else compression.prune}"
        trained = _tuned(PRUNE, name, method, trained, training, seed, origins, size)
        yield trained
    if compression.int8 == "qat":
        name += " int8 QAT"
        trained = _tuned(TUNE, name, {}, trained, training, seed, origins, size)
        yield trained
    settings = {"format": compression.format, "strict": compression.strict, "calibrate": compression.int8 == "ptq"}
    if not settings["calibrate"]:
        del settings["calibrate"]
    name = f"{name} as {'int8 PTQ' if compression.int8 == 'ptq' else compression.format}, seed {seed}"
    converted = Step(CONVERT, name, settings, {"keras": trained}, origins.converting(compression.int8 == "ptq"), size)
    yield converted
    yield Step(VERIFY, name, {}, {"keras": trained, "tflite": converted}, origins.verifying(), size)


def _train(
    network: ModelSettings,
    compression: Compression,
    training: Training,
    seed: int,
    origins: Origins,
    size: Mapping[str, Any],
) -> Step:
    architecture = {
        "model": network.name,
        "width": network.width,
        "scheme": compression.scheme,
        "kernel_quantizer": compression.kernel_quantizer,
        "input_quantizer": compression.input_quantizer,
    }
    set_ = {key: value for key, value in architecture.items() if value is not None}
    settings = {**set_, "recipe": training.recipe, "overrides": dict(training.overrides), "seed": seed}
    width = "" if network.width is None else f" width {network.width:g}"
    bits = [compression.scheme, compression.kernel_quantizer, compression.input_quantizer]
    label = " ".join([network.name + width, *(part for part in bits if part)]) + f", seed {seed}"
    epochs = training.overrides.get("epochs") or RECIPES[training.recipe or "adam"].epochs
    return Step(TRAIN, label, settings, {}, origins.training(), {**size, "epochs": epochs})


def _tuned(
    kind: str,
    name: str,
    method: Mapping[str, Any],
    trained: Step,
    training: Training,
    seed: int,
    origins: Origins,
    size: Mapping[str, Any],
) -> Step:
    shared = {key: training.overrides[key] for key in ("batch_size", "learning_rate") if key in training.overrides}
    overrides = {**shared, "epochs": training.epochs_of_tuning}
    if training.tuning_learning_rate is not None:
        overrides["learning_rate"] = training.tuning_learning_rate
    settings = {**method, "overrides": overrides, "seed": seed}
    cost = {**size, "epochs": overrides["epochs"]}
    return Step(kind, f"{name}, seed {seed}", settings, {"keras": trained}, origins.training(), cost)


def _bench(converted: Step, device: DeviceSettings, origins: Origins) -> Step:
    settings = {
        "device": device.name,
        "threads": device.threads,
        "preset": device.preset,
        "memory": device.memory and not device.emulated,
        "profile": device.profile and not device.emulated,
    }
    cost = {**converted.cost, "preset": device.preset, "emulated": device.emulated}
    label = f"{converted.label} on {device.label}"
    return Step(BENCH, label, settings, {"tflite": converted}, origins.measuring(device.name), cost)


def _size(network: ModelSettings) -> dict[str, Any]:
    """What the zoo knows of a network before it is built: at its own input size; MACs and weights grow as width²."""
    spec = models.REGISTRY[network.name]
    factor = (network.width or 1.0) ** 2
    return {"model": network.name, "macs": int(spec.macs * factor), "parameters": int(spec.params * factor)}
