from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from tfkit import models
from tfkit._errors import UnsupportedError
from tfkit.counting import count
from tfkit.layers import QuantConv2D, QuantDense
from tfkit.pruning import prune, strip
from tfkit.quantization import quantize_aware

layers = keras.layers


@pytest.mark.parametrize(
    ("layer", "macs", "params"),
    [
        # output pixels · kernel · input channels (per group) · filters, by hand
        (layers.Conv2D(6, 3), 6 * 8 * 9 * 4 * 6, 9 * 4 * 6 + 6),
        (layers.Conv2D(6, 3, 2, padding="same"), 4 * 5 * 9 * 4 * 6, 9 * 4 * 6 + 6),
        (layers.Conv2D(6, 3, groups=2), 6 * 8 * 9 * 2 * 6, 9 * 2 * 6 + 6),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 6 * 8 * 9 * 8, 9 * 8 + 8),
        (layers.SeparableConv2D(6, 3), 6 * 8 * (9 * 4 + 4 * 6), 9 * 4 + 4 * 6 + 6),
        (layers.Conv2DTranspose(6, 3, 2), 8 * 10 * 9 * 4 * 6, 9 * 4 * 6 + 6),
        (layers.Conv2DTranspose(6, 3, 2, padding="same"), 8 * 10 * 9 * 4 * 6, 9 * 4 * 6 + 6),
        (layers.DepthwiseConv2D(3, 2, padding="same"), 4 * 5 * 9 * 4, 9 * 4 + 4),
        (layers.SeparableConv2D(6, 3, depth_multiplier=2), 6 * 8 * (9 * 8 + 8 * 6), 9 * 8 + 8 * 6 + 6),
        (layers.LocallyConnected2D(6, 3), 6 * 8 * 9 * 4 * 6, 6 * 8 * (9 * 4 * 6 + 6)),
        (layers.Dense(5), 8 * 10 * 4 * 5, 4 * 5 + 5),
        (layers.BatchNormalization(), 0, 16),
        (layers.MaxPooling2D(), 0, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_against_hand_counts(layer: Any, macs: int, params: int) -> None:
    model = keras.Sequential([layers.Input((8, 10, 4)), layer])
    found = count(model)
    assert (found.macs, found.params) == (macs, params)
    assert model.count_params() == params


def test_precisions() -> None:
    binary = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    model = keras.Sequential(
        [
            layers.Input((8, 8, 32)),
            layers.Conv2D(32, 1),
            QuantConv2D(32, 3, **binary, use_bias=False),
            layers.BatchNormalization(),
        ]
    )
    assert count(model).macs_by_precision == {"float32": 64 * 1024, "binary": 36 * 9 * 1024}
    assert count(quantize_aware(model)).macs_by_precision == {"int8": 64 * 1024, "binary": 36 * 9 * 1024}


def test_wrappers_do_not_count() -> None:
    model = models.build("small_cnn")
    for wrapped in (prune(model), quantize_aware(model)):
        assert count(wrapped).macs == count(model).macs
    assert count(prune(model)).params == count(model).params


def test_open_shapes_are_refused() -> None:
    model = keras.Sequential([layers.Input((None, None, 3)), layers.Conv2D(1, 1)])
    with pytest.raises(UnsupportedError, match=r"open shape.*fixed input shape"):
        count(model)


@pytest.mark.parametrize(
    ("shape", "layer", "macs"),
    [
        ((9, 4), layers.Conv1D(6, 3, 2), 4 * 3 * 4 * 6),
        ((9, 4), layers.SeparableConv1D(6, 3), 7 * (3 * 4 + 4 * 6)),
        ((9, 4), layers.DepthwiseConv1D(3), 7 * 3 * 4),
        ((9, 4), layers.Conv1DTranspose(6, 3), 9 * 3 * 4 * 6),
        ((5, 6, 7, 4), layers.Conv3D(6, 3), 3 * 4 * 5 * 27 * 4 * 6),
        ((5, 6, 7, 4), layers.Conv3DTranspose(6, 3), 5 * 6 * 7 * 27 * 4 * 6),
        ((4, 8, 10), layers.Conv2D(6, 3, groups=2, data_format="channels_first"), 6 * 8 * 9 * 2 * 6),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_other_ranks_and_layouts(shape: tuple[int, ...], layer: Any, macs: int) -> None:
    assert count(keras.Sequential([layers.Input(shape), layer])).macs == macs


def test_a_binary_separable_convolution_is_half_binary() -> None:
    import larq

    layer = larq.layers.QuantSeparableConv2D(
        6, 3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign", pointwise_quantizer="ste_sign", use_bias=False
    )
    found = count(keras.Sequential([layers.Input((8, 10, 4)), layer]))
    assert found.macs_by_precision == {"binary": 6 * 8 * 9 * 4, "float32": 6 * 8 * 4 * 6}
    assert found.params_by_precision == {"binary": 9 * 4 + 4 * 6}


def residual() -> Any:
    """Input -> convolution, normalization, ReLU -> (binary convolution -> normalization) + -> pooling -> dense."""
    inputs = layers.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="bn")(x))
    y = QuantConv2D(4, 3, padding="same", input_quantizer="ste_sign", kernel_quantizer="ste_sign", name="binary")(x)
    x = layers.Add(name="add")([x, layers.BatchNormalization(name="bn2")(y)])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(5, name="logits")(x))


def test_memory_by_hand() -> None:
    found = count(residual())
    # stem (with its normalization and ReLU), binary (with its normalization), add, pool, logits
    assert found.activations == 3 * 8 * 8 * 4 + 4 + 5
    assert found.activation_bytes == 4 * found.activations
    assert found.memory == found.params + found.activations
    assert found.flops == 2 * found.macs
    # While the addition runs: both terms and the sum; the image (8·8·3) is gone.
    assert found.peak_activation_bytes == 4 * 3 * 8 * 8 * 4
    assert found.params_by_precision == {"binary": 144, "float32": 108 + 16 + 4 + 16 + 25}
    assert found.weight_bytes == 144 // 8 + 4 * (108 + 16 + 4 + 16 + 25)


def test_maps_that_only_signs_read_are_bits() -> None:
    binary = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
    model = keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(32, 3, padding="same", name="stem"),
            layers.BatchNormalization(),
            QuantConv2D(32, 3, padding="same", **binary, name="binary"),
            layers.MaxPooling2D(name="pool"),
        ]
    )
    by_name = {layer.name: layer for layer in count(model).layers}
    assert by_name["stem"].activation_bytes == 8 * 8 * 32 // 8
    assert by_name["binary"].activation_bytes == 8 * 8 * 32 * 4
    assert by_name["pool"].activation_bytes == 4 * 4 * 32 * 4


