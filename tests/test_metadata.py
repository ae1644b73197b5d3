from __future__ import annotations

from typing import Any

import pytest

from tfkit._errors import ModelError
from tfkit.metadata import IDENTITY, ModelMetadata, Preprocessing


@pytest.mark.parametrize("preprocessing", [None, IDENTITY, Preprocessing(1 / 16, 0.0, 0.0, 16.0)])
def test_round_trip(preprocessing: Preprocessing | None) -> None:
    metadata = ModelMetadata("net", "binary", preprocessing, {"classes": 10})
    assert ModelMetadata.from_json(metadata.to_json()) == metadata


@pytest.mark.parametrize(
    "damaged",
    [
        [1],
        {"unknown": 1},
        {"name": 3},
        {"extra": [1]},
        {"preprocessing": [1, 2]},
        {"preprocessing": {"scale": "x"}},
        {"preprocessing": {"scale": None}},
        {"preprocessing": {"scale": float("inf")}},
        {"preprocessing": {"raw_min": float("nan")}},
    ],
)
def test_a_file_may_hold_anything(damaged: Any) -> None:
    with pytest.raises(ModelError, match="tfkit metadata is damaged"):
        ModelMetadata.from_json(damaged)
