"""What a model knows about itself beyond its layers: kept beside a Keras model and inside a flatbuffer.

This module imports no TensorFlow, so that benches and devices can read what a converter wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tfkit._errors import DataError, ModelError


@dataclass(frozen=True)
class Preprocessing:
    """The affine map from raw data to what the network was trained on: ``x = raw * scale + offset``.

    ``raw_min`` and ``raw_max`` bound the raw data, for example 0 and 255 for 8-bit images.
    """

    scale: float = 1.0
    offset: float = 0.0
    raw_min: float = 0.0
    raw_max: float = 1.0

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Map raw data, any shape, to float32 network input.

        Raises:
            DataError: values lie outside [raw_min, raw_max]; most often the data was preprocessed already.
        """
        raw = np.asarray(raw)
        if raw.size:
            low, high = float(raw.min()), float(raw.max())
            if not (self.raw_min <= low and high <= self.raw_max):
                raise DataError(
                    f"data lies in [{low:g}, {high:g}] but this model takes raw data in "
                    f"[{self.raw_min:g}, {self.raw_max:g}] and preprocesses it itself "
                    f"(x * {self.scale:g} + {self.offset:g}); hand over the raw data"
                )
        return raw.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)


IDENTITY = Preprocessing(1.0, 0.0, -np.inf, np.inf)


@dataclass(frozen=True)
class ModelMetadata:
    """Facts that travel with a model: ``.keras`` files carry them as ``tfkit.json``, flatbuffers as metadata."""

    name: str = ""
    scheme: str = "float32"
    preprocessing: Preprocessing | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; ``from_json`` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> ModelMetadata:
        """Rebuild from ``to_json``'s dictionary; raises ``ModelError`` on anything else."""
        try:
            fields = dict(data)
            preprocessing = fields.pop("preprocessing", None)
            found = cls(preprocessing=_preprocessing(preprocessing) if preprocessing else None, **fields)
        except (TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"the model's tfkit metadata is damaged: {error}") from error
        if not (isinstance(found.name, str) and isinstance(found.scheme, str) and isinstance(found.extra, Mapping)):
            raise ModelError("the model's tfkit metadata is damaged: name, scheme or extra is of another type")
        return found


def _preprocessing(fields: Mapping[str, Any]) -> Preprocessing:
    """From JSON of unknown origin; raises ``TypeError`` or ``ValueError`` unless every field is a number."""
    found = Preprocessing(**{name: float(value) for name, value in fields.items()})
    if not np.isfinite([found.scale, found.offset]).all() or np.isnan([found.raw_min, found.raw_max]).any():
        raise ValueError("preprocessing with NaN or infinity")
    return found


def metadata_of(model: Any) -> ModelMetadata:
    """The metadata attached to a Keras model; empty metadata when there is none."""
    found = getattr(model, "_tfkit_metadata", None)
    return found if isinstance(found, ModelMetadata) else ModelMetadata(name=getattr(model, "name", ""))


def attach_metadata(model: Any, metadata: ModelMetadata) -> Any:
    """Attach metadata to a Keras model and return the model."""
    model._tfkit_metadata = metadata
    return model
