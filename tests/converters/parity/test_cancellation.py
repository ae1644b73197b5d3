"""Channels that never varied in training: scale and offset are large there, cancel, and leave float roundings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.conversion import SIDE, images, keras, layers
from tfkit.converters.parity.bounds import cancellation_bound
from tfkit.layers import QuantConv2D

CHANNELS = 64
SIGNS: dict[str, Any] = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def silent_channels(seed: int) -> Any:
    """Binary + int8; half of the binary channels give one value for every sample, and have no variance."""
    keras.utils.set_random_seed(seed)
    i = layers.Input((SIDE, SIDE, 3), name="image")
    x = layers.Conv2D(CHANNELS, 3, use_bias=False, name="stem")(i)
    # A bias far above what varies: the sign is +1 everywhere.
    x = layers.BatchNormalization(beta_initializer=keras.initializers.Constant(5.0), name="stem_norm")(x)
    x = QuantConv2D(CHANNELS, 3, padding="same", use_bias=False, name="bits", **SIGNS)(x)
    x = layers.BatchNormalization(epsilon=1e-5, name="bits_norm")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(i, layers.Dense(5, name="scores")(x))
    sums = np.sign(model.get_layer("bits").get_weights()[0]).sum(axis=(0, 1, 2))
    half = np.arange(CHANNELS) % 2 == 0
    rng = np.random.default_rng(seed)
    mean = np.where(half, sums, 0)
    variance = np.where(half, 0.0, sums**2 + 1.0)
    model.get_layer("bits_norm").set_weights(
        [rng.uniform(0.5, 1.5, CHANNELS), rng.normal(0, 1, CHANNELS), mean, variance]
    )
    return tfkit.quantize_aware(model, images(32))


@pytest.mark.parametrize("seed", range(4))
def test_do_not_fail_parity(seed: int) -> None:
    parity = tfkit.convert(silent_channels(seed), "lce", strict=True).parity
    assert parity.ok, f"seed {seed}: {parity.summary}"


def test_bound_is_per_channel_and_grows_with_the_offset() -> None:
    scales = np.array([0.01, 0.01, 300.0])
    bound = cancellation_bound(scales, 36 * scales, 576, 0.02)
    assert bound[:2].max() < 1e-3, "an ordinary channel gains nothing"
    assert 1.0 < bound[2] < 20.0


def test_an_error_elsewhere_is_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    model = silent_channels(0)
    norm = model.get_layer("int8_bits_norm").layer
    conversion = tfkit.convert(model, "lce", strict=True)
    beta = norm.beta.numpy()
    beta[1] += 1.0  # a channel that varies
    norm.beta.assign(beta)
    found = tfkit.verify(model, conversion.flatbuffer)
    assert not found.ok
    assert "roundings differ" in found.failures[0]
