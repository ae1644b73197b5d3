"""What holds for each channel of a tensor, in arrays that have one entry along every axis on which nothing changes.

A feature map (height, width, channels) has arrays (1, 1, channels). Behind ``Reshape``, ``Permute`` and ``Flatten``
channels lie on other axes, on several, or on one together with height and width; the arrays follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def along_last(entries: np.ndarray, rank: int) -> np.ndarray:
    """One entry per channel of a tensor with ``rank`` axes, channels last."""
    return entries.reshape((1,) * (rank - 1) + (-1,))


def only_last(array: np.ndarray) -> bool:
    """Whether nothing changes but along the last axis."""
    return array.ndim > 0 and array.size == array.shape[-1]


def compressed(array: np.ndarray) -> np.ndarray:
    """One entry in place of every axis along which all are equal.

    >>> compressed(np.array([[1, 2, 3], [1, 2, 3]]))
    array([[1, 2, 3]])
    """
    for axis in range(array.ndim):
        first = array.take([0], axis)
        if np.array_equal(np.broadcast_to(first, array.shape), array):
            array = first
    return array


def reshaped_source(shape: Sequence[int], size: Sequence[int], new: Sequence[int]) -> np.ndarray:
    """Where the entries behind a reshape come from: flat indices into an array of ``shape``.

    ``size`` is the tensor's size before and ``new`` behind the reshape, both without the batch.

    >>> reshaped_source((1, 3), (2, 3), (6,))
    array([0, 1, 2, 0, 1, 2])
    """
    entries = np.arange(int(np.prod(shape))).reshape(tuple(shape))
    return compressed(np.broadcast_to(entries, tuple(size)).reshape(tuple(new)))


def rectangle(kept: np.ndarray) -> tuple[int, ...] | None:
    """The shape that is left of an array when only the entries ``kept`` stay and close up; None when they form none.

    Rows may lose different entries, but as many of them; or all, if that leaves a rectangle of rows.

    >>> rectangle(np.array([[True, False, True], [False, True, True]]))
    (2, 2)
    >>> rectangle(np.array([[True, False], [True, True]]))
    """
    if kept.ndim == 0:
        return () if kept else None
    counts = kept.sum(axis=-1)
    left = np.unique(counts[counts > 0])
    if left.size != 1:
        return None
    rows = rectangle(counts > 0)
    return None if rows is None else (*rows, int(left[0]))


def closed_up(kept: np.ndarray) -> np.ndarray:
    """Flat indices of the entries ``kept``, in the shape that they leave; see ``rectangle``."""
    shape = rectangle(kept)
    if shape is None:
        raise ValueError("what is kept leaves no rectangle")
    return np.flatnonzero(kept).reshape(shape)


def moved_by_reshape(
    places: np.ndarray,
    shapes: tuple[Sequence[int], Sequence[int]],
    sizes: tuple[Sequence[int], Sequence[int]],
    new: Sequence[int],
) -> np.ndarray | None:
    """Which entries stand where when a smaller tensor is reshaped.

    Args:
        places: of the smaller tensor before the reshape: flat indices of entries of the array of the large one.
        shapes: of the large tensor's arrays, before and behind the reshape.
        sizes: of the large tensor, before and behind.
        new: size of the small tensor behind the reshape.

    Returns:
        The same for the small tensor behind the reshape; None when something else than channels would move.
    """
    (shape, shape_after), (size, size_after) = shapes, sizes
    whole = list(np.unravel_index(places, tuple(shape)))
    for axis, entries in enumerate(shape):
        if entries == 1:
            at = np.arange(size[axis]).reshape([-1 if other == axis else 1 for other in range(len(shape))])
            whole[axis] = whole[axis] + at
    flat = np.ravel_multi_index(tuple(np.broadcast_arrays(*whole)), tuple(size)) if whole else places
    after = np.unravel_index(flat.reshape(tuple(new)), tuple(size_after))
    kept = tuple(slice(0, 1) if entries == 1 else slice(None) for entries in shape_after)
    for axis, entries in enumerate(shape_after):
        if entries == 1:
            at = np.arange(size_after[axis]).reshape([-1 if other == axis else 1 for other in range(len(shape_after))])
            if after[axis].shape[axis] != size_after[axis] or not np.array_equal(
                after[axis], np.broadcast_to(at, after[axis].shape)
            ):
                return None
    coordinates = [
        np.zeros_like(part) if entries == 1 else part for part, entries in zip(after, shape_after, strict=True)
    ]
    found = np.ravel_multi_index(tuple(coordinates), tuple(shape_after))
    few = found[kept]
    return few if np.array_equal(np.broadcast_to(few, found.shape), found) else None
