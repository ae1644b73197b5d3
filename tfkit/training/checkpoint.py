"""Checkpoints: everything that training needs to go on after an interruption, in one file that appears whole.

A checkpoint is a zip of ``state.json`` and one ``.npy`` array per weight and optimizer variable. Reading it runs no
code: sizes and types are compared with the model before any data is read, and arrays of objects are refused.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from tfkit._errors import InputError, ModelError, TfkitError, UsageError
from tfkit._files import check_writable, whole_file
from tfkit._json import json_text
from tfkit._untrusted import absurd_archive

VERSION = 1
SUFFIX = ".checkpoint"
_STATE = "state.json"
_KINDS = ("weights", "optimizer")

Row = dict[str, float]


@dataclass(frozen=True)
class State:
    """Where a run stands: ``epoch`` epochs of stage number ``stage`` are done, each with one row of results."""

    stage: int
    epoch: int
    rows: tuple[Row, ...]


class CheckpointFile:
    """One checkpoint on disk, bound to the settings of the run that it belongs to.

    Args:
        path: the file; it need not exist.
        settings: JSON-ready; everything that decides the result. A checkpoint made with others is refused.
        notes: JSON-ready; what a stage found out that decides the shape of the network in those after it. Written
            with every state; ``state`` adds what the file has.
    """

    def __init__(
        self, path: str | os.PathLike[str], settings: Mapping[str, Any], notes: dict[str, Any] | None = None
    ) -> None:
        self.path = Path(path)
        self.settings: dict[str, Any] = json.loads(json_text(dict(settings)))
        self._notes = {} if notes is None else notes
        check_writable(self.path)

    def state(self) -> State | None:
        """What the file says; None when there is no file.

        Raises:
            ModelError: the file is damaged, cut off, or no checkpoint.
            UsageError: it belongs to a run with other settings; all differences are named.
        """
        if not self.path.exists():
            return None
        with self._opened() as archive:
            found = self._read_state(archive)
        differences = _differences(self.settings, found["settings"])
        if differences:
            raise UsageError(
                f"{self.path} is a checkpoint of a run with other settings: {'; '.join(differences)}. "
                "Use the same settings to go on with it, or --restart (or delete it) to train anew"
            )
        self._notes.update(found.get("notes", {}))
        return State(found["stage"], found["epoch"], tuple(found["rows"]))

    def restore(self, weights: Sequence[Any], optimizer: Sequence[Any]) -> None:
        """Assign the arrays in the file to these variables.

        Raises:
            ModelError: the file is damaged or its arrays do not fit; nothing was assigned then.
        """
        groups = dict(zip(_KINDS, (weights, optimizer), strict=True))
        with self._opened() as archive:
            arrays = {kind: self._read_arrays(archive, kind, variables) for kind, variables in groups.items()}
        for kind, variables in groups.items():
            for variable, array in zip(variables, arrays[kind], strict=True):
                variable.assign(array)

    def save(self, state: State, weights: Sequence[Any], optimizer: Sequence[Any]) -> None:
        """Write the file, whole or not at all, onto the disk and not only into its cache."""
        text = json_text(
            {
                "version": VERSION,
                "settings": self.settings,
                "stage": state.stage,
                "epoch": state.epoch,
                "rows": list(state.rows),
                **({"notes": self._notes} if self._notes else {}),
            }
        )
        with whole_file(self.path) as temporary, temporary.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(_STATE, text)
                for kind, variables in zip(_KINDS, (weights, optimizer), strict=True):
                    for number, variable in enumerate(variables):
                        with archive.open(_member(kind, number), "w", force_zip64=True) as member:
                            npy.write_array(member, latent(variable), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Delete the file and what killed runs left half-written beside it."""
        self.path.unlink(missing_ok=True)
        sweep(self.path)

    def _opened(self) -> zipfile.ZipFile:
        try:
            archive = zipfile.ZipFile(self.path)
        except (OSError, zipfile.BadZipFile) as error:
            raise self.damaged(error) from error
        absurd = absurd_archive(archive)
        if absurd:
            archive.close()
            raise self.damaged(absurd)
        return archive

    def _read_state(self, archive: zipfile.ZipFile) -> dict[str, Any]:
        try:
            found = json.loads(archive.read(_STATE))
            version = found["version"]
            if version != VERSION:
                raise ModelError(
                    f"{self.path} is a checkpoint of version {version!r}, this tfkit writes and reads {VERSION}; "
                    "delete it and train anew"
                )
            whole = all(isinstance(found[name], int) and found[name] >= 0 for name in ("stage", "epoch"))
            rows = [{str(name): float(value) for name, value in row.items()} for row in found["rows"]]
            objects = isinstance(found["settings"], dict) and isinstance(found.get("notes", {}), dict)
            if not whole or not objects or len(rows) != found["epoch"]:
                raise ValueError("state.json contradicts itself")
        except TfkitError:
            raise
        except Exception as error:  # zipfile and json raise nearly anything on damaged input
            raise self.damaged(error) from error
        return {**found, "rows": rows}

    def _read_arrays(self, archive: zipfile.ZipFile, kind: str, variables: Sequence[Any]) -> list[np.ndarray]:
        names = {name for name in archive.namelist() if name.startswith(kind + "/")}
        if names != {_member(kind, number) for number in range(len(variables))}:
            raise self.damaged(f"it holds {len(names)} arrays of {kind}, the run has {len(variables)}")
        arrays = []
        for number, variable in enumerate(variables):
            name = _member(kind, number)
            try:
                shape, dtype = _header(archive, name)
            except Exception as error:
                raise self.damaged(error) from error
            wanted = tuple(variable.shape), np.dtype(variable.dtype.as_numpy_dtype)
            if (shape, dtype) != wanted:
                raise self.damaged(f"{name} is {dtype} {shape}, the run has {wanted[1]} {wanted[0]}")
            try:
                with archive.open(name) as member:
                    arrays.append(npy.read_array(member, allow_pickle=False))
            except Exception as error:
                raise self.damaged(error) from error
        return arrays

    def damaged(self, why: object) -> ModelError:
        """The error that says why this file cannot be gone on with."""
        return ModelError(
            f"{self.path} is damaged, cut off or no checkpoint of this run ({str(why) or type(why).__name__}); "
            "delete it, or use --restart, to train anew"
        )


