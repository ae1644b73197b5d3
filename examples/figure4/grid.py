"""What figure 4 consists of: its lines, its figures, and where models are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FIGURES = ("macs", "params", "activations", "memory")


@dataclass(frozen=True)
class Series:
    """One line of the figure: a network of ``figure4.networks`` and what PSP takes out of it."""

    name: str
    architecture: str
    structure: str
    colour: str


SERIES = (
    Series("WRN: Channel", "wrn", "channel", "#3566a8"),
    Series("WRN: Kernel", "wrn", "kernel", "#8d4aa5"),
    Series("WRN: Group", "wrn", "group", "#3b8b4b"),
    Series("WRN: Fixed groups, channel", "grouped", "channel", "#c98a1b"),
    Series("Dense: Channel", "dense", "channel", "#c0392b"),
)
NAMES = tuple(one.name for one in SERIES)
COLOURS = {one.name: one.colour for one in SERIES}


def model_name(series: str, share: float, seed: int) -> str:
    """The file of a run's model; ``series`` is an architecture where nothing was pruned."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in series.lower())
    return f"{plain}_{share:g}_seed{seed}.keras"


def models_of(output: Path) -> Path:
    """The folder with the models of some results, unless another is given."""
    return output.with_suffix(".models")
