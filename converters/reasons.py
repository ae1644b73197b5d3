"""Why a binary layer did not become a binary op, and what to do about it: one rule a function, first match wins.

The same rules decide beforehand which layers are rewritten for a binary op, see ``passes.as_convolutions``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit.converters.declared import Declared, effective, quantizers_of

WORD = 32


@dataclass(frozen=True)
class Reason:
    """``code`` is stable for programs; ``text`` and ``fix`` are for people."""

    code: str
    text: str
    fix: str


def _has(layer: Any, *fragments: str) -> bool:
    names = [cls.__name__ for cls in type(layer).__mro__]
    return any(fragment in name for fragment in fragments for name in names)


def _format(declared: Declared, format: str) -> Reason | None:
    if format == "lce":
        return None
    text, fix = f"format {format} has no binary ops", "convert with format lce"
    beyond = hindrance(declared, "lce")
    if beyond is None:
        return Reason("format", text, fix)
    return Reason("format", f"{text}, and for format lce: {beyond.text}", f"{beyond.fix}; then {fix}")


def _separable(declared: Declared, format: str) -> Reason | None:
    if not _has(declared.layer, "SeparableConv"):
        return None
    name = "QuantConv1D" if _has(declared.layer, "SeparableConv1D") else "QuantConv2D"
    return Reason(
        "separable",
        "binary separable convolutions have no LCE kernel",
        f"use {name}, which costs less as a binary layer than a separable one in float",
    )


def _depthwise(declared: Declared, format: str) -> Reason | None:
    if not _has(declared.layer, "DepthwiseConv"):
        return None
    return Reason(
        "depthwise",
        "binary depthwise convolutions have no LCE kernel: one channel fills no 32-bit word",
        "keep the depthwise layer int8 or float, or use a dense QuantConv2D",
    )


def _transposed(declared: Declared, format: str) -> Reason | None:
    if not _has(declared.layer, "Transpose"):
        return None
    return Reason(
        "transposed",
        "binary transposed convolutions have no LCE kernel",
        "upsample (UpSampling2D), then QuantConv2D",
    )


def _locally_connected(declared: Declared, format: str) -> Reason | None:
    if not _has(declared.layer, "LocallyConnected"):
        return None
    return Reason("locally_connected", "locally connected layers have no LCE kernel", "use QuantConv2D")


def is_dense(layer: Any) -> bool:
    """Whether this is Larq's fully connected layer or one of its subclasses, as tfkit's is."""
    return _is_larqs(layer, "QuantDense")


def is_conv1d(layer: Any) -> bool:
    """Whether this is Larq's 1-D convolution or one of its subclasses, as tfkit's is."""
    return _is_larqs(layer, "QuantConv1D")


def _is_larqs(layer: Any, name: str) -> bool:
    return any(cls.__name__ == name and cls.__module__.startswith("larq.") for cls in type(layer).__mro__)


def _volume(declared: Declared, format: str) -> Reason | None:
    if not _has(declared.layer, "Conv3D"):
        return None
    return Reason(
        "rank",
        "3-dimensional binary convolutions have no LCE kernel",
        "use QuantConv2D on the slices, with depth and channels as one axis",
    )


def _foreign(declared: Declared, format: str) -> Reason | None:
    """What is no Conv2D has no kernel by itself: only known code can be rewritten as one that has."""
    layer = declared.layer
    if not _has(layer, "Dense", "Conv1D"):
        return None
    name = "QuantDense" if _has(layer, "Dense") else "QuantConv1D"
    if not is_dense(layer) and not is_conv1d(layer):
        return Reason(
            "foreign_layer",
            f"only {name} of tfkit or Larq is rewritten as a convolution for LCE's kernel; this is {declared.type}",
            f"use tfkit.layers.{name}",
        )
    own = next(cls for cls in type(layer).__mro__ if "call" in vars(cls) or "convolution_op" in vars(cls))
    if not own.__module__.startswith("larq."):
        return Reason(
            "foreign_layer",
            f"{own.__name__} computes in its own way, so it is not rewritten as a convolution for LCE's kernel",
            f"use tfkit.layers.{name} as it is, and layers around it",
        )
    return None


# Activations by their library's name that give the same whatever the arrangement of values: each value, or each
# vector of channels, is treated by itself.
_PLAIN_ACTIVATIONS = frozenset(
    ("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "swish", "silu", "sigmoid", "hard_sigmoid", "tanh",
     "softplus", "softsign", "exponential", "mish", "softmax", "log_softmax", "hard_tanh", "leaky_tanh")
)  # fmt: skip


def is_plain_activation(activation: Any) -> bool:
    """Whether an activation may be applied before its input is reshaped to what the layer gives."""
    function = getattr(activation, "activation", activation)  # TF-MOT's wrapper holds the function
    library = str(getattr(function, "__module__", "")).split(".")[0]
    name = getattr(function, "__name__", "")
    return function is None or (library in ("tf_keras", "keras", "tensorflow", "larq") and name in _PLAIN_ACTIVATIONS)


def _activation(declared: Declared, format: str) -> Reason | None:
    layer = declared.layer
    if not _has(layer, "Dense", "Conv1D") or is_plain_activation(getattr(layer, "activation", None)):
        return None
    name = getattr(layer.activation, "__name__", type(layer.activation).__name__)
    return Reason(
        "activation",
        f"the activation {name} may count on the shape of the layer's output, so the layer is not rewritten as a "
        "convolution for LCE's kernel",
        "leave activation=None and put keras.layers.Activation behind the layer",
    )


def _layout(declared: Declared, format: str) -> Reason | None:
    if getattr(declared.layer, "data_format", "channels_last") == "channels_last":
        return None
    return Reason(
        "layout", "LCE's kernel packs channels, which must be the last axis", 'use data_format="channels_last"'
    )


def _padding(declared: Declared, format: str) -> Reason | None:
    layer = declared.layer
    padding, size = getattr(layer, "padding", "valid"), getattr(layer, "kernel_size", (1,))
    if max(size) == 1:
        return None
    if padding == "causal":
        return Reason(
            "causal",
            "causal padding puts zeros in front; bits hold -1 and +1 only",
            f"put keras.layers.ZeroPadding1D(({(size[0] - 1) * layer.dilation_rate[0]}, 0)) in front and use "
            'padding="valid": before the input quantizer its zeros become +1',
        )
    if padding == "same" and (value := float(getattr(layer, "pad_values", 0.0))) not in (0.0, 1.0):
        return Reason(
            "pad_values", f"the map is padded with {value:g}; LCE's kernel pads with 1 or 0", "use pad_values=1"
        )
    return None


def _weights_only(declared: Declared, format: str) -> Reason | None:
    if "input_quantizer" in quantizers_of(declared.layer):
        return None
    return Reason(
        "weights_only",
        "only the weights are binary: the input is not, and LCE's kernel multiplies bits with bits",
        'give it input_quantizer="ste_sign"',
    )


def _activations_only(declared: Declared, format: str) -> Reason | None:
    if len(quantizers_of(declared.layer)) > 1:
        return None
    return Reason(
        "activations_only",
        "only the input is binary: the weights are not, and LCE's kernel multiplies bits with bits",
        'give it kernel_quantizer="ste_sign"',
    )


def _input_levels(declared: Declared, format: str) -> Reason | None:
    """Probe the quantizer rather than trust its name; zero is where sign functions differ."""
    quantizer = quantizers_of(declared.layer)["input_quantizer"]
    probe = np.linspace(-2.0, 2.0, 401, dtype=np.float32)
    probe[200] = 0.0
    levels = np.unique(np.asarray(quantizer(probe[:, None])).round(6))
    if set(levels.tolist()) == {-1.0, 1.0}:
        return None
    name = _quantizer_name(quantizer)
    if len(levels) > 3:
        return Reason(
            "input_levels",
            f"the input quantizer {name} gives {len(levels)} levels; LCE's kernel takes -1 and +1",
            'use input_quantizer="ste_sign"',
        )
    shown = ", ".join(f"{v:g}" for v in levels)
    return Reason(
        "input_levels",
        f"the input quantizer {name} gives {{{shown}}}; LCE's kernel takes -1 and +1",
        'use input_quantizer="ste_sign", which maps 0 to +1',
    )


def _kernel_levels(declared: Declared, format: str) -> Reason | None:
    kernel = effective(declared.layer, "kernel")
    rows = np.abs(np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1))
    zeros = float((rows == 0).mean())
    name = _quantizer_name(quantizers_of(declared.layer)["kernel_quantizer"])
    levels = len(np.unique(kernel.round(6)))
    top = rows.max(axis=1, keepdims=True)
    # LCE takes a filter as binary when each channel is +-c within 0.5 %.
    nonzero_alike = bool((np.abs(rows - top)[rows > 0] <= 0.005 * np.broadcast_to(top, rows.shape)[rows > 0]).all())
    if zeros and nonzero_alike:
        ternary = "tern" in name.lower() or zeros > 0.05
        return Reason(
            "ternary" if ternary else "kernel_zeros",
            f"the kernel quantizer {name} gives {zeros:.1%} exact zeros; bits hold -1 and +1 only",
            'use kernel_quantizer="ste_sign", which maps 0 to +1',
        )
    if not nonzero_alike:
        return Reason(
            "kernel_levels",
            f"the kernel quantizer {name} gives {levels} levels; LCE's kernel needs -c and +c per output channel",
            'use kernel_quantizer="ste_sign" or "magnitude_aware_sign"',
        )
    return None


def _groups(declared: Declared, format: str) -> Reason | None:
    groups = int(getattr(declared.layer, "groups", 1))
    if groups == 1:
        return None
    per_group = int(declared.layer.kernel.shape[-2])
    if per_group % WORD == 0:
        return None
    return Reason(
        "groups",
        f"{groups} groups of {per_group} channels: a group must be whole 32-bit words",
        f"use groups of 32, 64, ... channels (at most {max(groups * per_group // WORD, 1)} groups here)",
    )


def _quantizer_name(quantizer: Any) -> str:
    return getattr(quantizer, "name", None) or getattr(quantizer, "__name__", None) or type(quantizer).__name__


RULES: tuple[Callable[[Declared, str], Reason | None], ...] = (
    _format,
    _separable,
    _depthwise,
    _transposed,
    _locally_connected,
    _volume,
    _foreign,
    _weights_only,
    _activations_only,
    _input_levels,
    _kernel_levels,
    _groups,
    _layout,
    _padding,
    _activation,
)


def hindrance(declared: Declared, format: str) -> Reason | None:
    """What keeps this layer from a binary op, as far as the rules know."""
    return next((found for rule in RULES if (found := rule(declared, format)) is not None), None)


def explain(declared: Declared, format: str, complaints: list[str]) -> Reason:
    """The reason why this binary layer is no binary op; the converter's own words when no rule knows."""
    found = hindrance(declared, format)
    if found is not None:
        return found
    said = f"; the converter said: {'; '.join(complaints)}" if complaints else ""
    return Reason("unknown", f"LCE's converter did not recognise it as binary{said}", "report it with the model")


def about_few_bits(declared: Declared) -> Reason:
    """Why a layer with quantizers of several bits became a float op: the format has no other for it."""
    return Reason(
        "few_bit",
        f"{declared.few_bit} has no op of its own in this format: its quantized values are stored and computed as "
        "float32, with the results of training",
        "convert with format auto, which stores weights in their bits and computes with them where inputs have few too",
    )


def remark(declared: Declared) -> Reason | None:
    """What to know about a layer that did become binary."""
    layer = declared.layer
    zeros = getattr(layer, "padding", "valid") == "same" and getattr(layer, "pad_values", 0) == 0
    if not (zeros and any(k > 1 for k in getattr(layer, "kernel_size", ()))):
        return None
    return Reason(
        "zero_padding",
        "zero padding: the edges are corrected after the channel multiplier, so activations are not fused "
        "and exact ties can change sign",
        "use pad_values=1",
    )
