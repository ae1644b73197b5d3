"""Time of few-bit convolutions, by the method of `tests.claims.kernels`, against XNNPACK's int8 convolution.

One convolution is the difference between five quantizations with a convolution each and one, less what a quantization
takes by itself in the same way: XNNPACK's convolution has its input in int8 too. All widths, by each of the kernels
that could have been chosen, run by turns with XNNPACK; the chosen one's time is what its name, forced, takes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tests.claims import peers, target
from tests.claims.interleaved import Call, geomean
from tests.claims.kernel_graphs import QUICKNET, Layer, bits, full_precision_chain
from tests.claims.kernels import pair, slopes
from tests.helpers.lce_graph import LceGraph

TITLE = "Few-bit convolutions, single thread: how many times faster than XNNPACK int8"
TARGETS = {(1, 2): 2.0, (1, 4): 1.3, (2, 2): 1.05}
SHOWN = (*TARGETS, (2, 4), (3, 3))
WIDTHS = tuple((w, a) for w in range(1, 5) for a in range(1, 5))
ROADS = ("avx512vpopcntdq", "avx512bw_lut", "avx512vnni")
TARGET = ", ".join(f"W{w}A{a} at least {factor:g}x" for (w, a), factor in TARGETS.items())
HEADINGS = ("3x3 convolution", *(f"W{w}A{a}" for w, a in SHOWN), target.HEADING)
ROUNDS = 12

Width = tuple[int, int]


class Measured(NamedTuple):
    """Of one layer: how many times faster than XNNPACK's int8 each kernel is at each width, and which is chosen."""

    factors: dict[Width, dict[str, float]]
    chosen: dict[Width, str]

    def factor(self, width: Width) -> float:
        """Of the chosen kernel."""
        return self.factors[width][self.chosen[width]]


def _chain(layer: Layer, weights: int, activations: int, convolves: bool, length: int) -> bytes:
    """Quantizations of one image, each with its convolution, or alone."""
    graph = LceGraph()
    source = tensor = graph.tensor("float32", layer.image)
    random = np.random.default_rng(0)
    *places, words = bits(layer.image)
    count = weights * layer.channels * layer.channels * 9 // 32
    most = 2**activations - 1
    options = {
        "activation_lowest": 0, "activation_planes": activations, "activation_step": 1, "bases": 0,
        "channels_in": layer.channels, "channels_out": layer.channels, "dilation_height_factor": 1,
        "dilation_width_factor": 1, "kernel_height": 3, "kernel_width": 3, "pad_bits": -1, "padding": 0,
        "stride_height": 1, "stride_width": 1, "weight_lowest": 1 - 2**weights, "weight_planes": weights,
        "weight_step": 2,
    }  # fmt: skip
    for _ in range(length):
        planes = graph.tensor("int32", (*places, words * activations))
        levels = [np.arange(1, most + 1, dtype=np.float32) / most, np.arange(most + 1, dtype=np.int32)]
        graph.custom(
            "TfkitKBitQuantize",
            [tensor if convolves else source, *map(graph.constant, levels)],
            [planes],
            {"activation_planes": activations},
        )
        output = planes
        if convolves:
            constants = [
                random.integers(-(2**31), 2**31, count).astype(np.int32),
                np.full((1, layer.channels), 0.01, np.float32),
                np.zeros(layer.channels, np.float32),
            ]
            output = tensor = graph.tensor("float32", layer.image)
            graph.custom("TfkitKBitConv2D", [planes, *map(graph.constant, constants)], [output], options)
    return graph.serialize([source], [output])


@functools.cache
def measured(layer: Layer) -> Measured:
    """All widths by all roads, in one run."""
    graphs = {"int8": pair(functools.partial(full_precision_chain, layer, "int8"), peers.litert)}
    chosen: dict[Width, str] = {}
    kernels: dict[Width, tuple[str, ...]] = {}
    for w, a in WIDTHS:
        build = functools.partial(_chain, layer, w, a, True)
        chosen[w, a] = peers.tfkit(build(1))[1]["TfkitKBitConv2D"]
        kernels[w, a] = ROADS if chosen[w, a] in ROADS else (chosen[w, a],)
        for kernel in kernels[w, a]:
            graphs[f"{w} {a} {kernel}"] = pair(build, functools.partial(_call, kernel))
        if w == 1:
            graphs[f"quantize {a}"] = pair(
                functools.partial(_chain, layer, w, a, False), functools.partial(_call, None)
            )
    times = slopes(graphs, count=ROUNDS)
    factors = {
        (w, a): {
            kernel: times["int8"] / (times[f"{w} {a} {kernel}"] - times[f"quantize {a}"]) for kernel in kernels[w, a]
        }
        for w, a in WIDTHS
    }
    return Measured(factors, chosen)


def _call(kernel: str | None, graph: bytes) -> Call:
    return peers.tfkit(graph, kernel=kernel)[0]


def _line(name: str, factors: dict[Width, float], kernels: dict[Width, str]) -> tuple[str, ...]:
    judged = target.at_least((f"W{w}A{a}", factors[w, a], least) for (w, a), least in TARGETS.items())
    return name, *(f"{factors[width]:.2f}x {kernels.get(width, '')}".strip() for width in SHOWN), judged


def rows() -> Iterator[tuple[str, ...]]:
    """One line per layer, then minimum and geometric mean."""
    found: list[dict[Width, float]] = []
    for layer in QUICKNET:
        result = measured(layer)
        found.append({width: result.factor(width) for width in SHOWN})
        yield _line(str(layer), found[-1], result.chosen)
    yield _line("minimum", {width: min(f[width] for f in found) for width in SHOWN}, {})
    yield _line("geometric mean", {width: geomean([f[width] for f in found]) for width in SHOWN}, {})
