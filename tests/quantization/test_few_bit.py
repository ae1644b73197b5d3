"""``quantize_layers``: which layers get the quantizers, what else changes, and that nothing else does."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras
from tfkit import models
from tfkit._errors import UsageError
from tfkit._larq import larq
from tfkit.layers import QuantConv2D, QuantDense, kernel_quantizers
from tfkit.metadata import metadata_of
from tfkit.quantization import quantize_layers
from tfkit.quantizers import LSQWeights, TernaryWeights

SEED = 51


def chain(*between: Any) -> Any:
    """A float network with one layer between two convolutions and the dense ones; weights that are no zeros."""
    keras.utils.set_random_seed(SEED)
    return keras.Sequential(
        [
            keras.layers.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, name="first"),
            *between,
            keras.layers.Conv2D(6, 3, bias_initializer="random_normal", name="middle"),
            keras.layers.Flatten(),
            keras.layers.Dense(5, name="hidden"),
            keras.layers.Dense(2, name="last"),
        ],
        name="chain",
    )


def quantized(model: Any) -> list[str]:
    return [layer.name for layer in model.layers if kernel_quantizers(layer) or getattr(layer, "input_quantizer", None)]


def test_all_kernels_but_the_first_and_the_last() -> None:
    model = chain(keras.layers.ReLU())
    found = quantize_layers(model, "lsq_w3", "lsq_a3")
    assert quantized(found) == ["middle", "hidden"]
    assert isinstance(found.get_layer("middle"), QuantConv2D)
    assert isinstance(found.get_layer("hidden"), QuantDense)
    assert found.output_shape == model.output_shape
    assert metadata_of(found).scheme == "quantized"
    assert metadata_of(found).extra == {"kernel_quantizer": "lsq_w3", "input_quantizer": "lsq_a3"}


def test_weights_are_kept_and_learned_scales_begin_at_them() -> None:
    model = chain(keras.layers.ReLU())
    found = quantize_layers(model, "lsq_w3")
    for name in ("first", "middle", "hidden", "last"):
        kernel = getattr(found.get_layer(name).kernel, "latent_variable", found.get_layer(name).kernel)
        np.testing.assert_array_equal(kernel, model.get_layer(name).kernel)
        np.testing.assert_array_equal(found.get_layer(name).bias, model.get_layer(name).bias)
    kernel = model.get_layer("middle").kernel.numpy()
    step = found.get_layer("middle").kernel_quantizer.step
    np.testing.assert_allclose(step, 2 * np.abs(kernel).mean() / np.sqrt(3), rtol=1e-5)


def test_it_computes_the_float_network_on_quantized_values() -> None:
    model = chain(keras.layers.ReLU())
    found = quantize_layers(model, "twn", "dorefa_a2")
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(4, 8, 8, 3)).astype(np.float32)
    for name in ("middle", "hidden"):
        model.get_layer(name).kernel.assign(TernaryWeights()(model.get_layer(name).kernel))
    y = model.get_layer("first")(x)
    y = model.get_layer("middle")(np.round(np.clip(y, 0, 1) * 3) / 3)
    y = model.get_layer("hidden")(keras.layers.Flatten()(np.round(np.clip(y, 0, 1) * 3) / 3))
    np.testing.assert_allclose(found(x), model.get_layer("last")(y), rtol=1e-4, atol=1e-5, err_msg=f"seed {SEED}")


def test_quantizers_take_the_place_of_relus() -> None:
    between = [keras.layers.ReLU(name="relu"), keras.layers.MaxPooling2D(name="pool")]
    x = np.random.default_rng(SEED).normal(size=(8, 8, 8, 3)).astype(np.float32)
    found = quantize_layers(chain(*between), "ste_sign", "ste_sign")
    read = keras.Model(found.input, found.get_layer("pool").output)(x).numpy()
    assert (read < 0).any(), "signs of a ReLU tell nothing"
    inside = quantize_layers(chain(keras.layers.Conv2D(4, 1, activation="relu", name="own")), "lsq_w2", "lsq_a2")
    assert inside.get_layer("own").activation is keras.activations.linear
    weights_only = quantize_layers(chain(*between), "ste_sign")
    assert isinstance(weights_only.get_layer("relu"), keras.layers.ReLU)


def test_relus_that_others_read_stay() -> None:
    i = keras.layers.Input((6, 6, 4))
    x = keras.layers.ReLU(name="shared")(keras.layers.Conv2D(4, 3, padding="same")(i))
    y = keras.layers.Add()([x, keras.layers.Conv2D(4, 3, padding="same", name="middle")(x)])
    model = keras.Model(i, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(y)), name="residual")
    assert isinstance(quantize_layers(model, "lsq_w2", "lsq_a2").get_layer("shared"), keras.layers.ReLU)
    for sign in ("ste_sign", "xnor_activations"):
        with pytest.raises(UsageError, match=r"the sign of 'shared' \(ReLU\), a ReLU that other layers read too"):
            quantize_layers(model, "ste_sign", sign)


def test_quantized_layers_get_other_quantizers_and_only_they() -> None:
    binary = models.build("small_cnn", scheme="binary")
    found = models.build("small_cnn", kernel_quantizer="lsq_w2", input_quantizer="lsq_a2")
    assert quantized(found) == quantized(binary) == ["block1a", "block1b", "block2a", "block2b"]
    layer = found.get_layer("block1a")
    assert (layer.pad_values, layer.kernel_constraint) == (0.0, None)
    again = quantize_layers(found, "bnn", "bnn").get_layer("block1a")
    assert again.pad_values == 1.0
    assert isinstance(again.kernel_constraint, larq.constraints.WeightClip)


def test_networks_of_the_zoo() -> None:
    dense = models.build("densenet_bc_10_12", input_shape=(16, 16, 3), kernel_quantizer="bnn", input_quantizer="bnn")
    assert len(quantized(dense)) == 8
    assert [layer.name for layer in dense.layers if isinstance(layer, keras.layers.ReLU)] == ["last_relu"]
    wide = models.build("wrn_10_1", input_shape=(16, 16, 3), input_quantizer="dorefa_a2")
    assert quantized(wide)
    assert not any(kernel_quantizers(layer) for layer in wide.layers)


def test_a_quantizer_is_copied_for_every_layer() -> None:
    found = quantize_layers(chain(), LSQWeights(4))
    first, second = (found.get_layer(name).kernel_quantizer for name in ("middle", "hidden"))
    assert first is not second
    assert (first.precision, second.precision) == (4, 4)
    assert metadata_of(found).extra == {"kernel_quantizer": "LSQWeights"}


def test_files_keep_it(tmp_path: Path) -> None:
    found = models.build("small_cnn", kernel_quantizer="lq_w2", input_quantizer="lq_a2", seed=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tfkit.save(found, tmp_path / "m.keras")
        copy = tfkit.load(tmp_path / "m.keras")
    x = np.random.default_rng(SEED).uniform(size=(3, 8, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(copy(x), found(x))
    assert metadata_of(copy) == metadata_of(found)


def test_wrong_use() -> None:
    with pytest.raises(UsageError, match="needs a kernel_quantizer, an input_quantizer or both"):
        quantize_layers(chain())
    with pytest.raises(UsageError, match=r"LSQActivations is made for activations .* use 'lsq_w2'"):
        quantize_layers(chain(), "lsq_a2")
    with pytest.raises(UsageError, match="unknown quantizer 'lsq_w9'"):
        models.build("small_cnn", kernel_quantizer="lsq_w9")
    with pytest.raises(UsageError, match="scheme int8 has quantizers of its own; give float32 with yours"):
        models.build("small_cnn", scheme="int8", kernel_quantizer="lsq_w2")
    two = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)], name="two")
    with pytest.raises(UsageError, match=r"'two' has 2 convolutions and dense layers, of which the first and the last"):
        quantize_layers(two, "lsq_w2")
    with pytest.raises(UsageError, match="neither functional nor sequential"):
        quantize_layers(keras.Sequential(), "lsq_w2")
