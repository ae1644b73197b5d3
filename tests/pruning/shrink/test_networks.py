"""Every architecture, shrunk to half its MACs, computes what it computed with zeros in place of what went."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras, shake_normalizations
from helpers.masking import masked_outputs
from tfkit import models
from tfkit._errors import UnsupportedError, UsageError
from tfkit.metadata import metadata_of
from tfkit.pruning.shrink import coupled_channels, select, shrink

SEED = 11
SIDE = {224: 64, 227: 96}
FLOAT = [name for name in models.REGISTRY if "float32" in models.REGISTRY[name].schemes]
BINARY = [name for name in models.REGISTRY if "binary" in models.REGISTRY[name].schemes]
GATE = ("wrn_10_1", "densenet_bc_10_12")
# Side of the input, and arguments that leave logits, not probabilities, as outputs.
LOGITS: dict[str, Any] = {"classifier_activation": None}
APPLICATIONS = {
    "MobileNet": (64, {}),
    "MobileNetV2": (64, LOGITS),
    "MobileNetV3Small": (64, LOGITS),
    "ResNet50": (64, LOGITS),
    "ResNet50V2": (64, LOGITS),
    "DenseNet121": (64, LOGITS),
    "EfficientNetB0": (64, LOGITS),
    "EfficientNetV2B0": (64, LOGITS),
    "InceptionV3": (80, LOGITS),
    "InceptionResNetV2": (80, LOGITS),
    "Xception": (80, LOGITS),
    "NASNetMobile": (64, {}),
    "VGG16": (64, LOGITS),
    "RegNetX002": (64, LOGITS),
    "RegNetY002": (64, LOGITS),
}


def small(name: str, scheme: str) -> Any:
    """The architecture with few channels and with statistics of data."""
    height, width, channels = models.REGISTRY[name].input_shape
    shape = (SIDE.get(height, height), SIDE.get(width, width), channels)
    if name.startswith(("wrn_10", "densenet_bc_10")):
        shape = (16, 16, 3)
    # Eight groups of the narrowest ShuffleNet have three channels each, which a shuffle cannot take apart.
    wide = name in ("shufflenet_v1_g8", "shufflenet_v1_g4")
    return with_statistics(
        models.build(name, input_shape=shape, classes=4, width=1.0 if wide else 0.25, scheme=scheme, seed=SEED)
    )


def with_statistics(model: Any) -> Any:
    """Normalizations as after training, so that signals neither vanish nor explode on their way."""
    shake_normalizations(model, SEED)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(samples(model, 8), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model


def samples(model: Any, number: int) -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(number, *model.input_shape[1:])).astype(np.float32)


def scores(model: Any) -> dict[str, np.ndarray]:
    """Any number for every channel that may go."""
    rng = np.random.default_rng(SEED)
    return {
        member.layer: rng.random(model.get_layer(member.layer).output_shape[-1])
        for found in coupled_channels(model)
        for member in found.members
        if member.kind == "filters" and not found.fixed
    }


def check_half(model: Any, multiple_of: int) -> None:
    keep = select(model, scores(model), 0.5, multiple_of=multiple_of)
    found = shrink(model, keep=keep)
    assert found.before is not None
    assert found.after is not None
    assert 0.4 * found.before.macs < found.after.macs <= 0.5 * found.before.macs
    assert found.kept == keep
    assert found.left == ()
    x = samples(model, 3)
    (wanted,) = masked_outputs(model, keep, x)
    assert np.ptp(wanted, axis=0).max() > 1e-3 * np.abs(wanted).max(), "every sample gives the same answer"
    # Sums of up to thousands of numbers in another order, layer after layer.
    np.testing.assert_allclose(found.model(x), wanted, rtol=0, atol=1e-4 * np.abs(wanted).max(), err_msg=f"seed {SEED}")
    assert metadata_of(found.model) == metadata_of(model)
    keras.backend.clear_session()


def zero_halves(model: Any) -> int:
    """Make every second channel of each set that may go zero, in all its members; returns how many."""
    number = 0
    for found in coupled_channels(model):
        if found.fixed:
            continue
        number += found.size // 2
        for member in found.members:
            layer, gone = model.get_layer(member.layer), member.indices[1::2].ravel()
            for weight in layer.weights:
                values = weight.numpy()
                if "depthwise" in weight.name:
                    flat = values.reshape(*values.shape[:-2], -1)
                    flat[..., gone] = 0
                    values = flat.reshape(values.shape)
                elif "moving" not in weight.name:
                    values[..., gone] = 0
                weight.assign(values)
    return number


@pytest.mark.parametrize(
    "name", [*GATE, *(pytest.param(name, marks=pytest.mark.slow) for name in FLOAT if name not in GATE)]
)
def test_half_of_every_architecture(name: str) -> None:
    check_half(small(name, "float32"), multiple_of=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_half_of_keras_applications(name: str) -> None:
    side, arguments = APPLICATIONS[name]
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(side, side, 3), classes=4, **arguments)
    check_half(with_statistics(model), multiple_of=8)


@pytest.mark.parametrize(
    "name", ["densenet_bc_10_12", *(pytest.param(name, marks=pytest.mark.slow) for name in [*FLOAT, *BINARY])]
)
def test_zeros_go_from_every_architecture(name: str) -> None:
    """By the weights alone; float layers of binary networks too, as far as no sign reads them."""
    model = small(name, "float32" if name in (*FLOAT, *GATE, "densenet_bc_10_12") else "binary")
    zeros = zero_halves(model)
    found = shrink(model)
    assert bool(found.removed) == bool(zeros)
    for left in found.left:
        assert "equally many channels in every part" in left.reason
    x = samples(model, 3)
    wanted = np.asarray(model(x))
    assert np.ptp(wanted, axis=0).max() > 0
    np.testing.assert_allclose(found.model(x), wanted, rtol=0, atol=1e-4 * np.abs(wanted).max(), err_msg=f"seed {SEED}")
    keras.backend.clear_session()


@pytest.mark.slow
@pytest.mark.parametrize("name", BINARY)
def test_binary_architectures_say_what_keeps_them(name: str) -> None:
    model = small(name, "binary")
    free = scores(model)
    if free:
        with pytest.raises(UsageError, match=r"cannot come down to 10\.0% of its MACs by these channels; the least is"):
            select(model, free, 0.1)
    binary = next(layer.name for layer in model.layers if type(layer).__name__.startswith("Quant"))
    with pytest.raises(UnsupportedError, match=rf"'{binary}' \(Quant\w+\) cannot be pruned: .* sign\(0\) = \+1"):
        select(model, {binary: np.ones(model.get_layer(binary).output_shape[-1])})


@pytest.mark.parametrize(
    "name",
    ["small_cnn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mobilenet_v3_small", "shufflenet_v1_g2"))],
)
def test_shrunk_models_are_quantized_and_converted(name: str) -> None:
    model = with_statistics(
        models.build(
            name, width=0.5, seed=SEED, **({} if name == "small_cnn" else {"input_shape": (64, 64, 3), "classes": 4})
        )
    )
    found = shrink(model, keep=select(model, scores(model), 0.5, multiple_of=4))
    preprocessing = metadata_of(found.model).preprocessing
    assert preprocessing is not None
    raw = np.random.default_rng(SEED).uniform(preprocessing.raw_min, preprocessing.raw_max, (8, *model.input_shape[1:]))
    before, after = tfkit.convert(model, verify=False), tfkit.convert(found.model)
    assert after.parity is not None
    assert after.parity.ok, after.parity.summary
    assert len(after.flatbuffer) < 0.75 * len(before.flatbuffer)
    aware = tfkit.quantize_aware(found.model, preprocessing.apply(raw))
    aware.compile("adam", "mse")
    aware.fit(preprocessing.apply(raw), np.zeros((8, found.model.output_shape[-1])), verbose=0)
    tfkit.quantization.settle(aware)
    int8 = tfkit.convert(aware, "int8", strict=True, min_agreement=0.0)
    assert int8.parity is not None
    assert int8.parity.ok, int8.parity.summary
