"""``quantize_aware``: a Keras model becomes one that trains for int8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tfkit._errors import UnsupportedError
from tfkit._keras import legacy_keras
from tfkit.layers import is_binary_layer
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.quantization import tfmot
from tfkit.quantization.calibration import calibrate
from tfkit.quantization.calls import Call, Graph, Names
from tfkit.quantization.flatten import build, copy_of, is_graph, read
from tfkit.quantization.operators import lower
from tfkit.quantization.patterns import simplify
from tfkit.quantization.plan import Plan, plan, shared_layers
from tfkit.quantization.settle import settle

keras = legacy_keras()


def is_quantize_aware(model: Any) -> bool:
    """Whether the model came out of ``quantize_aware`` or of TF-MOT itself."""
    return any(isinstance(layer, (tfmot.QuantizeWrapper, tfmot.QuantizeInput)) for layer in model.layers)


def quantize_aware(model: Any, calibration: np.ndarray | None = None) -> Any:
    """A copy of ``model`` that emulates int8 inference while it trains; ``model`` is left alone.

    Weights are quantized per output channel and activations per tensor, as TFLite's int8 kernels do
    (Jacob et al., https://arxiv.org/abs/1712.05877, section 3). Binary layers stay binary: the int8 value
    is what leaves their fused batch normalization, so binary and int8 layers become one flatbuffer
    without a float op. Frozen layers (``trainable=False``) keep their weights.

    The copy is one flat functional model in float32, made of layers that int8 kernels compute exactly: nested models
    are opened, TensorFlow operators become layers, hard-swish in any spelling becomes one HARD_SWISH op, constants
    (Rescaling, Normalization, ``2 * x + 1``) and batch normalizations that fold into no convolution become 1x1
    depthwise convolutions. Average pooling becomes a depthwise convolution with the same result, because the int8
    AVERAGE_POOL_2D rounds twice. A layer keeps its name; new ones are named after it.

    Args:
        model: a functional or sequential tf_keras model, trained or not. Names, weights and metadata are kept.
        calibration: network inputs (after preprocessing), shape (sample, ...). With them the activation ranges
            start at what the data shows, so that the model is accurate before any training; without them the
            ranges start at [-6, 6] and need training, or ``tfkit.quantization.calibrate``.

    Raises:
        UnsupportedError: the model is quantization-aware already, pruned, subclassed, not built, or has layers
            without an int8 form; all of them are listed.
        DataError: ``calibration`` does not fit the input.
    """
    _check_kind(model)
    graph = read(model)
    offenders = shared_layers(graph)
    graph, rewriter = lower(graph)
    graph = simplify(graph, rewriter)
    made = plan(graph, rewriter.offended)
    offenders += rewriter.offenders + made.offenders
    if offenders:
        listed = "\n".join(f"  - {offender}" for offender in dict.fromkeys(offenders))
        raise UnsupportedError(f"cannot make {model.name!r} quantization-aware:\n{listed}")
    aware = _emulating(graph, made)
    tfmot.refresh_weight_ranges(aware)
    binary = any(is_binary_layer(layer) for layer in aware.layers)
    attach_metadata(aware, replace(metadata_of(model), scheme="binary_int8" if binary else "int8"))
    return settle(calibrate(aware, calibration)) if calibration is not None else aware


def _emulating(graph: Graph, made: Plan) -> Any:
    """The Keras model whose layers quantize as planned."""
    import tensorflow as tf

    names = Names()

    def call(part: Call, tensors: list[Any]) -> Any:
        layer = copy_of(part)
        if id(part) in made.configs:
            layer = tfmot.wrapped(layer, made.configs[id(part)])
        given = tensors[0] if len(tensors) == 1 else tensors
        values = part.values()
        if values:
            # Before the first call: the wrapper puts quantized values in the place of the kernel then.
            with tf.name_scope(layer.name):
                layer.build(tensors[0].shape)
            getattr(layer, "layer", layer).set_weights(values)
        return layer(given)

    return build(graph, call, lambda tensor: tfmot.input_quantizer(names.unique("quantize_layer"))(tensor))


def _check_kind(model: Any) -> None:
    name = getattr(model, "name", type(model).__name__)
    if not isinstance(model, keras.Model):
        raise UnsupportedError(
            f"quantize_aware takes a tf_keras model, not {type(model).__module__}.{type(model).__name__}; "
            "Keras 3 models are converted with --format int8 and calibration data instead"
        )
    if not model.built or not hasattr(model, "layers") or not is_graph(model):
        raise UnsupportedError(
            f"{name!r} is subclassed or not built, so its layers cannot be seen; "
            "use keras.Sequential with an Input layer, or keras.Model(inputs, outputs)"
        )
    if is_quantize_aware(model):
        raise UnsupportedError(f"{name!r} is quantization-aware already; train it or convert it as it is")
    if any(type(layer).__name__ == "PruneLowMagnitude" for layer in model.layers):
        raise UnsupportedError(f"{name!r} is being pruned; call tfkit.strip(model) first")
