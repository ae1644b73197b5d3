"""The inputs of a benchmark: seeded, the same as the runner's own; or samples of the user's data."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tfkit._errors import DataError, UnsupportedError
from tfkit.converters import read_metadata
from tfkit.converters.passes.metadata import model_metadata
from tfkit.data import InputSpec, read_samples
from tfkit.metadata import Preprocessing
from tfkit.runtime.tensors import TensorInfo, quantize

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MAX_SEED = 2**64 - 1
CANDIDATES = 16


def splitmix64(seed: int, start: int, count: int) -> np.ndarray:
    """Draws ``start`` to ``start + count`` of the splitmix64 stream of ``seed``, uint64.

    Draw n mixes the counter ``seed + (n + 1) * 0x9E3779B97F4A7C15`` modulo 2^64 (Steele, Lea, Flood: "Fast Splittable
    Pseudorandom Number Generators", OOPSLA 2014).

    >>> [hex(z) for z in splitmix64(0, 0, 2).tolist()]
    ['0xe220a8397b1dcdaf', '0x6e789e6aa1b965f4']
    """
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(start, start + count, dtype=np.uint64) + np.uint64(1)) * _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def seeded(infos: Sequence[TensorInfo], seed: int) -> list[np.ndarray]:
    """One array per input, the runner's own; ``android_bench/runner/inputs.h`` maps draws to elements.

    Raises:
        UnsupportedError: an input of a type that has no seeded values.
    """
    return next(seeded_candidates(infos, seed))


def seeded_candidates(infos: Sequence[TensorInfo], seed: int) -> Iterator[list[np.ndarray]]:
    """``CANDIDATES`` sets of inputs, drawn one after the other from the same stream.

    Raises:
        UnsupportedError: an input of a type that has no seeded values.
    """
    drawn = 0
    for _ in range(CANDIDATES):
        arrays = []
        for info in infos:
            count = int(np.prod(info.shape, dtype=np.int64))
            arrays.append(_elements(splitmix64(seed, drawn, count), info).reshape(info.shape))
            drawn += count
        yield arrays


def _elements(draws: np.ndarray, info: TensorInfo) -> np.ndarray:
    name = info.dtype.name
    if name == "float32":
        return ((draws >> np.uint64(40)).astype(np.int64) - 2**23).astype(np.float32) / np.float32(2**23)
    if name == "float16":
        return (((draws >> np.uint64(53)).astype(np.int64) - 2**10) / 2**10).astype(np.float16)
    if name in ("int8", "uint8", "int16"):
        bits = 8 * info.dtype.itemsize
        return (draws >> np.uint64(64 - bits)).astype(f"uint{bits}").view(info.dtype)
    if name in ("int32", "int64", "bool"):
        return (draws >> np.uint64(63)).astype(info.dtype)
    raise UnsupportedError(f"input {info.name!r} is {name}, for which no seeded values are defined; give --data")


def data_candidates(
    source: str | os.PathLike[str], flatbuffer: bytes, infos: Sequence[TensorInfo]
) -> list[list[np.ndarray]]:
    """The first samples of the user's raw data, at most ``CANDIDATES`` batches: preprocessed, quantized, cast.

    Raises:
        DataError: names, shapes, types or range that do not fit; fewer samples than the model's batch.
    """
    preprocessing = model_metadata(read_metadata(flatbuffer)).preprocessing
    specs = [InputSpec(info.name, info.shape[1:], _raw_type(info, preprocessing is not None)) for info in infos]
    batch = max((info.shape[0] for info in infos), default=1)
    samples = read_samples(source, specs, limit=batch * CANDIDATES).inputs
    count = min(len(next(iter(samples.values()))) // batch, CANDIDATES)
    if count == 0:
        raise DataError(f"{source} has fewer samples than the model's fixed batch of {batch}")
    ready = [_ready(samples[info.name][: batch * count], info, preprocessing) for info in infos]
    return [[array[batch * i : batch * (i + 1)] for array in ready] for i in range(count)]


def _ready(raw: np.ndarray, info: TensorInfo, preprocessing: Preprocessing | None) -> np.ndarray:
    real = preprocessing.apply(raw) if preprocessing else raw
    needs_quantizing = real.dtype != info.dtype and info.dtype.kind in "iu"
    return quantize(real, info) if needs_quantizing else np.ascontiguousarray(real, info.dtype)


def _raw_type(info: TensorInfo, preprocessed: bool) -> Any:
    real = preprocessed or info.scale is not None
    return np.dtype(np.float32) if real else info.dtype


def concatenated(arrays: Sequence[np.ndarray]) -> bytes:
    """The runner's file format: the raw arrays, one after the other, little-endian."""
    return b"".join(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays)
