"""Mixed precision: arithmetic in 16 bits, weights in 32."""

from __future__ import annotations

from typing import Any

from tfkit._errors import UsageError
from tfkit._keras import flat_layers, legacy_keras, node_of
from tfkit.layers import is_binary_layer
from tfkit.pruning import is_pruned
from tfkit.quantization import is_quantize_aware

keras = legacy_keras()


def in_precision(model: Any, precision: str) -> Any:
    """A copy of ``model`` that computes in ``precision`` and keeps float32 weights; ``model`` itself for float32.

    The layers that give the outputs compute in float32, as the loss does
    (Micikevicius et al., https://arxiv.org/abs/1710.03740, section 3). It pays where the processor multiplies
    16-bit numbers, as CPUs with AMX or AVX512-BF16 do with bfloat16; how much depends on the network: compare the
    ``seconds`` of an epoch in both.

    Raises:
        UsageError: the model is binary, quantization-aware or pruned: 16 bits would round what training emulates;
            or a layer cannot compute in 16 bits.
    """
    if precision == "float32":
        return model
    if is_quantize_aware(model) or is_pruned(model) or any(map(is_binary_layer, flat_layers(model))):
        raise UsageError(
            f"{model.name!r} is binary, quantization-aware or pruned, where {precision} arithmetic would round what "
            "training emulates; train it with precision float32"
        )
    try:
        copy = _copied(model, f"mixed_{precision}")
    except Exception as error:
        raise UsageError(
            f"{model.name!r} cannot compute in {precision}: {str(error).splitlines()[0]}; use precision float32"
        ) from error
    copy.set_weights(model.get_weights())
    return copy


def _copied(model: Any, policy: str) -> Any:
    last = {node_of(tensor).layer.name for tensor in model.outputs}

    def clone(layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            return _copied(layer, policy)
        if layer.name in last:
            return type(layer).from_config(layer.get_config())
        return type(layer).from_config({**layer.get_config(), "dtype": policy})

    return keras.models.clone_model(model, clone_function=clone)
