"""Time of the ops around binary convolutions, by the method of `tests.claims.kernels`.

LceQuantize and LceBMaxPool2d: five of them on one image against one. LceDequantize, whose large outputs would have to
be copied out of LCE's interpreter: a chain with an LceQuantize after each, less the time of LceQuantize. The floats and
int8s that an op reads or writes, over its time, stand beside it: float images outgrow the first-level cache, and where
the second level's bandwidth is reached no kernel is faster.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np

from tests.claims import peers
from tests.claims.interleaved import Call, geomean
from tests.claims.kernel_graphs import QUICKNET, dequantizers, max_pools, quantizers
from tests.claims.kernels import pair, slopes, verdict

TITLE = "LceQuantize, LceDequantize and LceBMaxPool2d, single thread: how many times faster than LCE"
TARGETS = {"LceQuantize": 6.0, "LceDequantize": 4.0, "LceBMaxPool2d": 4.0}
TARGET = ", ".join(f"{op} at least {factor:g}x" for op, factor in TARGETS.items())
HEADINGS = ("op", "image", "tfkit", "LCE")


def _graphs(build: Callable[[int], bytes], prefix: str) -> dict[str, tuple[Call, Call]]:
    return {
        f"{prefix} tfkit": pair(build, lambda graph: peers.tfkit(graph)[0]),
        f"{prefix} LCE": pair(build, lambda graph: peers.lce(graph, "default")),
    }


def _cases() -> Iterator[tuple[str, str, str, float, float, float]]:
    """Op, name, image, bytes of its numbers, and the seconds of tfkit and of LCE."""
    for layer in QUICKNET[:3]:
        for dtype in ("float32", "int8"):
            times = slopes(
                _graphs(functools.partial(quantizers, layer.image, dtype), "quantize")
                | _graphs(functools.partial(dequantizers, layer.image, dtype), "both"),
            )
            quantize = [times[f"quantize {who}"] for who in ("tfkit", "LCE")]
            both = [times[f"both {who}"] for who in ("tfkit", "LCE")]
            size = math.prod(layer.image) * np.dtype(dtype).itemsize
            dequantize = [chain - quantizing for chain, quantizing in zip(both, quantize, strict=True)]
            yield "LceQuantize", f"LceQuantize, {dtype}", str(layer), size, quantize[0], quantize[1]
            yield "LceDequantize", f"LceDequantize, {dtype}", str(layer), size, dequantize[0], dequantize[1]
        for window in (2, 3):
            times = slopes(_graphs(functools.partial(max_pools, layer.image, window), "pool"))
            name = f"LceBMaxPool2d, {window}x{window}, stride 2"
            yield "LceBMaxPool2d", name, str(layer), 0, times["pool tfkit"], times["pool LCE"]


def rows() -> Iterator[tuple[str, ...]]:
    """One line per op, type and image, then each op's minimum and geometric mean."""
    factors: dict[str, list[float]] = {op: [] for op in TARGETS}
    for op, name, image, size, ours, theirs in _cases():
        factors[op].append(theirs / ours)
        rate = f" ({size / ours / 1e9:.0f} GB/s)" if size else ""
        yield name, image, f"{ours * 1e6:.1f} us{rate}", f"{theirs / ours:.1f}x"
    for op, target in TARGETS.items():
        yield f"{op}, minimum", "", "", verdict(factors[op], target)
        yield f"{op}, geometric mean", "", "", f"{geomean(factors[op]):.1f}x"
