"""Dropout that gives way as weights go: Han et al. 2015, section 3.2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tfkit._keras import call_count, legacy_keras, node_of, set_untracked
from tfkit.pruning.choice import choose, rank
from tfkit.pruning.masked import Masked
from tfkit.pruning.reparameterized import Worn, replaced, wrapped

keras = legacy_keras()
layers = keras.layers

# By the exact class: what other layers call their rate is not a share of neurons.
_DROPOUTS = (layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D)


class CorrectedDropout(Worn):
    """Dropout whose rate follows the masks of the layers that make what it drops; see ``masked_with_dropout``."""

    def __init__(self, layer: Any, masks: Mapping[str, Any], sources: Sequence[str], **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        # They are parts of the network by themselves, and made before this layer is called.
        set_untracked(self, "masks", masks)
        set_untracked(self, "sources", tuple(sources))

    def rate(self) -> Any:
        """D_r, of the masks as they are now: a scalar."""
        masks = [self.masks[name].mask for name in self.sources]
        left = tf.add_n([tf.reduce_sum(mask) for mask in masks])
        return self.layer.rate * tf.sqrt(left / sum(mask.shape.num_elements() for mask in masks))

    @tf.autograph.experimental.do_not_convert
    def call(self, inputs: Any, training: Any = None) -> Any:
        if training is None:
            training = keras.backend.learning_phase()
        with replaced(self.layer, rate=tf.cast(self.rate(), inputs.dtype)):
            return self.layer.call(inputs, training=training)


def masked_with_dropout(model: Any, names: str | Sequence[str]) -> Any:
    """A copy of ``model`` with every chosen kernel masked, whose dropout becomes weaker as its masks fill.

        D_r = D_o · sqrt(C_r / C_o)

    D_o is the rate of a dropout layer, C_o the number of connections into the neurons that it drops and C_r how many of
    them are left. Those neurons are the outputs of the nearest layers with a kernel before it; where there are several,
    their connections are summed. A dropout layer that is called more than once keeps its rate, and the model that is
    left has the old rates.

    Source: Han et al. 2015, https://arxiv.org/abs/1506.02626, equations 1 and 2.
    """
    chosen = choose(model, names)
    masks: dict[str, Any] = {}

    def mask(layer: Any) -> Any:
        masks[layer.name] = Masked(layer)
        return masks[layer.name]

    def corrected(sources: Sequence[str]) -> Callable[[Any], Any]:
        return lambda layer: CorrectedDropout(layer, masks, sources)

    found = {name: corrected(sources) for name, sources in _dropouts(model, chosen).items()}
    return wrapped(model, {**dict.fromkeys(chosen, mask), **found})


def _dropouts(model: Any, chosen: Sequence[str]) -> dict[str, list[str]]:
    """Dropout layer -> the chosen layers whose outputs it drops, for those that drop only such."""
    found = {}
    for layer in model.layers:
        if type(layer) in _DROPOUTS and call_count(layer) == 1:
            sources = _sources(layer.input, chosen)
            if sources and set(sources) <= set(chosen):
                found[layer.name] = sources
    return found


def _sources(tensor: Any, chosen: Sequence[str]) -> list[str]:
    """The nearest layers with a kernel that a tensor comes from."""
    found: dict[str, None] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        node = node_of(waiting.pop())
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.layer.name in chosen or any(rank(weight) >= 2 for weight in node.layer.weights):
            found[node.layer.name] = None
        elif node.parent_nodes:
            waiting += node.keras_inputs
    return list(found)
