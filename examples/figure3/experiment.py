"""Figure 3 of the survey "Resource-efficient neural networks for embedded systems" (Roth et al. 2020, section 5.1.1).

Test error of DenseNet-BC with weights, activations or both in few bits, for BWN, BNN, TTQ, DoReFa and LQ-Net:

    python examples/figure3/experiment.py --data cifar100:cifar-100-binary   # DenseNet-BC-100, k = 12: a GPU and days
    python examples/figure3/experiment.py --small                          # DenseNet-BC-10 on digits: 20 minutes

One recipe for all, so that runs differ in the quantizers alone; first and last layer are float. Results are appended to
a JSON file as each run ends, and the same command goes on from there; ``report.py`` makes a table and a plot of it. The
survey's text does not list the bit widths of its figure; DoReFa has 1 to 4 and (not in small) 8 here, LQ-Net 1 to 4.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figures.inputs import suited
from figures.results import Results

from tfkit import models
from tfkit.data import load
from tfkit.training import RECIPES, fit

MODES = ("weights", "activations", "both")


@dataclass(frozen=True)
class Setting:
    """One point of the figure."""

    method: str
    mode: str
    bits: int
    kernel: str | None
    inputs: str | None


def grid(most: int = 8) -> Iterator[Setting]:
    """All points of at most so many bits; the first is the line of the real-valued network."""
    yield Setting("float", "", 32, None, None)
    yield Setting("BWN", "weights", 1, "bwn", None)
    yield Setting("BNN", "both", 1, "bnn", "bnn")
    yield Setting("TTQ", "weights", 2, "ttq", None)
    for method, prefix, widths in (("DoReFa", "dorefa", (1, 2, 3, 4, 8)), ("LQ-Net", "lq", (1, 2, 3, 4))):
        for bits in (width for width in widths if width <= most):
            for mode in MODES:
                kernel = None if mode == "activations" else f"{prefix}_w{bits}"
                yield Setting(method, mode, bits, kernel, None if mode == "weights" else f"{prefix}_a{bits}")


def error(setting: Setting, network: str, dataset: Any, epochs: int, augment: bool, seed: int) -> float:
    """Test error in percent of a network trained from scratch."""
    model = models.build(
        network,
        input_shape=dataset.shape,
        classes=dataset.classes,
        kernel_quantizer=setting.kernel,
        input_quantizer=setting.inputs,
        seed=seed,
    )
    recipe = replace(RECIPES["few_bit"], epochs=epochs, augment=augment)
    history = fit(suited(model, dataset), dataset, recipe=recipe, seed=seed)
    return 100 * (1 - history["val_accuracy"][-1])


def run(path: Path, settings: dict[str, Any], seeds: int, only: set[str]) -> None:
    """All runs that ``path`` has not; after each of them it holds one more."""
    results = Results(path, settings)
    done = results.keys("method", "mode", "bits", "seed")
    dataset = load(settings["data"])
    for seed in range(seeds):
        for setting in grid(settings["most_bits"]):
            if (setting.method, setting.mode, setting.bits, seed) in done or (only and setting.method not in only):
                continue
            started = time.monotonic()
            percent = error(setting, settings["network"], dataset, settings["epochs"], settings["augment"], seed)
            seconds = round(time.monotonic() - started, 1)
            results.add({**asdict(setting), "seed": seed, "error": round(percent, 3), "seconds": seconds})
            print(f"{setting.method} {setting.mode} {setting.bits} bits, seed {seed}: {percent:.2f} % in {seconds} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="cifar100:FOLDER, or other data that tfkit knows")
    parser.add_argument("--small", action="store_true", help="DenseNet-BC-10 with k = 12, and digits unless --data")
    parser.add_argument("--epochs", type=int, help="200, or 8 for the small network")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="methods, for example float,DoReFa")
    parser.add_argument("--output", type=Path, default=Path("figure3.json"))
    given = parser.parse_args()
    if given.data is None and not given.small:
        parser.error("give --data cifar100:FOLDER, or --small")
    settings = {
        "network": "densenet_bc_10_12" if given.small else "densenet_bc_100_12",
        "data": given.data or "digits",
        "epochs": given.epochs or (8 if given.small else 200),
        "augment": not given.small,
        "most_bits": 4 if given.small else 8,
    }
    run(given.output, settings, given.seeds, set(filter(None, given.only.split(","))))
    print(f"{given.output} is complete; report.py makes table and plot of it")


if __name__ == "__main__":
    main()
