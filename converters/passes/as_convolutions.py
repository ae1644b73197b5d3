"""Binary Dense and Conv1D layers become binary 2-D convolutions, which is what Larq Compute Engine has a kernel for.

- Dense: a 1x1 convolution, y[n, 0, p, o] = sum_c q_k(kernel)[c, o] · q_i(x)[n, 0, p, c]; the places p are all axes
  between sample and channel, in one. A Flatten in front needs nothing: its result is a map of one place.
- Conv1D: a 1xK convolution of a map of height 1, with the strides, dilation, groups and padding of the layer.

Tensors become maps in front of the input quantizer, because the converter looks for a sign right before the
convolution, and are brought back behind everything that fuses into the kernel: bias, activation, batch normalization.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.converters.declared import Declared, declared_layers, effective, is_quantize_wrapper, walk
from tfkit.converters.passes.replaced_calls import Replace
from tfkit.converters.reasons import hindrance, is_conv1d, is_dense, is_plain_activation


def as_convolutions(
    model: Any, replace: Replace, wanted: Callable[[Declared], bool] | None = None
) -> Mapping[str, str]:
    """Let the binary Dense and Conv1D layers of ``model`` (that are ``wanted``) be traced as 2-D convolutions.

    Returns the path of each layer and what it becomes, e.g. {"head": "Dense as 1x1"}; filled as the model is traced.
    """
    rewritten = {id(d.layer): d for d in declared_layers(model) if rewritable(d) and (wanted is None or wanted(d))}
    made: dict[str, str] = {}
    maps = _Maps()
    seen: set[int] = set()
    for path, layer, outermost in list(walk(model)) if rewritten else ():
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        outer = outermost if is_quantize_wrapper(outermost) else layer
        if id(layer) in rewritten:
            replace(layer, _on_maps(maps, _convolution(rewritten[id(layer)], path, outer, made), layer.call))
            # More axes than an image has are places for a Dense; a Conv1D needs its steps apart from the others.
            wanted = _any if is_dense(layer) else _at_most_image
            replace(outer, _in_maps(maps, outer.call, wanted))
        elif _is_elementwise(layer):
            if _is_normalization(layer):
                replace(layer, _on_maps(maps, _normalization(layer), layer.call))
            replace(outer, _in_maps(maps, outer.call, maps.knows))
    return made


def rewritable(declared: Declared) -> bool:
    """Whether the layer is rewritten: a binary Dense or Conv1D with nothing that keeps it from the kernel."""
    known = is_dense(declared.layer) or is_conv1d(declared.layer)
    return declared.is_binary and known and hindrance(declared, "lce") is None


class _Maps:
    """Which tensor [sample, 1, place, channel] a tensor of another rank is a reshape of.

    What was reshaped back is not reshaped again for the next layer: the converter fuses only what is adjacent.
    """

    def __init__(self) -> None:
        self._behind: dict[Any, Any] = {}
        self._maps: set[Any] = set()

    def knows(self, tensor: Any) -> bool:
        """Whether the tensor was reshaped from a map."""
        return tensor.ref() in self._behind

    def is_map(self, tensor: Any) -> bool:
        """Whether ``of`` gave the tensor out."""
        return tensor.ref() in self._maps

    def of(self, tensor: Any) -> Any:
        """The map of a tensor [sample, ..., channel] of known shape; images are their own."""
        import tensorflow as tf

        found = self._behind.get(tensor.ref(), tensor)
        if found.shape.rank > 4:
            first, *between, last = tensor.shape.as_list()
            found = tf.reshape(tensor, (first, 1, math.prod(between), last))
        # Axes of one are no reshapes: the converter moves fake quantization behind those, away from the kernel that
        # is to fuse it.
        while found.shape.rank < 4:
            found = tf.expand_dims(found, 1)
        self._maps.add(found.ref())
        return found

    def back(self, found: Any, between: Sequence[int]) -> Any:
        """The tensor [sample, ``between`` ..., channel] of a map."""
        import tensorflow as tf

        if len(between) == 2:
            return found
        if len(between) < 2:
            tensor = tf.squeeze(found, [1] if between else [1, 2])
        else:
            tensor = tf.reshape(found, (found.shape[0], *between, found.shape[-1]))
        self._behind[tensor.ref()] = found
        return tensor


def _any(tensor: Any) -> bool:
    return True


def _at_most_image(tensor: Any) -> bool:
    return bool(tensor.shape.rank <= 4)


def _in_maps(maps: _Maps, call: Callable[..., Any], wanted: Callable[[Any], bool]) -> Callable[..., Any]:
    """``call`` on the map of its input, and its result brought back, for inputs that are ``wanted``."""

    def wrapped(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not (inputs.shape.is_fully_defined() and wanted(inputs)):
            return call(inputs, *args, **kwargs)
        between = inputs.shape.as_list()[1:-1]
        found = call(maps.of(inputs), *args, **kwargs)
        # A convolution may have shortened its one axis.
        return maps.back(found, [found.shape[2]] if len(between) == 1 else between)

    return wrapped


def _on_maps(maps: _Maps, compute: Callable[[Any], Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """``compute`` where the input is a map, else what the layer does by itself."""

    def wrapped(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return compute(inputs) if maps.is_map(inputs) else original(inputs, *args, **kwargs)

    return wrapped


def _convolution(declared: Declared, path: str, wrapper: Any, made: dict[str, str]) -> Callable[[Any], Any]:
    """The layer as a 2-D convolution of a map."""
    import tensorflow as tf

    layer = declared.layer
    kernel = effective(layer, "kernel", wrapper)
    kernel = kernel[None, None] if is_dense(layer) else kernel[None]  # [1, width, channels, filters]
    made_from = "Dense" if is_dense(layer) else "Conv1D"

    def compute(inputs: Any) -> Any:
        values = layer.input_quantizer(inputs)
        if is_dense(layer):
            values = tf.nn.conv2d(values, tf.constant(kernel), 1, "VALID")
        else:
            values, padding = _padded(layer, values)
            strides, dilations = (1, layer.strides[0]), (1, layer.dilation_rate[0])
            values = tf.nn.conv2d(values, tf.constant(kernel), strides, padding, dilations=dilations)
        if layer.use_bias:
            values = tf.nn.bias_add(values, layer.bias)
        made[path] = f"{made_from} as 1x{kernel.shape[1]}"
        return values if layer.activation is None else layer.activation(values)

    return compute


def _padded(layer: Any, values: Any) -> tuple[Any, str]:
    """The map as a Conv1D pads it, and the padding that is left to the convolution."""
    import tensorflow as tf

    if layer.padding != "same":
        return values, "VALID"  # "causal" is here only with kernels of one step, which need none
    if not layer.pad_values:
        return values, "SAME"
    stride, reach = layer.strides[0], (layer.kernel_size[0] - 1) * layer.dilation_rate[0] + 1
    steps = values.shape[2]
    total = max((-(-steps // stride) - 1) * stride + reach - steps, 0)
    pads = [[0, 0], [0, 0], [total // 2, total - total // 2], [0, 0]]
    return tf.pad(values, pads, constant_values=layer.pad_values), "VALID"


def _is_normalization(layer: Any) -> bool:
    """Whether this is a batch normalization over the last axis, of a tensor that is no image."""
    if not isinstance(layer, legacy_keras().layers.BatchNormalization) or not layer.built:
        return False
    rank = layer.input_spec.ndim
    return rank != 4 and list(layer.axis) == [rank - 1] and not layer.renorm


def _normalization(layer: Any) -> Callable[[Any], Any]:
    """The layer's formula for inference, in the form that does not count axes."""
    import tensorflow as tf

    def compute(inputs: Any) -> Any:
        return tf.nn.batch_normalization(
            inputs, layer.moving_mean, layer.moving_variance, layer.beta, layer.gamma, layer.epsilon
        )

    return compute


def _is_elementwise(layer: Any) -> bool:
    """Whether the layer treats each value by itself, or each channel, wherever in the map it lies."""
    layers = legacy_keras().layers
    if isinstance(layer, layers.Activation):
        return is_plain_activation(layer.activation)
    return isinstance(layer, layers.ReLU | layers.LeakyReLU | layers.Dropout) or _is_normalization(layer)
