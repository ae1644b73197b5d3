"""Residual blocks, whose sums the delegate runs behind the binary convolutions, against LCE's interpreter."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.lce_graph import Convolution, LceGraph, packed_words
from helpers.lce_runtimes import DelegatedInterpreter, assert_same_bits

SEED = 31
SIZE, CHANNELS, BLOCKS = 9, 72, 3
IMAGE = (1, SIZE, SIZE, CHANNELS)


def residual_network(activation: str = "NONE", kernel: tuple[int, int] = (3, 3)) -> bytes:
    """Each block adds the binary convolution of its input's signs; the last sum has the activation."""
    graph = LceGraph()
    source = image = graph.tensor("float32", IMAGE)
    for block in range(BLOCKS):
        signs = graph.tensor("int32", (*IMAGE[:-1], packed_words(CHANNELS)))
        graph.custom("LceQuantize", [image], [signs])
        convolved = Convolution(
            SIZE, SIZE, CHANNELS, CHANNELS, kernel=kernel, pad_values=block % 2, seed=SEED + block
        ).append_to(graph, signs)
        total = graph.tensor("float32", IMAGE)
        # Either order, as converters write both.
        inputs = (image, convolved) if block % 2 else (convolved, image)
        graph.add(*inputs, total, activation if block == BLOCKS - 1 else "NONE")
        image = total
    return graph.serialize([source], [image])


def image() -> np.ndarray:
    """Among ordinary numbers all other kinds but subnormal ones, which LCE's interpreter takes for zero."""
    values = np.random.default_rng(SEED).standard_normal(IMAGE).astype(np.float32)
    for i, special in enumerate([0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38]):
        values.flat[i::97] = special
    return values


def lce(flatbuffer: bytes, values: np.ndarray) -> np.ndarray:
    """LCE's reference convolutions and XNNPACK's sums."""
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    got: np.ndarray = Interpreter(flatbuffer, use_reference_bconv=True, use_xnnpack=True).predict([values])
    return got


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("kernel", ["", "reference", "portable"])
@pytest.mark.parametrize("size", [1, 3])
def test_residual_blocks_give_lces_bits(size: int, kernel: str, threads: str) -> None:
    flatbuffer, values = residual_network(kernel=(size, size)), image()
    options = {"num_threads": threads} | ({"kernel": kernel} if kernel else {})
    interpreter = DelegatedInterpreter(flatbuffer, options=options)
    assert [node["op"] for node in interpreter.report()] == ["LceQuantize", "LceBconv2d", "ADD"] * BLOCKS
    for _ in range(3):
        (got,) = interpreter.run([values])
        assert_same_bits(lce(flatbuffer, values), got, f"kernel {kernel}, threads {threads}, seed {SEED}")


@pytest.mark.parametrize("activation", ["RELU", "RELU6"])
def test_an_activation_stays_with_the_runtime(activation: str) -> None:
    flatbuffer = residual_network(activation)
    values = np.random.default_rng(SEED).standard_normal(IMAGE).astype(np.float32)
    interpreter = DelegatedInterpreter(flatbuffer)
    assert [node["op"] for node in interpreter.report()].count("ADD") == BLOCKS - 1
    (got,) = interpreter.run([values])
    assert_same_bits(lce(flatbuffer, values), got, f"seed {SEED}")


def test_blocks_follow_a_resize() -> None:
    flatbuffer = residual_network()
    interpreter = DelegatedInterpreter(flatbuffer, options={"num_threads": "2"})
    interpreter.resize((3, *IMAGE[1:]))
    values = np.concatenate([image(), -image(), image()[:, ::-1]])
    (got,) = interpreter.run([values])
    for one, result in zip(values, got, strict=True):
        assert_same_bits(lce(flatbuffer, one[None]), result[None], f"seed {SEED}")
