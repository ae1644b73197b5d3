"""Which weights of a kernel are not zero."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras

keras = legacy_keras()
layers = keras.layers


def nonzero_weights(weight: Any, wrapper: Any) -> np.ndarray:
    """Which weights of a kernel are not zero."""
    if not hasattr(weight.handle, "numpy"):
        return np.broadcast_to(True, weight.shape)  # built in a tf.Graph: it has a shape but no values
    values = weight.numpy()
    if type(wrapper).__name__ == "PruneLowMagnitude":  # the last step of an optimizer comes after the last masking
        from tfkit.pruning.tfmot import masked

        for pruned, mask in masked(wrapper):
            if pruned is weight:
                values = values * mask.numpy()
    return np.asarray(values != 0)


def filled_share(layer: Any, nonzero: np.ndarray) -> float:
    """The share of a layer's filters with a weight that is not zero."""
    if isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)):
        return float(nonzero.reshape(-1, prod(nonzero.shape[-2:])).any(axis=0).mean())
    if isinstance(layer, (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)):
        nonzero = np.swapaxes(nonzero, -1, -2)
    return float(nonzero.reshape(-1, nonzero.shape[-1]).any(axis=0).mean())
