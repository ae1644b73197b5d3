"""Time of few-bit convolutions, by the method of `tests.claims.kernels`, against XNNPACK's int8 convolution.

One convolution is the difference between five quantizations with a convolution each and one, less what a quantization
takes by itself in the same way: XNNPACK's convolution has its input in int8 too.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from tests.claims import peers, target
from tests.claims.interleaved import geomean
from tests.claims.kernel_graphs import QUICKNET, Layer, bits, full_precision_chain
from tests.claims.kernels import pair, slopes
from tests.helpers.lce_graph import LceGraph

TITLE = "Few-bit convolutions, single thread: how many times faster than XNNPACK int8"
TARGETS = {(1, 2): 2.0, (1, 4): 1.3, (2, 2): 1.05}
WIDTHS = (*TARGETS, (2, 4), (3, 3))
TARGET = ", ".join(f"W{w}A{a} at least {factor:g}x" for (w, a), factor in TARGETS.items())
HEADINGS = ("3x3 convolution", "kernel", *(f"W{w}A{a}" for w, a in WIDTHS), target.HEADING)
ROUNDS = 12


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


def _factors(layer: Layer) -> tuple[dict[tuple[int, int], float], str]:
    """How many times faster than XNNPACK each width is, and the kernel that ran."""
    graphs = {"int8": pair(functools.partial(full_precision_chain, layer, "int8"), peers.litert)}
    chosen = ""
    for w, a in WIDTHS:
        for convolves in (True, False):
            build = functools.partial(_chain, layer, w, a, convolves)
            graphs[f"{w} {a} {convolves}"] = pair(build, lambda graph: peers.tfkit(graph)[0])
        chosen = peers.tfkit(_chain(layer, w, a, True, 1))[1]["TfkitKBitConv2D"]
    times = slopes(graphs, count=ROUNDS)
    return {(w, a): times["int8"] / (times[f"{w} {a} True"] - times[f"{w} {a} False"]) for w, a in WIDTHS}, chosen


def _line(name: str, kernel: str, factors: dict[tuple[int, int], float]) -> tuple[str, ...]:
    judged = target.at_least((f"W{w}A{a}", factors[w, a], least) for (w, a), least in TARGETS.items())
    return name, kernel, *(f"{factors[width]:.2f}x" for width in WIDTHS), judged


def rows() -> Iterator[tuple[str, ...]]:
    """One line per layer, then minimum and geometric mean."""
    found: list[dict[tuple[int, int], float]] = []
    for layer in QUICKNET:
        factors, kernel = _factors(layer)
        found.append(factors)
        yield _line(str(layer), kernel, factors)
    yield _line("minimum", "", {width: min(f[width] for f in found) for width in WIDTHS})
    yield _line("geometric mean", "", {width: geomean([f[width] for f in found]) for width in WIDTHS})
