"""Build a model of the zoo by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfkit._errors import UsageError
from tfkit.metadata import ModelMetadata, attach_metadata
from tfkit.models._registry import ModelRegistry

REGISTRY = ModelRegistry()

# scheme -> the scheme that is built first and then made quantization-aware
_QUANTIZED = {"int8": "float32", "binary_int8": "binary"}


def build(
    name: str,
    *,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
    width: float | None = None,
    scheme: str | None = None,
    kernel_quantizer: Any = None,
    input_quantizer: Any = None,
    seed: int | None = None,
) -> Any:
    """A fresh tf_keras model with its metadata; the outputs are logits, (batch, classes).

    Args:
        name: a name in ``tfkit.models.REGISTRY``, or of a family there such as ``wrn_16_2``.
        input_shape: (height, width, channels); the architecture's own by default.
        classes: number of outputs.
        width: factor on the number of channels.
        scheme: one of the architecture's schemes; the first by default, and with quantizers the binary one where
            there is one, since it says which layers bear few bits.
        kernel_quantizer, input_quantizer: of the layers, see ``tfkit.quantization.quantize_layers``.
        seed: of the initial weights; sets the global random state of Python, NumPy and TensorFlow.

    Raises:
        UsageError: an unknown name, scheme or quantizer, numbers that a family does not have, or a size that makes no
            sense.
    """
    spec = REGISTRY[name]
    shape = tuple(spec.input_shape if input_shape is None else input_shape)
    classes = spec.classes if classes is None else classes
    width = 1.0 if width is None else width
    few_bit = kernel_quantizer is not None or input_quantizer is not None
    if scheme is None:
        scheme = "binary" if few_bit and "binary" in spec.schemes else spec.schemes[0]
    if scheme not in spec.schemes:
        raise UsageError(f"{name} has no scheme {scheme!r}; it has {', '.join(spec.schemes)}")
    if few_bit and scheme in _QUANTIZED:
        raise UsageError(f"scheme {scheme} has quantizers of its own; give {_QUANTIZED[scheme]} with yours")
    if len(shape) != 3 or min(shape) < 1:
        raise UsageError(f"input_shape is (height, width, channels), all positive; got {shape}")
    if classes < 2:
        raise UsageError(f"a classifier needs at least 2 classes; got {classes}")
    if not 0 < width <= 8:
        raise UsageError(f"width is a factor on the channels, in (0, 8]; got {width:g}")

    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    if seed is not None:
        keras.utils.set_random_seed(seed)
    base = _QUANTIZED.get(scheme, scheme)
    try:
        model = spec.create((shape[0], shape[1], shape[2]), classes, width, base)
    except ValueError as error:  # Keras: a pooling or convolution is left with nothing
        raise UsageError(f"{name} cannot take inputs of {'x'.join(map(str, shape))}: {error}") from error
    metadata = ModelMetadata(
        name=name,
        scheme=base,
        preprocessing=spec.preprocessing((shape[0], shape[1], shape[2])),
        extra={"classes": classes, "width": width, "recipe": spec.recipe},
    )
    attach_metadata(model, metadata)
    if few_bit:
        from tfkit.quantization import quantize_layers

        return quantize_layers(model, kernel_quantizer, input_quantizer)
    if scheme == base:
        return model
    from tfkit.quantization import quantize_aware

    return quantize_aware(model)
