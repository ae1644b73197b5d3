"""Result files, read back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfkit._errors import DataError
from tfkit.bench.result import SCHEMA_VERSION

_PARTS: Mapping[str, type] = {
    "device": dict,
    "spec": dict,
    "artifacts": dict,
    "host": dict,
    "created": str,
    "results": list,
}
_RESULT: Mapping[str, type] = {"model": dict, "threads": int, "golden": dict, "processes": list, "gate": dict}


def read_report(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The document that ``Report.save`` wrote.

    Raises:
        DataError: no such file, no result of ``tfkit bench``, or one of another schema version; says what to do.
    """
    name = Path(path)
    try:
        document = json.loads(name.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror}; give a file that tfkit bench --json wrote") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is no JSON ({error}); give a file that tfkit bench --json wrote") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version == 1:
        raise DataError(
            f"{name} has schema version 1, which holds no conditions and no gate, so nothing vouches for its figures; "
            "measure again with this tfkit: tfkit bench ... --json FILE"
        )
    if version != SCHEMA_VERSION or not isinstance(document, dict):
        raise DataError(
            f"{name} has schema version {version!r:.20}, this tfkit reads {SCHEMA_VERSION}; give a file that "
            "tfkit bench --json wrote, or measure again"
        )
    _check(document, _PARTS, str(name))
    for index, result in enumerate(document["results"]):
        if not isinstance(result, dict):
            raise DataError(f"{name}: results[{index}] is no object; was the file edited? Measure again")
        _check(result, _RESULT, f"{name}: results[{index}]")
    return document


def _check(value: Mapping[str, Any], parts: Mapping[str, type], where: str) -> None:
    for key, kind in parts.items():
        if not isinstance(value.get(key), kind):
            raise DataError(f"{where}: {key!r} is missing or of another type; was the file edited? Measure again")
