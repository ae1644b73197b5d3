"""The one file that reaches into TensorFlow Model Optimization's quantization beyond its public names.

``tests/quantization/test_tfmot.py`` fails when a release moves what is used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow_model_optimization.python.core.quantization.keras import (
    quantize_annotate,
    quantize_aware_activation,
    quantize_config,
    quantize_layer,
    quantize_wrapper,
    quantizers,
)
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
    default_8bit_quantize_registry,
)
from tensorflow_model_optimization.python.core.quantization.keras.experimental.default_n_bit import (
    default_n_bit_quantize_registry,
)

from tfkit._keras import legacy_keras

keras = legacy_keras()

QuantizeWrapper = quantize_wrapper.QuantizeWrapper
QuantizeInput = quantize_layer.QuantizeLayer

# Not TF-MOT's own "quant_", which turns conv2d_1 into quant_conv2d_1: Keras' default name of a QuantConv2D.
NAME_PREFIX = "int8_"

_REGISTRY = default_8bit_quantize_registry.Default8BitQuantizeRegistry()


class QuantizeLayer(quantize_layer.QuantizeLayer):
    """TF-MOT's input quantizer, which forgets to say that it is built and is built twice by a ``.keras`` file.

    The name is TF-MOT's, because ``.keras`` files address weights by the class name.
    https://github.com/tensorflow/model-optimization/issues/1122
    """

    def build(self, input_shape: Any) -> None:
        if not getattr(self, "built", False):
            super().build(input_shape)
            self.built = True


class QuantizeWrapperV2(quantize_wrapper.QuantizeWrapperV2):
    """TF-MOT's wrapper, which trains the kernel of a frozen layer and asks the layer it wraps for its input's shape.

    Its branches are TensorFlow's own conds: letting autograph translate them takes half the time of building a model.
    The name is TF-MOT's, for the same reason as above.
    """

    @tf.autograph.experimental.do_not_convert
    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
        return super().call(inputs, training=training, **kwargs)

    @property
    def trainable_weights(self) -> list[Any]:
        return super().trainable_weights if self.layer.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        frozen = [] if self.layer.trainable else super().trainable_weights
        return self._dedup_weights(frozen + super().non_trainable_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)


@keras.utils.register_keras_serializable(package="tfkit")
class FixedRange(quantizers.Quantizer):
    """8 bits over a range that neither training nor calibration moves."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        constant = keras.initializers.Constant
        return {
            "min_var": layer.add_weight(f"{name}_min", initializer=constant(self.low), trainable=False),
            "max_var": layer.add_weight(f"{name}_max", initializer=constant(self.high), trainable=False),
        }

    def __call__(self, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> Any:
        return tf.quantization.fake_quant_with_min_max_vars(inputs, weights["min_var"], weights["max_var"])

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}


def custom_objects() -> dict[str, Any]:
    """Every class of TF-MOT's that the file of a quantization-aware model may name."""
    known: dict[str, Any] = {}
    for module in (default_8bit_quantize_registry, default_n_bit_quantize_registry, quantizers):
        known.update(module._types_dict())
    for kind in (
        QuantizeWrapper,
        QuantizeWrapperV2,
        quantize_annotate.QuantizeAnnotate,
        quantize_aware_activation.QuantizeAwareActivation,
        quantize_aware_activation.NoOpActivation,
        quantize_config.OutputOnlyConfig,
        quantize_config.FixedQuantizeConfig,
    ):
        known[kind.__name__] = kind
    known["QuantizeLayer"] = QuantizeLayer
    return known


def supports(layer: Any) -> bool:
    """Whether TF-MOT has a quantize config of its own for the layer's class."""
    return bool(_REGISTRY.supports(layer))


def wrapped(layer: Any, config: Any | None) -> Any:
    """The layer in the wrapper that quantizes; ``config`` None means TF-MOT's own for its class."""
    config = _REGISTRY.get_quantize_config(layer) if config is None else config
    return QuantizeWrapperV2(layer, config, name_prefix=NAME_PREFIX)


def input_quantizer(name: str) -> Any:
    """The layer that quantizes an input of the network."""
    quantizer = quantizers.MovingAverageQuantizer(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)
    return QuantizeLayer(quantizer, name=name)


