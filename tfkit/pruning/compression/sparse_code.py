"""A sparse tensor of few values as two streams: how many zeros come before a value, and which value it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfkit._errors import ModelError, UsageError
from tfkit.pruning.compression.huffman import code_lengths, decode, encode


@dataclass(frozen=True)
class SparseCode:
    """One coded tensor.

    A value is coded as (gap, number): ``gap`` zeros, then ``codebook[number]``. Where more than 2^gap_bits - 1 zeros
    follow each other, a zero is coded as a value; number 0 is kept for it. Zeros at the end are coded like this too.

    Attributes:
        shape: of the tensor.
        gap_bits: of the largest gap.
        entries: pairs of gap and number.
        codebook: float32, the first is zero.
        gap_lengths, number_lengths: of the Huffman codes.
        gaps, numbers: the two streams.
    """

    shape: tuple[int, ...]
    gap_bits: int
    entries: int
    codebook: np.ndarray
    gap_lengths: np.ndarray
    number_lengths: np.ndarray
    gaps: bytes
    numbers: bytes


def encode_tensor(values: np.ndarray, gap_bits: int) -> SparseCode:
    """Code a float32 tensor of at most 65,535 different values that are not zero.

    A zero has no sign afterwards: masks leave -0.0 where a weight was negative, which is no other weight.
    """
    flat = np.asarray(values, np.float32).ravel()
    places = np.flatnonzero(flat)
    levels, numbers = np.unique(flat[places], return_inverse=True)
    if len(levels) > 0xFFFF:
        raise UsageError(
            f"a kernel of shape {values.shape} has {len(levels)} different values, at most 65535 can be coded; "
            "share_weights makes them few"
        )
    most = (1 << gap_bits) - 1
    distances = np.diff(np.concatenate([[-1], places, [flat.size]])) - 1
    # Each filler covers `most` zeros and one more that it stands for itself.
    fillers = distances // (most + 1)
    own = np.ones(len(places) + 1, np.int64)
    own[-1] = 0
    total = int(fillers.sum()) + len(places)
    gaps, coded = np.full(total, most, np.uint16), np.zeros(total, np.uint16)
    ends = np.cumsum(fillers + own)[: len(places)] - 1
    gaps[ends] = (distances % (most + 1))[: len(places)]
    coded[ends] = numbers + 1
    rest = int(distances[-1] % (most + 1))
    if rest:  # zeros at the end that no filler covers: a filler with a smaller gap
        gaps, coded = np.append(gaps, np.uint16(rest - 1)), np.append(coded, np.uint16(0))
    gap_lengths = code_lengths(np.bincount(gaps, minlength=most + 1))
    number_lengths = code_lengths(np.bincount(coded, minlength=len(levels) + 1))
    return SparseCode(
        tuple(int(size) for size in values.shape),
        gap_bits,
        len(gaps),
        np.concatenate([np.zeros(1, np.float32), levels]),
        gap_lengths,
        number_lengths,
        encode(gaps, gap_lengths),
        encode(coded, number_lengths),
    )


def decode_tensor(code: SparseCode) -> np.ndarray:
    """Exactly the tensor that was coded.

    Raises:
        ModelError: the code is damaged.
    """
    size = 1
    for extent in code.shape:
        size *= extent
    if size > code.entries << code.gap_bits:
        raise ModelError(f"damaged: {code.entries} values with their gaps do not fill a tensor of shape {code.shape}")
    gaps = decode(code.gaps, code.gap_lengths, code.entries).astype(np.int64)
    numbers = decode(code.numbers, code.number_lengths, code.entries)
    places = np.cumsum(gaps + 1) - 1
    if (int(places[-1]) + 1 if len(places) else 0) != size:
        raise ModelError(f"damaged: its values do not end where a tensor of shape {code.shape} ends")
    flat = np.zeros(size, np.float32)
    flat[places] = code.codebook[numbers]
    return flat.reshape(code.shape)
