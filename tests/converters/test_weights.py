"""Kernels are read out of flatbuffers whatever a converter did to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfkit.converters import flatbuffer as fb
from tfkit.converters.declared import declared_layers
from tfkit.converters.resemblance import similarity
from tfkit.converters.sparse import densify
from tfkit.converters.weights import named_like, real, unpack_bits, weight_ops


def test_do_unpack_bits_as_the_format_says() -> None:
    """Bit 1 is -1, the lowest bit of the first word is channel 0."""
    words = np.array([[0b101, 1 << 3]], np.int32)
    signs = unpack_bits(words, 40)
    assert signs.shape == (1, 40)
    assert np.flatnonzero(signs[0] == -1).tolist() == [0, 2, 35]
    assert unpack_bits(np.array([[-1]], np.int32), 32).tolist() == [[-1.0] * 32]


@pytest.mark.parametrize("kind", ["float", "int8", "binary", "mixed", "sparse"])
def test_do_find_every_kernel(kind: str, request: pytest.FixtureRequest) -> None:
    """Each Keras kernel is the best match of exactly the op that computes its layer."""
    models = {"int8": "float_model", "float": "float_model", "binary": "binary_model", "mixed": "aware_binary_model"}
    if kind == "sparse":
        from helpers.conversion import pruned_cnn

        model = pruned_cnn()
    else:
        model = request.getfixturevalue(models[kind])
    conversion = request.getfixturevalue(f"{kind}_conversion")
    ops = weight_ops(fb.parse(conversion.flatbuffer).main)
    declared = declared_layers(model)
    assert len(ops) == len(declared)
    for n, layer in enumerate(declared):  # these models are chains: layers and ops stand in the same order
        scores = [similarity(layer.kernels[0], op.kernel) for op in ops]
        assert int(np.argmax(scores)) == n, (layer.name, scores)
        assert scores[n] > 0.999


def test_do_densify_as_tflite_does(sparse_conversion: Any) -> None:
    """The oracle is TFLite's own DENSIFY kernel, which tfkit's delegate would spare."""
    from tfkit.runtime import backends

    graph = fb.parse(sparse_conversion.flatbuffer).main
    module = backends.load("litert")
    interpreter = module.Interpreter(
        model_content=sparse_conversion.flatbuffer,
        experimental_op_resolver_type=backends.resolver(module, "reference", True),
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    interpreter.invoke()
    seen = 0
    for op in graph.ops:
        if op.name == "DENSIFY":
            stored = graph.tensors[op.inputs[0]]
            np.testing.assert_array_equal(real(stored), interpreter.get_tensor(op.outputs[0]))
            seen += 1
    assert seen >= 3


def test_do_densify_blocks() -> None:
    """A 4x4 matrix in 1x2 blocks of which two are stored, against the schema's own description."""
    from tfkit.converters.graph import SparseDim, Sparsity

    sparsity = Sparsity(
        traversal_order=(0, 1, 2),
        block_map=(1,),
        dims=(
            SparseDim(4),
            SparseDim(0, np.array([0, 1, 1, 2, 2]), np.array([1, 0])),
            SparseDim(2),
        ),
    )
    dense = densify(np.array([1.0, 2.0, 3.0, 4.0]), (4, 4), sparsity)
    assert dense.tolist() == [[0, 0, 1, 2], [0, 0, 0, 0], [3, 4, 0, 0], [0, 0, 0, 0]]


def test_do_name_only_whole_parts() -> None:
    assert named_like(["model/stem/Conv2D"], "stem") == 2
    assert named_like(["model/norm/x;model/stem/Conv2D"], "stem") == 2
    assert named_like(["model/stem_2/Conv2D"], "stem") == 0
    assert named_like(["model/long_layer_na"], "long_layer_name") == 1
