"""Continue a measurement that was cut off, or go on with it on another day; never mix two different ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfkit._errors import DataError, UsageError
from tfkit.bench import document
from tfkit.bench.plan import Key
from tfkit.bench.reading import read_report
from tfkit.bench.result import Report
from tfkit.bench.subject import Subject

_DEVICE = ("name", "platform", "label", "simulated")


def earlier(
    path: str | os.PathLike[str], report: Report, subjects: Sequence[Subject], threads: Sequence[int]
) -> tuple[dict[Key, tuple[Mapping[str, Any], ...]], dict[Key, Mapping[str, Any]]]:
    """(processes, whole results) of the file at ``path``, by (model, threads); both empty where there is no file.

    Raises:
        DataError: no result file of this schema.
        UsageError: it is of other models, artifacts, settings or another device; says what differs.
    """
    if not Path(path).exists():
        return {}, {}
    old = read_report(path)
    found = list(differences(old, report, subjects))
    if found:
        raise UsageError(
            f"cannot continue {path}: {'; '.join(found)}. Measure with the settings of that file, or write another one"
        )
    keys = [(index, count) for index in range(len(subjects)) for count in threads]
    by_model = {(result["model"].get("path"), result["threads"]): result for result in old["results"]}
    whole = {key: by_model[name] for key in keys if (name := (str(subjects[key[0]].path), key[1])) in by_model}
    processes = {key: tuple(_processes(result, str(path))) for key, result in whole.items()}
    return processes, whole


def differences(old: Mapping[str, Any], new: Report, subjects: Sequence[Subject]) -> Iterator[str]:
    """One phrase for each thing in which a result file and a planned measurement differ."""
    for key in _DEVICE:
        yield from _differs(f"device {key}", old["device"].get(key), new.device.get(key))
    cpus = [(part.get("properties") or {}).get("cpu_model") for part in (old["device"], new.device)]
    yield from _differs("processor", *cpus)
    for name, before, now in (("", old["spec"], new.spec), ("", old["artifacts"], new.artifacts)):
        for key in sorted({*before, *now}):
            yield from _differs(name + key, before.get(key), now.get(key))
    yield from _differs("tfkit", *((part.get("versions") or {}).get("tfkit") for part in (old["host"], new.host)))
    models = {subject["path"]: subject for subject in (s.describe() for s in subjects)}
    for result in old["results"]:
        path = result["model"].get("path")
        if path not in models:
            yield f"it has the model {path}, which is not among those given"
            continue
        for key in ("sha256", "inputs_sha256"):
            yield from _differs(f"{key} of {path}", result["model"].get(key), models[path][key])


def _differs(name: str, before: Any, now: Any) -> Iterator[str]:
    if before != now:
        yield f"{name} was {_short(before)}, now it is {_short(now)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:24]}..."


def _processes(result: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    for process in result["processes"]:
        checked = document.check(process, where)
        if not isinstance(checked.get("host"), dict) or not isinstance(checked["host"].get("started"), str):
            raise DataError(f"{where}: a process does not say when it started; was the file edited? Measure again")
        yield checked
