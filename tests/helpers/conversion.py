"""Tiny models for the converters' tests, and independent looks at what came out."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.converters import flatbuffer as fb

keras = legacy_keras()
layers = keras.layers

import larq  # noqa: E402  (dies when TensorFlow has chosen Keras 3)

SEED = 7
SIDE = 12
BINARY: dict[str, Any] = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}


def rng(seed: int = SEED) -> np.random.Generator:
    return np.random.default_rng(seed)


def images(count: int = 16, channels: int = 3, seed: int = SEED) -> np.ndarray:
    return rng(seed).random((count, SIDE, SIDE, channels)).astype(np.float32)


def randomize_norms(model: Any, seed: int = SEED) -> Any:
    """Batch normalizations as after training: nothing is exactly zero or one."""
    generator = rng(seed)
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, layers.BatchNormalization):
            n = layer.gamma.shape[0]
            gamma, beta = generator.normal(1, 0.2, n), generator.normal(0, 0.3, n)
            layer.set_weights([gamma, beta, generator.normal(0, 1, n), generator.uniform(0.5, 2, n)])
    return model


def float_cnn() -> Any:
    """Convolutions of each kind, a residual add and a reshape, which a free batch would make dynamic."""
    keras.utils.set_random_seed(SEED)
    i = layers.Input((SIDE, SIDE, 3), name="image")
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem")(i)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    y = layers.Conv2D(16, 1, name="pointwise")(y)
    x = layers.Add(name="sum")([x, y])
    x = layers.Reshape((6 * 6, 16), name="rows")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(40, activation="relu", name="hidden")(x)
    model = randomize_norms(keras.Model(i, layers.Dense(5, name="scores")(x), name="float_cnn"))
    for name in ("depthwise", "pointwise", "hidden", "scores"):
        kernel, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([kernel, rng().normal(0, 0.1, bias.shape)])
    return model


def binary_cnn(blocks: int = 2, pad_values: float = 1.0, fresh_norms: bool = False) -> Any:
    """A stem, residual binary blocks, a head."""
    keras.utils.set_random_seed(SEED)
    i = layers.Input((SIDE, SIDE, 3), name="image")
    x = layers.Conv2D(32, 3, padding="same", use_bias=False, name="stem")(i)
    x = layers.BatchNormalization(name="stem_norm")(x)
    for n in range(blocks):
        y = larq.layers.QuantConv2D(
            32, 3, padding="same", pad_values=pad_values, kernel_constraint="weight_clip", name=f"bits{n}", **BINARY
        )(x)
        y = layers.BatchNormalization(name=f"bits{n}_norm")(y)
        x = layers.Add(name=f"sum{n}")([x, y])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(i, layers.Dense(5, name="scores")(x), name="binary_cnn")
    return model if fresh_norms else randomize_norms(model)


def six_fallbacks() -> Any:
    """One binary layer of each kind that has no binary op, and two that have, one of them after a rewrite."""
    keras.utils.set_random_seed(SEED)
    sign: dict[str, Any] = {"input_quantizer": "ste_sign"}
    i = layers.Input((SIDE, SIDE, 64), name="image")
    x = larq.layers.QuantConv2D(64, 3, padding="same", pad_values=1, groups=4, name="grouped", **BINARY)(i)
    x = larq.layers.QuantConv2D(
        64, 3, padding="same", pad_values=1, kernel_quantizer="ste_tern", name="ternary", **sign
    )(x)
    x = larq.layers.QuantDepthwiseConv2D(3, depthwise_quantizer="ste_sign", name="depthwise", **sign)(x)
    x = larq.layers.QuantSeparableConv2D(
        64, 3, depthwise_quantizer="ste_sign", pointwise_quantizer="ste_sign", name="separable", **sign
    )(x)
    x = larq.layers.QuantConv2DTranspose(32, 3, kernel_quantizer="ste_sign", name="transposed", **sign)(x)
    x = larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1, name="good", **BINARY)(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = larq.layers.QuantDense(40, name="dense", **BINARY)(x)
    return keras.Model(i, larq.layers.QuantDense(5, kernel_quantizer="ste_sign", name="half")(x), name="six_fallbacks")


def pruned_cnn(share: float = 0.8) -> Any:
    """``float_cnn`` with exact zeros in the kernels of its convolutions and dense layers."""
    model = float_cnn()
    generator = rng()
    for name in ("stem", "pointwise", "hidden", "scores"):
        layer = model.get_layer(name)
        kernel, *rest = layer.get_weights()
        layer.set_weights([kernel * (generator.random(kernel.shape) >= share), *rest])
    return model


def op_names(flatbuffer: bytes) -> list[str]:
    return [op.name for op in fb.parse(flatbuffer).main.ops]


def xnnpack_partitions(flatbuffer: bytes) -> tuple[int, int]:
    """(delegate nodes, ops outside of them) in LiteRT with its default delegate, from the interpreter itself.

    A delegated op keeps its place in the list of ops; what tells it apart is that some delegate node's subset
    computes its outputs. With one delegate node from all graph inputs to all graph outputs nothing is outside.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=flatbuffer)
    interpreter.allocate_tensors()
    ops = interpreter._get_ops_details()
    delegates = [op for op in ops if op["op_name"] == "DELEGATE"]
    ends_in = {d["index"] for d in interpreter.get_input_details()}
    ends_out = {d["index"] for d in interpreter.get_output_details()}
    covers = len(delegates) == 1 and ends_in <= set(delegates[0]["inputs"]) and ends_out == set(delegates[0]["outputs"])
    return len(delegates), 0 if covers else 1
