"""Every quantizer and what ships it: one table, which the documentation shows and the tests hold the converter to.

    python -m tfkit.converters.lowbit.methods

prints the documentation, METHODS.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tfkit.converters.lowbit.columns import INT8, LCE, OWN, STORED


@dataclass(frozen=True)
class Method:
    """Names of quantizers with the same columns.

    Attributes:
        names: aliases in ``tfkit.quantizers``.
        columns: those of ``columns`` that hold for the names.
        bits: that a value takes in the file, as a formula of its own bits k where there are several names.
        remark: for people.
        refused: when the converter refuses to pack it; the layer is then stored in float32.
    """

    method: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    bits: str
    remark: str = ""
    refused: str = ""


def _names(stem: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{stem}{bits}" for bits in range(first, last + 1))


_SIGN = (OWN, LCE, INT8, STORED)
_FEW = (OWN, INT8, STORED)  # levels are integers times one scale a channel
_BASES = (OWN, STORED)  # every bit has a scale of its own
_MORE = (INT8, STORED)  # more than 4 bits: bit-serial cost grows with the bits, from 5 on int8 is as fast
_INPUT, _ROUNDED = (OWN,), (STORED,)
_UNFINISHED = "until all weights are fixed"
_LINEAR = "in few-bit ops as the integers that it multiplies by"
_IN_FLOAT = "the activations are rounded in float"

# fmt: off
METHODS: tuple[Method, ...] = (
    Method("BinaryConnect, BWN, BNN", ("ste_sign", "bnn", "bwn", "binary_connect"), _SIGN, "1"),
    Method("Bi-Real sign", ("approx_sign",), _SIGN, "1"),
    Method("swish sign", ("swish_sign",), _SIGN, "1"),
    Method("magnitude-aware sign", ("magnitude_aware_sign",), _SIGN, "1", "a scale per channel"),
    Method("stochastic BinaryConnect", ("binary_connect_stochastic",), _SIGN, "1", "the sign at inference"),
    Method("XNOR-Net weights", ("xnor_weights",), _SIGN, "1", "a scale per channel"),
    Method("XNOR-Net activations", ("xnor_activations",), _ROUNDED, "-",
           "scaled by their own mean, place by place, in float; for an op in bits use a sign"),
    Method("ABC-Net weights, 1 base", ("abc_w1",), _SIGN, "1"),
    Method("ABC-Net weights", _names("abc_w", 2, 4), _BASES, "k", "k binary bases"),
    Method("ABC-Net weights, 5 bases", ("abc_w5",), (STORED,), "5"),
    Method("ABC-Net activations", _names("abc_a", 1, 4), _INPUT, "k", "k binary bases"),
    Method("ABC-Net activations, 5 bases", ("abc_a5",), _ROUNDED, "-", _IN_FLOAT),
    Method("TWN", ("twn",), _FEW, "2", "-1, 0 and 1 times one scale"),
    Method("TTQ", ("ttq",), _BASES, "2", "a bit and a scale for either sign"),
    Method("DoReFa weights, 1 bit", ("dorefa_w1",), _SIGN, "1"),
    Method("DoReFa weights", _names("dorefa_w", 2, 4), _FEW, "k"),
    Method("DoReFa weights, more bits", _names("dorefa_w", 5, 7), _MORE, "k"),
    Method("DoReFa weights, 8 bits", ("dorefa_w8",), (STORED,), "8", "odd integers up to 255: too many for int8"),
    Method("DoReFa activations", _names("dorefa_a", 1, 4), _INPUT, "k"),
    Method("DoReFa activations, more bits", _names("dorefa_a", 5, 8), _ROUNDED, "-", _IN_FLOAT),
    Method("HWGQ", _names("hwgq_a", 1, 4), _INPUT, "k"),
    Method("LQ-Net weights, 1 base", ("lq_w1",), _SIGN, "1"),
    Method("LQ-Net weights", _names("lq_w", 2, 4), _BASES, "k", "k binary bases a channel"),
    Method("LQ-Net activations", _names("lq_a", 1, 4), _INPUT, "k", "k binary bases"),
    Method("LSQ weights", _names("lsq_w", 2, 4), _FEW, "k"),
    Method("LSQ weights, more bits", _names("lsq_w", 5, 8), _MORE, "k", "int8: no weight may be -128 steps"),
    Method("LSQ activations", _names("lsq_a", 1, 4), _INPUT, "k"),
    Method("LSQ activations, more bits", _names("lsq_a", 5, 8), _ROUNDED, "-", _IN_FLOAT),
    Method("Uhlich weights", _names("uhlich_w", 2, 4), _FEW, "learned", "the bits that it has learned"),
    Method("Uhlich weights, more bits", _names("uhlich_w", 5, 8), _MORE, "learned", "the bits that it has learned"),
    Method("Uhlich activations", _names("uhlich_a", 1, 4), _INPUT, "learned", "the bits that it has learned"),
    Method("Uhlich activations, more bits", _names("uhlich_a", 5, 8), _ROUNDED, "-", _IN_FLOAT),
    Method("relaxed weights", _names("relaxed_w", 2, 4), _FEW, "k", "the nearest level at inference"),
    Method("relaxed activations", _names("relaxed_a", 1, 4), _INPUT, "k", "the nearest level at inference"),
    Method("logarithmic weights", ("log_w2", "log_w3"), _FEW, "k", _LINEAR),
    Method("logarithmic weights, more bits", ("log_w4",), _MORE, "k", "powers of two up to 64"),
    Method("logarithmic weights, 5 bits", ("log_w5",), (STORED,), "5", "powers of two up to 2^14"),
    Method("logarithmic activations", ("log_a1", "log_a2"), _INPUT, "1, 3", _LINEAR),
    Method("logarithmic activations, more bits", ("log_a3", "log_a4"), _ROUNDED, "-", _IN_FLOAT),
    Method("INQ", ("inq_w2", "inq_w3"), _FEW, "k", _LINEAR, refused=_UNFINISHED),
    Method("INQ, 4 bits", ("inq_w4",), _MORE, "k", "powers of two up to 8", refused=_UNFINISHED),
    Method("INQ, more bits", ("inq_w5", "inq_w6"), (STORED,), "k", "powers of two from 128 on", refused=_UNFINISHED),
    Method("fixed-point weights", _names("fixed_w", 2, 4), _FEW, "k", "the nearest value at inference"),
    Method("fixed-point weights, more bits", _names("fixed_w", 5, 8), _MORE, "k", "int8: no weight may be -128 steps"),
    Method("fixed-point activations", _names("fixed_a", 2, 4), _INPUT, "k",
           "signed; beside LQ-Net, TTQ and ABC-Net too"),
    Method("fixed-point activations, more bits", _names("fixed_a", 5, 8), _ROUNDED, "-", _IN_FLOAT),
    Method("integer weights", ("int4", *_names("int_w", 2, 4)), _FEW, "k", "a scale per channel"),
    Method("integer weights, more bits", _names("int_w", 5, 8), _MORE, "k", "a scale per channel"),
)
# fmt: on


def method_of(name: str) -> Method:
    """The row of an alias; raises ``KeyError`` for a name that the table has not."""
    for method in METHODS:
        if name in method.names:
            return method
    raise KeyError(name)


def documentation() -> str:
    """METHODS.md."""
    rows = [
        "# What ships each quantizer",
        "",
        "Generated by `python -m tfkit.converters.lowbit.methods`; a test holds `tfkit convert` to it. Its ledger says "
        "for each layer which column holds (`ships as`).",
        "",
        "- *own packed op*: `--format lowbit` and `auto` compute with the bits (`android_bench/kernels/kbit_conv2d/"
        "README.md`) where kernel and inputs of a `QuantConv2D` or `QuantDense` are both of this column.",
        "- *LCE op*: `--format lce` and `auto`, where kernel and inputs are signs.",
        "- *int8 op*: `--format int8` and `auto` with calibration data, where the kernel alone is quantized: its "
        "levels are the int8 weights, exactly; `auto` stores them in their bits too. Kernels that are not of this "
        "column run in int8 as well, rounded to it, which the ledger remarks.",
        "- *packed storage with float compute*: `--format lowbit` and `auto`, whatever the layer, where the inputs are "
        "not quantized, or to more than 4 bits: the weights are stored in their bits and unpacked when the file is "
        "loaded, and the runtime's own float op runs on them (`android_bench/delegate/unpack_weights.md`). Rows of "
        "activations say what such inputs lead to.",
        "- *refused*: nothing packs the layer; it is stored and computed in float32. So are quantizers that do not "
        "tell their levels, and scales along an axis that is not the output channels'.",
        "",
        "| method | names | own packed op | LCE op | int8 op | packed storage with float compute | refused "
        "| bits in the file | remark |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for m in METHODS:
        names = f"{m.names[0]} ... {m.names[-1]}" if len(m.names) > 4 else ", ".join(m.names)
        marks = ["x" if column in m.columns else "" for column in (OWN, LCE, INT8, STORED)]
        rows.append("| " + " | ".join([m.method, names, *marks, m.refused, m.bits, m.remark]) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(documentation())
