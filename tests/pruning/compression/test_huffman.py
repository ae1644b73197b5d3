from __future__ import annotations

import heapq

import numpy as np
import pytest

from tfkit._errors import ModelError
from tfkit.pruning.compression.huffman import LONGEST, code_lengths, codes_of, decode, encode

SEED = 43


def least_bits(counts: list[int]) -> int:
    """The length of an optimal code: the sum of all merged weights."""
    heap = [count for count in counts if count]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    return total


@pytest.mark.parametrize("size", [2, 3, 7, 32, 256])
def test_codes_are_optimal_and_prefix_free(size: int) -> None:
    counts = np.random.default_rng(SEED).geometric(0.05, size) * (np.arange(size) % 5 != 4)
    lengths = code_lengths(counts)
    assert int((counts * lengths).sum()) == least_bits(counts.tolist()), f"seed {SEED}"
    codes = codes_of(lengths)
    words = [format(codes[s], f"0{lengths[s]}b") for s in np.flatnonzero(lengths)]
    assert not any(a != b and b.startswith(a) for a in words for b in words)


def test_long_codes_are_levelled() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    lengths = code_lengths(np.array(fibonacci))
    assert lengths.max() <= LONGEST
    assert sum(2.0 ** -float(length) for length in lengths) <= 1
    symbols = np.arange(40).repeat(2)
    np.testing.assert_array_equal(decode(encode(symbols, lengths), lengths, 80), symbols)


@pytest.mark.parametrize("symbols", [[0], [3, 3, 3], [0, 1] * 9, list(range(200))], ids=str)
def test_what_goes_in_comes_out(symbols: list[int]) -> None:
    lengths = code_lengths(np.bincount(symbols, minlength=256))
    data = encode(np.array(symbols), lengths)
    assert len(data) == -(-sum(int(lengths[s]) for s in symbols) // 8)
    np.testing.assert_array_equal(decode(data, lengths, len(symbols)), symbols)


def test_nothing_is_coded_as_nothing() -> None:
    lengths = code_lengths(np.zeros(4, int))
    assert encode(np.zeros(0, int), lengths) == b""
    assert decode(b"", lengths, 0).size == 0


@pytest.mark.parametrize(
    ("lengths", "data", "count", "message"),
    [
        ([1, 1, 1], b"\0", 1, "no Huffman code"),
        ([0, 0], b"\0", 1, "no Huffman code"),
        ([16, 1], b"\0", 1, "no Huffman code"),
        ([1, 2, 2], b"\0", 9, "9 symbols cannot be in 1 bytes"),
        ([1, 2, 2], b"\xff", 5, "no sequence of codes"),
        ([1, 2, 2], b"\x01", 1, "other bits than its codes"),
        ([2, 2, 2], b"\xff", 1, "no sequence of codes"),
        ([1, 2, 2], b"\0\0\0", 3, "other bits than its codes"),
    ],
)
def test_damage_is_noticed(lengths: list[int], data: bytes, count: int, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        decode(data, np.array(lengths, np.uint8), count)