def checkpoint_path(output: str | os.PathLike[str]) -> Path:
    """Where the checkpoint of a run lies that writes ``output``."""
    target = Path(output)
    return target.with_name(target.name + SUFFIX)


def sweep(target: Path) -> None:
    """Delete what writers of ``target`` that were killed left behind: temporary files of ``whole_file``."""
    for leftover in target.parent.glob(f".{_escaped(target.stem)}.????????{_escaped(target.suffix)}"):
        leftover.unlink(missing_ok=True)


def latent(variable: Any) -> np.ndarray:
    """The stored value of a variable; Larq's show their quantized one."""
    return np.asarray(getattr(variable, "latent_variable", variable).numpy())


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _member(kind: str, number: int) -> str:
    return f"{kind}/{number:05}.npy"


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type that an array claims."""
    with archive.open(name) as member:
        version = npy.read_magic(member)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(member)
    return shape, dtype


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name in sorted({*ours, *theirs}):
        mine, other = ours.get(name), theirs.get(name)
        if isinstance(mine, Mapping) and isinstance(other, Mapping):
            found += _differences(mine, other, f"{prefix}{name} ")
        elif mine != other:
            found.append(f"{prefix}{name} was {other}, now it is {mine}")
    return found


def check_input(path: Path) -> None:
    """Raise ``InputError`` when ``--resume`` finds nothing to go on with."""
    if not path.exists():
        raise InputError(f"there is no checkpoint {path} to resume; leave out --resume to train from the start")
