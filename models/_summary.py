"""``summary``: Larq's table of a model, for those who know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfkit._errors import UnsupportedError


def summary(model: Any, print_fn: Callable[[str], Any] | None = None, include_macs: bool = True) -> None:
    """Print ``larq.models.summary``: weights by bit width, memory and MACs of every layer.

    Larq counts 2-D layers. ``tfkit.count`` knows every layer of the family, wrappers, and activations.

    Args:
        model: a built tf_keras model.
        print_fn: takes each table as one string; prints when None.
        include_macs: with columns for MACs.

    Raises:
        UnsupportedError: the model is not built, or has layers whose outputs Larq does not know.
    """
    from tfkit._larq import larq

    try:
        larq.models.summary(model, print_fn=print_fn, include_macs=include_macs)
    except (ValueError, NotImplementedError, TypeError) as error:
        raise UnsupportedError(
            f"Larq cannot summarize {getattr(model, 'name', model)!r}: {str(error) or type(error).__name__}; "
            "use tfkit.count(model).table()"
        ) from error
