"""Canonical Huffman codes of at most 15 bits, for streams of small numbers."""

from __future__ import annotations

import heapq

import numpy as np

from tfkit._errors import ModelError

LONGEST = 15


def code_lengths(counts: np.ndarray) -> np.ndarray:
    """Bits of every symbol's code, 0 for symbols that do not occur: uint8, like ``counts``.

    A single symbol has one bit. Where a code would be longer than 15 bits, counts are levelled until it is not.

    >>> code_lengths(np.array([5, 1, 0, 2]))
    array([1, 2, 0, 2], dtype=uint8)
    """
    weights = counts.astype(np.int64)
    while True:
        lengths = _huffman(weights)
        if lengths.max(initial=0) <= LONGEST:
            return lengths
        weights = np.where(weights > 0, (weights + 1) // 2, 0)


def _huffman(weights: np.ndarray) -> np.ndarray:
    lengths = np.zeros(len(weights), np.uint8)
    heap: list[tuple[int, int, tuple[int, ...]]] = [
        (int(weight), symbol, (symbol,)) for symbol, weight in enumerate(weights) if weight > 0
    ]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    order = len(weights)
    while len(heap) > 1:
        (first, _, one), (second, _, two) = heapq.heappop(heap), heapq.heappop(heap)
        merged = one + two
        lengths[list(merged)] += 1
        heapq.heappush(heap, (first + second, order, merged))
        order += 1
    return lengths


def codes_of(lengths: np.ndarray) -> np.ndarray:
    """The canonical codes for these lengths: by length, then by symbol, counting upwards."""
    codes = np.zeros(len(lengths), np.uint32)
    code, previous = 0, 0
    for symbol in sorted(np.flatnonzero(lengths), key=lambda symbol: (int(lengths[symbol]), int(symbol))):
        code <<= int(lengths[symbol]) - previous
        codes[symbol] = code
        previous = int(lengths[symbol])
        code += 1
    return codes


def encode(symbols: np.ndarray, lengths: np.ndarray) -> bytes:
    """The codes of ``symbols`` one after the other, the first bit highest, the last byte filled with zeros."""
    codes = codes_of(lengths)
    sizes = lengths[symbols].astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    bits = np.zeros(int(sizes.sum()), np.uint8)
    values = codes[symbols]
    for place in range(int(lengths.max(initial=0))):
        long_enough = sizes > place
        bits[starts[long_enough] + place] = (values[long_enough] >> (sizes[long_enough] - 1 - place)) & 1
    return np.packbits(bits).tobytes()


def decode(data: bytes, lengths: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` symbols that ``encode`` wrote: uint16.

    Raises:
        ModelError: the lengths are no code, or ``data`` does not hold exactly ``count`` symbols.
    """
    used = np.flatnonzero(lengths)
    if count == 0 and not data:
        return np.zeros(0, np.uint16)
    longest = int(lengths.max(initial=0))
    if not 0 < longest <= LONGEST or sum(1 << (LONGEST - int(lengths[symbol])) for symbol in used) > 1 << LONGEST:
        raise ModelError("damaged: its code lengths are no Huffman code")
    if not 0 < count <= 8 * len(data):
        raise ModelError(f"damaged: {count} symbols cannot be in {len(data)} bytes")
    # What begins with the next bits: symbol and length for every value of a window of the longest code.
    symbol_of = np.zeros(1 << longest, np.uint16)
    length_of = np.zeros(1 << longest, np.uint8)
    codes = codes_of(lengths)
    for symbol in used:
        free = longest - int(lengths[symbol])
        start = int(codes[symbol]) << free
        symbol_of[start : start + (1 << free)] = symbol
        length_of[start : start + (1 << free)] = lengths[symbol]
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    padded = np.concatenate([bits, np.zeros(longest, np.uint8)]).astype(np.uint16)
    windows = np.zeros(len(bits), np.uint16)
    for place in range(longest):
        windows |= padded[place : place + len(bits)] << (longest - 1 - place)
    steps = length_of[windows].tolist()
    places, place = [0] * count, 0
    for number in range(count):
        if place >= len(bits) or not steps[place]:
            raise ModelError("damaged: its bits are no sequence of codes")
        places[number] = place
        place += steps[place]
    if place > len(bits) or len(bits) - place > 7 or bits[place:].any():
        raise ModelError("damaged: it has other bits than its codes")
    return symbol_of[windows[places]]
