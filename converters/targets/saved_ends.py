"""Inputs and outputs of a flatbuffer that came by way of a SavedModel, which knows its ends by name only."""

from __future__ import annotations

from typing import Any

from tfkit.converters import flatbuffer as fb


def in_order(flatbuffer: bytes, function: Any) -> bytes:
    """The flatbuffer with its ends in the order of the traced function, as ``Source.trace`` names them."""
    signature = fb.parse(flatbuffer).signatures[0]
    names = [spec.name for spec in function.structured_input_signature[0]]
    edit = fb.Edit(flatbuffer)
    edit.order_ends(
        [signature.inputs[name] for name in names],
        [signature.outputs[f"output_{number}"] for number in range(len(function.outputs))],
    )
    return edit.serialize()
