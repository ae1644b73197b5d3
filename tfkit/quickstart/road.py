"""The whole road for each twin: train, convert, verify, benchmark here, run on an emulated Arm core."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from tfkit import bench, converters, saving, training
from tfkit._errors import InputError, ModelError
from tfkit._files import whole_file
from tfkit._json import json_text
from tfkit.bench import Report
from tfkit.bench.artifacts import Artifacts
from tfkit.converters import Conversion, Parity
from tfkit.converters.pipeline import Rejected
from tfkit.data import Dataset, load
from tfkit.devices import connect
from tfkit.metadata import IDENTITY, attach_metadata, metadata_of
from tfkit.quickstart.page import to_html
from tfkit.quickstart.result import Result, Row
from tfkit.quickstart.twins import TWINS, Twin
from tfkit.runtime import Interpreter

DATA = "digits"
DEVICE = "local"
ARM_DEVICE = "qemu:cortex-a72"

Say = Callable[[str], None]


def run(folder: Path, say: Say) -> Result:
    """Walk the road and write ``report.json`` and ``report.html`` into ``folder``.

    Trained networks stay there and are reused by the next run; everything after training is done anew.

    Raises:
        InputError: ``folder`` cannot be made or written into.
        MissingToolError: the emulator is not installed; names the command that brings it. Nothing was trained yet.
        StrictError: a layer of a network fell back.
    """
    started = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}; choose another folder") from error
    with connect(ARM_DEVICE) as device:  # what the last step needs is found missing before the first one
        Artifacts.for_platform(device.platform)
    data = load(DATA)
    networks: list[tuple[Twin, Any, Conversion]] = []
    paths: list[Path] = []
    float_model = None
    for number, twin in enumerate(TWINS, 1):
        tell = functools.partial(_tell, say, f"[{number}/{len(TWINS)}] {twin.name}")
        model = _trained(twin, float_model, data, folder, tell)
        float_model = model if float_model is None else float_model
        conversion, path = _converted(twin, model, folder, tell)
        networks.append((twin, model, conversion))
        paths.append(path)
    here = bench.run(paths, device=DEVICE, data=DATA, preset="quick", progress=say)
    arm = bench.run(paths, device=ARM_DEVICE, data=DATA, progress=say)
    rows = [
        _row(twin, model, conversion, data, here, arm, index)
        for index, (twin, model, conversion) in enumerate(networks)
    ]
    result = Result(
        device=f"{DEVICE} ({here.device['platform']})",
        arm_device=ARM_DEVICE,
        test_images=len(data.x_test),
        seconds=time.monotonic() - started,
        machine=here.device["properties"],
        rows=rows,
    )
    with whole_file(folder / "report.json") as temporary:
        temporary.write_text(json_text(result.to_json()) + "\n")
    with whole_file(folder / "report.html") as temporary:
        temporary.write_text(to_html(result))
    return result


def _tell(say: Say, head: str, line: str) -> None:
    say(f"{head}: {line}")


def _path(folder: Path, twin: Twin, suffix: str) -> Path:
    return folder / (twin.name.split()[0] + suffix)


def _trained(twin: Twin, float_model: Any, data: Dataset, folder: Path, say: Say) -> Any:
    path = _path(folder, twin, ".keras")
    if path.exists():
        try:
            model = saving.load(path)
            if metadata_of(model).extra.get("twin") == twin.recipe:
                say(f"trained before ({path.name})")
                return model
        except ModelError:
            say(f"{path.name} is damaged; training again")
    model = twin.train(
        float_model,
        data,
        lambda epoch, epochs, logs: say(f"epoch {epoch}/{epochs}, accuracy {logs['val_accuracy']:.2%}"),
    )
    metadata = metadata_of(model)
    attach_metadata(model, replace(metadata, extra={**metadata.extra, "twin": twin.recipe}))
    saving.save(model, path)
    return model


def _converted(twin: Twin, model: Any, folder: Path, say: Say) -> tuple[Conversion, Path]:
    path = _path(folder, twin, ".tflite")
    path.unlink(missing_ok=True)  # an earlier run's
    try:
        conversion = converters.convert(model, format=twin.format, data=DATA, strict=True, progress=say)
    except Rejected as error:
        # The table is the place that says so; the other networks are still worth seeing.
        conversion, path = cast(Conversion, error.conversion), path.with_suffix(".rejected.tflite")
    return conversion, conversion.save(path)


def _row(twin: Twin, model: Any, conversion: Conversion, data: Dataset, here: Report, arm: Report, index: int) -> Row:
    measured, emulated = here.results[index], arm.results[index]
    preprocessing = metadata_of(model).preprocessing or IDENTITY
    outputs = Interpreter(conversion.flatbuffer).predict(preprocessing.apply(data.x_test))
    latency = measured.latency
    parity = cast(Parity, conversion.parity)
    return Row(
        name=twin.name,
        format=twin.format,
        keras_accuracy=training.accuracy(model, data.x_test, data.y_test),
        flatbuffer_accuracy=float(np.mean(np.argmax(outputs, axis=-1) == data.y_test)),
        size_bytes=len(conversion.flatbuffer),
        p50_s=None if latency is None else latency.median_s,
        p90_s=None if latency is None else latency.p90_s,
        samples=0 if latency is None else latency.samples,
        parity_ok=parity.ok,
        parity=parity.summary,
        arm_ok=emulated.ok and measured.ok,
        arm=str(emulated.golden["summary"]),
        ledger=conversion.ledger.table().splitlines(),
    )
