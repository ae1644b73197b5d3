"""Accuracy of the pruning methods on digits, over seeds: ``python -m tests.claims.pruning_accuracy [SEEDS] [NAMES]``.

One small network of four layers is trained for each seed; every method starts from it. Methods for single weights go to
80 % zeros, methods for structures to half the MACs, as `tfkit prune --method NAME` does without other options: 8 epochs
and, where the method has a cut, 4 more. NAMES are methods, by commas; rows of others are kept from the table that is
written, ``tfkit/pruning/ACCURACY.md``. Not part of ``make bench``: it takes minutes.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.claims.table import rows_of, table
from tfkit._files import whole_file
from tfkit._keras import legacy_keras
from tfkit.counting import count
from tfkit.data import load
from tfkit.pruning import METHODS, finish
from tfkit.pruning.run import Goal, pruning_stages, tuning_recipe
from tfkit.training import RECIPES, Recipe, evaluate, fit

keras = legacy_keras()
TARGET = "within 2 points of the unpruned network at 80 % zeros or half the MACs"
HEADINGS = ("method", "zeros", "MACs left", "accuracy, mean", "spread", "points below unpruned", "bound")
PAGE = Path(__file__).parents[2] / "tfkit" / "pruning" / "ACCURACY.md"
TRAINING = Recipe("Adam along half a cosine", "as the recipe adam", learning_rate=5e-3, epochs=12, batch_size=64)
LEARNING = RECIPES["pruning"]
TUNING = tuning_recipe(LEARNING)
BOUND = 2.0
# PSP has three structures; all other settings are those by default.
SETTINGS: dict[str, dict[str, Any]] = {
    "psp kernel": {"structure": "kernel"},
    "psp group": {"structure": "group"},
}
NAMES = (*METHODS, "psp kernel", "psp group")


@dataclass(frozen=True)
class Result:
    """What one run reached: accuracy in percent, the share of zeros in kernels, the share of MACs that is left."""

    accuracy: float
    zeros: float
    macs: float


def network(seed: int) -> Any:
    """Three convolutions and a dense layer, trained; normalizations have a momentum for some 250 steps."""
    dataset = load("digits")
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Input(dataset.x_train.shape[1:]), keras.layers.Rescaling(1 / 16)]
    for filters, strides in ((32, 1), (64, 2), (64, 1)):
        layers += [
            keras.layers.Conv2D(filters, 3, strides, padding="same", use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
        ]
    model = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(dataset.classes)])
    fit(model, dataset, recipe=TRAINING, seed=seed)
    return model


def reached(model: Any, name: str, seed: int) -> Result:
    """Prune a trained network by one method."""
    dataset = load("digits")
    method = METHODS[name.split()[0]](**SETTINGS.get(name, {}))
    pruned = model
    for stage in pruning_stages(dataset, method, Goal(), LEARNING, TUNING, seed=seed, notes={}):
        pruned = stage.prepare(pruned)
        fit(pruned, dataset, recipe=stage.recipe, seed=seed)
    pruned = finish(pruned)
    kernels = [layer.kernel.numpy().ravel() for layer in pruned.layers if hasattr(layer, "kernel")]
    return Result(
        100 * evaluate(pruned, dataset),
        float(np.mean(np.concatenate(kernels) == 0)),
        count(pruned).macs / count(model).macs,
    )


def rows(seeds: int = 3, names: Sequence[str] = NAMES) -> Iterator[tuple[str, ...]]:
    """One row a method, the unpruned network first."""
    models = [network(seed) for seed in range(seeds)]
    full = [100 * evaluate(model, load("digits")) for model in models]
    yield ("unpruned", "0.0 %", "100.0 %", f"{statistics.fmean(full):.2f}", f"{max(full) - min(full):.2f}", "", "")
    for name in names:
        found = [reached(model, name, seed) for seed, model in enumerate(models)]
        accuracy = [one.accuracy for one in found]
        below = statistics.fmean(full) - statistics.fmean(accuracy)
        goal = all(one.macs <= 0.5 if METHODS[name.split()[0]].aim == "macs" else one.zeros >= 0.795 for one in found)
        verdict = "" if below <= BOUND and goal else " MISSED"
        yield (
            name,
            f"{100 * statistics.fmean(one.zeros for one in found):.1f} %",
            f"{100 * statistics.fmean(one.macs for one in found):.1f} %",
            f"{statistics.fmean(accuracy):.2f}",
            f"{max(accuracy) - min(accuracy):.2f}",
            f"{below:.2f}",
            f"{BOUND:g}{verdict}",
        )


def page(lines: Sequence[tuple[str, ...]], seeds: int) -> str:
    """The page with these rows and, for methods without one, those that it has."""
    known = {**rows_of(PAGE, HEADINGS), **{line[0]: line for line in lines}}
    ordered = [known[name] for name in ("unpruned", *NAMES) if name in known]
    return (
        "# Accuracy of the pruning methods\n\n"
        f"Written by `python -m tests.claims.pruning_accuracy` ({seeds} seeds of digits, 450 test images; the network "
        "and the epochs stand in that file). A method of single weights goes to 80 % zeros, one of structures to half "
        f"the MACs, shrunk. Target: {TARGET}.\n\n" + table(HEADINGS, ordered) + "\n"
    )


def main() -> None:
    """Print the rows and write the page."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    names = sys.argv[2].split(",") if len(sys.argv) > 2 else NAMES
    lines = []
    for row in rows(seeds, names):
        sys.stderr.write(" | ".join(row) + "\n")
        lines.append(row)
    text = page(lines, seeds)
    with whole_file(PAGE) as temporary:
        temporary.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
