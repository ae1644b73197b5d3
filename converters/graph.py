"""The typed view of a flatbuffer that everything but ``flatbuffer.py`` works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Quantization:
    """``real = scale * (integer - zero_point)``; one entry per tensor, or one per slice along ``axis``."""

    scale: np.ndarray
    zero_point: np.ndarray
    axis: int


@dataclass(frozen=True)
class SparseDim:
    """One traversed dimension: dense of ``size``, or sparse with ``segments`` and ``indices``."""

    size: int
    segments: np.ndarray | None = None
    indices: np.ndarray | None = None


@dataclass(frozen=True)
class Sparsity:
    """Where the stored values of a sparse constant belong (TACO format, as in TFLite's schema)."""

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    dims: tuple[SparseDim, ...]


@dataclass(frozen=True)
class Tensor:
    """``shape_signature`` has -1 where an axis is free; ``data`` are the raw bytes of a constant."""

    name: str
    type: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    quantization: Quantization | None
    sparsity: Sparsity | None
    is_variable: bool
    data: np.ndarray | None
    buffer: int

    @property
    def is_constant(self) -> bool:
        return self.data is not None


@dataclass(frozen=True)
class Op:
    """``name`` is the builtin's name, or the custom op's own; an absent optional input is -1."""

    name: str
    is_custom: bool
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    custom_options: bytes = b""


@dataclass(frozen=True)
class Graph:
    """One subgraph; ``ops`` stand in the order of execution."""

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """A named entry point: input and output names -> tensor index in ``graph``."""

    key: str
    graph: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Model:
    """A whole flatbuffer; ``graphs[0]`` is what runs. Equal to itself only, so that what is derived can be cached."""

    description: str
    graphs: tuple[Graph, ...]
    metadata: Mapping[str, bytes]
    signatures: tuple[Signature, ...]

    @property
    def main(self) -> Graph:
        return self.graphs[0]
