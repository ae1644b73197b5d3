"""Networks of the zoo for the data of an experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfkit.metadata import Preprocessing, attach_metadata, metadata_of

GREY_LEVELS = Preprocessing(1 / 8, -1.0, 0.0, 16.0)  # digits have 0 to 16


def suited(model: Any, dataset: Any) -> Any:
    """The same network, whose preprocessing knows that digits are no 8-bit images."""
    if dataset.shape[-1] == 1:
        attach_metadata(model, replace(metadata_of(model), preprocessing=GREY_LEVELS))
    return model
