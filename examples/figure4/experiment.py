"""Figure 4 of the survey "Resource-efficient neural networks for embedded systems" (Roth et al. 2020, section 5.1.2).

Test error against MACs, parameters, activations and memory of networks that parameterised structured pruning (PSP) made
smaller: a wide residual network without channels, kernel positions or connections between groups, one with groups of a
fixed size without channels, and a DenseNet of the same depth and like size without channels:

    python examples/figure4/experiment.py --data cifar10:cifar-10-batches-bin   # WRN-28-10: a GPU and days
    python examples/figure4/experiment.py --small                              # WRN-16-1 on digits: under an hour

Every network is trained, pruned from there by PSP once for each structure, cut to several shares of its MACs by
``tfkit.shrink``, and trained on. Results are appended to a JSON file as each run ends, models go to a folder, and the
same command goes on from there; ``report.py`` makes tables and plots of it, ``measure.py`` takes times.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figure4 import networks
from figure4.grid import FIGURES, NAMES, SERIES, Series, model_name, models_of
from figures.results import Results

import tfkit
from tfkit.data import load
from tfkit.pruning import METHODS, cut, prepare
from tfkit.training import RECIPES, Recipe, fit

# group_size: of the networks with fixed groups; block: channels on a side of what group pruning takes; rates: highest
# learning rates of the three stages.
SMALL = {
    "data": "digits",
    "network": "wrn_16_1",
    "group_size": 8,
    "block": 4,
    "multiple_of": 4,
    "shares": [0.5, 0.25],
    "epochs": 6,
    "psp": {},
    "rates": {"training": 5e-3, "pruning": 3e-3, "tuning": 3e-3},
    "recipe": "adam",
    "augment": False,
}
# Steps of gradient descent are long, so those of PSP's parameters need no factor; and there are many of them.
FULL = {
    "network": "wrn_28_10",
    "group_size": 64,
    "block": 8,
    "multiple_of": 8,
    "shares": [0.75, 0.5, 0.25],
    "epochs": 200,
    "psp": {"speed": 1.0, "decay": 5e-4},
    "rates": {"training": 0.1, "pruning": 0.05, "tuning": 0.02},
    "recipe": "residual",
    "augment": True,
}
# How many epochs of training make one of the stage.
STAGES = {"training": 1, "pruning": 2, "tuning": 3}


class Experiment:
    """Makes the runs that ``path`` has not, and their models in ``folder``."""

    def __init__(self, path: Path, folder: Path, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._results = Results(path, settings)
        self._folder = folder
        self._dataset = load(settings["data"])
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, seed: int, only: set[str]) -> None:
        """All lines with these names, or all of them, with one seed."""
        wanted = [one for one in SERIES if not only or one.name in only]
        for architecture in dict.fromkeys(one.architecture for one in wanted):
            left = {one: self._left(one, seed) for one in wanted if one.architecture == architecture}
            if any(left.values()) or self._is_left(architecture, 1.0, seed):
                model = self._unpruned(architecture, seed)
                for series, shares in left.items():
                    if shares:
                        self._pruned(model, series, shares, seed)

    def _left(self, series: Series, seed: int) -> list[float]:
        return [share for share in self._settings["shares"] if self._is_left(series.name, share, seed)]

    def _is_left(self, name: str, share: float, seed: int) -> bool:
        return (name, share, seed) not in self._results.keys("series", "share", "seed")

    def _unpruned(self, architecture: str, seed: int) -> Any:
        path = self._folder / model_name(architecture, 1.0, seed)
        if path.exists() and not self._is_left(architecture, 1.0, seed):
            return tfkit.load(path)
        started = time.monotonic()
        settings = self._settings
        model = networks.build(architecture, settings["network"], settings["group_size"], self._dataset, seed)
        error = self._fit(model, "training", seed)
        self._keep(model, architecture, 1.0, seed, error, started)
        return model

    def _pruned(self, model: Any, series: Series, shares: list[float], seed: int) -> None:
        """Prune once, and cut what was learned to every share."""
        started = time.monotonic()
        method = METHODS["psp"](structure=series.structure, group=self._settings["block"], **self._settings["psp"])
        recipe, size = self._recipe("pruning"), self._dataset.size("train")
        network = prepare(model, method, epochs=recipe.epochs, steps=-(-size // recipe.batch_size), size=size)
        self._fit(network, "pruning", seed)
        for share in shares:
            smaller, _ = cut(network, share, self._settings["multiple_of"])
            error = self._fit(smaller, "tuning", seed)
            self._keep(smaller, series.name, share, seed, error, started)
            started = time.monotonic()

    def _recipe(self, stage: str) -> Recipe:
        settings = self._settings
        return replace(
            RECIPES[settings["recipe"]],
            epochs=-(-settings["epochs"] // STAGES[stage]),
            learning_rate=settings["rates"][stage],
            augment=settings["augment"],
        )

    def _fit(self, model: Any, stage: str, seed: int) -> float:
        """Test error in percent after a stage of training."""
        history = fit(model, self._dataset, recipe=self._recipe(stage), seed=seed)
        return 100 * (1 - history["val_accuracy"][-1])

    def _keep(self, model: Any, name: str, share: float, seed: int, error: float, started: float) -> None:
        """The model first: a run with a record has one."""
        tfkit.save(model, self._folder / model_name(name, share, seed))
        counted = tfkit.count(model)
        figures = {figure: getattr(counted, figure) for figure in FIGURES}
        seconds = round(time.monotonic() - started, 1)
        if self._is_left(name, share, seed):  # else only its model was missing
            key = {"series": name, "share": share, "seed": seed}
            self._results.add({**key, "error": round(error, 3), **figures, "seconds": seconds})
        print(f"{name} {share:.0%} of the MACs, seed {seed}: {error:.2f} % in {seconds} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="cifar10:FOLDER, or other data that tfkit knows")
    parser.add_argument("--small", action="store_true", help="WRN-16-1, and digits unless --data")
    parser.add_argument("--network", help="another wide residual network, wrn_D_K")
    parser.add_argument("--epochs", type=int, help="of the first training: 200, or 6 for the small networks")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help=f"lines of the figure, by semicolons, of: {'; '.join(NAMES)}")
    parser.add_argument("--output", type=Path, default=Path("figure4.json"))
    parser.add_argument("--models", type=Path, help="folder for the models; by default OUTPUT's name with .models")
    given = parser.parse_args()
    if given.data is None and not given.small:
        parser.error("give --data cifar10:FOLDER, or --small")
    only = {part.strip() for part in given.only.split(";") if part.strip()}
    if not only <= set(NAMES):
        parser.error(f"--only takes {'; '.join(NAMES)}; got {given.only}")
    chosen = {"data": given.data, "network": given.network, "epochs": given.epochs}
    settings = {**(SMALL if given.small else FULL), **{name: value for name, value in chosen.items() if value}}
    experiment = Experiment(given.output, given.models or models_of(given.output), settings)
    for seed in range(given.seeds):
        experiment.run(seed, only)
    print(f"{given.output} is complete; report.py makes tables and plots of it")


if __name__ == "__main__":
    main()
