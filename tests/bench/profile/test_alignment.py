"""XNNPACK's operators against the ops of a partition."""

from __future__ import annotations

import random

import pytest

from tfkit.bench.profile.alignment import align, fits

CONV, DW, FC = "Convolution (NHWC, F32) IGEMM", "Convolution (NHWC, F32) DWConv", "Fully Connected (NC, F32) GEMM"
RESHAPE = "Static Reshape (NC)"


@pytest.mark.parametrize(
    ("operators", "ops", "expected"),
    [
        ([], [], []),
        ([CONV], [], [None]),
        ([], ["CONV_2D"], []),
        ([CONV, "Add (ND)"], ["PAD", "CONV_2D", "RELU", "ADD"], [1, 3]),  # folded: PAD and RELU
        (["Mean (ND) Reduce", RESHAPE, FC], ["MEAN", "FULLY_CONNECTED"], [0, None, 1]),  # split: the dense layer
        ([FC, DW, FC], ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"], [0, 1, 2]),  # 1x1 convolutions as dense layers
        (["Something New"], ["CONV_2D"], [None]),
        (["Convert (NC)", FC, "Convert (NC)"], ["QUANTIZE", "FULLY_CONNECTED", "DEQUANTIZE"], [0, 1, 2]),
    ],
)
def test_alignment(operators: list[str], ops: list[str], expected: list[int | None]) -> None:
    assert align(operators, ops) == expected


@pytest.mark.parametrize(
    ("operator", "op", "fit"),
    [
        (DW, "CONV_2D", False),
        (DW, "DEPTHWISE_CONV_2D", True),
        ("Max Pooling (NHWC, S8)", "MAX_POOL_2D", True),
        ("Multiply (ND)", "MUL", True),
        ("Subtract (ND)", "SUB", True),
        ("Sigmoid (NC)", "LOGISTIC", True),
        ("Add (ND)", "MUL", False),
        ("Maximum (ND)", "MAXIMUM", True),
    ],
)
def test_what_can_be_the_same(operator: str, op: str, fit: bool) -> None:
    assert fits(operator, op) is fit


def test_every_alignment_ascends_and_fits() -> None:
    seed = 7
    draw = random.Random(seed)
    for _ in range(200):
        operators = draw.choices([CONV, DW, FC, "Add (ND)", RESHAPE], k=draw.randrange(12))
        ops = draw.choices(["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "RELU"], k=draw.randrange(12))
        matched = align(operators, ops)
        taken = [position for position in matched if position is not None]
        assert len(matched) == len(operators), f"seed {seed}"
        assert taken == sorted(set(taken)), f"seed {seed}"
        assert all(fits(o, ops[p]) for o, p in zip(operators, matched, strict=True) if p is not None), f"seed {seed}"
