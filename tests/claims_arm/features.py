"""Instructions that not every 64-bit Arm core has, told by their encodings (Arm Architecture Reference Manual, C4)."""

from __future__ import annotations

# Feature to (mask, value) of the words that need it.
ENCODINGS = {
    "dotprod": ((0x9FE0FC00, 0x0E809400), (0x9FC0F400, 0x0F80E000)),  # SDOT, UDOT: vectors, by element
    "i8mm": (
        (0xDFE0FC00, 0x4E80A400),  # SMMLA, UMMLA
        (0xFFE0FC00, 0x4E80AC00),  # USMMLA
        (0xBFE0FC00, 0x0E809C00),  # USDOT, vectors
        (0xBF40F400, 0x0F00F000),  # SUDOT, USDOT, by element
    ),
    "SVE": ((0x1E000000, 0x04000000),),
    "SME": ((0x9E000000, 0x80000000),),
    "SHA3": ((0xFF800000, 0xCE000000),),  # EOR3, BCAX, RAX1, XAR
    "atomics": ((0x3F200C00, 0x38200000),),  # LSE: LDADD, SWP, ...
}


def needed(word: int) -> str | None:
    """The feature beyond armv8-a that an instruction needs, of those above.

    >>> needed(0x6E829420)  # udot v0.4s, v1.16b, v2.16b
    'dotprod'
    """
    for feature, encodings in ENCODINGS.items():
        if any(word & mask == value for mask, value in encodings):
            return feature
    return None
