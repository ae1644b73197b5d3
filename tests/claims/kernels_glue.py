"""Time of the ops around binary convolutions, by the method of `tests.claims.kernels`.

LceQuantize and LceBMaxPool2d: five of them on one image against one. LceDequantize, whose large outputs would have to
be copied out of LCE's interpreter: a chain with an LceQuantize after each, less what a second LceQuantize there adds.

Float images outgrow the first-level cache, and LCE's float ops take a third of what the second level's bandwidth
allows already. "memory alone" is the proof: LCE's time over that of the C library's reading (for LceQuantize) or
writing (for LceDequantize) the same bytes, in turn with the ops (`tests.claims.memory_alone`). No kernel can beat LCE
by more, wherever it is below the target.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np

from tests.claims import memory_alone, peers, target
from tests.claims.interleaved import Call, geomean
from tests.claims.kernel_graphs import QUICKNET, Layer, dequantizers, max_pools, quantizers
from tests.claims.kernels import Times, pair, slopes

TITLE = "LceQuantize, LceDequantize and LceBMaxPool2d, single thread: how many times faster than LCE"
TARGETS = {"LceQuantize": 6.0, "LceDequantize": 4.0, "LceBMaxPool2d": 4.0}
TARGET = ", ".join(f"{op} at least {factor:g}x" for op, factor in TARGETS.items())
HEADINGS = ("op", "image", "tfkit", "LCE", "memory alone", target.HEADING)
WHO = ("tfkit", "LCE")


def _graphs(build: Callable[[int], bytes], prefix: str) -> dict[str, tuple[Call, Call]]:
    return {
        f"{prefix} tfkit": pair(build, lambda graph: peers.tfkit(graph)[0]),
        f"{prefix} LCE": pair(build, lambda graph: peers.lce(graph, "default")),
    }


def _casts(layer: Layer, dtype: str) -> Times:
    """Seconds of quantizing and dequantizing an image, of reading and of writing it."""
    chain = functools.partial(dequantizers, layer.image, dtype)
    size = math.prod(layer.image) * np.dtype(dtype).itemsize
    times = slopes(
        _graphs(functools.partial(quantizers, layer.image, dtype), "LceQuantize")
        | _graphs(functools.partial(chain, 1), "one")
        | _graphs(functools.partial(chain, 2), "two")
        | {"LceQuantize memory": memory_alone.read(size), "LceDequantize memory": memory_alone.write(size)}
    )
    for who in WHO:
        times[f"LceDequantize {who}"] = 2 * times[f"one {who}"] - times[f"two {who}"]
    return times


def _line(op: str, name: str, layer: Layer, times: Times) -> tuple[float, tuple[str, ...]]:
    """How many times faster, and the line that says so."""
    ours, theirs = (times[f"{op} {who}"] for who in WHO)
    alone = times.get(f"{op} memory")
    judged = target.at_least([("LCE", theirs / ours, TARGETS[op])])
    bound = "" if alone is None else f"{theirs / alone:.1f}x"
    return theirs / ours, (name, str(layer), f"{ours * 1e6:.1f} us", f"{theirs / ours:.1f}x", bound, judged)


def _lines() -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """Each line, with its op and factor in front."""
    for layer in QUICKNET[:3]:
        for dtype in ("float32", "int8"):
            times = _casts(layer, dtype)
            for op in ("LceQuantize", "LceDequantize"):
                yield op, *_line(op, f"{op}, {dtype}", layer, times)
        for window in (2, 3):
            times = slopes(_graphs(functools.partial(max_pools, layer.image, window), "LceBMaxPool2d"))
            yield "LceBMaxPool2d", *_line("LceBMaxPool2d", f"LceBMaxPool2d, {window}x{window}, stride 2", layer, times)


def rows() -> Iterator[tuple[str, ...]]:
    """One line per op, type and image, then each op's minimum and geometric mean."""
    factors: dict[str, list[float]] = {op: [] for op in TARGETS}
    for op, factor, line in _lines():
        factors[op].append(factor)
        yield line
    for op, factor in TARGETS.items():
        for name, value in (("minimum", min(factors[op])), ("geometric mean", geomean(factors[op]))):
            yield f"{op}, {name}", "", "", f"{value:.1f}x", "", target.at_least([("LCE", value, factor)])