def test_what_others_read_is_neither_changed_in_place_nor_kept_as_bits() -> None:
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    normalized = layers.BatchNormalization(name="norm")(x)
    both = layers.Add(name="add")([x, normalized])
    signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    binary = QuantConv2D(4, 3, padding="same", name="binary", **signs)(both)
    by_name = {layer.name: layer for layer in count(keras.Model(inputs, [both, binary])).layers}
    for name in ("stem", "norm", "add", "binary"):
        assert (by_name[name].activations, by_name[name].activation_bytes) == (8 * 8 * 4, 8 * 8 * 4 * 4), name


def test_int8_models_store_bytes() -> None:
    model = models.build("small_cnn")
    floats, aware = count(model), count(quantize_aware(model))
    assert aware.params == floats.params
    kernels = sum(weight.shape.num_elements() for weight in model.weights if "kernel" in weight.name)
    assert aware.params_by_precision["int8"] == kernels
    assert aware.params_by_precision["int32"] == 10  # the biases of the logits
    assert 4 * aware.activation_bytes == floats.activation_bytes
    assert 4 * aware.peak_activation_bytes == floats.peak_activation_bytes


def test_models_in_models_and_layers_used_twice() -> None:
    block = keras.Sequential([layers.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same", name="conv")], name="block")
    inputs = layers.Input((8, 8, 4))
    twice = layers.Conv2D(4, 1, name="twice")
    x = twice(twice(block(inputs)))
    found = count(keras.Model(inputs, layers.Add()([x, block(x)])))
    by_name = {layer.name: layer for layer in found.layers}
    assert by_name["block/conv"].macs == 2 * 64 * 9 * 16
    assert by_name["block/conv"].params == 9 * 16 + 4
    assert by_name["twice"].macs == 2 * 64 * 16
    assert by_name["twice"].params == 16 + 4
    assert by_name["block/conv"].activations == 2 * 64 * 4


def test_pruned_parameters() -> None:
    model = prune(models.build("small_cnn"), 0.5, end_step=1)
    stripped = strip(model)
    kernel = stripped.get_layer("block1a").kernel
    values = kernel.numpy()
    values[:, :, : values.shape[2] // 2] = 0
    kernel.assign(values)
    found = {layer.name: layer for layer in count(stripped).layers}["block1a"]
    assert (found.params, found.nonzero_params) == (values.size, values.size // 2)
    assert count(models.build("small_cnn")).nonzero_params == 96_298


def test_what_is_left_without_zeros() -> None:
    """By hand: a quarter of the weights of a 3x3 kernel, two of four filters, half of a separable convolution."""
    model = keras.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(4, 3, use_bias=False, name="conv"),
            layers.DepthwiseConv2D(1, depth_multiplier=2, use_bias=False, name="depthwise"),
            layers.SeparableConv2D(3, 1, use_bias=False, name="separable"),
            layers.Conv2DTranspose(5, 1, use_bias=False, name="transposed"),
        ]
    )
    for layer in model.layers:
        layer.set_weights([np.ones(weight.shape) for weight in layer.weights])
    kernel = np.ones((3, 3, 2, 4))
    kernel[..., :2] = 0  # two filters
    kernel[:, :, 0, 2:] = 0  # and half of the others
    model.get_layer("conv").set_weights([kernel])
    kernel = np.ones((1, 1, 4, 2))
    kernel[..., 3, 1] = 0
    model.get_layer("depthwise").set_weights([kernel])
    model.get_layer("separable").set_weights([np.zeros((1, 1, 8, 1)), np.ones((1, 1, 8, 3))])
    kernel = np.ones((1, 1, 5, 3))
    kernel[:, :, 0] = 0
    model.get_layer("transposed").set_weights([kernel])
    found = count(model)
    by_name = {layer.name: layer for layer in found.layers}
    assert (by_name["conv"].nonzero_macs, by_name["conv"].nonzero_activations) == (16 * 18, 16 * 2)
    assert (by_name["depthwise"].nonzero_macs, by_name["depthwise"].nonzero_activations) == (16 * 7, 16 * 7)
    assert (by_name["separable"].nonzero_macs, by_name["separable"].nonzero_activations) == (16 * 24, 16 * 3)
    assert (by_name["transposed"].nonzero_macs, by_name["transposed"].nonzero_activations) == (16 * 12, 16 * 4)
    assert found.nonzero_flops == 2 * 16 * (18 + 7 + 24 + 12)
    assert found.nonzero_memory == 18 + 7 + 24 + 12 + 16 * (2 + 7 + 3 + 4)
    assert found.to_json()["nonzero_macs"] == found.nonzero_macs
    assert f"without zeros: {found.nonzero_macs:,} MACs" in found.table()
    dense = count(models.build("small_cnn"))
    assert (dense.nonzero_macs, dense.nonzero_activations) == (dense.macs, dense.activations)
    assert "without zeros" not in dense.table()


def test_people_and_programs_read_it() -> None:
    found = count(residual())
    lines = found.table().splitlines()
    assert lines[0].split()[:4] == ["layer", "kind", "precision", "params"]
    assert lines[-2].split()[0] == "total"
    assert lines[-2].split()[1] == f"{found.params:,}"
    assert f"{64 * 9 * 16:,} binary" in lines[-1]
    document = json.loads(json.dumps(found.to_json()))
    assert document["macs"] == found.macs
    assert document["memory"] == document["params"] + document["activations"]
    assert [layer["name"] for layer in document["layers"]] == [layer.name for layer in found.layers]


def test_unknown_operations_are_named() -> None:
    model = keras.Sequential([layers.Input((8, 4)), layers.LSTM(3, name="memory")])
    assert count(model).uncounted == ("memory",)
    assert "not counted: memory" in count(model).table()


def test_subclassed_models_are_refused() -> None:
    class Own(keras.Model):  # type: ignore[name-defined, misc]
        pass

    for model in (Own(), keras.Sequential([layers.Dense(3)])):
        with pytest.raises(UnsupportedError, match=r"subclassed or not built.*Input layer"):
            count(model)


def test_binary_dense() -> None:
    layer = QuantDense(5, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False)
    found = count(keras.Sequential([layers.Input((7,)), layer]))
    assert found.macs_by_precision == {"binary": 35}
    assert found.weight_bytes == 5  # 35 bits
    assert found.nonzero_params == 35
