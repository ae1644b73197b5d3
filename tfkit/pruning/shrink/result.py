"""What shrinking did, what it could not do, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfkit._errors import UnsupportedError
from tfkit.counting import ModelCount, count


@dataclass(frozen=True)
class Removed:
    """What a layer lost: of ``before``, ``after`` are left.

    ``structure`` is "channels" (outputs), "inputs", "groups", "taps" (places of its kernel) or "inputs of each filter".
    """

    layer: str
    structure: str
    before: int
    after: int


@dataclass(frozen=True)
class Left:
    """What was to go of a layer and stayed: so many "channels", "kernels" or "taps", and why."""

    layer: str
    structure: str
    count: int
    reason: str


@dataclass(frozen=True)
class Shrunk:
    """The result of ``shrink``.

    Attributes:
        model: the new model; models that were inside the old one are opened.
        kept: layer -> the output channels that it kept, where it lost some.
        removed: what each layer lost.
        left: what could not be removed.
        before, after: counts of the two models; None where an input size is open.
    """

    model: Any
    kept: Mapping[str, list[int]]
    removed: tuple[Removed, ...]
    left: tuple[Left, ...]
    before: ModelCount | None
    after: ModelCount | None

    def table(self) -> str:
        """Fixed-width text: what went from each layer, the counts, and what stayed with the reason."""
        lines = [f"{one.layer}: {one.before} -> {one.after} {one.structure}" for one in self.removed]
        if not lines:
            lines.append("nothing was removed")
        if self.before is not None and self.after is not None:
            for name in ("macs", "params", "activations", "memory"):
                before, after = getattr(self.before, name), getattr(self.after, name)
                share = f" ({after / before:.1%})" if before else ""
                lines.append(f"{name}: {before:,} -> {after:,}{share}")
        for one in self.left:
            lines.append(f"could not remove {one.count} {one.structure} of {one.layer!r}, because {one.reason}")
        return "\n".join(lines)


def counted(model: Any) -> ModelCount | None:
    """``tfkit.count``, None where it cannot count."""
    try:
        return count(model)
    except UnsupportedError:
        return None
