"""The function that a converter gets: the model traced, its layers as the ops that a format has for them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from tfkit._errors import UsageError
from tfkit.converters.ledger import KINDS
from tfkit.converters.passes.as_convolutions import as_convolutions
from tfkit.converters.passes.constant_kernels import constant_kernels
from tfkit.converters.passes.packed_calls import packed_calls
from tfkit.converters.passes.per_layer import choose
from tfkit.converters.passes.ranges_stay import keep_ranges
from tfkit.converters.passes.replaced_calls import replaced_calls
from tfkit.converters.reasons import Reason
from tfkit.converters.sources import Source

PACKING = ("lowbit", "auto")  # formats that look at the quantizers of each layer


@dataclass(frozen=True)
class Traced:
    """A concrete function, and what became of layers on the way.

    Attributes:
        rewritten: path of a layer -> how it was rewritten for LCE's kernel.
        packed: path -> precision, of those that call a few-bit op of tfkit's.
        binary: paths of those that are meant for LCE's kernel (``auto`` only).
        unpacked: path -> why a layer with quantizers has no few-bit op.
    """

    function: Any
    rewritten: Mapping[str, str] = field(default_factory=dict)
    packed: Mapping[str, str] = field(default_factory=dict)
    binary: tuple[str, ...] = ()
    unpacked: Mapping[str, Reason] = field(default_factory=dict)


def trace(source: Source, format: str, batch: int | str) -> Traced:
    """Trace a source for a format; raises ``UsageError`` for one that the format cannot look into."""
    size = None if batch == "dynamic" else int(batch)
    if format in PACKING and source.keras is None:
        raise UsageError(
            f"format {format} packs layers by their quantizers, which a {KINDS[source.kind]} does not show; "
            "convert the tf_keras model that it came from"
        )
    with nullcontext() if source.keras is None else constant_kernels(source.keras):
        if format not in (*PACKING, "lce") or source.keras is None:
            return Traced(source.trace(size))
        with replaced_calls() as replace:
            if format == "lowbit":
                packed, unpacked = packed_calls(source.keras, replace)
                return Traced(source.trace(size), packed=packed, unpacked=unpacked)
            if format == "auto":
                chosen = choose(source.keras, replace)
                function = source.trace(size)
                return Traced(function, chosen.rewritten, chosen.packed, chosen.binary, chosen.unpacked)
            keep_ranges(source.keras, replace)
            rewritten = as_convolutions(source.keras, replace)
            return Traced(source.trace(size), rewritten)
