from __future__ import annotations

import pytest

from helpers.keras import keras
from tfkit import models
from tfkit._errors import UnsupportedError
from tfkit.counting import count


def test_larqs_table_knows_tfkits_layers() -> None:
    printed: list[str] = []
    model = models.build("small_cnn", scheme="binary")
    models.summary(model, print_fn=printed.append)
    layers, totals = printed
    assert "block1a" in layers
    assert "1-bit MACs" in layers
    total = next(line for line in layers.splitlines() if line.startswith("| Total"))
    found = count(model)
    assert str(found.macs_by_precision["binary"]) in total
    assert str(found.params_by_precision["binary"]) in total
    assert "Compression Ratio of Memory" in totals


def test_what_larq_does_not_know_is_refused() -> None:
    unbuilt = keras.Sequential([keras.layers.Dense(3)])
    deep = keras.Sequential([keras.layers.Input((4, 4, 4, 1)), keras.layers.BatchNormalization()])
    for model in (unbuilt, deep):
        with pytest.raises(UnsupportedError, match=r"use tfkit\.count\(model\)\.table\(\)"):
            models.summary(model)
