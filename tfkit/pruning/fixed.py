"""Fine-tuning that leaves zeros alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tfkit.pruning.dropout import masked_with_dropout
from tfkit.pruning.method import Method
from tfkit.pruning.reparameterized import wrappers_of


@dataclass(frozen=True)
class KeepZeros(Method):
    """w ⊙ 1[w != 0]: what a pruned network is fine-tuned with, whatever pruned it. Dropout is as in ``han``."""

    name: ClassVar[str] = "keep_zeros"
    summary: ClassVar[str] = "train a pruned network and keep its zeros"
    source: ClassVar[str] = "Han et al. 2015, https://arxiv.org/abs/1506.02626, sections 3.2 and 3.3"

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        network = masked_with_dropout(model, layers)
        for wrapper in wrappers_of(network):
            wrapper.mask.assign((wrapper.layer.kernel.numpy() != 0).astype("float32"))
        return network
