"""Accuracy of the quantizers on digits, over seeds: ``python -m tests.claims.quantizer_accuracy [SEEDS] [NAME,...]``.

Every row is what ``tfkit train small_cnn --data digits --kernel-quantizer ... --input-quantizer ...`` does, with the
recipe that belongs to the quantizers; stem, transition and classifier are float. The table goes to
``tfkit/quantizers/ACCURACY.md``, each run to ``quantizer_accuracy.json`` here, where a later call finds it unless its
recipe has changed. Not part of ``make bench``: 75 runs take some 20 minutes of an idle core.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.claims.table import table
from tfkit import models, quantizers
from tfkit._files import whole_file
from tfkit.data import load
from tfkit.training import RECIPES, Recipe, fit, recipe_of

PAGE = Path(quantizers.__file__).with_name("ACCURACY.md")
RUNS = Path(__file__).with_suffix(".json")
TITLE = "Quantizers on digits"
HEADINGS = ("method", "--kernel-quantizer", "--input-quantizer", "recipe", "accuracy", "spread", "below float", "bound")
# name -> kernel, input, bound in points
METHODS: dict[str, tuple[str | None, str | None, float]] = {
    "BWN": ("bwn", None, 3.0),
    "BinaryConnect, stochastic": ("binary_connect_stochastic", None, 3.0),
    "BNN": ("bnn", "bnn", 3.0),
    "XNOR-Net": ("xnor_weights", "xnor_activations", 3.0),
    "Bi-Real": ("magnitude_aware_sign", "approx_sign", 3.0),
    "swish sign": ("swish_sign", "swish_sign", 3.0),
    "DoReFa 1": ("dorefa_w1", "dorefa_a1", 3.0),
    "HWGQ 2, signs": ("bwn", "hwgq_a2", 3.0),
    "TWN": ("twn", None, 1.5),
    "TTQ": ("ttq", None, 1.5),
    "DoReFa 2": ("dorefa_w2", "dorefa_a2", 1.5),
    "LQ-Net 2": ("lq_w2", "lq_a2", 1.5),
    "LSQ 2": ("lsq_w2", "lsq_a2", 1.5),
    "Uhlich 2": ("uhlich_w2", "uhlich_a2", 1.5),
    "relaxed 2": ("relaxed_w2", "relaxed_a2", 1.5),
    "HWGQ 2": ("lsq_w2", "hwgq_a2", 1.5),
    "ABC-Net 3": ("abc_w3", "abc_a3", 3.0),
    "DoReFa 3": ("dorefa_w3", "dorefa_a3", 1.0),
    "LQ-Net 3": ("lq_w3", "lq_a3", 1.0),
    "LSQ 3": ("lsq_w3", "lsq_a3", 1.0),
    "logarithmic 4": ("log_w4", "log_a4", 1.0),
    "INQ 5": ("inq_w5", None, 1.0),
    "fixed point 8": ("fixed_w8", "fixed_a8", 1.0),
    "int4": ("int4", None, 1.0),
}


class Runs:
    """Test accuracies in percent by quantizers, seed and recipe; one that is missing is trained, from scratch."""

    def __init__(self, path: Path = RUNS) -> None:
        self._path = path
        self._known: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}

    def accuracy(self, kernel: str | None, inputs: str | None, seed: int) -> tuple[float, str]:
        """The accuracy, and the name of the recipe."""
        dataset = load("digits")
        model = models.build("small_cnn", kernel_quantizer=kernel, input_quantizer=inputs, seed=seed)
        recipe = recipe_of(model)
        usual = Recipe("", "").settings()
        changed = {key: value for key, value in RECIPES[recipe].settings().items() if value != usual[key]}
        key = f"{kernel} {inputs} seed {seed} {json.dumps(changed)}"
        if key not in self._known:
            history = fit(model, dataset, recipe=recipe, seed=seed)
            self._known[key] = round(100 * history["val_accuracy"][-1], 3)
            with whole_file(self._path) as temporary:
                temporary.write_text(json.dumps(self._known, indent=1) + "\n")
        return self._known[key], recipe

    def over(self, kernel: str | None, inputs: str | None, seeds: int) -> tuple[list[float], str]:
        """The accuracies of all seeds."""
        found = [self.accuracy(kernel, inputs, seed) for seed in range(seeds)]
        return [accuracy for accuracy, _ in found], found[0][1]


def rows(seeds: int = 3, names: Sequence[str] = tuple(METHODS)) -> Iterator[tuple[str, ...]]:
    """One row a method, float first."""
    runs = Runs()
    full, recipe = runs.over(None, None, seeds)
    yield ("float", "", "", recipe, f"{statistics.fmean(full):.2f}", _spread(full), "", "")
    for name in names:
        kernel, inputs, bound = METHODS[name]
        found, recipe = runs.over(kernel, inputs, seeds)
        below = statistics.fmean(full) - statistics.fmean(found)
        judged = f"{bound:g}" if below <= bound else f"{bound:g}, missed by {below - bound:.2f}"
        mean = f"{statistics.fmean(found):.2f}"
        yield (name, kernel or "", inputs or "", recipe, mean, _spread(found), f"{below:.2f}", judged)


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def page(lines: Sequence[Sequence[str]], seeds: int) -> str:
    """The document with the table."""
    return "\n\n".join(
        [
            f"# {TITLE}",
            f"Written by `python -m tests.claims.quantizer_accuracy {seeds}`: test accuracy in percent of `small_cnn` "
            f"on digits (450 test images: one is 0.22 points), mean and range over the seeds 0 to {seeds - 1}, each "
            "trained from scratch by",
            "    tfkit train small_cnn --data digits -o model.keras --kernel-quantizer K --input-quantizer A --seed S",
            "The residual 3x3 convolutions, 98 % of the arithmetic, are quantized; stem, transition and classifier "
            "are float. Bounds in points below float: 3 for one bit and bases of signs, 1.5 for ternary kernels and "
            "two bits, 1 for three bits and more.",
            table(HEADINGS, lines),
        ]
    )


def main() -> None:
    """Print the table row by row; without names, write the page after each row."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    names = sys.argv[2].split(",") if len(sys.argv) > 2 else tuple(METHODS)
    lines = []
    for row in rows(seeds, names):
        sys.stdout.write(" | ".join(row) + "\n")
        sys.stdout.flush()
        lines.append(row)
        if len(sys.argv) <= 2:
            with whole_file(PAGE) as temporary:
                temporary.write_text(page(lines, seeds) + "\n")


if __name__ == "__main__":
    main()
