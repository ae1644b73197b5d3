"""The networks of figure 4: a wide residual network, the same with groups of a fixed size, and a DenseNet like it."""

from __future__ import annotations

from typing import Any

import tf_keras as keras
from figures.inputs import suited

from tfkit import models
from tfkit.metadata import attach_metadata, metadata_of

ARCHITECTURES = ("wrn", "grouped", "dense")
_GROWTH = 32  # of the member of the family that is scaled


def build(architecture: str, network: str, group_size: int, dataset: Any, seed: int) -> Any:
    """One of ``ARCHITECTURES``, made from or after the wide residual network called ``network``."""
    shape, classes = dataset.shape, dataset.classes
    if architecture == "dense":
        name, width = f"densenet_bc_{_depth(network)}_{_GROWTH}", growth_like(network) / _GROWTH
        return suited(models.build(name, input_shape=shape, classes=classes, width=width, seed=seed), dataset)
    model = suited(models.build(network, input_shape=shape, classes=classes, seed=seed), dataset)
    return grouped(model, group_size, seed) if architecture == "grouped" else model


def growth_like(network: str) -> int:
    """The growth rate k, a multiple of 4, of the DenseNet-BC of the same depth that resembles a network most.

    Parameters and MACs grow with k², and no k meets both: this one is as far above one as it is below the other.
    """
    wide, dense = models.REGISTRY[network], models.REGISTRY[f"densenet_bc_{_depth(network)}_{_GROWTH}"]
    ratio = (wide.params / dense.params) * (wide.macs / dense.macs)
    return 4 * max(1, round(_GROWTH / 4 * ratio**0.25))


def grouped(model: Any, size: int, seed: int) -> Any:
    """The network with 3x3 convolutions in groups of ``size`` inputs, untrained.

    Shortcuts stay as they are: through them the groups see each other.
    """

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size != (1, 1):
            config["groups"] = groups_of(int(layer.kernel.shape[-2]), layer.filters, size)
        return type(layer).from_config(config)

    keras.utils.set_random_seed(seed)
    return attach_metadata(keras.models.clone_model(model, clone_function=clone), metadata_of(model))


def groups_of(inputs: int, outputs: int, size: int) -> int:
    """The most groups that divide inputs and outputs and have at least ``size`` inputs each; else 1."""
    return max((g for g in range(1, inputs // size + 1) if inputs % g == outputs % g == 0), default=1)


def _depth(network: str) -> str:
    return network.split("_")[1]
