"""Runs models in a process of their own: a crash cannot take the tests along, and no TensorFlow is loaded.

tflite-runtime 2.14 does not work in a process that has imported TensorFlow 2.21 (its constructor fails with
"vector::reserve", delegate or not).

    python -m helpers.lce_worker RUNTIME FOLDER

For each NAME.tflite in the folder, with inputs in NAME.npz (arrays input_0, input_1, ...; input_0 may have another
shape than the model's), writes NAME.out.npz (output_0, ..., or error) and prints NAME before it starts on it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.lce_runtimes import DelegatedInterpreter

TESTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Outcome:
    """What became of one model."""

    outputs: tuple[np.ndarray, ...] = ()
    error: str | None = None


def run_in_process(
    cases: Mapping[str, tuple[bytes, Sequence[np.ndarray]]], folder: Path, runtime: str = "ai_edge_litert"
) -> dict[str, Outcome]:
    """Run every model on its inputs in one new process; fails, naming the model, if that process crashes."""
    for name, (flatbuffer, inputs) in cases.items():
        (folder / f"{name}.tflite").write_bytes(flatbuffer)
        np.savez(folder / f"{name}.npz", **{f"input_{i}": value for i, value in enumerate(inputs)})
    command = [sys.executable, "-m", "helpers.lce_worker", runtime, str(folder)]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=300, check=False)
    last = done.stdout.split()[-1:] or ["no model"]
    assert done.returncode == 0, f"exit code {done.returncode} at {last[0]}:\n{done.stderr[-2000:]}"
    outcomes = {}
    for name in cases:
        with np.load(folder / f"{name}.out.npz") as stored:
            arrays = dict(stored)
        error = arrays.pop("error", None)
        outcomes[name] = Outcome(
            tuple(arrays[f"output_{i}"] for i in range(len(arrays))), None if error is None else str(error)
        )
    return outcomes


def _run(model: Path, runtime: str) -> dict[str, np.ndarray]:
    with np.load(model.with_suffix(".npz")) as stored:
        inputs = [stored[f"input_{i}"] for i in range(len(stored))]
    try:
        interpreter = DelegatedInterpreter(model.read_bytes(), runtime)
        details = interpreter.interpreter.get_input_details()
        if inputs and details and tuple(details[0]["shape"]) != inputs[0].shape:
            interpreter.resize(inputs[0].shape)
        outputs = interpreter.run(inputs)
    except (RuntimeError, ValueError) as error:
        return {"error": np.array(str(error))}
    return {f"output_{i}": value for i, value in enumerate(outputs)}


def _main(runtime: str, folder: Path) -> None:
    for model in sorted(folder.glob("*.tflite")):
        sys.stdout.write(f"{model.stem}\n")
        sys.stdout.flush()
        np.savez(model.with_suffix(".out.npz"), **_run(model, runtime))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
