"""Time of one binary convolution: QuickNet's four layers by tfkit, LCE and XNNPACK, in one process on one CPU.

The time of an op is (time of a graph with five of it - time of a graph with one) / 4, so what a call costs besides
(Python, copies, other ops) cancels. With bitpacked output the five convolutions feed each other directly. With float
output each is followed by the LceQuantize that the next one needs, whose time, measured in the same way in the same
rounds, is taken off. XNNPACK's graphs are the same layers in int8 (per-channel weights) and float32, run by LiteRT with
its default delegate, one thread.

All graphs run in turn, round after round, and of each graph the shortest run counts (`tests.claims.interleaved`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from tests.claims import peers, target
from tests.claims.interleaved import Call, geomean, pinned, shortest
from tests.claims.kernel_graphs import LONG, QUICKNET, Layer, binary_chain, full_precision_chain, quantizers

TITLE = "Binary convolutions, single thread: how many times faster than others"
PEERS = ("LCE default", "LCE indirect", "XNNPACK int8", "XNNPACK fp32")
TARGETS = {"LCE default": 40.0, "LCE indirect": 8.0, "XNNPACK int8": 4.0, "XNNPACK fp32": 15.0}
TARGET = "each at least " + ", ".join(f"{factor:g}x {peer}" for peer, factor in TARGETS.items())
HEADINGS = ("3x3 convolution", "output", "tfkit", *PEERS, target.HEADING)
HELD_BACK = "avx2_lut"
ROUNDS = 15

Times = dict[str, float]


def slopes(graphs: dict[str, tuple[Call, Call]], *, count: int = ROUNDS) -> Times:
    """Seconds of one op, from calls of the short and the long graph."""
    calls = {f"{name} {i}": call for name, pair in graphs.items() for i, call in enumerate(pair)}
    with pinned():
        times = shortest(calls, rounds=count)
    return {name: (times[f"{name} 1"] - times[f"{name} 0"]) / (LONG - 1) for name in graphs}


def pair(build: Callable[[int], bytes], run: Callable[[bytes], Call]) -> tuple[Call, Call]:
    """Calls of the short and of the long graph."""
    return run(build(1)), run(build(LONG))


@functools.cache
def measured(layer: Layer, output: str) -> tuple[Times, str]:
    """Seconds of tfkit, of tfkit held to AVX2 and of the peers; and the kernel that tfkit chose."""
    binary = functools.partial(binary_chain, layer, output)
    chosen = peers.tfkit(binary(1))[1]["LceBconv2d"]
    graphs = {
        "tfkit": pair(binary, lambda graph: peers.tfkit(graph)[0]),
        HELD_BACK: pair(binary, lambda graph: peers.tfkit(graph, kernel=HELD_BACK)[0]),
        "LCE default": pair(binary, lambda graph: peers.lce(graph, "default")),
        "LCE indirect": pair(binary, lambda graph: peers.lce(graph, "indirect")),
        "XNNPACK int8": pair(functools.partial(full_precision_chain, layer, "int8"), peers.litert),
        "XNNPACK fp32": pair(functools.partial(full_precision_chain, layer, "float32"), peers.litert),
    }
    if output == "bitpacked":
        return slopes(graphs), chosen
    quantize = functools.partial(quantizers, layer.image, output)
    graphs["quantize tfkit"] = pair(quantize, lambda graph: peers.tfkit(graph)[0])
    graphs["quantize LCE"] = pair(quantize, lambda graph: peers.lce(graph, "default"))
    times = slopes(graphs)
    for name in graphs:
        if name in ("tfkit", HELD_BACK):
            times[name] -= times["quantize tfkit"]
        elif name.startswith("LCE"):
            times[name] -= times["quantize LCE"]
    return times, chosen


def comparison(subject: str, targets: dict[str, float]) -> Iterator[tuple[str, ...]]:
    """One line per layer and output, then minimum and geometric mean."""
    factors: dict[str, list[float]] = {peer: [] for peer in targets}

    def line(values: dict[str, float], *cells: str) -> tuple[str, ...]:
        judged = target.at_least((peer, value, targets[peer]) for peer, value in values.items())
        return *cells, *(f"{value:.1f}x" for value in values.values()), judged

    for layer in QUICKNET:
        for output in ("float32", "bitpacked"):
            times, chosen = measured(layer, output)
            for peer in targets:
                factors[peer].append(times[peer] / times[subject])
            microseconds = times[subject] * 1e6
            kernel = chosen if subject == "tfkit" else subject
            latest = {peer: values[-1] for peer, values in factors.items()}
            yield line(latest, str(layer), output, f"{microseconds:.0f} us ({kernel})")
    yield line({peer: min(values) for peer, values in factors.items()}, "minimum", "", "")
    yield line({peer: geomean(values) for peer, values in factors.items()}, "geometric mean", "", "")


def rows() -> Iterator[tuple[str, ...]]:
    """tfkit with the kernel that it chooses here."""
    return comparison("tfkit", TARGETS)
