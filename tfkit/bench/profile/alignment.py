"""Which op of a partition each of XNNPACK's operators is.

XNNPACK names its operators but not the nodes they stand for. It keeps the order of the nodes, folds some into others
(an activation, a padding), splits some in two (a fully connected layer after a reshape), and runs some by another
operator (a 1x1 convolution as a fully connected one). So both lists are aligned in order, and only what can be the same
may meet; what is left over is said to be left over.
"""

from __future__ import annotations

from collections.abc import Sequence

_CONVOLUTIONS = ("Convolution", "Fully Connected", "Sparse Matrix", "Batch Matrix Multiply")
# First words of XNNPACK's operator names -> ops that they may stand for. Ops that are not listed are known by their
# own name in XNNPACK's spelling, see ``_spelled``.
_OPERATORS: dict[str, tuple[str, ...]] = {
    "CONV_2D": _CONVOLUTIONS,
    "DEPTHWISE_CONV_2D": ("Convolution",),
    "TRANSPOSE_CONV": ("Deconvolution",),
    "FULLY_CONNECTED": ("Fully Connected", "Dynamic Fully Connected"),
    "BATCH_MATMUL": ("Batch Matrix Multiply", "Fully Connected"),
    "MEAN": ("Mean", "Global Average Pooling"),
    "SUM": ("Sum", "Global Sum Pooling", "Mean"),
    "REDUCE_MAX": ("Max", "Reduce"),
    "REDUCE_MIN": ("Min", "Reduce"),
    "MAX_POOL_2D": ("Max Pooling", "ArgMax Pooling"),
    "AVERAGE_POOL_2D": ("Average Pooling", "Global Average Pooling", "Mean"),
    "QUANTIZE": ("Convert", "Quantize"),
    "DEQUANTIZE": ("Convert", "Dequantize"),
    "CAST": ("Convert",),
    "PAD": ("Constant Pad",),
    "PADV2": ("Constant Pad",),
    "MIRROR_PAD": ("Constant Pad",),
    "RESHAPE": ("Reshape", "Static Reshape", "Copy"),
    "EXPAND_DIMS": ("Reshape", "Static Reshape", "Static Expand Dims", "Copy"),
    "SQUEEZE": ("Reshape", "Static Reshape", "Copy"),
    "TRANSPOSE": ("Transpose", "Static Transpose"),
    "SLICE": ("Slice", "Static Slice"),
    "STRIDED_SLICE": ("Slice", "Static Slice"),
    "SPLIT": ("Even Split", "Split", "Static Slice", "Slice"),
    "CONCATENATION": ("Concatenate", "Copy"),
    "RESIZE_BILINEAR": ("Resize Bilinear", "Static Resize Bilinear"),
    "DEPTH_TO_SPACE": ("Depth To Space",),
    "SPACE_TO_DEPTH": ("Space To Depth",),
    "LOGISTIC": ("Sigmoid",),
    "SOFTMAX": ("Softmax",),
    "PRELU": ("PReLU", "Prelu", "Leaky"),
    "LEAKY_RELU": ("Leaky ReLU", "Leaky"),
    "RELU": ("Clamp", "ReLU"),
    "RELU6": ("Clamp",),
    "RELU_N1_TO_1": ("Clamp",),
    "HARD_SWISH": ("HardSwish", "Hard Swish"),
    "RSQRT": ("Reciprocal Square Root",),
    "POW": ("Pow",),
    "SQUARED_DIFFERENCE": ("Squared Difference",),
}


def fits(operator: str, op: str) -> bool:
    """Whether XNNPACK's ``operator`` can be what runs ``op``.

    >>> fits("Convolution (NHWC, F32) IGEMM", "CONV_2D"), fits("Add (ND)", "CONV_2D"), fits("Add (ND)", "ADD")
    (True, False, True)
    """
    if op == "DEPTHWISE_CONV_2D":
        return operator.startswith("Convolution")
    if op == "CONV_2D" and operator.endswith("DWConv"):
        return False
    starts = _OPERATORS.get(op, (_spelled(op),))
    return any(operator.startswith(start) for start in starts)


def align(operators: Sequence[str], ops: Sequence[str]) -> list[int | None]:
    """Position in ``ops`` of each of ``operators``, ascending; None for what fits nowhere.

    The alignment with the most matches (longest common subsequence); where several have them, the earlier op.

    >>> align(["Convolution (NHWC, F32) IGEMM", "Add (ND)"], ["PAD", "CONV_2D", "RELU", "ADD"])
    [1, 3]
    """
    rows, columns = len(operators), len(ops)
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1])
            if fits(operators[i], ops[j]):
                best[i][j] = max(best[i][j], 1 + best[i + 1][j + 1])
    found: list[int | None] = []
    i = j = 0
    while i < rows:
        if j < columns and fits(operators[i], ops[j]) and best[i][j] == 1 + best[i + 1][j + 1]:
            found.append(j)
            i, j = i + 1, j + 1
        elif j < columns and best[i][j] == best[i][j + 1]:
            j += 1
        else:
            found.append(None)
            i += 1
    return found


def _spelled(op: str) -> str:
    """``ADD`` -> ``Add``, ``SQUARE_ROOT`` -> ``Square Root``: how XNNPACK spells most names."""
    return " ".join(word.capitalize() for word in op.split("_"))
