"""Time of networks shrunk to half their MACs, against the same architecture built with that many MACs.

The shrunk one loses the channels of the smallest norm, all of them random: over all layers, which leaves layers of
uneven widths, or the same share of every layer. The dense one is the architecture at the width whose MACs are nearest;
times are taken per MAC, for no width gives the same number. Both run on XNNPACK with one thread, in turn in one
process.
"""

from __future__ import annotations

from collections.abc import Iterator

import tfkit
from tests.claims import peers, target
from tests.claims.interleaved import pinned, shortest
from tfkit.models import build
from tfkit.pruning.shrink import filter_norms, select, shrink

TITLE = "Networks shrunk to half their MACs: time per MAC over that of the dense architecture of that size"
MOST = 1.15
TARGET = f"at most {MOST:.2f}"
HEADINGS = (
    *("model", "channels dropped", "MACs", "shrunk", "MACs, dense", "dense at its width"),
    *("time per MAC, ratio", "time before, over after", target.HEADING),
)
NETWORKS = {"mobilenet_v2": 160, "resnet18": 96, "wrn_16_4": 32}
WIDTHS = (0.6, 0.64, 0.68, 0.7, 0.72, 0.76, 0.8)
ROUNDS = 40


def rows() -> Iterator[tuple[str, ...]]:
    """One line per network and way to choose."""
    for name, side in NETWORKS.items():
        shape = (side, side, 3)
        model = build(name, input_shape=shape, seed=1)
        half = tfkit.count(model).macs / 2
        sizes = [(width, build(name, input_shape=shape, width=width)) for width in WIDTHS]
        width, dense = min(sizes, key=lambda pair: abs(tfkit.count(pair[1]).macs - half))
        for scope in ("global", "uniform"):
            shrunk = shrink(model, keep=select(model, filter_norms(model), 0.5, scope=scope)).model
            macs, dense_macs = tfkit.count(shrunk).macs, tfkit.count(dense).macs
            calls = {
                which: peers.litert(tfkit.convert(one, verify=False).flatbuffer)
                for which, one in (("whole", model), ("shrunk", shrunk), ("dense", dense))
            }
            with pinned():
                times = shortest(calls, rounds=ROUNDS)
            ratio = (times["shrunk"] / macs) / (times["dense"] / dense_macs)
            yield (
                *(name, "over all layers" if scope == "global" else "of every layer"),
                *(f"{macs / 1e6:.0f} M", f"{times['shrunk'] * 1e3:.2f} ms"),
                *(f"{dense_macs / 1e6:.0f} M", f"{times['dense'] * 1e3:.2f} ms at {width:g}"),
                *(f"{ratio:.2f}", f"{times['whole'] / times['shrunk']:.2f}x", target.at_most(ratio, MOST)),
            )
