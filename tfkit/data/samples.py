"""Read samples for a model: a named data set, or an .npz file whose every surprise is one clear error."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfkit._errors import DataError
from tfkit._registry import unknown_name
from tfkit.data._types import InputSpec, Samples
from tfkit.data.named import DATASETS, load

LABELS = "y"
SINGLE = "x"


def read_samples(source: str | os.PathLike[str], inputs: Sequence[InputSpec]) -> Samples:
    """Read the samples that ``inputs`` ask for from an .npz file, or the test split of a named data set.

    An .npz file holds one array per input, named like it, or ``x`` for a single input; labels in ``y``.
    The first axis is the batch. Values are raw: not preprocessed, not cast down.

    Raises:
        DataError: file missing, damaged or pickled; names, shapes or types that do not fit; no samples.
    """
    if isinstance(source, str) and source in DATASETS:
        found = load(source)
        arrays: Mapping[str, np.ndarray] = {SINGLE: found.x_test, LABELS: found.y_test}
        origin = f"data set {source!r}"
    else:
        arrays = _read_npz(Path(source))
        origin = str(source)
    return fit_samples(arrays, inputs, origin)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        known = unknown_name("data set", str(path), DATASETS) if not path.suffix else ""
        raise DataError(
            f"no data file {path}; give an .npz file or a named data set" + (f" ({known})" if known else "")
        )
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is not an .npz file; write one with numpy.savez(path, x=images, y=labels)")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except ValueError as error:
        if "pickle" in str(error):
            raise DataError(
                f"{path} holds pickled objects, which are programs; save plain numeric arrays instead"
            ) from error
        raise DataError(f"{path} is damaged: {error}") from error
    except (OSError, EOFError, MemoryError, zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError) as error:
        raise DataError(f"{path} is damaged: {error or type(error).__name__}") from error
    except Exception as error:  # zlib.error, SyntaxError from a hostile header, RuntimeError for an encrypted member
        raise DataError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def fit_samples(arrays: Mapping[str, np.ndarray], inputs: Sequence[InputSpec], origin: str) -> Samples:
    """Choose from ``arrays`` what ``inputs`` ask for, checked and cast; ``origin`` names the source in messages.

    ``arrays`` as in an .npz file: one array [sample, ...] per input, named like it, or ``x`` for a single input;
    labels in ``y``.

    Raises:
        DataError: names, shapes or types that do not fit; no samples; NaN or infinity.
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
    return Samples(fitted, _labels(arrays.get(LABELS), sizes.pop(), origin))


def _fit(array: np.ndarray, spec: InputSpec, origin: str) -> np.ndarray:
    """Check one array against its spec and cast it where nothing can be lost."""
    if array.ndim == 0 or len(array) == 0:
        raise DataError(f"{origin} holds no samples for {spec.name}")
    shape = array.shape[1:]
    if len(shape) != len(spec.shape) or any(
        want is not None and got != want for got, want in zip(shape, spec.shape, strict=True)
    ):
        raise DataError(
            f"{origin}: {spec.name} has samples of shape {_shape(shape)}, the model takes {_shape(spec.shape)} "
            "(the first axis of the array is the batch)"
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


def _labels(labels: np.ndarray | None, samples: int, origin: str) -> np.ndarray | None:
    if labels is None:
        return None
    if labels.shape != (samples,) or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(
            f"{origin}: labels {LABELS!r} have shape {_shape(labels.shape)} and type {labels.dtype}; "
            f"{samples} class numbers are expected, one integer per sample"
        )
    return labels.astype(np.int64)


def _shape(shape: Sequence[int | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape) or "scalar"


def _describe(inputs: Sequence[InputSpec]) -> str:
    return ", ".join(f"{spec.name} {_shape(spec.shape)} {np.dtype(spec.dtype)}" for spec in inputs)
