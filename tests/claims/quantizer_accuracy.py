"""Accuracy of the quantizers on digits, over seeds: ``python -m tests.claims.quantizer_accuracy [SEEDS] [NAME,...]``.

One small network, in which all but the first and the last layer are quantized; both ends stay float, as in the papers.
A name like "lsq_2" is the method for weights and activations, "twn" is one for the weights alone. Not part of
``make bench``: it takes minutes.
"""

from __future__ import annotations

import statistics
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from tests.claims.table import table
from tfkit._keras import legacy_keras
from tfkit.data import load
from tfkit.layers import NotBinaryWarning, QuantConv2D
from tfkit.quantizers import IncrementalQuantization
from tfkit.training import Recipe, evaluate, fit

keras = legacy_keras()
TITLE = "Quantizers on digits"
TARGET = "within 3 points of float for one bit, 1.5 for ternary and 2 bits, 1 for 3 bits and more"
HEADINGS = ("method", "kernel", "input", "accuracy, mean", "spread", "points below float", "bound")
EPOCHS = 12
RECIPE = Recipe("Adam along half a cosine", "as the recipe adam", learning_rate=5e-3, epochs=EPOCHS, batch_size=64)
# name -> kernel, input, bound in points
METHODS: dict[str, tuple[str | None, str | None, float]] = {
    "bwn": ("bwn", None, 3.0),
    "bwn stochastic": ("binary_connect_stochastic", None, 3.0),
    "bnn": ("bnn", "bnn", 3.0),
    "xnor": ("xnor_weights", "xnor_activations", 3.0),
    "birealnet": ("magnitude_aware_sign", "approx_sign", 3.0),
    "dorefa_1": ("dorefa_w1", "dorefa_a1", 3.0),
    "abc_3": ("abc_w3", "abc_a3", 3.0),
    "twn": ("twn", None, 1.5),
    "ttq": ("ttq", None, 1.5),
    "dorefa_2": ("dorefa_w2", "dorefa_a2", 1.5),
    "lq_2": ("lq_w2", "lq_a2", 1.5),
    "lsq_2": ("lsq_w2", "lsq_a2", 1.5),
    "uhlich_2": ("uhlich_w2", "uhlich_a2", 1.5),
    "relaxed_2": ("relaxed_w2", "relaxed_a2", 1.5),
    "hwgq_2": ("bwn", "hwgq_a2", 3.0),
    "dorefa_3": ("dorefa_w3", "dorefa_a3", 1.0),
    "lq_3": ("lq_w3", "lq_a3", 1.0),
    "lsq_3": ("lsq_w3", "lsq_a3", 1.0),
    "log_4": ("log_w4", "log_a4", 1.0),
    "inq_5": ("inq_w5", None, 1.0),
    "fixed_8": ("fixed_w8", "fixed_a8", 1.0),
    "int4": ("int4", None, 1.0),
}


def network(shape: tuple[int, ...], classes: int, kernel: str | None, inputs: str | None) -> Any:
    """Four convolutions; normalizations have a momentum for some 250 steps."""
    layers = [
        keras.layers.Input(shape),
        keras.layers.Rescaling(1 / 16),
        keras.layers.Conv2D(32, 3, padding="same", use_bias=False),
    ]
    for strides in (1, 2, 1):
        layers.append(keras.layers.BatchNormalization(momentum=0.9))
        if inputs is None:
            layers.append(keras.layers.ReLU())
        layers.append(
            QuantConv2D(64, 3, strides, padding="same", use_bias=False, kernel_quantizer=kernel, input_quantizer=inputs)
        )
    layers += [
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
    ]
    return keras.Sequential([*layers, keras.layers.Dense(classes)])


def reached(kernel: str | None, inputs: str | None, seed: int) -> float:
    """Test accuracy in percent after training from scratch."""
    dataset = load("digits")
    keras.utils.set_random_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotBinaryWarning)
        model = network(dataset.x_train.shape[1:], dataset.classes, kernel, inputs)
    if kernel is not None and kernel.startswith("inq"):
        return _incremental(model, dataset, seed)
    fit(model, dataset, recipe=RECIPE, seed=seed)
    return 100 * evaluate(model, dataset)


def _incremental(model: Any, dataset: Any, seed: int) -> float:
    """Float training, then the paper's four steps of fixing a share and training the rest."""
    from dataclasses import replace

    fit(model, dataset, recipe=RECIPE, seed=seed)
    callback = IncrementalQuantization({0: 0.5, 1: 0.75, 2: 0.875, 3: 1.0})
    callback.set_model(model)
    for step in range(4):
        callback.on_epoch_begin(step)
        fit(model, dataset, recipe=replace(RECIPE, epochs=3, learning_rate=1e-3), seed=seed + step)
    return 100 * evaluate(model, dataset)


def rows(seeds: int = 3, names: Sequence[str] = tuple(METHODS)) -> Iterator[tuple[str, ...]]:
    """One row a method, float first."""
    full = [reached(None, None, seed) for seed in range(seeds)]
    yield ("float", "-", "-", f"{statistics.fmean(full):.2f}", f"{max(full) - min(full):.2f}", "", "")
    for name in names:
        kernel, inputs, bound = METHODS[name]
        found = [reached(kernel, inputs, seed) for seed in range(seeds)]
        below = statistics.fmean(full) - statistics.fmean(found)
        row = (f"{statistics.fmean(found):.2f}", f"{max(found) - min(found):.2f}", f"{below:.2f}")
        yield (name, kernel or "-", inputs or "-", *row, f"{bound:g}{'' if below <= bound else ' MISSED'}")


def main() -> None:
    """Print the table row by row."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    names = sys.argv[2].split(",") if len(sys.argv) > 2 else tuple(METHODS)
    lines = []
    for row in rows(seeds, names):
        sys.stderr.write(" | ".join(row) + "\n")
        lines.append(row)
    sys.stdout.write(table(HEADINGS, lines) + "\n")


if __name__ == "__main__":
    main()
