"""Int8 ranges stay where training put them: right behind the binary convolution that is to write int8.

TensorFlow's converter moves the fake quantization of a tensor behind a reshape that follows it. Its own kernels find
the range again; a binary convolution does not, and writes floats. The converter does not look through an axis of one
that is put in between, and drops that axis later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.converters.declared import is_quantize_wrapper, walk
from tfkit.converters.passes.replaced_calls import Replace


def keep_ranges(model: Any, replace: Replace) -> None:
    """Let the Flatten and Reshape layers of a quantization-aware model be traced so that ranges stay before them."""
    found = list(walk(model))
    if not any(is_quantize_wrapper(outermost) for _, _, outermost in found):
        return
    layers = legacy_keras().layers
    for layer in {id(layer): layer for _, layer, _ in found}.values():
        # A Flatten of channels first moves the second axis, which must then be the channels.
        moves = getattr(layer, "data_format", "channels_last") != "channels_last"
        if isinstance(layer, layers.Flatten | layers.Reshape) and not moves:
            replace(layer, _behind_an_axis(layer.call))


def _behind_an_axis(call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        import tensorflow as tf

        return call(tf.expand_dims(inputs, 1), *args, **kwargs)

    return wrapped
