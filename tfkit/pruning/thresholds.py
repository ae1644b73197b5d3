"""Which values are the smallest: the cut that every score-based method ends in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def largest(scores: np.ndarray, share: float) -> np.ndarray:
    """A mask of ``scores``' shape: 0 for the ``share`` of smallest values, 1 for the others.

    Exactly round(share · size) values are 0; of equal ones those that come first.

    >>> largest(np.array([3.0, 1.0, 2.0, 1.0]), 0.5)
    array([1., 0., 1., 0.], dtype=float32)
    """
    mask = np.ones(scores.size, np.float32)
    mask[np.argsort(scores, axis=None, kind="stable")[: round(share * scores.size)]] = 0
    return mask.reshape(scores.shape)


def largest_of_all(scores: Mapping[str, np.ndarray], share: float) -> dict[str, np.ndarray]:
    """As ``largest``, with one threshold for all arrays; each keeps at least its largest value.

    An array without any value left would cut the network in two.
    """
    floor = {name: int(np.argmax(values)) for name, values in scores.items()}
    flat = []
    for name, values in scores.items():
        part = values.astype(np.float64).ravel()
        part[floor[name]] = np.inf
        flat.append(part)
    mask = largest(np.concatenate(flat), share)
    sizes = np.cumsum([values.size for values in scores.values()])[:-1]
    return {
        name: part.reshape(values.shape)
        for (name, values), part in zip(scores.items(), np.split(mask, sizes), strict=True)
    }
