"""``format="auto"``: each layer gets the op that its quantizers ask for, all of them in one file.

Signs times signs run on LCE's kernel; few bits times few bits, and dense layers of signs, on tfkit's; layers of a
quantization-aware model on int8 ops; everything else in float. Weights of few bits that no such op takes are packed
afterwards (``packed_weights``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfkit.converters.declared import Declared, declared_layers, is_quantize_wrapper, walk
from tfkit.converters.passes.as_convolutions import as_convolutions
from tfkit.converters.passes.packed_calls import packed_calls
from tfkit.converters.passes.ranges_stay import keep_ranges
from tfkit.converters.passes.replaced_calls import Replace
from tfkit.converters.reasons import Reason, hindrance, is_dense


@dataclass(frozen=True)
class Choice:
    """What was chosen: paths of layers.

    Attributes:
        binary: for LCE's kernel.
        packed: for tfkit's few-bit ops, and their precision.
        rewritten: of ``binary``, as what.
        unpacked: why other layers with quantizers have no op of their own.
    """

    binary: tuple[str, ...]
    packed: Mapping[str, str]
    rewritten: Mapping[str, str]
    unpacked: Mapping[str, Reason]


def choose(model: Any, replace: Replace) -> Choice:
    """Let every layer of ``model`` be traced as its op."""
    aware = any(is_quantize_wrapper(outermost) for _, _, outermost in walk(model))
    layers = declared_layers(model)
    binary = {d.name: d for d in layers if is_for_lce(d, aware)}
    keep_ranges(model, replace)
    packed, unpacked = packed_calls(model, replace, lambda declared: declared.name not in binary)
    rewritten = as_convolutions(model, replace, lambda declared: declared.name in binary)
    return Choice(tuple(binary), packed, rewritten, unpacked)


def is_for_lce(declared: Declared, aware: bool) -> bool:
    """Whether the layer is signs times signs in a form that LCE's kernel takes.

    Dense layers are no such form by themselves; rewritten as 1x1 convolutions they read and write int8, which only a
    quantization-aware model (``aware``) has use for.
    """
    if not declared.is_binary or declared.few_bit or (is_dense(declared.layer) and not aware):
        return False
    return hindrance(declared, "lce") is None
