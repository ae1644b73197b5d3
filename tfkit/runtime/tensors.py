"""What goes in and out of a flatbuffer: descriptions, and the affine quantization of integer ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import DataError


@dataclass(frozen=True)
class TensorInfo:
    """One tensor as the runtime sees it.

    ``name`` is the one in the model's signature where it has one, and the tensor's own otherwise.
    ``shape`` is what is allocated now; ``shape_signature`` has -1 where an axis is free.
    ``scale`` and ``zero_point`` are those of ``real = scale * (integer - zero_point)``; both None for tensors
    that are not quantized per tensor.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float | None = None
    zero_point: int | None = None
    shape_signature: tuple[int, ...] = ()

    @property
    def free_batch(self) -> bool:
        """Whether the first axis, the batch, may have any length."""
        return bool(self.shape_signature) and self.shape_signature[0] == -1

    @classmethod
    def from_details(cls, details: Mapping[str, Any], names: Mapping[int, str]) -> TensorInfo:
        """From a runtime's ``get_*_details()`` entry; ``names`` has the names that go before the tensors' own."""
        scales = details["quantization_parameters"]["scales"]
        zero_points = details["quantization_parameters"]["zero_points"]
        per_tensor = len(scales) == 1
        shape = tuple(int(n) for n in details["shape"])
        signature = tuple(int(n) for n in details.get("shape_signature", ()))
        return cls(
            index=int(details["index"]),
            name=names.get(int(details["index"]), str(details["name"])),
            shape=shape,
            dtype=np.dtype(details["dtype"]),
            scale=float(scales[0]) if per_tensor else None,
            zero_point=int(zero_points[0]) if per_tensor else None,
            shape_signature=signature or shape,
        )


def quantize(real: np.ndarray, info: TensorInfo) -> np.ndarray:
    """``clip(round(real / scale) + zero_point)`` in ``info.dtype``, halves away from zero as TFLite's QUANTIZE op.

    Raises:
        DataError: the tensor carries no quantization, or the data hold NaN.
    """
    if info.scale is None or info.zero_point is None:
        raise DataError(f"input {info.name!r} is {info.dtype} without quantization parameters; give {info.dtype} data")
    scaled = np.asarray(real, np.float32) / np.float32(info.scale)
    if np.isnan(scaled).any():
        raise DataError(f"the data for input {info.name!r} hold NaN, which no integer stands for")
    rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.float64) + info.zero_point
    limits = np.iinfo(info.dtype)
    return np.clip(rounded, limits.min, limits.max).astype(info.dtype)


def dequantize(values: np.ndarray, info: TensorInfo) -> np.ndarray:
    """``scale * (values - zero_point)`` as float32; data of a tensor without quantization come back as float32."""
    if info.scale is None or info.zero_point is None:
        return np.asarray(values, np.float32)
    return (np.asarray(values, np.float32) - np.float32(info.zero_point)) * np.float32(info.scale)
