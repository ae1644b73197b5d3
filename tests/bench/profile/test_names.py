"""Layers behind tensors, in the spellings of both converters."""

from __future__ import annotations

import pytest

from tfkit.bench.profile.names import layer_names
from tfkit.converters.graph import Graph, Op, Tensor


def tensor(name: str) -> Tensor:
    return Tensor(name, "FLOAT32", (1,), (1,), None, None, False, None, 0)


def op(name: str, *inputs: int, output: int) -> Op:
    return Op(name, name.startswith("Lce"), 1, inputs, (output,))


def names(tensors: list[str], *ops: Op) -> list[str]:
    return layer_names(Graph("main", tuple(map(tensor, tensors)), ops, (0,), (len(tensors) - 1,)))


@pytest.mark.parametrize(
    ("kernel", "output", "layer"),
    [
        ("net/stem/Conv2D", "net/stem_bn/FusedBatchNormV3;net/stem/1", "stem"),
        ("arith.constant", "net/relu/Relu;net/stem_bn/FusedBatchNormV3;net/stem/Conv2D1", "stem"),
        ("arith.constant", "net/body_bn/FusedBatchNormV3;net/bo", "body_bn"),  # cut off before the convolution
        ("net/quant_stem/Conv2D;net/quant_stem/LastValueQuant/FakeQuant", "net/x/y", "stem"),
        ("net/block/conv/Conv2D", "net/block/conv/BiasAdd", "block/conv"),  # a model in a model
        ("arith.constant", "net/a/depthwise/depthwise;;net/a_pad/Pad1", "a/depthwise"),
        ("arith.constant", "StatefulPartitionedCall:0", "StatefulPartitionedCall:0"),
        ("arith.constant", "logits", "logits"),
    ],
)
def test_a_convolution(kernel: str, output: str, layer: str) -> None:
    # Two more ops, so that "net/" is what most names begin with.
    rest = [op("ADD", 2, 2, output=3), op("ADD", 3, 3, output=4)]
    found = names(["in", kernel, output, "net/add/add", "net/add_1/add"], op("CONV_2D", 0, 1, output=2), *rest)
    assert found == [layer, "add", "add_1"]


def test_a_binary_convolution_whose_name_was_cut_off_is_found_by_its_quantizer() -> None:
    quantized = "net/block1a/ste_sign_1/Sign_1;net/bloc"
    found = names(
        ["in", quantized, "arith.constant3", "net/block1a_bn/FusedBatchNormV3;net/bl", "net/block1a_add/add"],
        op("LceQuantize", 0, output=1),
        op("LceBconv2d", 1, 2, output=3),
        op("ADD", 3, 0, output=4),
    )
    assert found == ["block1a", "block1a", "block1a_add"]


def test_names_without_a_model_in_front() -> None:
    assert names(["in", "w", "relu"], op("FULLY_CONNECTED", 0, 1, output=2)) == ["relu"]
    assert names([]) == []
