"""One model of a benchmark, with the files that the device is given for it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit._errors import InferenceError
from tfkit.bench import golden, inputs
from tfkit.runtime import Interpreter
from tfkit.runtime.model_file import ModelFile

MODEL = "model.tflite"
INPUTS = "inputs.bin"
GOLDEN = "golden.bin"


@dataclass(frozen=True)
class Subject:
    """``folder`` holds the very bytes that were checked, under names that no program can stumble over."""

    path: Path
    file: ModelFile
    golden: golden.Golden
    folder: Path

    def describe(self) -> dict[str, Any]:
        """JSON-ready: path, name, hashes of the model and of the inputs it runs on, size, custom ops."""
        return {
            "path": str(self.path),
            "name": self.path.name,
            "sha256": hashlib.sha256(self.file.data).hexdigest(),
            "inputs_sha256": hashlib.sha256(inputs.concatenated(self.golden.inputs)).hexdigest(),
            "bytes": len(self.file.data),
            "custom_ops": list(self.file.custom_ops),
        }


def prepare(path: Path, file: ModelFile, data: str | os.PathLike[str] | None, seed: int, folder: Path) -> Subject:
    """Run the host's reference, and write model, inputs and expected outputs into the new ``folder``.

    Raises:
        InferenceError: the host cannot run the model.
        DataError: ``data`` does not fit the model.
    """
    try:
        infos = Interpreter(file.data).inputs
        if data is None:
            expected = golden.make(file.data, inputs.seeded_candidates(infos, seed))
        else:
            expected = golden.make(file.data, inputs.data_candidates(data, file.data, infos))
    except InferenceError as error:
        raise InferenceError(f"{path}: {error}") from error
    folder.mkdir()
    (folder / MODEL).write_bytes(file.data)
    (folder / INPUTS).write_bytes(inputs.concatenated(expected.inputs))
    (folder / GOLDEN).write_bytes(inputs.concatenated(expected.outputs))
    return Subject(path, file, expected, folder)
