"""The bond between a quantizer and the one tensor that it quantizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import flat_layers
from tfkit.quantizers._base import LearnedQuantizer, Quantizer


def attach(quantizer: Any, layer: Any, name: str, shape: Any, kernel: Any = None) -> None:
    """Build ``quantizer`` for the attribute ``name`` of ``layer``; learned scales begin at the values of ``kernel``.

    Raises:
        UsageError: the quantizer has variables and quantizes another tensor already.
    """
    import tensorflow as tf

    if not isinstance(quantizer, Quantizer):
        return
    if quantizer.built:
        if quantizer.weights:
            raise UsageError(
                f"the {name} of {layer.name!r} is in use elsewhere and has variables for what it quantizes there; "
                "give each place a quantizer of its own, for example by name"
            )
        return
    with tf.name_scope(name):  # an .h5 file needs different names for the variables of input and kernel
        quantizer.build(tf.TensorShape(shape))
    if kernel is not None:
        values = getattr(kernel, "latent_variable", kernel)
        if tf.executing_eagerly():
            quantizer.start(values.numpy())


def initialize(model: Any, samples: Any) -> None:
    """Let all learned quantizers of ``model`` begin anew: from its kernels now, and from activations for ``samples``.

    For weights that were trained in float and copied into the quantized model. The network's weights stay as they are.
    """
    learned = [layer for layer in flat_layers(model) if isinstance(layer, LearnedQuantizer)]
    kept = [(weight, weight.numpy()) for weight in model.weights if not _belongs(weight, learned)]
    for quantizer in learned:
        quantizer.started.assign(0.0)
    model(np.asarray(samples, np.float32), training=True)
    for weight, value in kept:  # moving averages of batch normalizations saw the samples
        getattr(weight, "latent_variable", weight).assign(value)


def _belongs(weight: Any, learned: list[LearnedQuantizer]) -> bool:
    return any(weight is own for quantizer in learned for own in quantizer.weights)
