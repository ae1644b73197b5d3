"""Time and size of networks whose weights are stored in their bits, against the same networks stored in float32.

Both are what ``tfkit convert`` writes of one Keras model of four equal convolutions, each with batch normalization and
ReLU behind; they run by turns in one process. The runtime's own float convolution runs both, so the factor should be
one: what is measured is that unpacking costs nothing once the file is loaded.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Iterator

import numpy as np

from tests.claims import target
from tests.claims.interleaved import pinned, shortest
from tests.claims.kernel_graphs import QUICKNET, Layer
from tests.claims.table import table
from tfkit import convert, layers
from tfkit._keras import legacy_keras
from tfkit.runtime import Interpreter

TITLE = "Weights stored in their bits, float compute, single thread: time and size against float32"
MOST = 1.05
TARGET = f"at most {MOST:g} times the time of the float32 file"
METHODS = ("bwn", "ttq", "int4")
HEADINGS = ("3x3 convolutions", *(f"{m}, time" for m in METHODS), *(f"{m}, bytes" for m in METHODS), target.HEADING)
ROUNDS = 30
CONVOLUTIONS = 4


def _files(layer: Layer, kernel: str) -> tuple[bytes, bytes]:
    """(float32, packed) of one network."""
    keras = legacy_keras()
    keras.utils.set_random_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", layers.NotBinaryWarning)
        x = inputs = keras.Input(layer.image[1:])
        for _ in range(CONVOLUTIONS):
            x = layers.QuantConv2D(layer.channels, 3, padding="same", use_bias=False, kernel_quantizer=kernel)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        model = keras.Model(inputs, x)
    return convert(model, verify=False).flatbuffer, convert(model, "lowbit", verify=False).flatbuffer


def _factors(layer: Layer, kernel: str) -> tuple[float, float]:
    """Time and bytes of the packed file, of those of the float32 file."""
    full, packed = _files(layer, kernel)
    sample = np.random.default_rng(0).normal(size=layer.image).astype(np.float32)
    calls = {name: functools.partial(Interpreter(file).run, [sample]) for name, file in (("a", full), ("b", packed))}
    times = shortest(calls, rounds=ROUNDS)
    return times["b"] / times["a"], len(packed) / len(full)


def rows() -> Iterator[tuple[str, ...]]:
    """One line a shape."""
    with pinned():
        for layer in QUICKNET:
            found = {kernel: _factors(layer, kernel) for kernel in METHODS}
            judged = target.at_most(max(time for time, _ in found.values()), MOST)
            times, sizes = ([f"{found[kernel][i]:.2f}x" for kernel in METHODS] for i in (0, 1))
            yield str(layer), *times, *sizes, judged


if __name__ == "__main__":
    sys.stdout.write(table(HEADINGS, list(rows())) + "\n")
