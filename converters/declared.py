"""What a Keras model declares: which layers are meant to be binary, int8 or sparse, with their effective kernels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tfkit._keras import call_count
from tfkit.layers import has_more_values

# Layers whose kernel has at least this share of exact zeros are declared sparse: with 4-byte values and at most
# 2 bytes per index the sparse form is smaller from a third on; half leaves a margin for segments.
SPARSE_SHARE = 0.5
QUANTIZERS = ("input_quantizer", "kernel_quantizer", "depthwise_quantizer", "pointwise_quantizer")
KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


@dataclass(frozen=True)
class Declared:
    """One layer with kernels, which are read when they are first asked for.

    ``few_bit`` is "W2A3", "W2" or "A3" for a layer whose quantizers all have more than two values; else empty.
    """

    name: str
    layer: Any
    wrapper: Any
    type: str
    is_binary: bool
    is_wrapped_int8: bool
    few_bit: str
    calls: int

    @cached_property
    def kernels(self) -> tuple[np.ndarray, ...]:
        """Canonical matrices as in ``weights``, after the layer's quantizers."""
        return tuple(
            canonical(self.layer, name, effective(self.layer, name, self.wrapper)) for name in kernel_names(self.layer)
        )

    @cached_property
    def zeros(self) -> float:
        """The share of exact zeros."""
        total = sum(kernel.size for kernel in self.kernels)
        return sum(int((kernel == 0).sum()) for kernel in self.kernels) / total if total else 0.0

    @property
    def is_sparse(self) -> bool:
        return not self.is_binary and self.zeros >= SPARSE_SHARE


def declared_layers(model: Any) -> list[Declared]:
    """All layers with kernels, nested models and wrappers opened, in the model's order."""
    return [_declare(*found) for found in walk(model) if kernel_names(found[1])]


def wrapped_names(model: Any) -> set[str]:
    """Names of all layers that TF-MOT wrapped for int8, kernels or not."""
    return {layer.name for _, layer, wrapper in walk(model) if is_quantize_wrapper(wrapper)}


def is_quantize_wrapper(layer: Any) -> bool:
    """Whether this is TF-MOT's wrapper that emulates int8."""
    return type(layer).__name__.startswith("QuantizeWrapper")


def walk(model: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, layer, its outermost wrapper or itself) of every layer that is no model."""
    for child in model.layers:
        inner = child
        while hasattr(inner, "layer") and not hasattr(inner, "layers"):
            inner = inner.layer
        if hasattr(inner, "layers"):
            yield from walk(inner, f"{prefix}{child.name}/")
        else:
            yield f"{prefix}{inner.name}", inner, child


def kernel_names(layer: Any) -> list[str]:
    """Attributes of the layer that hold a kernel; a layer may forward them through a property that fails unbuilt."""
    return [name for name in KERNELS if _attribute(layer, name) is not None]


def _attribute(layer: Any, name: str) -> Any:
    try:
        return getattr(layer, name, None)
    except (AttributeError, ValueError):
        return None


def quantizers_of(layer: Any) -> dict[str, Any]:
    """Attribute -> quantizer, for those that are set."""
    return {name: q for name in QUANTIZERS if (q := _attribute(layer, name)) is not None}


def quantizer_of(layer: Any, name: str) -> Any:
    """The quantizer of the kernel that the layer keeps as its attribute ``name``; None: it has none."""
    return _attribute(layer, f"{name}_quantizer" if name == "kernel" else name.replace("_kernel", "_quantizer"))


def few_bit(layer: Any) -> str:
    """The bits of weights and activations, "W2A3", when every quantizer of the layer says it is no sign; else ""."""
    found = quantizers_of(layer)
    if not found or not all(has_more_values(quantizer) for quantizer in found.values()):
        return ""
    weights = [str(q.precision) for name, q in found.items() if name != "input_quantizer"]
    inputs = found.get("input_quantizer")
    return ("W" + "/".join(weights) if weights else "") + ("" if inputs is None else f"A{inputs.precision}")


def latent(layer: Any, name: str, wrapper: Any = None) -> np.ndarray:
    """The kernel that is trained, before its quantizer.

    TF-MOT's wrapper puts a symbolic tensor in the kernel's place; the variable itself is then among its weights.
    """
    value = _attribute(layer, name)
    held = [w for w in getattr(wrapper, "weights", ()) if w.name.split(":")[0].rsplit("/", 1)[-1] == name]
    if is_quantize_wrapper(wrapper) and held:
        value = held[0]
    return np.asarray(getattr(value, "latent_variable", value))


def effective(layer: Any, name: str, wrapper: Any = None) -> np.ndarray:
    """The kernel as the layer uses it: through its quantizer when it has one, in the layer's own shape."""
    value, quantizer = latent(layer, name, wrapper), quantizer_of(layer, name)
    return np.asarray(value if quantizer is None else quantizer(value), np.float32)


def _declare(name: str, layer: Any, wrapper: Any) -> Declared:
    return Declared(
        name=name,
        layer=layer,
        wrapper=wrapper,
        type=type(layer).__name__,
        is_binary=bool(quantizers_of(layer)),
        is_wrapped_int8=is_quantize_wrapper(wrapper),
        few_bit=few_bit(layer),
        calls=max(call_count(wrapper), 1),
    )


def canonical(layer: Any, name: str, value: np.ndarray) -> np.ndarray:
    """[output channel, inputs of one output channel], columns in the order space, input channel."""
    if name == "depthwise_kernel":  # [space..., input channel, multiplier]
        return np.moveaxis(value, (-2, -1), (0, 1)).reshape(value.shape[-2] * value.shape[-1], -1)
    is_transposed = "Transpose" in type(layer).__name__ or any("Transpose" in c.__name__ for c in type(layer).__mro__)
    axis = -2 if is_transposed else -1  # transposed kernels are [space..., output channel, input channel]
    return np.moveaxis(value, axis, 0).reshape(value.shape[axis], -1)
