"""Read a flatbuffer that nobody vouches for: checked before any runtime maps it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfkit._errors import ModelError
from tfkit.converters import flatbuffer


@dataclass(frozen=True)
class ModelFile:
    """A sound flatbuffer, and what a runtime does not say about it.

    ``signature_names`` maps a tensor index to its name in the first signature: the name a user gave the input in
    Keras, where the tensor itself is called ``serving_default_x:0``.
    """

    data: bytes
    custom_ops: tuple[str, ...]
    is_sparse: bool  # some of its constants are stored sparse
    signature_names: Mapping[int, str]


def read_model(model: str | os.PathLike[str] | bytes) -> ModelFile:
    """Read and verify a flatbuffer, given by path or content.

    tflite_runtime maps a file without verifying it and dies on a truncated one, so the check comes first.

    Raises:
        ModelError: no such file, or not a sound TFLite flatbuffer.
    """
    if isinstance(model, bytes | bytearray | memoryview):
        name, data = "the given bytes", bytes(model)
    else:
        name, data = str(Path(model)), _read(Path(model))
    try:
        parsed = flatbuffer.parse(data)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error
    custom = {op.name for graph in parsed.graphs for op in graph.ops if op.is_custom}
    names: dict[int, str] = {}
    if parsed.signatures and parsed.signatures[0].graph == 0:
        signature = parsed.signatures[0]
        names = {index: name for ends in (signature.outputs, signature.inputs) for name, index in ends.items()}
    sparse = any(tensor.sparsity is not None for graph in parsed.graphs for tensor in graph.tensors)
    return ModelFile(data, tuple(sorted(custom)), sparse, names)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; give the path of a .tflite file") from error
