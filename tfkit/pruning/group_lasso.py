"""Group lasso: structured sparsity learning. Wen et al. 2016."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit.pruning.structured import Structured, StructuredKernel
from tfkit.pruning.structures import Structure


class LassoKernel(StructuredKernel):
    """The kernel itself, with the sum of the norms of its structures in the loss."""

    def __init__(self, layer: Any, parts: Structure, strength: float, **kwargs: Any) -> None:
        super().__init__(layer, parts, **kwargs)
        self.strength = strength

    def penalty(self) -> Any:
        return self.strength * tf.reduce_sum(self._norms())

    def _norms(self) -> Any:
        # A norm has no gradient at zero, where a removed structure is to stay.
        return tf.sqrt(self.parts.sums(tf.square(self.layer.kernel)) + 1e-12)

    def scores(self) -> np.ndarray:
        return np.asarray(self._norms())


@dataclass(frozen=True)
class GroupLasso(Structured):
    """The loss has the norm of every structure in it, which drives whole structures to zero.

        L' = L + strength · Σ_layers Σ_g ‖w_g‖₂

    A structure is worth its norm.

    Args:
        strength: λ.

    Source: Wen et al. 2016, https://arxiv.org/abs/1608.03665, equations 1 to 4.
    """

    name: ClassVar[str] = "group_lasso"
    summary: ClassVar[str] = "the norm of every structure is part of the loss"
    source: ClassVar[str] = "Wen et al. 2016, https://arxiv.org/abs/1608.03665"
    wrapper: ClassVar[type[StructuredKernel]] = LassoKernel

    strength: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.strength >= 0:
            raise UsageError(f"strength is not negative; got {self.strength:g}")

    def arguments(self) -> dict[str, Any]:
        return {"strength": self.strength}
