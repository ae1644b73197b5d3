"""LCE's figures on Arm, which stand in for measuring it: its wheels have none for 64-bit Arm.

LCE compute-engine at e6860fc, built with gcc 12 -O3 for aarch64, 3x3 convolutions with as many channels out as in,
"same" padding. Counted and modelled the way this package does it: qemu-user 7.2, LLVM 19.
"""

from __future__ import annotations

from tests.claims_arm.layers import Layer

# Million instructions of one convolution by the default kernel (BGEMM).
INSTRUCTIONS = {
    "float": {"56x56x32": 1.89, "56x56x64": 4.52, "28x28x128": 3.42, "14x14x256": 3.17, "7x7x512": 3.25},
    "bitpacked": {"56x56x32": 1.79, "56x56x64": 4.32, "28x28x128": 3.32, "14x14x256": 3.12, "7x7x512": 3.22},
}
# Modelled product sums a cycle of the default kernel, float output, caches ignored.
RATES = {
    "cortex-a72": {"56x56x64": 52.1, "28x28x128": 69.6, "14x14x256": 77.4, "7x7x512": 76.7},
    "neoverse-n1": {"56x56x64": 57.3, "28x28x128": 74.2, "14x14x256": 80.0, "7x7x512": 77.9},
    "neoverse-n2": {"56x56x64": 60.4, "28x28x128": 76.1, "14x14x256": 80.9, "7x7x512": 78.3},
    "neoverse-v2": {"56x56x64": 112.0, "28x28x128": 146.0, "14x14x256": 159.0, "7x7x512": 155.0},
}
# The indirect mode on maps of 65,535 elements or more, where it falls back to a portable kernel: three layers counted,
# in millions. The two of 115.6 million products give the two costs below; the third is then off by 0.2 %.
INDIRECT = {"56x56x64": 31.71, "28x28x128": 28.71, "56x56x32": 9.45}
LARGE_MAP = 65535


def indirect_costs() -> tuple[float, float]:
    """Instructions of a product and of an output, of the portable kernel."""
    many, few = Layer.parse("56x56x64"), Layer.parse("28x28x128")  # as many products, other numbers of outputs
    difference = INDIRECT["56x56x64"] - INDIRECT["28x28x128"]
    per_output = 1e6 * difference / (many.outputs - few.outputs)
    return (1e6 * INDIRECT["28x28x128"] - per_output * few.outputs) / few.products, per_output


def indirect_instructions(layer: Layer) -> float:
    """Millions by the indirect mode on a large map; what groups cost it beyond fewer products is left out.

    >>> round(indirect_instructions(Layer.parse("56x56x32")), 2)
    9.43
    """
    if layer.elements < LARGE_MAP:
        raise ValueError(f"{layer} has {layer.elements} elements; the portable kernel runs on {LARGE_MAP} or more")
    per_product, per_output = indirect_costs()
    return (per_product * layer.products + per_output * layer.outputs) / 1e6
