"""What a layer becomes: packed weights, thresholds and scales for its ops, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit.converters.declared import Declared, effective
from tfkit.converters.lowbit.grids import Bases, Grid, as_bases, of_levels
from tfkit.converters.lowbit.staircase import thresholds
from tfkit.converters.reasons import Reason, is_dense
from tfkit.quantizers import XnorActivations, levels

MOST_WEIGHT_PLANES = 4
MOST_PLANES = 4  # of activations; both: kernels/kbit_conv2d/params.h has the op's own limits
_SAME = 1e-5  # relative to the largest level: float32 arithmetic of scales in another order


@dataclass(frozen=True)
class Plan:
    """Constants and options of TfkitKBitQuantize and of TfkitKBitConv2D or TfkitKBitDense.

    Attributes:
        words: int32, the weights' bits [planes][channels out][height][width][channels in], lowest bit first.
        scales: float32 [terms, channels out].
        thresholds, level_bits: of the activations.
        options: of the convolution.
    """

    dense: bool
    words: np.ndarray
    scales: np.ndarray
    thresholds: np.ndarray
    level_bits: np.ndarray
    options: dict[str, int]

    @property
    def op(self) -> str:
        return "TfkitKBitDense" if self.dense else "TfkitKBitConv2D"

    @property
    def precision(self) -> str:
        """ "W2A2": bits of weights and activations."""
        return f"W{self.options['weight_planes']}A{self.options['activation_planes']}"


def planned(declared: Declared, wrapper: Any = None) -> Plan | Reason:
    """What the few-bit layer becomes."""
    layer = declared.layer
    why = _foreign(declared) or _unpackable(layer)
    if why is not None:
        return why
    weights = weights_of(layer, wrapper)
    activations = activations_of(layer.input_quantizer)
    for found in (weights, activations):
        if isinstance(found, Reason):
            return found
    (wide, matrix), (narrow, steps, values) = weights, activations  # type: ignore[misc]
    if isinstance(wide, Bases) or isinstance(narrow, Bases):
        # A grid beside bases takes a scale for every bit.
        wide, matrix = _with_bases(wide, matrix)
        narrow, bits = _with_bases(narrow, values)
        of_weights = np.broadcast_to(wide.scales, (matrix.shape[-1], wide.planes)).T
        scales = of_weights[:, None, :] * _per_plane(narrow)[None, :, None]
        scales = scales.reshape(-1, matrix.shape[-1])
    else:
        bits = values
        scales = np.broadcast_to(wide.scale * narrow.scale, (1, matrix.shape[-1]))
    pad = _padding(layer, bits, narrow)
    if isinstance(pad, Reason):
        return pad
    dense = is_dense(layer)
    shape = (1, 1, *matrix.shape) if dense else matrix.shape
    return Plan(
        dense=dense,
        words=_pack(np.reshape(matrix, shape), wide.planes),
        scales=np.ascontiguousarray(scales, np.float32),
        thresholds=steps,
        level_bits=np.asarray(bits, np.int32),
        options={
            "activation_lowest": narrow.lowest,
            "activation_planes": narrow.planes,
            "activation_step": narrow.step,
            "bases": int(isinstance(narrow, Bases)),
            "channels_in": shape[2],
            "channels_out": shape[3],
            "dilation_height_factor": 1 if dense else layer.dilation_rate[0],
            "dilation_width_factor": 1 if dense else layer.dilation_rate[1],
            "kernel_height": shape[0],
            "kernel_width": shape[1],
            "pad_bits": pad,
            "padding": 1 if dense or layer.padding == "valid" else 0,
            "stride_height": 1 if dense else layer.strides[0],
            "stride_width": 1 if dense else layer.strides[1],
            "weight_lowest": wide.lowest,
            "weight_planes": wide.planes,
            "weight_step": wide.step,
        },
    )


def _foreign(declared: Declared) -> Reason | None:
    layer = declared.layer
    own = next((c for c in type(layer).__mro__ if "call" in vars(c) or "convolution_op" in vars(c)), type(layer))
    names = {cls.__name__ for cls in type(layer).__mro__ if cls.__module__.startswith("larq.")}
    if (
        own.__module__.startswith("larq.")
        and names & {"QuantConv2D", "QuantDense"}
        and "Separable" not in declared.type
    ):
        return None
    return Reason(
        "no_packed_op",
        f"{declared.type} has no packed op: there are some for QuantConv2D and QuantDense",
        "use one of these, or keep the layer in float",
    )


def _unpackable(layer: Any) -> Reason | None:
    if layer.input_quantizer is None:
        return Reason(
            "float_activations",
            "its inputs are not quantized, so its weights alone are stored in bits",
            'quantize them too (input_quantizer="dorefa_a2")',
        )
    if layer.kernel_quantizer is None:
        return Reason("float_kernel", "its kernel is not quantized", 'give it one: kernel_quantizer="dorefa_w2"')
    if getattr(layer, "groups", 1) != 1:
        return Reason("groups", "grouped convolutions have no packed op", "use groups=1, or format lce for signs")
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return Reason("data_format", "channels come first", 'use data_format="channels_last"')
    return None


def weights_of(layer: Any, wrapper: Any = None) -> tuple[Grid | Bases, np.ndarray] | Reason:
    """The form, and the index or bits of every weight in the layer's own shape."""
    latent = getattr(layer.kernel, "latent_variable", layer.kernel)
    values = effective(layer, "kernel", wrapper)
    try:
        found = levels(layer.kernel_quantizer, np.asarray(latent))
    except UsageError as error:
        return Reason("unknown_levels", str(error), "use a quantizer of tfkit.quantizers")
    form = of_levels(found)
    if form is None or form.planes > MOST_WEIGHT_PLANES:
        return _too_wide("weights", MOST_WEIGHT_PLANES)
    table = found.values if found.values.ndim == 2 else np.broadcast_to(found.values, (values.shape[-1], len(found)))
    # [channels out, weights] and their nearest levels, a level at a time: whole tables would take gigabytes.
    flat = values.reshape(-1, values.shape[-1])
    best = np.full(flat.shape, np.inf, np.float32)
    index = np.zeros(flat.shape, np.int64)
    for number in range(len(found)):
        distance = np.abs(flat - table[:, number])
        closer = distance < best
        best[closer], index[closer] = distance[closer], number
    if (best > _SAME * np.abs(table).max()).any():
        return Reason(
            "off_grid",
            "the kernel holds values that are none of its quantizer's levels",
            "finish its schedule (INQ: all weights fixed), or use a quantizer of tfkit.quantizers",
        )
    codes = form.indices if isinstance(form, Grid) else form.bits
    return form, codes[index].reshape(values.shape)


