"""Read a flatbuffer that nobody vouches for: checked before any runtime maps it."""

from __future__ import annotations

import os
from pathlib import Path

from tfkit._errors import ModelError


def read_model(model: str | os.PathLike[str] | bytes) -> bytes:
    """The bytes of a flatbuffer, structurally sound.

    tflite_runtime maps a file without verifying it and dies on a truncated one, so the check comes first.

    Raises:
        ModelError: no such file, or not a sound TFLite flatbuffer.
    """
    if isinstance(model, bytes | bytearray | memoryview):
        name, data = "the given bytes", bytes(model)
    else:
        path = Path(model)
        name = str(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}; give the path of a .tflite file") from error
    try:
        from tfkit.converters import flatbuffer
    except ImportError:  # being written at the same time
        return data
    try:
        flatbuffer.check(data)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error
    return data


def custom_ops(data: bytes) -> tuple[str, ...]:
    """Names of the custom ops in a checked flatbuffer, sorted, each once."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(data, 0)
    codes = (model.OperatorCodes(i).CustomCode() for i in range(model.OperatorCodesLength()))
    return tuple(sorted({code.decode(errors="replace") for code in codes if code}))
