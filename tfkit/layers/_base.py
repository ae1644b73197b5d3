"""What every layer of the family adds to Larq's: one mixin, one concern each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfkit import quantizers
from tfkit._larq import larq
from tfkit.layers._binary import (
    KERNEL_QUANTIZERS,
    is_binary,
    kernels_and_quantizers,
    quantizer_mismatch,
    warn_not_binary,
)
from tfkit.quantizers.attach import attach

if TYPE_CHECKING:  # a mixin passes on to whatever layer comes after it
    _Layer: Any
else:
    _Layer = object

_WORD = 32  # channels that a binary kernel reads at once


class FittingQuantizers(_Layer):
    """Take quantizers by tfkit's names, refuse those made for another place, and give them their variables at once.

    Built with the layer, they are among its weights before its first call: a file can be read into them, and what they
    learn begins at the layer's own kernel.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["input_quantizer"] = quantizers.get(kwargs.get("input_quantizer"), role="activations")
        for name in KERNEL_QUANTIZERS:
            if name in kwargs:  # Larq adds the metrics that are asked for
                kwargs[name] = larq.quantizers.get_kernel_quantizer(quantizers.get(kwargs[name], role="kernel"))
        super().__init__(*args, **kwargs)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        attach(self.input_quantizer, self, "input_quantizer", input_shape)
        for name, kernel, quantizer in kernels_and_quantizers(self):
            attach(quantizer, self, name, kernel.shape, kernel)


class ClippedKernel(_Layer):
    """Keep every binary latent kernel of a layer in [-1, 1] unless another constraint is given.

    Outside the clip range of its quantizer a latent weight has no gradient and never comes back
    (BinaryConnect, https://arxiv.org/abs/1511.00363, section 2.4).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name in KERNEL_QUANTIZERS:
            constraint = name.replace("quantizer", "constraint")
            if is_binary(kwargs.get(name)) and kwargs.get(constraint) is None:
                kwargs[constraint] = "weight_clip"
        super().__init__(*args, **kwargs)


class OnePadding(_Layer):
    """Pad binary "same" convolutions with ones unless told otherwise.

    A zero is not a binary value: zero padding needs a correction after the channel multiplier, which
    puts exact ties on the wrong side of the next sign. One-padding is exact and faster.
    """

    def __init__(
        self,
        *args: Any,
        padding: str = "valid",
        pad_values: float | None = None,
        input_quantizer: Any = None,
        **kwargs: Any,
    ) -> None:
        input_quantizer = larq.quantizers.get(input_quantizer)
        if pad_values is None:
            # What meets the padded input is the depthwise kernel where there is one.
            kernel_quantizer = kwargs.get("kernel_quantizer", kwargs.get("depthwise_quantizer"))
            binary = is_binary(input_quantizer) and is_binary(larq.quantizers.get(kernel_quantizer))
            pad_values = 1.0 if binary and str(padding).lower() == "same" else 0.0
        super().__init__(*args, padding=padding, pad_values=pad_values, input_quantizer=input_quantizer, **kwargs)


class BinaryConvolution(_Layer):
    """Says of a convolution that has a binary kernel after conversion what keeps it from using it."""

    def _why_not_binary(self) -> tuple[str, str] | None:
        return quantizer_mismatch(self) or (self._unusual_padding() if self._binary else None)

    @property
    def _binary(self) -> bool:
        return is_binary(self.input_quantizer) and is_binary(self.kernel_quantizer)

    def _unusual_padding(self) -> tuple[str, str] | None:
        if self.padding == "same" and self.pad_values not in (0.0, 1.0):
            return f"pad_values is {self.pad_values:g}", "binary kernels pad with 1 (the default) or 0"
        return None

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        channels = int(self.kernel.shape[-2])  # per group
        if self._binary and self.groups > 1 and channels % _WORD:
            why = f"it has {channels} input channels per group", f"grouped binary kernels take a multiple of {_WORD}"
            warn_not_binary(self, why)
