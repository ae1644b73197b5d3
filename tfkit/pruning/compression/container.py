"""The coded file: all weights of a model, kernels by Huffman, the rest as they are.

    magic "TFKITDC1", uint32 length of the header, the header (JSON), the parts, uint32 CRC-32 of all before it

All numbers are little-endian. Files are untrusted: what does not add up is refused before memory is taken for it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfkit._errors import ModelError, TfkitError, UsageError
from tfkit._files import whole_file
from tfkit.pruning.compression.sparse_code import SparseCode, decode_tensor, encode_tensor

_MAGIC = b"TFKITDC1"
# A file may unfold to so many times its size: beyond it is made to exhaust memory.
_LARGEST_RATIO = 2000
_PARTS = ("codebook", "gap_lengths", "number_lengths", "gaps", "numbers")


@dataclass(frozen=True)
class Compressed:
    """A coded model.

    Attributes:
        data: the file.
        float_bytes: of all weights as float32.
        parts: weight -> bytes of its code.
    """

    data: bytes
    float_bytes: int
    parts: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """How many times smaller than float32 the file is."""
        return self.float_bytes / len(self.data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all."""
        with whole_file(path) as temporary:
            temporary.write_bytes(self.data)


def compress(weights: Any, gap_bits: int | Mapping[str, int] | None = None) -> Compressed:
    """Code the weights of a Keras model, or arrays by name.

    Args:
        weights: a model, or name -> float32 array.
        gap_bits: 1 to 12, for all or by name; 8 for kernels of convolutions and 5 for matrices when None, as in the
            paper.

    Raises:
        UsageError: a kernel has more than 65,535 values, or gap_bits makes no sense.
    """
    arrays = weights_of(weights)
    header, payload, parts = [], [], {}
    for name, values in arrays.items():
        is_kernel = values.ndim >= 2
        bits = gap_bits.get(name) if isinstance(gap_bits, Mapping) else gap_bits
        bits = (5 if values.ndim == 2 else 8) if bits is None else bits
        if not 1 <= bits <= 12:
            raise UsageError(f"gap_bits is 1 to 12; got {bits} for {name!r}")
        if is_kernel and np.isfinite(values).all():
            code = encode_tensor(values, bits)
            data = [
                code.codebook.astype("<f4").tobytes(),
                _nibbles(code.gap_lengths),
                _nibbles(code.number_lengths),
                code.gaps,
                code.numbers,
            ]
            header.append([name, list(values.shape), bits, code.entries, [len(part) for part in data]])
        else:
            data = [values.astype("<f4").tobytes()]
            header.append([name, list(values.shape)])
        payload += data
        parts[name] = sum(len(part) for part in data)
    text = json.dumps({"weights": header}).encode()
    body = _MAGIC + struct.pack("<I", len(text)) + text + b"".join(payload)
    return Compressed(
        body + struct.pack("<I", zlib.crc32(body)), sum(4 * values.size for values in arrays.values()), parts
    )


