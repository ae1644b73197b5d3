"""Time of whole binary networks at 224x224: tfkit's delegate in LiteRT against LCE's interpreter.

LCE's best mode is its indirect convolution with XNNPACK for everything else, which its interpreter leaves off by
default; LiteRT has XNNPACK on by default. Single-thread figures as in `tests.claims.kernels`, of whole calls. For one
thread against two the clock is wall time, as it has to be; they take many short turns, the shortest counts, but
on a machine that keeps its other CPU busy all the time two threads cannot show what they can do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import tfkit
from tests.claims import peers, target
from tests.claims.interleaved import pinned, shortest
from tfkit.models import build

TITLE = "Whole binary networks, 224x224: how many times faster than LCE"
# Model to the targets: times LCE's default, times LCE's best mode.
NETWORKS = {"quicknet": (35.0, 6.0), "quicknet_large": (35.0, 6.0), "binary_resnet_e18": (20.0, 4.0)}
TWO_THREADS = 1.7
TARGET = (
    "QuickNet and QuickNetLarge at least 35x LCE's default and 6x its best mode (indirect + XNNPACK), "
    f"BinaryResNetE-18 20x and 4x; two threads at least {TWO_THREADS}x one"
)
HEADINGS = (
    *("model", "tfkit, 1 thread", "LCE default", "LCE indirect + XNNPACK", "tfkit, 2 threads, over 1"),
    target.HEADING,
)
ROUNDS = 12
TURNS = 200  # short ones: in some of them the machine does nothing else


def rows() -> Iterator[tuple[str, ...]]:
    """One line per network."""
    for name, (over_default, over_best) in NETWORKS.items():
        flatbuffer = tfkit.convert(build(name), "lce", verify=False).flatbuffer
        one = peers.tfkit(flatbuffer)[0]
        calls = {
            "tfkit": one,
            "default": peers.lce(flatbuffer, "default"),
            "best": peers.lce(flatbuffer, "indirect + XNNPACK"),
        }
        with pinned():
            single = shortest(calls, rounds=ROUNDS)
        both = shortest({"1": one, "2": peers.tfkit(flatbuffer, threads=2)[0]}, rounds=TURNS, clock=time.perf_counter)
        figures = (
            ("LCE default", single["default"] / single["tfkit"], over_default),
            ("LCE's best mode", single["best"] / single["tfkit"], over_best),
            ("2 threads", both["1"] / both["2"], TWO_THREADS),
        )
        yield (
            *(name, f"{single['tfkit'] * 1e3:.2f} ms", *(f"{factor:.1f}x" for _, factor, _ in figures[:2])),
            *(f"{both['2'] * 1e3:.2f} ms, {figures[2][1]:.2f}x", target.at_least(figures)),
        )
