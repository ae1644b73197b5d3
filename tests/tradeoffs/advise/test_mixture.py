from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfkit import layers as quantized
from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import legacy_keras
from tfkit.tradeoffs.advise.mixture import layers_of, mixed

keras = legacy_keras()
layers = keras.layers


def network() -> Any:
    """A stem, a ReLU for one reader, a ReLU for two, a grouped convolution, a head."""
    keras.utils.set_random_seed(2)
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(16, 3, padding="same", name="stem")(x)
    x = layers.ReLU(name="own")(layers.BatchNormalization(name="norm")(x))
    x = layers.Conv2D(16, 3, padding="same", name="alone")(x)
    shared = layers.ReLU(name="shared")(x)
    a = layers.Conv2D(16, 1, name="left")(shared)
    b = layers.Conv2D(16, 1, activation="relu", name="right")(shared)
    x = layers.Conv2D(16, 3, groups=2, padding="same", name="grouped")(layers.Add()([a, b]))
    x = layers.Dense(8, name="hidden")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(4, name="head")(x))


@pytest.fixture(scope="module")
def model() -> Any:
    return network()


def test_all_but_the_first_and_the_last_kernel_may_be_chosen(model: Any) -> None:
    found = {layer.name: set(layer.refused) for layer in layers_of(model)}
    assert found == {
        "alone": set(),  # its ReLU goes, so that the sign sees the normalization
        "left": {"binary"},
        "right": {"binary"},
        "grouped": {"few-bit", "binary"},
        "hidden": set(),
    }
    (left,) = (layer for layer in layers_of(model) if layer.name == "left")
    assert "never negative, and that other layers read too: all signs are +1" in left.refused["binary"]


def test_layers_get_the_quantizers_of_their_precision_and_keep_their_weights(model: Any) -> None:
    copy = mixed(model, {"alone": "binary", "left": "few-bit", "hidden": "few-bit"})
    kinds = {layer.name: type(layer) for layer in copy.layers}
    assert [kinds[n] for n in ("alone", "left", "hidden")] == [quantized.QuantConv2D] * 2 + [quantized.QuantDense]
    assert [kinds[n] for n in ("stem", "right", "head")] == [layers.Conv2D, layers.Conv2D, layers.Dense]
    assert kinds["own"] is layers.Activation  # only the sign read it
    assert kinds["shared"] is layers.ReLU  # "right" reads it too
    for name in ("stem", "alone", "left", "hidden"):
        kernel = copy.get_layer(name).kernel
        np.testing.assert_array_equal(
            getattr(kernel, "latent_variable", kernel).numpy(), model.get_layer(name).kernel.numpy()
        )
    assert copy.get_layer("alone").kernel_quantizer.precision == 1
    assert copy.get_layer("left").kernel_quantizer.precision == 2
    assert copy(np.zeros((2, 8, 8, 3), np.float32)).shape == (2, 4)


def test_no_choice_is_the_model_itself(model: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(mixed(model, {})(x), model(x), rtol=1e-6)


def test_what_cannot_be_chosen(model: Any) -> None:
    with pytest.raises(UsageError, match="has no float convolution or dense layer 'nope'"):
        mixed(model, {"nope": "binary"})
    inputs = keras.Input((4,))
    small = keras.Model(inputs, layers.Dense(2)(layers.Dense(3)(inputs)), name="small")
    with pytest.raises(UnsupportedError, match="'small' has 2 float convolutions and dense layers"):
        layers_of(small)

    class Own(keras.Model):  # type: ignore[misc,name-defined]
        pass

    with pytest.raises(UnsupportedError, match="no functional or sequential tf_keras model"):
        layers_of(Own(name="own"))
