"""Optimizers for binary networks: Larq's Bop and CaseOptimizer, and Bop set up for a model.

Both are subclasses of ``keras.optimizers.legacy.Optimizer``, and ``CaseOptimizer`` takes such optimizers only.
"""

from __future__ import annotations

from tfkit.optimizers.binary import Bop, CaseOptimizer, binary_kernels, bop_and_adam

__all__ = ["Bop", "CaseOptimizer", "binary_kernels", "bop_and_adam"]
