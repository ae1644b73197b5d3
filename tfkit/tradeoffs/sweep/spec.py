"""What a user writes into a spec: data, models, compressions, training, devices."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tfkit import models
from tfkit._errors import TfkitError, UsageError
from tfkit.bench.spec import PRESETS
from tfkit.data import DATASETS
from tfkit.devices import DEVICES
from tfkit.devices.arm_cpus import CPUS
from tfkit.tradeoffs.sweep import compression as compressing
from tfkit.tradeoffs.sweep.compression import Compression, Contradiction
from tfkit.tradeoffs.sweep.keys import Key, choice, flag, number, text, whole
from tfkit.tradeoffs.sweep.reader import Reader
from tfkit.training.recipes import OPTIMIZERS, PRECISIONS, RECIPES, SCHEDULES

EMULATED = "qemu:"
_LARGEST_SEED = 2**31 - 1
_FEWEST_TUNING_EPOCHS = 3

DATA_KEYS: Mapping[str, Key] = {"name": text("a data set as tfkit train --data takes it", "digits")}
MODEL_KEYS: Mapping[str, Key] = {
    "name": text("a name that tfkit models lists", "small_cnn", grid=True),
    "width": number(0, 8, 0.5, grid=True, ends="high"),
}
TRAINING_KEYS: Mapping[str, Key] = {
    "recipe": choice(RECIPES),
    "epochs": whole(1, 100_000, 10),
    "batch_size": whole(1, 1 << 20, 64),
    "learning_rate": number(0, 1e3, 0.003),
    "optimizer": choice(OPTIMIZERS),
    "schedule": choice(SCHEDULES),
    "warmup": number(0, 1, 0.05, ends="low"),
    "weight_decay": number(0, 1e3, 5e-4, ends="low"),
    "label_smoothing": number(0, 1, 0.1, ends="low"),
    "augment": flag(None),
    "precision": choice(PRECISIONS),
    "tuning_epochs": whole(1, 100_000, 5),
    "tuning_learning_rate": number(0, 1e3, 0.001),
    "seeds": whole(0, _LARGEST_SEED, 0, default=0, grid=True),
}
DEVICE_KEYS: Mapping[str, Key] = {
    "name": text("local, qemu:CPU, adb[:SERIAL] or ssh:[user@]host[:port]", "local", default="local", grid=True),
    "threads": whole(1, 256, 1, default=1, grid=True),
    "preset": choice(PRESETS, default="standard"),
    "memory": flag(True),
    "profile": flag(True),
}
TABLES = {"data": False, "model": True, "compression": True, "training": False, "device": True}
_LETTER = re.compile(r"[A-Z]")
_NUMBER = whole(0, 100_000, 16, grid=True)


@dataclass(frozen=True)
class ModelSettings:
    """An architecture of the zoo; ``width`` None: as it is."""

    name: str
    width: float | None = None


@dataclass(frozen=True)
class Training:
    """How long and by what: None where the recipe that suits the network says it; ``seeds`` are trained one by one.

    ``tuning_epochs`` are those of int8 fine-tuning, of pruning, and of training what is left after a cut.
    """

    recipe: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tuning_epochs: int | None = None
    tuning_learning_rate: float | None = None
    seeds: tuple[int, ...] = (0,)

    @property
    def epochs_of_tuning(self) -> int:
        """As given; a third of those of training, at least 3, otherwise."""
        if self.tuning_epochs is not None:
            return self.tuning_epochs
        epochs = self.overrides.get("epochs") or RECIPES[self.recipe or "adam"].epochs
        return max(_FEWEST_TUNING_EPOCHS, epochs // 3)


@dataclass(frozen=True)
class DeviceSettings:
    """Where to measure, and how thoroughly."""

    name: str = "local"
    threads: int = 1
    preset: str = "standard"
    memory: bool = True
    profile: bool = True

    @property
    def label(self) -> str:
        """The name, with the number of threads where it is not 1."""
        return self.name if self.threads == 1 else f"{self.name} threads={self.threads}"

    @property
    def emulated(self) -> bool:
        """Whether its times say nothing."""
        return self.name.startswith(EMULATED)


@dataclass(frozen=True)
class Spec:
    """A whole sweep: every model, compressed in every way, with every seed, on every device."""

    data: str
    models: tuple[ModelSettings, ...]
    compressions: tuple[Compression, ...]
    training: Training = Training()
    devices: tuple[DeviceSettings, ...] = (DeviceSettings(),)


def read_spec(path: str | os.PathLike[str]) -> Spec:
    """The spec in a TOML file.

    Raises:
        InputError: no such file.
        SpecError: what is wrong, in which line, what is accepted, and the fix.
    """
    return parse_spec(Reader.of_file(path))


def parse_spec(reader: Reader) -> Spec:
    """The spec that a reader has read. Raises ``SpecError``."""
    reader.tables(TABLES)
    document = reader.document
    for name, example in (("data", '[data] with name = "digits"'), ("model", '[[model]] with name = "small_cnn"')):
        if not document.get(name):
            reader.refuse((name,), f"the table {name} is missing; write {example}")
    data = reader.one(("data",), document["data"], DATA_KEYS)["name"]
    if data is None:
        reader.refuse(("data",), 'the data has no name; write name = "digits"')
    head = data.partition(":")[0]
    if head not in DATASETS and not data.endswith(".npz"):
        try:
            DATASETS[head]
        except UsageError as error:
            reader.refuse(("data", "name"), f"{error}, or the path of an .npz file")
    networks = tuple(_unique(_models(reader)))
    return Spec(
        data=data,
        models=networks,
        compressions=tuple(_unique(_compressions(reader, networks))),
        training=_training(reader),
        devices=tuple(_unique(_devices(reader))) or (DeviceSettings(),),
    )


def _models(reader: Reader) -> Iterator[ModelSettings]:
    for index, given in enumerate(reader.document["model"]):
        path = ("model", index)
        names = given.get("name", [])
        letters = {letter for name in (names if isinstance(names, list) else [names]) for letter in _letters(name)}
        for values in reader.grid(path, given, {**MODEL_KEYS, **dict.fromkeys(sorted(letters), _NUMBER)}):
            name = values["name"]
            if name is None:
                reader.refuse(path, 'the model has no name; write name = "small_cnn"')
            for letter in _letters(name):
                if values[letter] is None:
                    reader.refuse(path, f"{name} stands for a family of networks; write {letter} = 16, or a list")
                name = re.sub(rf"(?<=_){letter}(?=_|$)", str(values[letter]), name)
            try:
                models.REGISTRY[name]
            except UsageError as error:
                reader.refuse((*path, "name"), str(error))
            yield ModelSettings(name, values["width"])


def _letters(name: Any) -> list[str]:
    """The numbers of a family, such as D and K of wrn_D_K."""
    return [part for part in name.split("_") if _LETTER.fullmatch(part)] if isinstance(name, str) else []


def _compressions(reader: Reader, networks: Sequence[ModelSettings]) -> Iterator[Compression]:
    tables = reader.document.get("compression") or [{}]
    for index, given in enumerate(tables):
        path = ("compression", index)
        for values in reader.grid(path, given, compressing.KEYS):
            try:
                found = Compression.of(values)
            except Contradiction as error:
                reader.refuse((*path, error.key), str(error))
            _check_quantizers(reader, path, found)
            _check_scheme(reader, path, found, networks)
            yield found
        grid = [name for name, value in given.items() if isinstance(value, list) and len(value) > 1]
        if "name" in given and grid:
            reader.refuse((*path, "name"), f"one name for several series ({grid[0]} is a list); leave the name out")


def _check_quantizers(reader: Reader, path: tuple[str | int, ...], found: Compression) -> None:
    """Imports TensorFlow, and only for a spec that has any: a typing error is not to be found after hours."""
    roles = {"kernel_quantizer": "kernel", "input_quantizer": "activations"}
    for key, role in roles.items():
        if getattr(found, key) is not None:
            from tfkit import quantizers

            try:
                quantizers.get(getattr(found, key), role)
            except TfkitError as error:
                reader.refuse((*path, key), str(error))


def _check_scheme(
    reader: Reader, path: tuple[str | int, ...], found: Compression, networks: Sequence[ModelSettings]
) -> None:
    for network in networks:
        if found.scheme is not None and found.scheme not in models.REGISTRY[network.name].schemes:
            reader.refuse(
                (*path, "scheme"),
                f"{network.name} has no binary twin; sweep it in a spec of its own, or leave one of the two out",
            )


def _training(reader: Reader) -> Training:
    given = reader.document.get("training", {})
    combinations = list(reader.grid(("training",), given, TRAINING_KEYS))
    values = dict(combinations[0])
    seeds = tuple(combination["seeds"] for combination in combinations)
    own = {name: values.pop(name) for name in ("recipe", "tuning_epochs", "tuning_learning_rate", "seeds")}
    overrides = {name: value for name, value in values.items() if value is not None}
    return Training(own["recipe"], overrides, own["tuning_epochs"], own["tuning_learning_rate"], seeds)


def _devices(reader: Reader) -> Iterator[DeviceSettings]:
    for index, given in enumerate(reader.document.get("device", [])):
        path = ("device", index)
        for values in reader.grid(path, given, DEVICE_KEYS):
            kind, _, which = values["name"].partition(":")
            try:
                DEVICES[kind]
                if kind == "qemu":
                    CPUS[which]
            except UsageError as error:
                reader.refuse((*path, "name"), f"{error}; accepted is {DEVICE_KEYS['name'].accepted}")
            yield DeviceSettings(**values)


def _unique(found: Iterator[Any]) -> list[Any]:
    """Without repetitions: two tables may overlap."""
    return list(dict.fromkeys(found))