def decompress(source: bytes | str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Exactly the arrays that were coded, by name; zeros in kernels are +0.0.

    Raises:
        ModelError: the file is missing, damaged, cut off, or no file of ``compress``.
    """
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {source}: {error.strerror}") from error  # type: ignore[str-bytes-safe]
    name = "the data" if isinstance(source, bytes) else str(source)
    try:
        return _decoded(data)
    except TfkitError as error:
        raise ModelError(f"{name} cannot be decompressed: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError, struct.error, RecursionError, OverflowError) as error:
        raise ModelError(f"{name} is damaged or no compressed model ({error})") from error


def restore(model: Any, source: bytes | str | os.PathLike[str]) -> Any:
    """Put decompressed weights into a model of the same architecture, and return it.

    Raises:
        ModelError: the file is damaged, or holds other weights than the model has.
    """
    arrays = decompress(source)
    own = weights_of(model)
    if _roles(own) != _roles(arrays):
        raise ModelError(f"the file holds other weights than {model.name!r} has; build the model that was compressed")
    model.set_weights(list(arrays.values()))
    return model


def weights_of(weights: Any) -> dict[str, np.ndarray]:
    """name -> float32 array of all weights of a model, in its order."""
    if isinstance(weights, Mapping):
        return {str(name): np.asarray(values, np.float32) for name, values in weights.items()}
    found: dict[str, np.ndarray] = {}
    for number, variable in enumerate(weights.weights):
        found[f"{number:04}/{variable.name}"] = np.asarray(variable.numpy(), np.float32)
    return found


def _roles(arrays: Mapping[str, np.ndarray]) -> list[tuple[str, tuple[int, ...]]]:
    """ "kernel", "bias", ... and shape of every weight: layers that were given no name have another one each time."""
    return [(name.split("/")[-1], values.shape) for name, values in arrays.items()]


def _decoded(data: bytes) -> dict[str, np.ndarray]:
    if data[: len(_MAGIC)] != _MAGIC:
        raise ModelError("it does not begin as a compressed model does")
    start = len(_MAGIC) + 4
    if len(data) < start + 4 or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise ModelError("damaged or cut off: its checksum is another one")
    length = struct.unpack("<I", data[len(_MAGIC) : start])[0]
    if length > len(data) - start - 4:
        raise ModelError("damaged: its header is longer than the file")
    header = json.loads(data[start : start + length])["weights"]
    place, end = start + length, len(data) - 4
    room = _LARGEST_RATIO * len(data) + (1 << 20)
    found: dict[str, np.ndarray] = {}
    for name, shape, *coded in header:
        size = 1
        for extent in shape:
            if not isinstance(extent, int) or isinstance(extent, bool) or extent < 0:
                raise ModelError(f"damaged: {name!r} has the shape {shape}")
            size *= extent
        room -= 4 * size
        if room < 0:
            raise ModelError(f"it would unfold to more than {_LARGEST_RATIO} times its size")
        lengths = coded[2] if coded else [4 * size]
        if any(not isinstance(part, int) or part < 0 for part in lengths) or sum(lengths) > end - place:
            raise ModelError(f"damaged: the parts of {name!r} are longer than the file")
        parts = []
        for part in lengths:
            parts.append(data[place : place + part])
            place += part
        if name in found:
            raise ModelError(f"damaged: {name!r} is there twice")
        found[name] = _tensor(tuple(shape), coded, parts)
    if place != end:
        raise ModelError("damaged: there is more in it than its header says")
    return found


def _tensor(shape: tuple[int, ...], coded: list[Any], parts: list[bytes]) -> np.ndarray:
    if not coded:
        return np.frombuffer(parts[0], "<f4").astype(np.float32).reshape(shape)
    gap_bits, entries, _ = coded
    if len(parts) != len(_PARTS) or not 1 <= gap_bits <= 12 or not 0 <= entries <= 8 * len(parts[3]):
        raise ModelError("damaged: the description of a tensor contradicts itself")
    codebook = np.frombuffer(parts[0], "<f4").astype(np.float32)
    gap_lengths = _from_nibbles(parts[1], 1 << gap_bits)
    number_lengths = _from_nibbles(parts[2], len(codebook))
    return decode_tensor(
        SparseCode(shape, gap_bits, entries, codebook, gap_lengths, number_lengths, parts[3], parts[4])
    )


def _nibbles(lengths: np.ndarray) -> bytes:
    """Code lengths, 4 bits each."""
    padded = np.append(lengths, np.zeros(len(lengths) % 2, np.uint8)).astype(np.uint8)
    return (padded[::2] << 4 | padded[1::2]).astype(np.uint8).tobytes()


def _from_nibbles(data: bytes, count: int) -> np.ndarray:
    packed = np.frombuffer(data, np.uint8)
    if len(packed) != (count + 1) // 2:
        raise ModelError("damaged: a table of code lengths has another size than its symbols")
    return np.column_stack([packed >> 4, packed & 15]).ravel()[:count]
