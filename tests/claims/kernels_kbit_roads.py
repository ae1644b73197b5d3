"""Each width by the kernel that is chosen and by those that could have been, in `tests.claims.kernels_kbit`'s run."""

from __future__ import annotations

from collections.abc import Iterator

from tests.claims import target
from tests.claims.kernel_graphs import QUICKNET
from tests.claims.kernels_kbit import WIDTHS, Measured, Width, measured

TITLE = "The same at all widths, and the chosen kernel against the best of bit-serial, lookup, int8 and XNNPACK int8"
LEAST = 0.9
TARGET = f"the chosen one at least {LEAST:g} of the best on each layer"
HEADINGS = ("width", *map(str, QUICKNET), target.HEADING)


def _share(result: Measured, width: Width) -> float:
    """Of the best, XNNPACK's int8 among them."""
    return result.factor(width) / max(1.0, *result.factors[width].values())


def rows() -> Iterator[tuple[str, ...]]:
    """One line per width."""
    results = {str(layer): measured(layer) for layer in QUICKNET}
    for width in WIDTHS:
        cells = (
            f"{result.factor(width):.2f}x {result.chosen[width]}, {_share(result, width):.2f} of best"
            for result in results.values()
        )
        judged = target.at_least((name, _share(result, width), LEAST) for name, result in results.items())
        yield f"W{width[0]}A{width[1]}", *cells, judged
