"""The cut: from what a structured method learned to a smaller model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfkit._errors import ModelError, UsageError
from tfkit.pruning.method import finish, pruning_of
from tfkit.pruning.shrink import select, shrink

# layer -> the output channels that stay; JSON-ready.
Keep = dict[str, list[int]]


def cut(network: Any, macs: float, multiple_of: int = 8) -> tuple[Any, Keep]:
    """The model that a network made by ``prepare`` has become, with at most a share of its MACs.

    Args:
        network: trained, with a structured method in it.
        macs: the share, in (0, 1].
        multiple_of: layers keep a multiple of so many channels.

    Returns:
        The smaller model, and what it kept: ``cut_again`` makes the same shape from it.

    Raises:
        UsageError: the share cannot be reached; the message has the least that can.
    """
    pruning = pruning_of(network)
    if pruning is None:
        raise UsageError(f"{network.name!r} has no method at work in it; call tfkit.pruning.prepare first")
    model = finish(network)
    return without(model, select(model, pruning.method.filters(pruning, model), macs, multiple_of=multiple_of))


def without(model: Any, keep: Mapping[str, Any]) -> tuple[Any, Keep]:
    """``model`` without the channels that are not kept, nor those that are zero anyway; and all that it kept."""
    shrunk = shrink(model, keep=keep)
    return shrunk.model, {name: [int(channel) for channel in channels] for name, channels in shrunk.kept.items()}


def cut_again(model: Any, keep: Mapping[str, Any]) -> Any:
    """``model`` with the channels that an earlier ``cut`` kept.

    Raises:
        ModelError: ``keep`` does not fit the model.
    """
    try:
        return shrink(model, keep={str(name): list(channels) for name, channels in keep.items()}).model
    except Exception as error:
        raise ModelError(f"the channels to keep do not fit the model: {error}; begin anew with --restart") from error
