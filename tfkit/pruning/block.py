"""Blocks of weights that are zero together: what a sparse kernel can skip as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tfkit._errors import UsageError
from tfkit.pruning.masked import Gradual
from tfkit.pruning.method import Pruning
from tfkit.pruning.thresholds import largest_of_all


@dataclass(frozen=True)
class Block(Gradual):
    """Blocks of the kernel as a matrix (everything an output reads, outputs) become zero together.

    A convolution's rows are (height, width, input channel), the channel running fastest. The blocks with the smallest
    mean |w| in all layers go; where a side of the matrix is no multiple of the block's, the last blocks are smaller.

    Args:
        rows: inputs in a block.
        columns: outputs in a block.

    Source: Narang et al. 2017, https://arxiv.org/abs/1711.02782, section 3.1 (with the mean instead of the maximum).
    """

    name: ClassVar[str] = "block"
    summary: ClassVar[str] = "blocks of inputs x outputs become zero together"
    source: ClassVar[str] = "Narang et al. 2017, https://arxiv.org/abs/1711.02782"

    rows: int = 1
    columns: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.rows, self.columns) < 1 or self.rows * self.columns < 2:
            raise UsageError(
                f"a block is rows x columns of at least 2 weights; got {self.rows}x{self.columns}, for example 1x4"
            )

    def masks(self, pruning: Pruning, share: float) -> list[np.ndarray]:
        means, sizes = {}, {}
        for wrapper in pruning.wrappers:
            size = np.abs(wrapper.layer.kernel.numpy()) * wrapper.mask.numpy()
            sizes[wrapper.name] = size.shape
            means[wrapper.name] = self._means(size.reshape(-1, size.shape[-1]))
        kept = largest_of_all(means, share)
        return [self._spread(kept[name], shape) for name, shape in sizes.items()]

    def _spread(self, blocks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        mask = np.repeat(np.repeat(blocks, self.rows, 0), self.columns, 1)
        return np.asarray(mask[: int(np.prod(shape[:-1])), : shape[-1]].reshape(shape))

    def _means(self, matrix: np.ndarray) -> np.ndarray:
        def sums(values: np.ndarray) -> np.ndarray:
            down = np.add.reduceat(values, np.arange(0, values.shape[0], self.rows), 0)
            return np.asarray(np.add.reduceat(down, np.arange(0, values.shape[1], self.columns), 1))

        return sums(matrix.astype(np.float64)) / sums(np.ones_like(matrix, np.float64))
