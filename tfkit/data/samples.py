"""Samples for a model, from a file, a data set or memory: chosen, checked and cast."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfkit._errors import DataError
from tfkit.data._npz import read_npz
from tfkit.data._types import InputSpec, Samples
from tfkit.data.image_folder import DEFAULT_SHAPE, unlabelled_images
from tfkit.data.loading import load, of_split
from tfkit.data.named import DATASETS

LABELS = "y"
SINGLE = "x"
IMAGES = "images:"
DEFAULT_LIMIT = 1000
MAX_BYTES = 256 << 20


def read_samples(
    source: str | os.PathLike[str],
    inputs: Sequence[InputSpec],
    *,
    split: str = "test",
    classes: int | None = None,
    limit: int | None = None,
) -> Samples:
    """Read the samples that ``inputs`` ask for: from an .npz file, a named data set or a folder of images.

    An .npz file holds one array per input, named like it, or ``x`` for a single input; labels in ``y``.
    The first axis is the batch. Values are raw: not preprocessed, not cast down. Of a file with ``x_train``,
    ``y_train``, ``x_test`` and ``y_test`` the ``split`` is taken.
    Data sets give the first ``limit`` samples of their ``split``; folders of images are resized to the model's input,
    and ``images:DIR`` may hold images without classes, which then have no labels.

    Args:
        source: the path of an .npz file, or a name as ``tfkit.data.load`` takes it.
        inputs: what the model takes.
        split: of a data set.
        classes: labels must lie below, when given.
        limit: samples of a data set; by default 1000, fewer where they would take more than 256 MiB as float32.

    Raises:
        DataError: file missing, damaged or pickled; names, shapes, types or labels that do not fit; no samples.
        UsageError: a name of no data set, or without the folder that it needs.
    """
    if isinstance(source, str) and _is_name(source):
        return _from_dataset(source, inputs, split, classes, limit)
    return fit_samples(of_split(read_npz(Path(source)), split), inputs, str(source), classes=classes)


def _is_name(source: str) -> bool:
    """A known name, or a misspelt one before a colon: not a path."""
    name, colon, _ = source.partition(":")
    return name in DATASETS or (bool(colon) and not source.endswith(".npz") and not os.path.exists(source))


def _from_dataset(
    name: str, inputs: Sequence[InputSpec], split: str, classes: int | None, limit: int | None
) -> Samples:
    origin = f"data set {name!r}"
    folder = name.removeprefix(IMAGES) if name.startswith(IMAGES) else ""
    if len(inputs) != 1:
        raise DataError(f"{origin} has one array of images, the model takes {_describe(inputs)}; give an .npz file")
    shape = _image_shape(inputs[0], origin) if folder else None
    wanted = shape or tuple(size or 1 for size in inputs[0].shape)
    fits = max(1, MAX_BYTES // (4 * max(1, math.prod(wanted))))
    count = min(DEFAULT_LIMIT, fits) if limit is None else limit
    if shape is not None:
        unlabelled = unlabelled_images(folder, shape, count)
        if unlabelled is not None:
            return fit_samples({SINGLE: unlabelled}, inputs, origin)
    x, y = load(name, shape).arrays(split, count)
    return fit_samples({SINGLE: x, LABELS: y}, inputs, origin, classes=classes)


def _image_shape(spec: InputSpec, origin: str) -> tuple[int, int, int]:
    """What images are resized to for an input."""
    if len(spec.shape) != 3 or spec.shape[2] not in (1, 3):
        raise DataError(
            f"{origin} holds images of height x width x channels with 3 channels (RGB), or 1 (grey); "
            f"the model's {spec.name} takes {_shape(spec.shape)}"
        )
    height, width, channels = (size or side for size, side in zip(spec.shape, DEFAULT_SHAPE, strict=True))
    return height, width, channels


def fit_samples(
    arrays: Mapping[str, np.ndarray], inputs: Sequence[InputSpec], origin: str, *, classes: int | None = None
) -> Samples:
    """Choose from ``arrays`` what ``inputs`` ask for, checked and cast; ``origin`` names the source in messages.

    ``arrays`` as in an .npz file: one array [sample, ...] per input, named like it, or ``x`` for a single input;
    labels in ``y``, below ``classes`` when that is known.

    Raises:
        DataError: names, shapes, types or labels that do not fit; no samples; NaN or infinity.
    """
    expected = _describe(inputs)
    if len(inputs) == 1 and inputs[0].name not in arrays and SINGLE in arrays:
        chosen = {inputs[0].name: arrays[SINGLE]}
    else:
        missing = [spec.name for spec in inputs if spec.name not in arrays]
        if missing:
            raise DataError(
                f"{origin} has no array for {', '.join(missing)}; it holds {', '.join(arrays) or 'nothing'}; "
                f"the model takes {expected}" + (f" (or {SINGLE!r})" if len(inputs) == 1 else "")
            )
        chosen = {spec.name: arrays[spec.name] for spec in inputs}
    extra = set(arrays) - set(chosen) - {LABELS, SINGLE}
    if extra:
        raise DataError(f"{origin} holds {', '.join(sorted(extra))}, which is no input; the model takes {expected}")
    fitted = {spec.name: _fit(chosen[spec.name], spec, origin) for spec in inputs}
    sizes = {len(array) for array in fitted.values()}
    if len(sizes) != 1:
        counts = ", ".join(f"{name}: {len(array)}" for name, array in fitted.items())
        raise DataError(f"{origin} has a different number of samples per input ({counts})")
    return Samples(fitted, _labels(arrays.get(LABELS), sizes.pop(), origin, classes))


def _fit(array: np.ndarray, spec: InputSpec, origin: str) -> np.ndarray:
    """Check one array against its spec and cast it where nothing can be lost."""
    if array.ndim == 0 or len(array) == 0:
        raise DataError(f"{origin} holds no samples for {spec.name}")
    shape = array.shape[1:]
    if len(shape) != len(spec.shape) or any(
        want is not None and got != want for got, want in zip(shape, spec.shape, strict=True)
    ):
        raise DataError(
            f"{origin}: {spec.name} has {_channels(shape, spec.shape)}samples of shape {_shape(shape)}, "
            f"the model takes {_shape(spec.shape)} (the first axis of the array is the batch)"
        )
    wanted = np.dtype(spec.dtype)
    floats = np.issubdtype(wanted, np.floating) and np.issubdtype(array.dtype, np.number)
    if not (array.dtype == wanted or np.can_cast(array.dtype, wanted, "safe") or floats) or np.iscomplexobj(array):
        raise DataError(f"{origin}: {spec.name} has type {array.dtype}, the model takes {wanted}")
    with np.errstate(over="ignore"):
        fitted = array.astype(wanted, copy=False)
    if np.issubdtype(wanted, np.floating) and not np.isfinite(fitted).all():
        raise DataError(f"{origin}: {spec.name} holds NaN or infinity, or values beyond {wanted}")
    return fitted


def _labels(labels: np.ndarray | None, samples: int, origin: str, classes: int | None) -> np.ndarray | None:
    if labels is None:
        return None
    if labels.shape != (samples,) or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(
            f"{origin}: labels {LABELS!r} have shape {_shape(labels.shape)} and type {labels.dtype}; "
            f"{samples} class numbers are expected, one integer per sample"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (classes is not None and high >= classes):
        known = "class numbers start at 0" if classes is None else f"the model has classes 0 to {classes - 1}"
        raise DataError(f"{origin}: labels {LABELS!r} go from {low} to {high}; {known}")
    return labels.astype(np.int64)


def _channels(got: Sequence[int], wanted: Sequence[int | None]) -> str:
    """Say so when only the last axis of an image differs."""
    if (
        len(got) == len(wanted) == 3
        and got[2] != wanted[2]
        and None not in wanted
        and tuple(got[:2]) == tuple(wanted[:2])
    ):
        return f"{got[2]} channels where the model takes {wanted[2]}: "
    return ""


def _shape(shape: Sequence[int | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape) or "scalar"


def _describe(inputs: Sequence[InputSpec]) -> str:
    return ", ".join(f"{spec.name} {_shape(spec.shape)} {np.dtype(spec.dtype)}" for spec in inputs)
