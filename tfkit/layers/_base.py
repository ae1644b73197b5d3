"""What every layer of the family adds to Larq's: one mixin, one concern each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from larq import quantizers

from tfkit.layers._binary import is_binary

if TYPE_CHECKING:  # a mixin passes on to whatever layer comes after it
    _Layer: Any
else:
    _Layer = object


class ClippedKernel(_Layer):
    """Keep the latent kernel of a binary layer in [-1, 1] unless another constraint is given.

    Outside the clip range of its quantizer a latent weight has no gradient and never comes back
    (BinaryConnect, https://arxiv.org/abs/1511.00363, section 2.4).
    """

    def __init__(self, *args: Any, kernel_quantizer: Any = None, kernel_constraint: Any = None, **kwargs: Any) -> None:
        kernel_quantizer = quantizers.get_kernel_quantizer(kernel_quantizer)
        if kernel_constraint is None and is_binary(kernel_quantizer):
            kernel_constraint = "weight_clip"
        super().__init__(
            *args,
            kernel_quantizer=kernel_quantizer,
            kernel_constraint=kernel_constraint,
            **kwargs,
        )


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
        kernel_quantizer: Any = None,
        **kwargs: Any,
    ) -> None:
        input_quantizer = quantizers.get(input_quantizer)
        kernel_quantizer = quantizers.get_kernel_quantizer(kernel_quantizer)
        if pad_values is None:
            binary = is_binary(input_quantizer) and is_binary(kernel_quantizer)
            pad_values = 1.0 if binary and str(padding).lower() == "same" else 0.0
        super().__init__(
            *args,
            padding=padding,
            pad_values=pad_values,
            input_quantizer=input_quantizer,
            kernel_quantizer=kernel_quantizer,
            **kwargs,
        )
