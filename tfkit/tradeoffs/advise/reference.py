"""Small networks that are timed once on a device, so that the error of its predictions is known from the first advice.

They are of other architectures than what is advised on, or at least of another size; together they hold the usual ops.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tfkit import converters, models
from tfkit.converters import calibration
from tfkit.converters.sources import open_source

# (zoo name, side of the input, width, formats)
NETWORKS: tuple[tuple[str, int, float, tuple[str, ...]], ...] = (
    ("small_cnn", 32, 1.0, ("float32", "int8")),
    ("mobilenet_v1", 64, 0.25, ("float32", "int8")),
    ("squeezenet_1_1", 64, 0.5, ("float32", "int8")),
    ("resnet18", 64, 0.25, ("float32", "int8")),
    ("quicknet", 64, 0.5, ("lce",)),
)
# Fewer groups than this say nothing about how well latencies are predicted.
FEWEST_GROUPS = 4


@dataclass(frozen=True)
class Reference:
    """A flatbuffer with the architecture that it is of."""

    name: str
    group: str
    flatbuffer: bytes


def references() -> Iterator[Reference]:
    """The networks, converted one after the other."""
    for name, side, width, formats in NETWORKS:
        for format in formats:
            yield Reference(f"{name} {format}", name, converted(name, side, width, format))


def converted(name: str, side: int, width: float, format: str, **options: Any) -> bytes:
    """A network of the zoo as a flatbuffer; int8 from random samples, since ranges take no time."""
    model = models.build(name, input_shape=(side, side, 3), classes=10, width=width, seed=0, **options)
    samples = None
    if format == "int8":
        source = open_source(model)
        preprocessing = source.metadata.preprocessing
        network_inputs = calibration.seeded(source.inputs, source.metadata, 2, 0).arrays[0]
        samples = network_inputs if preprocessing is None else _raw(network_inputs, preprocessing)
    return bytes(converters.convert(model, format, calibration=samples, verify=False).flatbuffer)


def _raw(values: Any, preprocessing: Any) -> Any:
    """Samples before their preprocessing, within its range."""
    import numpy as np

    raw = (values - preprocessing.offset) / preprocessing.scale
    return np.clip(raw, preprocessing.raw_min, preprocessing.raw_max)