def has_kernel(layer: Any) -> bool:
    """Whether ``weights_only`` knows the layer."""
    return isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.Dense)


def weights_only(layer: Any) -> Any:
    """A config that quantizes the kernel of a convolution or dense layer, and not what leaves it."""
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return default_8bit_quantize_registry.Default8BitConvTransposeQuantizeConfig(["kernel"], [], False)
    if isinstance(layer, keras.layers.Dense):
        return default_8bit_quantize_registry.Default8BitQuantizeConfig(["kernel"], [], False)
    kernel = "depthwise_kernel" if isinstance(layer, keras.layers.DepthwiseConv2D) else "kernel"
    return default_8bit_quantize_registry.Default8BitConvQuantizeConfig([kernel], [], False)


class Range:
    """One learned activation range: the quantizer that guards it and its two variables."""

    def __init__(self, owner: Any, attribute: str, variables: dict[str, Any], index: int | None = None) -> None:
        self.owner, self._attribute, self._index = owner, attribute, index
        self.minimum, self.maximum = variables["min_var"], variables["max_var"]

    @property
    def scale(self) -> float:
        """The real value of one int8 step."""
        return (float(self.maximum.numpy()) - float(self.minimum.numpy())) / 255

    @scale.setter
    def scale(self, value: float) -> None:
        zero_point = round(-float(self.minimum.numpy()) / self.scale)
        self.minimum.assign(-zero_point * value)
        self.maximum.assign((255 - zero_point) * value)

    @property
    def is_fixed(self) -> bool:
        """Whether the range is known beforehand and must stay."""
        return isinstance(self.quantizer, FixedRange)

    @property
    def quantizer(self) -> Any:
        """The quantizer that is called with (inputs, training, weights=...)."""
        found = getattr(self.owner, self._attribute)
        return found if self._index is None else found[self._index]

    @quantizer.setter
    def quantizer(self, value: Any) -> None:
        if self._index is None:
            setattr(self.owner, self._attribute, value)
        else:
            # Keras hands out a tracked copy of a list attribute; assigning into it would track ``value``.
            found = list(getattr(self.owner, self._attribute))
            found[self._index] = value
            object.__setattr__(self.owner, self._attribute, found)


def wrappers(model: Any) -> Iterator[Any]:
    """The quantize wrappers of a model, in order."""
    return (layer for layer in model.layers if isinstance(layer, QuantizeWrapper))


def activation_ranges(model: Any) -> Iterator[Range]:
    """Every activation range of a quantization-aware model, inputs first."""
    for layer in model.layers:
        yield from _ranges(layer)


def _ranges(layer: Any) -> Iterator[Range]:
    """The ranges of one layer in the order they apply."""
    if isinstance(layer, QuantizeInput) and layer.quantizer is not None:
        yield Range(layer, "quantizer", layer.quantizer_vars)
    elif isinstance(layer, QuantizeWrapper):
        for activation in layer._quantize_activations:
            for variables in ("_pre_activation_vars", "_post_activation_vars"):
                if hasattr(activation, variables):
                    yield Range(activation, "quantizer", getattr(activation, variables))
        if layer._output_quantizers:
            yield Range(layer, "_output_quantizers", layer._output_quantizer_vars, index=0)


def output_range(layer: Any) -> Range | None:
    """The range of what leaves the layer; None when its output is not quantized there."""
    found = list(_ranges(layer))
    if isinstance(layer, QuantizeWrapper) and not layer._output_quantizers:
        found = [r for r in found if hasattr(r.owner, "_post_activation_vars")]
    return found[-1] if found else None


def weight_scale(wrapper: Any) -> Any | None:
    """The scale of the wrapper's one kernel, per output channel or one for all; None without a quantized kernel."""
    if len(wrapper._weight_vars) != 1:
        return None
    return wrapper._weight_vars[0][2]["max_var"].numpy().astype("float64") / 127


def refresh_weight_ranges(model: Any) -> None:
    """Set every weight range from the current weights; until training does it they are -6 and 6."""
    for wrapper in wrappers(model):
        for weight, quantizer, variables in wrapper._weight_vars:
            quantizer(weight, True, weights=variables)
