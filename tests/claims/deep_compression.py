"""Ratios of deep compression: ``python -m tests.claims.deep_compression [SEEDS]`` (about two minutes a seed).

Two LeNets are trained on digits, pruned by ``dns``, their weights shared by k-means and then by TF-MOT's clustering
(two epochs), and coded; the file is decoded again and compared, value by value, and the accuracy is that of what was
decoded. Their layers have the sizes of the paper's but for the first, as digits have 8x8 pixels. AlexNet's kernels are
**synthetic**: random normal weights of the paper's shapes, of which the paper's share of small ones is set to zero; its
row says what the coder makes of such weights, and nothing about accuracy. Written to ``tfkit/pruning/COMPRESSION.md``.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.claims.pruning_accuracy import LEARNING, TRAINING
from tests.claims.table import table
from tfkit._files import whole_file
from tfkit._keras import legacy_keras
from tfkit.data import load
from tfkit.pruning import finish, prepare
from tfkit.pruning.compression import (
    cluster_aware,
    compress,
    decompress,
    restore,
    share_weights,
    strip_clusters,
)
from tfkit.pruning.compression.clustering import clustered
from tfkit.pruning.dns import DynamicNetworkSurgery
from tfkit.training import evaluate, fit

keras = legacy_keras()
layers = keras.layers
HEADINGS = ("network", "weights", "not zero", "file, KiB", "ratio", "paper", "accuracy before", "after")
_EPOCHS = 12
PAGE = Path(__file__).parents[2] / "tfkit" / "pruning" / "COMPRESSION.md"
# Layer of AlexNet -> shape, share of weights that the paper keeps (table 4 of the paper), bits.
ALEXNET: dict[str, tuple[tuple[int, ...], float, int]] = {
    "conv1": ((11, 11, 3, 96), 0.84, 8),
    "conv2": ((5, 5, 48, 256), 0.38, 8),
    "conv3": ((3, 3, 256, 384), 0.35, 8),
    "conv4": ((3, 3, 192, 384), 0.37, 8),
    "conv5": ((3, 3, 192, 256), 0.37, 8),
    "fc6": ((9216, 4096), 0.09, 5),
    "fc7": ((4096, 4096), 0.09, 5),
    "fc8": ((4096, 1000), 0.25, 5),
}


def lenet_300_100(shape: tuple[int, ...], classes: int) -> Any:
    """Two hidden layers."""
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(300, "relu"),
            layers.Dense(100, "relu"),
            layers.Dense(classes),
        ]
    )


def lenet_5(shape: tuple[int, ...], classes: int) -> Any:
    """Two convolutions with pooling, two dense layers; the kernels have 3 pixels where MNIST's have 5."""
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 16),
            layers.Conv2D(20, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(50, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(500, "relu"),
            layers.Dense(classes),
        ]
    )


# name -> how it is built, the share of zeros, the paper's ratio.
NETWORKS = {"LeNet-300-100": (lenet_300_100, 0.92, 40), "LeNet-5": (lenet_5, 0.92, 39)}


def compressed(build: Any, sparsity: float, seed: int) -> tuple[float, float, Any, dict[str, np.ndarray]]:
    """Accuracy in percent before and after, the code, and what it decodes to."""
    dataset = load("digits")
    keras.utils.set_random_seed(seed)
    model = build(dataset.x_train.shape[1:], dataset.classes)
    fit(model, dataset, recipe=replace(TRAINING, learning_rate=2e-3), seed=seed)
    steps = -(-dataset.size("train") // LEARNING.batch_size)
    network = prepare(model, DynamicNetworkSurgery(sparsity), epochs=_EPOCHS, steps=steps)
    fit(network, dataset, recipe=replace(LEARNING, epochs=_EPOCHS, learning_rate=2e-3), seed=seed)
    aware = cluster_aware(share_weights(finish(network)))
    fit(aware, dataset, recipe=replace(LEARNING, epochs=2, learning_rate=5e-4), seed=seed)
    shared = strip_clusters(aware)
    code = compress(shared)
    arrays = decompress(code.data)
    for weight, array in zip(shared.get_weights(), arrays.values(), strict=True):
        if not np.array_equal(weight, array):
            raise AssertionError("what was decoded is not what was coded")
    decoded = restore(build(dataset.x_train.shape[1:], dataset.classes), code.data)
    return 100 * evaluate(model, dataset), 100 * evaluate(decoded, dataset), code, arrays


def rows(seeds: int) -> Iterator[tuple[str, ...]]:
    """The LeNets, then AlexNet's shapes."""
    for name, (build, sparsity, paper) in NETWORKS.items():
        runs = [compressed(build, sparsity, seed) for seed in range(seeds)]
        before, after, codes, arrays = zip(*runs, strict=True)
        values = np.concatenate([array.ravel() for array in arrays[0].values()])
        yield (
            name,
            f"{values.size:,}",
            f"{100 * np.mean(values != 0):.1f} %",
            f"{statistics.fmean(len(code.data) for code in codes) / 1024:.1f}",
            f"{statistics.fmean(code.ratio for code in codes):.1f}",
            f"{paper}",
            f"{statistics.fmean(before):.2f}",
            f"{statistics.fmean(after):.2f}",
        )
    yield synthetic()


def synthetic() -> tuple[str, ...]:
    """AlexNet's shapes with random weights."""
    rng = np.random.default_rng(0)
    arrays, bits = {}, {}
    for name, (shape, share, index_bits) in ALEXNET.items():
        values = rng.standard_normal(shape, np.float32)
        values[np.abs(values) < np.quantile(np.abs(values.ravel()[: 1 << 20]), 1 - share)] = 0
        arrays[name] = clustered(values, 2**index_bits - 1)
        bits[name] = 8 if len(shape) > 2 else 5
    code = compress(arrays, bits)
    size = sum(values.size for values in arrays.values())
    kept = sum(np.count_nonzero(values) for values in arrays.values())
    return (
        "AlexNet, synthetic",
        f"{size:,}",
        f"{100 * kept / size:.1f} %",
        f"{len(code.data) / 1024:.1f}",
        f"{code.ratio:.1f}",
        "35",
        "-",
        "-",
    )


def main() -> None:
    """Print the rows and write the page."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    lines = []
    for row in rows(seeds):
        sys.stderr.write(" | ".join(row) + "\n")
        lines.append(row)
    text = (
        "# Deep compression\n\n"
        f"Written by `python -m tests.claims.deep_compression {seeds}`: the ratio is float32 bytes of all weights, "
        "biases included, by bytes of the whole file; decoding gave exactly the coded weights. LeNets on "
        f"digits ({seeds} seeds). AlexNet's weights are synthetic (normal, with the paper's shares of zeros): its row "
        "is the coder's ratio on such weights and says nothing about accuracy. The paper's column is Han et al. 2016, "
        "table 1.\n\n" + table(HEADINGS, lines) + "\n"
    )
    with whole_file(PAGE) as temporary:
        temporary.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
