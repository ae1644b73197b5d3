"""Dense values of a sparsely stored constant (TACO format: each traversed dimension dense or compressed)."""

from __future__ import annotations

import numpy as np

from tfkit.converters.graph import Sparsity
from tfkit.converters.semantics import traversed_sizes


def densify(values: np.ndarray, shape: tuple[int, ...], sparsity: Sparsity) -> np.ndarray:
    """The dense array of ``shape``; ``sparsity`` was checked by ``semantics.check_sparsity``."""
    sizes = traversed_sizes(sparsity, shape)
    # One row of coordinates per stored entry, grown dimension by dimension in the order of traversal.
    coordinates = np.zeros((1, 0), np.int64)
    for dim, size in zip(sparsity.dims, sizes, strict=True):
        if dim.segments is None or dim.indices is None:
            counts = np.full(len(coordinates), size)
            last = np.tile(np.arange(size), len(coordinates))
        else:
            counts = np.diff(dim.segments)
            last = dim.indices
        coordinates = np.column_stack([np.repeat(coordinates, counts, axis=0), last])
    rank = len(shape)
    place = np.zeros((len(coordinates), rank), np.int64)
    blocks = {}
    for column, order in enumerate(sparsity.traversal_order):
        if order >= rank:
            axis = sparsity.block_map[order - rank]
            blocks[axis] = sizes[column]
            place[:, axis] += coordinates[:, column]
    for column, order in enumerate(sparsity.traversal_order):
        if order < rank:
            place[:, order] += coordinates[:, column] * blocks.get(order, 1)
    dense = np.zeros(shape, values.dtype)
    dense[tuple(place.T)] = values[: len(place)]
    return dense


def stored_bytes(values: np.ndarray, sparsity: Sparsity) -> int:
    """Bytes that the sparse form takes: values, and segments and indices in the width that holds them."""
    total = values.nbytes
    for dim in sparsity.dims:
        for part in (dim.segments, dim.indices):
            if part is not None and len(part):
                total += len(part) * (1 if part.max() < 256 else 2 if part.max() < 65536 else 4)
    return total
