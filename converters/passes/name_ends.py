"""Give inputs and outputs the names that the Keras model and the data files use."""

from __future__ import annotations

from tfkit.converters.flatbuffer import Edit
from tfkit.converters.sources import Source


def name_ends(edit: Edit, source: Source) -> None:
    """Rename tensors and write the signature ``serving_default``; both converters keep the traced order."""
    edit.name_ends([spec.name for spec in source.inputs], source.outputs)
