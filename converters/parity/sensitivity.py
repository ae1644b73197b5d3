"""How far a network's outputs move when every stored number of it is off by a rounding.

No bound that is worth something can be derived for a deep network whose weights are rounded to 16 bits: in the worst
case errors grow from layer to layer, in practice they mostly cancel. So it is measured, by stochastic arithmetic
(CESTAC: Vignes, "A stochastic arithmetic for reliable scientific computation", Math. Comput. Simul. 35, 1993): the
roundings are drawn at random, a few times, and the answers compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tfkit.converters.parity.layers import relative
from tfkit.converters.sources import Source

DRAWS = 4
# A rounding is off by up to u, by 0.4 u in the root mean square; the draws are off by u, always. Twice the largest of
# four of them is thus some five standard deviations of what roundings do.
FACTOR = 2.0


def sensitivity(source: Source, arrays: Sequence[np.ndarray], unit: float, seed: int) -> float:
    """``FACTOR`` times the largest relative change of an output when all numbers of the model change by +-``unit``.

    Args:
        arrays: one array of samples per input.
        unit: the unit roundoff of the type that the numbers are stored in.
        seed: of the signs.
    """
    wanted = source.run(arrays)
    largest = 0.0
    for draw in np.random.default_rng(seed).spawn(DRAWS):
        with _rounded(source.variables, unit, draw):
            moved = source.run(arrays)
        largest = max([largest, *(relative(w, m) for w, m in zip(wanted, moved, strict=True))])
    return FACTOR * largest


@contextmanager
def _rounded(variables: Sequence[Any], unit: float, draw: np.random.Generator) -> Iterator[None]:
    """All float32 variables changed for a while; they belong to the user's model and come back bit for bit."""
    kept = [(variable, variable.numpy()) for variable in variables if variable.dtype == "float32"]
    try:
        for variable, values in kept:
            variable.assign((values * (1 + unit * draw.choice([-1, 1], values.shape))).astype(values.dtype))
        yield
    finally:
        for variable, values in kept:
            variable.assign(values)
