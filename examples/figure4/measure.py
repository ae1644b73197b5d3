"""Times of the networks of ``experiment.py``, in float32 and int8, on a device of ``tfkit bench``.

    python examples/figure4/measure.py RESULTS.json --device local --preset quick

All flatbuffers of all seeds are measured in one session, in random order. Machines with nothing else to do give times
that mean something; the same command with another ``--preset`` repeats all of it, and the flatbuffers are kept beside
the models. Times and the test errors of the flatbuffers go to RESULTS.times.json, where ``report.py`` finds them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figure4.grid import model_name, models_of
from figure4.times import COST, PRECISIONS
from figures.results import write_json

import tfkit
from tfkit import bench
from tfkit.data import load
from tfkit.metadata import metadata_of
from tfkit.runtime import Interpreter


def flatbuffer(model: Path, precision: str, data: str) -> Path:
    """The flatbuffer beside a model, made when it is missing or older."""
    path = model.with_name(f"{model.stem}.{precision}.tflite")
    if not path.exists() or path.stat().st_mtime < model.stat().st_mtime:
        calibration = data if precision == "int8" else None
        # The bench compares every file with the host's reference, and its test error is taken: that is check enough.
        tfkit.convert(model, precision, calibration=calibration, verify=False).save(path)
    return path


def error(path: Path, model: Any, dataset: Any) -> float:
    """Test error of a flatbuffer in percent."""
    images, labels = dataset.arrays("test")
    preprocessing = metadata_of(model).preprocessing
    inputs = images if preprocessing is None else preprocessing.apply(images)
    return 100 * float((Interpreter(path).predict(inputs).argmax(axis=1) != labels).mean())


def measured(found: Mapping[str, Any], folder: Path, seeds: int | None, device: str, preset: str) -> dict[str, Any]:
    """The content of the file of times."""
    data = found["settings"]["data"]
    dataset = load(data)
    records: dict[Path, dict[str, Any]] = {}
    for run in found["runs"]:
        if seeds is not None and run["seed"] >= seeds:
            continue
        path = folder / model_name(run["series"], run["share"], run["seed"])
        if not path.exists():
            raise SystemExit(f"{path} is missing; give --models, or make the runs again with another --output")
        model = tfkit.load(path)
        for precision in PRECISIONS:
            file = flatbuffer(path, precision, data)
            key = {name: run[name] for name in ("series", "share", "seed")}
            records[file] = {**key, "precision": precision, "error": round(error(file, model, dataset), 3)}
            print(f"{file.name}: {records[file]['error']:.2f} %", flush=True)
    report = bench.run(list(records), device=device, preset=preset, progress=print)
    report.check()
    return {"device": _name(report.device), "preset": preset, "runs": _timed(list(records.values()), report.results)}


def _timed(records: Sequence[dict[str, Any]], results: Sequence[bench.Result]) -> list[dict[str, Any]]:
    timed = []
    for record, result in zip(records, results, strict=True):
        if result.latency is None:
            raise SystemExit("the device's times mean nothing; give --device local, adb or ssh:HOST")
        milliseconds = round(1e3 * result.latency.median_s, 5)
        timed.append({**record, COST: milliseconds, "gate": result.gate["level"]})
    return timed


def _name(device: Mapping[str, Any]) -> str:
    """What the device is, without what names this one."""
    properties = device["properties"]
    known = [str(properties[key]) for key in ("cpu_model", "model", "soc") if properties.get(key)]
    return ", ".join([str(device["platform"]), *known])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="what experiment.py wrote")
    parser.add_argument("--models", type=Path, help="folder of the models; by default RESULTS' name with .models")
    parser.add_argument("--device", default="local")
    parser.add_argument("--preset", default="quick", help="quick, standard or publish")
    parser.add_argument("--seeds", type=int, help="measure the first so many; all if absent")
    given = parser.parse_args()
    found = json.loads(given.results.read_text())
    folder = given.models or models_of(given.results)
    output = given.results.with_suffix(".times.json")
    write_json(output, measured(found, folder, given.seeds, given.device, given.preset))
    print(f"{output} is complete; report.py adds it to the page")


if __name__ == "__main__":
    main()
