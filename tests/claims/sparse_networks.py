"""MobileNetV1 1.0 at 224x224 with 1x1 layers of rising sparsity: tfkit's delegate in LiteRT against LiteRT alone.

Zeros are strewn at random, the least that a format or a kernel can hope for, or in blocks of 1 input x 4 outputs, as
``tfkit prune --method block`` makes them. LiteRT runs the same flatbuffer with XNNPACK, which takes the weights as
dense: its own sparse kernels are for CPUs without AVX (``xnn_is_chw_compatible_config`` in its source). Single-thread
figures as in `tests.claims.kernels`. "Layers" counts those that the delegate takes, of the 13 that are sparse; where it
takes none the two are the same, and their ratio tells what the clock is worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

import tfkit
from tests.claims import peers, target
from tests.claims.interleaved import pinned, shortest
from tests.helpers.lce_runtimes import DelegatedInterpreter
from tfkit.models import build

TITLE = "Sparse MobileNetV1, 224x224: how many times faster than dense"
# Share of zeros to the least ratio; a little below 1 is within the clock's noise.
SPARSITIES = {0.5: 0.98, 0.6: 0.98, 0.7: 0.98, 0.8: 1.4, 0.9: 1.8, 0.95: 1.8}
TARGET = "1x1 layers 90 % sparse at least 1.8x dense XNNPACK, 80 % at least 1.4x, never slower at any sparsity"
HEADINGS = ("zeros", "where", "file", "tfkit", "XNNPACK, same file", "ratio", "layers", "kernel", target.HEADING)
GROUP = 4  # outputs in a block
ROUNDS = 20


def network(zeros: float, *, blocks: bool = False) -> bytes:
    """A flatbuffer whose 1x1 kernels have this share of zeros, strewn or in blocks."""
    random = np.random.default_rng(0)
    model = build("mobilenet_v1")
    for layer in model.layers:
        if getattr(layer, "kernel_size", None) == (1, 1):
            kernel, *others = layer.get_weights()
            group = GROUP if blocks else 1
            kept = random.random((*kernel.shape[:-1], kernel.shape[-1] // group)) >= zeros
            layer.set_weights([kernel * np.repeat(kept, group, -1), *others])
    return bytes(tfkit.convert(model, "float32", verify=False).flatbuffer)


def rows() -> Iterator[tuple[str, ...]]:
    """One line per pattern and sparsity."""
    for blocks, (zeros, least) in itertools.product((False, True), SPARSITIES.items()):
        flatbuffer = network(zeros, blocks=blocks)
        used = [node["kernel"] for node in DelegatedInterpreter(flatbuffer).report() if node["op"] != "DENSIFY"]
        with pinned():
            seconds = shortest(
                {"tfkit": peers.tfkit(flatbuffer)[0], "dense": peers.litert(flatbuffer)}, rounds=ROUNDS, seconds=0.05
            )
        ratio = seconds["dense"] / seconds["tfkit"]
        yield (
            *(f"{zeros:.0%}", "in blocks" if blocks else "strewn", f"{len(flatbuffer) / 1e6:.1f} MB"),
            *(f"{seconds[key] * 1e3:.2f} ms" for key in ("tfkit", "dense")),
            *(f"{ratio:.2f}x", str(len(used)), ", ".join(sorted(set(used))) or "-"),
            target.at_least([("ratio", ratio, least)]),
        )
