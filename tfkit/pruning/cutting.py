"""The cut: from what a structured method learned to a smaller model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfkit._errors import ModelError, UsageError
from tfkit.pruning.method import Pruning, finish, pruning_of
from tfkit.pruning.parts import cut_parts, with_shapes
from tfkit.pruning.shrink import select, shrink

# {"keep": layer -> output channels that stay} or {"shapes": layer -> window or groups}; JSON-ready.
Decision = dict[str, Any]


def cut(network: Any, macs: float, multiple_of: int = 8) -> tuple[Any, Decision]:
    """The model that a network made by ``prepare`` has become, with at most a share of its MACs.

    Args:
        network: trained, with a structured method in it.
        macs: the share, in (0, 1].
        multiple_of: layers keep a multiple of so many channels.

    Returns:
        The smaller model, and what was decided: ``cut_again`` makes the same shape of another model.

    Raises:
        UsageError: the share cannot be reached; the message has the least that can.
    """
    pruning = pruning_of(network)
    if pruning is None or pruning.method.aim != "macs":
        raise UsageError(f"{network.name!r} has no structured method at work in it; call tfkit.pruning.prepare first")
    model = finish(network)
    if _of_parts(pruning):
        shapes = cut_parts(model, pruning, macs)
        return with_shapes(model, shapes), {"shapes": shapes}
    return without(model, select(model, pruning.method.filters(pruning, model), macs, multiple_of=multiple_of))


def without(model: Any, keep: Mapping[str, Any]) -> tuple[Any, Decision]:
    """``model`` without the channels that are not kept, nor those that are zero anyway; and all that it kept."""
    shrunk = shrink(model, keep=keep)
    kept = {name: [int(channel) for channel in channels] for name, channels in shrunk.kept.items()}
    return shrunk.model, {"keep": kept}


def cut_again(model: Any, decision: Mapping[str, Any]) -> Any:
    """``model`` in the shape that an earlier ``cut`` decided on.

    Raises:
        ModelError: the decision does not fit the model.
    """
    try:
        if "shapes" in decision:
            return with_shapes(model, decision["shapes"])
        return shrink(model, keep=decision["keep"]).model
    except Exception as error:
        raise ModelError(f"what was decided does not fit the model: {error}; begin anew with --restart") from error


def _of_parts(pruning: Pruning) -> bool:
    return getattr(pruning.method, "structure", "channel") != "channel"
