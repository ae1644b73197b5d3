"""The cut for positions and blocks: kernels become smaller windows, convolutions become grouped ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit.counting import count
from tfkit.pruning.method import Pruning
from tfkit.pruning.shrink import shrink

keras = legacy_keras()

# layer -> (rows, columns) of the window that is left, or (number of groups,); JSON-ready.
Shape = dict[str, list[int]]


@dataclass(frozen=True)
class _Step:
    """One thing less in one layer: its new shape, the share of the layer's MACs that goes, what that is worth."""

    layer: str
    shape: tuple[int, ...]
    saved: float
    worth: float


def cut_parts(model: Any, pruning: Pruning, macs: float) -> Shape:
    """The shapes of kernels with which ``model`` has at most a share of its MACs, by a method's scores.

    Windows lose their outer rows or columns, both sides at once, so that "same" convolutions of stride 1 stay centred.
    Groups are halved, consecutive channels together, so that what is left of a kernel is block-diagonal. What is worth
    least for each MAC goes first; a part is worth the sum of its structures' scores.

    Args:
        model: what ``pruning`` has become.
        pruning: a method at work with structures "kernel" or "group".
        macs: the share, in (0, 1].

    Raises:
        UsageError: the share cannot be reached; the message has the least that can.
    """
    counted = count(model)
    cost = {layer.name: layer.macs for layer in counted.layers}
    scores = {wrapper.layer.name: _grid(wrapper) for wrapper in pruning.wrappers}
    windows = pruning.method.structure == "kernel"  # type: ignore[attr-defined]
    shapes = {name: (grid.shape if windows else (1,)) for name, grid in scores.items() if _can(model, name, windows)}
    left = dict.fromkeys(shapes, 1.0)
    while counted.macs + sum(cost[name] * (share - 1) for name, share in left.items()) > macs * counted.macs:
        steps = [step for name in shapes for step in _steps(name, scores[name], shapes[name], windows)]
        if not steps:
            least = 1 + sum(cost[name] * (share - 1) for name, share in left.items()) / counted.macs
            kind = "windows" if windows else "groups"
            raise UsageError(
                f"{model.name!r} cannot come down to {macs:.1%} of its MACs by its {kind}; the least is {least:.1%}"
            )
        best = min(steps, key=lambda step: step.worth / (step.saved * cost[step.layer]))
        shapes[best.layer] = best.shape
        left[best.layer] -= best.saved
    return {name: [int(size) for size in shape] for name, shape in shapes.items()}


def with_shapes(model: Any, shapes: Mapping[str, Sequence[int]]) -> Any:
    """``model`` with kernels of these shapes."""
    for name, shape in shapes.items():
        kernel = model.get_layer(name).kernel
        mask = _window(kernel.shape, *shape) if len(shape) == 2 else _diagonal(kernel.shape, *shape)
        kernel.assign(kernel.numpy() * mask)
    return shrink(model).model


def _can(model: Any, name: str, windows: bool) -> bool:
    """Whether what goes can be taken out exactly."""
    layer = model.get_layer(name)
    if not isinstance(layer, keras.layers.Conv2D) or layer.groups > 1:
        return False
    return not windows or (layer.padding == "same" and layer.strides == (1, 1))


def _grid(wrapper: Any) -> np.ndarray:
    """Scores as they lie: (rows, columns) of the window, or of blocks."""
    places = wrapper.parts.places
    scores = wrapper.scores()
    if places.ndim > 2:
        return np.asarray(scores.reshape(places.shape[:2]))
    side = int(np.count_nonzero(np.diff(places[0])) + 1)
    return np.asarray(scores.reshape(-1, side))


def _steps(name: str, grid: np.ndarray, shape: tuple[int, ...], windows: bool) -> Iterator[_Step]:
    if not windows:
        (groups,) = shape
        if not any(size % (2 * groups) for size in grid.shape):
            gone = _blocks(grid.shape, groups) - _blocks(grid.shape, 2 * groups)
            yield _Step(name, (2 * groups,), 1 / (2 * groups), float((grid * gone).sum()))
        return
    rows, columns = shape
    full = grid.size
    inside = _centre(grid.shape, rows, columns)
    for smaller in ((rows - 2, columns), (rows, columns - 2)):
        if min(smaller) >= 1:
            gone = inside - _centre(grid.shape, *smaller)
            yield _Step(name, smaller, float(gone.sum()) / full, float((grid * gone).sum()))


def _centre(shape: Sequence[int], rows: int, columns: int) -> np.ndarray:
    mask = np.zeros(tuple(shape))
    top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
    mask[top : top + rows, left : left + columns] = 1
    return mask


def _blocks(shape: Sequence[int], groups: int) -> np.ndarray:
    rows, columns = (np.arange(size) * groups // size for size in shape)
    return (rows[:, np.newaxis] == columns).astype(float)


def _window(shape: Any, rows: int, columns: int) -> np.ndarray:
    return _centre(tuple(shape[:2]), rows, columns)[:, :, np.newaxis, np.newaxis].astype(np.float32)


def _diagonal(shape: Any, groups: int) -> np.ndarray:
    return _blocks(tuple(shape[-2:]), groups).astype(np.float32)
