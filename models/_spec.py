"""What the registry knows about an architecture before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tfkit.metadata import Preprocessing

# Raw 8-bit images to [-1, 1], as the MobileNets are trained.
IMAGES = Preprocessing(scale=1 / 127.5, offset=-1.0, raw_min=0.0, raw_max=255.0)


@dataclass(frozen=True)
class ModelSpec:
    """One architecture at its defaults.

    Attributes:
        name: what ``tfkit build`` takes.
        summary: one line.
        create: ``create(input_shape, classes, width, scheme) -> keras.Model``; imports Keras when called.
        input_shape: (height, width, channels).
        classes: outputs (logits).
        schemes: precisions it is meant for, the default first. "int8" and "binary_int8" are the
            quantization-aware forms of "float32" and "binary".
        preprocessing: from raw data to network input, a function of the input shape.
        params: all weights, normalization statistics included, as Keras counts them; for the first scheme.
        macs: multiply-accumulates for one sample.
        paper: where it is described.
    """

    name: str
    summary: str
    create: Callable[[tuple[int, int, int], int, float, str], Any]
    input_shape: tuple[int, int, int]
    classes: int
    schemes: tuple[str, ...]
    preprocessing: Callable[[tuple[int, int, int]], Preprocessing]
    params: int
    macs: int
    paper: str
