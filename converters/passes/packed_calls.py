"""Few-bit layers are traced as the ops that compute with their bits: a quantization and a packed convolution.

Each op is a function that names the op it implements, which TensorFlow Lite's converter takes over with its constants
as they are (composite ops). Its body only gives the converter a result of the right shape that hangs on its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfkit.converters.declared import Declared, declared_layers, is_quantize_wrapper, walk
from tfkit.converters.lowbit.plan import Plan, planned
from tfkit.converters.passes.replaced_calls import Replace
from tfkit.converters.reasons import Reason

_WORD = 32


def _every(declared: Declared) -> bool:
    return True


def packed_calls(
    model: Any, replace: Replace, wanted: Callable[[Declared], bool] = _every
) -> tuple[Mapping[str, str], Mapping[str, Reason]]:
    """Let the few-bit layers of ``model`` that are ``wanted`` be traced as packed ops.

    Returns path -> precision ("W2A2") of the layers that are, and path -> reason of those that stay in float.
    """
    wrappers = {id(layer): outermost for _, layer, outermost in walk(model) if is_quantize_wrapper(outermost)}
    packed: dict[str, str] = {}
    refused: dict[str, Reason] = {}
    seen: set[int] = set()
    for declared in declared_layers(model):
        if not declared.is_binary or not wanted(declared):
            continue
        found = planned(declared, wrappers.get(id(declared.layer)))
        if isinstance(found, Reason):
            refused[declared.name] = found
            continue
        packed[declared.name] = found.precision
        if id(declared.layer) not in seen:
            seen.add(id(declared.layer))
            replace(declared.layer, _packed(declared.layer, found))
    return packed, refused


def _packed(layer: Any, plan: Plan) -> Callable[[Any], Any]:
    """The layer as its ops."""
    import tensorflow as tf

    bias = np.zeros(plan.scales.shape[1], np.float32) if not layer.use_bias else np.asarray(layer.bias, np.float32)
    planes = plan.options["activation_planes"]

    def compute(inputs: Any) -> Any:
        words = planes * -(-inputs.shape[-1] // _WORD)
        quantize = _op("TfkitKBitQuantize", {"activation_planes": planes}, [*inputs.shape[:-1], words], tf.int32)
        convolve = _op(plan.op, plan.options, layer.compute_output_shape(inputs.shape), tf.float32)
        bits = quantize(inputs, tf.constant(plan.thresholds, tf.float32), tf.constant(plan.level_bits, tf.int32))
        values = convolve(
            bits, tf.constant(plan.words, tf.int32), tf.constant(plan.scales, tf.float32), tf.constant(bias, tf.float32)
        )
        return values if layer.activation is None else layer.activation(values)

    return compute


def _op(name: str, options: Mapping[str, int], shape: Any, dtype: Any) -> Callable[..., Any]:
    """A function that the converter turns into the custom op ``name`` with integer ``options``."""
    import tensorflow as tf

    attributes = ['attr { key: "tfl_fusable_op" value { b: true } }']
    attributes += [f'attr {{ key: "{key}" value {{ i: {value} }} }}' for key, value in options.items()]

    @tf.function(experimental_implements=f'name: "{name}" {" ".join(attributes)}')
    def op(*inputs: Any) -> Any:
        total = tf.add_n([tf.cast(tf.reduce_sum(x), dtype) for x in inputs])
        return tf.zeros(shape, dtype) + total

    return op
