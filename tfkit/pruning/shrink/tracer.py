"""What is found out about the channels of a model while its calls are followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Flow:
    """The channels of one tensor.

    Attributes:
        shape: of the tensor without the batch; None where it is open.
        labels: which channel each entry is; arrays as in ``arrays``.
        rows: which row of the last splitting reshape it lay in, for the order behind a channel shuffle.
    """

    shape: tuple[int | None, ...]
    labels: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Fixed:
    """Channels that stay: ``reason`` completes "channels of 'x' stay, for ..."."""

    labels: np.ndarray
    reason: str


@dataclass(frozen=True)
class Balance:
    """Parts of a layer's channels that have to keep equally many.

    ``groups`` numbers the parts where they are a grouped convolution's, whose part may also lose all of them.
    """

    layer: str
    parts: tuple[np.ndarray, ...]
    groups: tuple[int, ...] | None = None


class Tracer:
    """Hands out channels and collects what binds them."""

    def __init__(self) -> None:
        self.count = 0
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self.fixed: list[Fixed] = []
        self.balances: list[Balance] = []

    def fresh(self, number: int) -> np.ndarray:
        """So many new channels."""
        self.count += number
        return np.arange(self.count - number, self.count)

    def unite(self, first: np.ndarray, second: np.ndarray) -> None:
        """Channels that go together, pair by pair."""
        one, two = np.broadcast_arrays(first, second)
        self.pairs.append((one.ravel(), two.ravel()))

    def fix(self, labels: np.ndarray, reason: str) -> None:
        """Channels that stay."""
        self.fixed.append(Fixed(np.unique(labels), reason))

    def balance(self, layer: str, parts: Sequence[np.ndarray], groups: Sequence[int] | None = None) -> None:
        """Parts that keep equally many channels."""
        if len(parts) > 1:
            flat = tuple(np.ravel(part) for part in parts)
            self.balances.append(Balance(layer, flat, None if groups is None else tuple(groups)))

    def classes(self) -> np.ndarray:
        """For every channel the number of its class: those that go together have one."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        one = np.concatenate([pair[0] for pair in self.pairs]) if self.pairs else np.zeros(0, int)
        two = np.concatenate([pair[1] for pair in self.pairs]) if self.pairs else np.zeros(0, int)
        graph = coo_array((np.ones(one.size, bool), (one, two)), shape=(self.count, self.count))
        return np.asarray(connected_components(graph, directed=False)[1], int)
