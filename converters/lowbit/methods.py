"""Every quantizer and what ships it: one table, which the documentation shows and the tests hold the converter to.

    python -m tfkit.converters.lowbit.methods

prints the documentation, METHODS.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

PACKED = "packed"
WAYS = {
    PACKED: "own packed op",
    "too_many_bits": "int8 op",
    "float_activations": "packed storage with float compute",
    "scale_of_data": "refused",
    "off_grid": "refused",
}


@dataclass(frozen=True)
class Method:
    """Names of quantizers with one fate in ``format="lowbit"``.

    Attributes:
        names: aliases in ``tfkit.quantizers``.
        fate: ``PACKED``, or the code of the reason that the ledger gives.
        planes: bits that a value takes in the file, as a formula of its own bits k where there are several names.
        lce: signs only, which ``format="lce"`` also ships when kernel and input are signs.
        remark: for people.
    """

    method: str
    names: tuple[str, ...]
    fate: str
    planes: str
    remark: str = ""
    lce: bool = False


def _names(stem: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{stem}{bits}" for bits in range(first, last + 1))


_INT8 = "bit-serial cost grows with the bits: from 5 on int8 is as fast; train with tfkit.quantize_aware"
_LINEAR = "as the integers that it multiplies by"

# fmt: off
METHODS: tuple[Method, ...] = (
    Method("BinaryConnect, BWN, BNN", ("ste_sign", "bnn", "bwn", "binary_connect"), PACKED, "1", lce=True),
    Method("Bi-Real sign", ("approx_sign",), PACKED, "1", lce=True),
    Method("swish sign", ("swish_sign",), PACKED, "1", lce=True),
    Method("magnitude-aware sign", ("magnitude_aware_sign",), PACKED, "1", "a scale per channel", lce=True),
    Method("stochastic BinaryConnect", ("binary_connect_stochastic",), PACKED, "1", "the sign at inference", lce=True),
    Method("XNOR-Net weights", ("xnor_weights",), PACKED, "1", "a scale per channel", lce=True),
    Method("XNOR-Net activations", ("xnor_activations",), "scale_of_data", "-",
           "its scale is computed from each place's data; use a sign"),
    Method("ABC-Net weights", _names("abc_w", 1, 4), PACKED, "k", "k binary bases"),
    Method("ABC-Net weights, 5 bases", ("abc_w5",), "too_many_bits", "-", _INT8),
    Method("ABC-Net activations", _names("abc_a", 1, 4), PACKED, "k", "k binary bases"),
    Method("ABC-Net activations, 5 bases", ("abc_a5",), "too_many_bits", "-", _INT8),
    Method("TWN", ("twn",), PACKED, "2", "-1, 0 and 1 times one scale"),
    Method("TTQ", ("ttq",), PACKED, "2", "a bit and a scale for either sign"),
    Method("DoReFa weights", _names("dorefa_w", 1, 4), PACKED, "k"),
    Method("DoReFa weights, more bits", _names("dorefa_w", 5, 8), "too_many_bits", "-", _INT8),
    Method("DoReFa activations", _names("dorefa_a", 1, 4), PACKED, "k"),
    Method("DoReFa activations, more bits", _names("dorefa_a", 5, 8), "too_many_bits", "-", _INT8),
    Method("HWGQ", _names("hwgq_a", 1, 4), PACKED, "k"),
    Method("LQ-Net weights", _names("lq_w", 1, 4), PACKED, "k", "k binary bases a channel"),
    Method("LQ-Net activations", _names("lq_a", 1, 4), PACKED, "k", "k binary bases"),
    Method("LSQ weights", _names("lsq_w", 2, 4), PACKED, "k"),
    Method("LSQ weights, more bits", _names("lsq_w", 5, 8), "too_many_bits", "-", _INT8),
    Method("LSQ activations", _names("lsq_a", 1, 4), PACKED, "k"),
    Method("LSQ activations, more bits", _names("lsq_a", 5, 8), "too_many_bits", "-", _INT8),
    Method("Uhlich weights", _names("uhlich_w", 2, 4), PACKED, "learned", "the bits that it has learned"),
    Method("Uhlich weights, more bits", _names("uhlich_w", 5, 8), "too_many_bits", "-", _INT8),
    Method("Uhlich activations", _names("uhlich_a", 1, 4), PACKED, "learned", "the bits that it has learned"),
    Method("Uhlich activations, more bits", _names("uhlich_a", 5, 8), "too_many_bits", "-", _INT8),
    Method("relaxed weights", _names("relaxed_w", 2, 4), PACKED, "k", "the nearest level at inference"),
    Method("relaxed activations", _names("relaxed_a", 1, 4), PACKED, "k", "the nearest level at inference"),
    Method("logarithmic weights", ("log_w2", "log_w3"), PACKED, "2, 4", _LINEAR),
    Method("logarithmic weights, more bits", ("log_w4", "log_w5"), "too_many_bits", "-",
           "their integers span more than 4 bits"),
    Method("logarithmic activations", ("log_a1", "log_a2"), PACKED, "1, 3", _LINEAR),
    Method("logarithmic activations, more bits", ("log_a3", "log_a4"), "too_many_bits", "-",
           "their integers span more than 4 bits"),
    Method("INQ", ("inq_w2", "inq_w3"), PACKED, "2, 3", f"{_LINEAR}; all weights fixed, else it is refused"),
    Method("INQ, more bits", ("inq_w4", "inq_w5", "inq_w6"), "too_many_bits", "-",
           "their integers span more than 4 bits"),
    Method("fixed-point weights", _names("fixed_w", 2, 4), PACKED, "k", "the nearest value at inference"),
    Method("fixed-point weights, more bits", _names("fixed_w", 5, 8), "too_many_bits", "-", _INT8),
    Method("fixed-point activations", _names("fixed_a", 2, 4), PACKED, "k",
           "signed; beside LQ-Net, TTQ and ABC-Net too"),
    Method("fixed-point activations, more bits", _names("fixed_a", 5, 8), "too_many_bits", "-", _INT8),
    Method("integer weights", ("int4", *_names("int_w", 2, 4)), PACKED, "k", "a scale per channel"),
    Method("integer weights, more bits", _names("int_w", 5, 8), "too_many_bits", "-", _INT8),
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
        "Generated by `python -m tfkit.converters.lowbit.methods`; a test holds `tfkit convert` to it.",
        "",
        "- *own packed op*: `--format lowbit` packs the layer (`android_bench/kernels/kbit_conv2d/README.md`) where "
        "kernel and input both have quantizers of that column.",
        "- *LCE op*: `--format lce`, where both are signs.",
        "- *int8 op*: the layer stays float in lowbit, which the ledger says; train it with `tfkit.quantize_aware` for "
        "`--format int8`.",
        "- *packed storage with float compute*, which any kernel quantizer without an input quantizer would need, has "
        "no op yet: the layer stays float (`float_activations` in the ledger).",
        "",
        "| method | names | own packed op | LCE op | int8 op | refused | bits in the file | remark |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for m in METHODS:
        way = WAYS[m.fate]
        names = f"{m.names[0]} ... {m.names[-1]}" if len(m.names) > 4 else ", ".join(m.names)
        marks = ["x" if way == column else "" for column in ("own packed op", "int8 op", "refused")]
        cells = [m.method, names, marks[0], "x" if m.lce else "", marks[1], marks[2], m.planes, m.remark]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(documentation())