def activations_of(quantizer: Any) -> tuple[Grid | Bases, np.ndarray, np.ndarray] | Reason:
    """The form, the thresholds, and the index or bits of every level that they part."""
    if isinstance(quantizer, XnorActivations):
        return Reason(
            "scale_of_data",
            "XNOR-Net scales activations by their own mean, place by place, which no integer kernel does",
            'use "ste_sign" for the inputs: batch normalization takes the place of the scale',
        )
    try:
        found = levels(quantizer)
    except UsageError as error:
        return Reason("unknown_levels", str(error), "use a quantizer of tfkit.quantizers")
    form = of_levels(found)
    if form is None or form.planes > MOST_PLANES or len(found) > 2**MOST_PLANES:
        return _too_wide("activations", MOST_PLANES)
    steps = thresholds(quantizer, found.values)
    if steps is None or len(steps[0]) >= 2**MOST_PLANES:
        return Reason("no_staircase", "its input quantizer does not rise in few steps", "use one of tfkit.quantizers")
    distances = np.abs(steps[1][:, None] - found.values[None])
    if (distances.min(1) > _SAME * np.abs(found.values).max()).any():
        return Reason("off_grid", "its input quantizer gives values that are none of its levels", "report it")
    codes = form.indices if isinstance(form, Grid) else form.bits
    return form, steps[0], codes[distances.argmin(1)]


def _too_wide(what: str, most: int) -> Reason:
    return Reason(
        "too_many_bits",
        f"its {what} take more than {most} bits, where int8 kernels are as fast",
        "use fewer bits, or tfkit.quantize_aware and format int8",
    )


def _with_bases(form: Grid | Bases, codes: np.ndarray) -> tuple[Bases, np.ndarray]:
    """The form as bases, and its indices as their bits."""
    if isinstance(form, Bases):
        return form, codes
    bases = as_bases(form)
    table = np.zeros(int(form.indices.max()) + 1, np.int64)
    table[form.indices] = bases.bits
    return bases, table[codes]


def _per_plane(form: Bases) -> np.ndarray:
    return np.asarray(form.scales, np.float32).reshape(form.planes)


def _padding(layer: Any, bits: np.ndarray, narrow: Grid | Bases) -> int | Reason:
    """The bits of what stands around the image; -1: nothing, as zeros add nothing."""
    value = float(getattr(layer, "pad_values", 0.0) or 0.0)
    if is_dense(layer) or layer.padding == "valid" or value == 0.0:
        return -1
    for code in bits.tolist():
        if isinstance(narrow, Grid):
            level = float(narrow.scale) * (narrow.lowest + narrow.step * code)
        else:
            level = float(
                sum(s * (narrow.lowest + narrow.step * (code >> i & 1)) for i, s in enumerate(_per_plane(narrow)))
            )
        if abs(level - value) <= _SAME * abs(value):
            return int(code)
    return Reason("pad_values", f"pad_values {value:g} is no level of its input quantizer", "use pad_values=0")


def _pack(codes: np.ndarray, planes: int) -> np.ndarray:
    """[height, width, channels in, channels out] to the stored int32 words."""
    ordered = np.ascontiguousarray(np.moveaxis(codes, -1, 0)).reshape(-1)
    bits = np.concatenate([(ordered >> plane & 1).astype(np.uint8) for plane in range(planes)])
    padded = np.concatenate([bits, np.zeros(-len(bits) % 32, np.uint8)])
    return np.packbits(padded, bitorder="little").view("<i4").astype(np.int32)
