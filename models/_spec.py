"""What the registry knows about an architecture before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tfkit._errors import UsageError
from tfkit.metadata import Preprocessing

# Raw 8-bit images to [-1, 1], as the MobileNets are trained.
IMAGES = Preprocessing(scale=1 / 127.5, offset=-1.0, raw_min=0.0, raw_max=255.0)


@dataclass(frozen=True)
class ModelSpec:
    """One architecture at its defaults.

    Attributes:
        name: what ``tfkit build`` takes.
        summary: one line.
        create: ``create(input_shape, classes, width, scheme) -> keras.Model``; imports Keras when called.
        input_shape: (height, width, channels).
        classes: outputs (logits).
        schemes: precisions it is meant for, the default first. "int8" and "binary_int8" are the
            quantization-aware forms of "float32" and "binary".
        preprocessing: from raw data to network input, a function of the input shape.
        params: all weights, normalization statistics included, as Keras counts them; for the first scheme.
        macs: multiply-accumulates for one sample.
        paper: where it is described.
        recipe: how it is trained: a name in ``tfkit.training.RECIPES``; binary forms have their own there.
    """

    name: str
    summary: str
    create: Callable[[tuple[int, int, int], int, float, str], Any]
    input_shape: tuple[int, int, int]
    classes: int
    schemes: tuple[str, ...]
    preprocessing: Callable[[tuple[int, int, int]], Preprocessing]
    params: int
    macs: int
    paper: str
    recipe: str = "adam"


@dataclass(frozen=True)
class ModelFamily:
    """Architectures that differ in whole numbers, which stand in their names: ``wrn_28_10`` is one of ``wrn_D_K``.

    Attributes:
        pattern: the name with a capital letter for every number, each after an underscore.
        summary: one line.
        numbers: letter -> what it is and which values it takes, in the order of the pattern.
        member: the spec for these numbers; raises ``UsageError`` naming the values that are possible.
        paper: where it is described.
    """

    pattern: str
    summary: str
    numbers: Mapping[str, str]
    member: Callable[..., ModelSpec]
    paper: str

    def find(self, name: str) -> ModelSpec | None:
        """The member called ``name``; None when the name is not of this family's form."""
        match = self._match(name)
        return self.member(*(int(number) for number in match.groups())) if match else None

    def has_form(self, name: str) -> bool:
        """Whether ``name`` is the pattern with numbers for its letters."""
        return self._match(name) is not None

    def _match(self, name: str) -> re.Match[str] | None:
        form = re.sub(r"_([A-Z])(?=_|$)", r"_(0|[1-9][0-9]{0,5})", self.pattern)
        return re.fullmatch(form, name)


def check_range(family: str, letter: str, value: int, low: int, high: int, meaning: str) -> None:
    """Raise ``UsageError`` unless low <= value <= high."""
    if not low <= value <= high:
        raise UsageError(f"{letter} of {family} is {meaning}, {low} to {high}; got {value}")
