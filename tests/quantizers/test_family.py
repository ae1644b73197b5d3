"""What holds for every quantizer, by each of its names."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras, values_with_edges
from tfkit import quantizers
from tfkit._errors import UsageError
from tfkit._larq import larq
from tfkit.layers import QuantConv2D, QuantDense, is_binary
from tfkit.quantizers import ALIASES, Quantizer, initialize

SEED = 46
OURS = [name for name in ALIASES if isinstance(quantizers.get(name), Quantizer)]
# One of each method is enough where files are written and networks trained.
METHODS = [name for name in OURS if not name[-1].isdigit() or name.endswith(("_w2", "_a2"))]
SIGNS = {"binary_connect_stochastic", "xnor_weights", "abc_w1", "dorefa_w1", "lq_w1"}


def place(name: str) -> dict[str, str]:
    return {"kernel_quantizer" if quantizers.get(name).role == "kernel" else "input_quantizer": name}


def network(*names: str) -> Any:
    places = {key: value for name in names for key, value in place(name).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return keras.Sequential(
            [
                keras.layers.Input((6, 6, 3)),
                QuantConv2D(4, 3, padding="same", **places),
                keras.layers.BatchNormalization(),
                keras.layers.Flatten(),
                QuantDense(3, **places),
            ]
        )


def ready(name: str, x: np.ndarray) -> Any:
    """The quantizer as it is after a first training step on ``x``."""
    quantizer = quantizers.get(name)
    quantizer(x, training=True)
    if isinstance(quantizer, quantizers.INQ):
        quantizer.fix(x, 1.0)
    return quantizer


@pytest.mark.parametrize("name", OURS)
def test_levels_are_what_comes_out_and_no_more_than_the_bits_allow(name: str) -> None:
    x = values_with_edges((5, 5, 6, 8), SEED)
    quantizer = ready(name, x)
    known = quantizer.levels(x)
    assert len(known) <= 2**quantizer.precision
    if name == "xnor_activations":  # its scale depends on the place
        return
    found = quantizer(x).numpy().reshape(-1, 8)
    for channel in range(8):
        values = known.values if known.values.ndim == 1 else known.values[channel]
        distance = np.abs(found[:, channel, None] - values).min(1)
        assert distance.max() <= 1e-5 * np.abs(values).max(), f"{name}, seed {SEED}"


@pytest.mark.parametrize("name", OURS)
def test_config_round_trip(name: str) -> None:
    quantizer = quantizers.get(name)
    copy = type(quantizer).from_config(quantizer.get_config())
    assert copy.get_config() == quantizer.get_config()
    assert (copy.precision, copy.role) == (quantizer.precision, quantizer.role)
    again = quantizers.get(larq.quantizers.serialize(quantizer))
    assert again.get_config() == quantizer.get_config()


@pytest.mark.parametrize("name", OURS)
def test_only_signs_are_taken_for_binary(name: str) -> None:
    assert is_binary(quantizers.get(name)) == (name in SIGNS)


@pytest.mark.parametrize("name", METHODS)
def test_a_layer_is_the_float_layer_on_quantized_data(name: str) -> None:
    x = values_with_edges((2, 7), SEED)
    key, given = next(iter(place(name).items()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = QuantDense(5, **{key: given})
    layer(x)
    quantizer = getattr(layer, key)
    kernel = layer.kernel.latent_variable.numpy() if key == "kernel_quantizer" else layer.kernel.numpy()
    q = quantizer(kernel if key == "kernel_quantizer" else x).numpy()
    wanted = x @ q if key == "kernel_quantizer" else q @ kernel
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-5, atol=1e-5, err_msg=f"seed {SEED}")


def test_quantized_data_stays_as_it_is() -> None:
    """Where the scales are learned, quantizing twice is quantizing once; elsewhere they come from the data."""
    x = values_with_edges((16, 8), SEED)
    tried = []
    for name in (n for n in METHODS if place(n).get("kernel_quantizer") and n != "ttq"):
        quantizer = ready(name, x)
        if quantizer.weights:
            once = quantizer(x)
            np.testing.assert_allclose(quantizer(once), once, rtol=1e-5, atol=1e-6, err_msg=f"{name}, seed {SEED}")
            tried.append(name)
    assert len(tried) >= 3, tried


@pytest.mark.parametrize("name", METHODS)
def test_training_saving_and_copies(name: str, tmp_path: Path) -> None:
    model = network(name)
    model.compile("adam", "mse")
    x = np.random.default_rng(SEED).normal(size=(8, 6, 6, 3)).astype(np.float32)
    history = model.fit(x, np.zeros((8, 3)), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    wanted = model(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tfkit.save(model, tmp_path / "a.keras")
        model.save(tmp_path / "a.h5")
        copies = [tfkit.load(tmp_path / "a.keras"), tfkit.load(tmp_path / "a.h5"), keras.models.clone_model(model)]
    copies[-1].set_weights(model.get_weights())
    for copy in copies:
        np.testing.assert_array_equal(copy(x), wanted)


def test_they_work_in_mixed_precision() -> None:
    x = np.random.default_rng(SEED).normal(size=(4, 6, 6, 3)).astype(np.float32)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = network("lsq_w2", "lsq_a2")
        model.compile("adam", "mse")
        model.fit(x, np.zeros((4, 3)), verbose=0)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model(x).dtype == "bfloat16"
    assert {weight.dtype.name for weight in model.weights} == {"float32"}


def test_what_is_learned_begins_at_the_layers_kernel() -> None:
    model = network("lsq_w2")
    layer = model.layers[0]
    kernel = layer.kernel.latent_variable.numpy()
    np.testing.assert_allclose(layer.kernel_quantizer.step, 2 * np.abs(kernel).mean(), rtol=1e-5)


def test_initialize_begins_anew_and_leaves_the_network() -> None:
    model = network("lsq_w2", "lsq_a2")
    conv = model.layers[0]
    normalization = model.layers[1].get_weights()
    conv.kernel.latent_variable.assign(conv.kernel.latent_variable * 3.0)
    kept = conv.kernel.latent_variable.numpy()
    initialize(model, np.random.default_rng(SEED).normal(size=(16, 6, 6, 3)))
    np.testing.assert_allclose(conv.kernel_quantizer.step, 2 * np.abs(kept).mean(), rtol=1e-5)
    np.testing.assert_array_equal(conv.kernel.latent_variable, kept)
    for before, after in zip(normalization, model.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_quantizer": "lsq_a2"}, "LSQActivations is made for activations .* as kernel_quantizer; use 'lsq_w2'"),
        ({"input_quantizer": "lq_w3"}, "LQWeights is made for kernels .* as input_quantizer; use 'lq_a3'"),
        ({"input_quantizer": "twn"}, "TernaryWeights is made for kernels .* use 'lsq_a2' or 'ste_sign'"),
        ({"kernel_quantizer": "lsq_w"}, "unknown quantizer 'lsq_w'; did you mean"),
        ({"kernel_quantizer": "dorefa_w9"}, "unknown quantizer 'dorefa_w9'; did you mean"),
    ],
)
def test_wrong_use_is_refused_at_construction(arguments: dict[str, str], message: str) -> None:
    for layer in (lambda: QuantConv2D(4, 3, **arguments), lambda: QuantDense(4, **arguments)):
        with pytest.raises(UsageError, match=message):
            layer()


def test_one_object_does_not_serve_two_kernels() -> None:
    shared = quantizers.LSQWeights(2)
    QuantDense(4, kernel_quantizer=shared).build((None, 3))
    with pytest.raises(UsageError, match="the kernel_quantizer of 'second' is in use elsewhere"):
        QuantDense(4, kernel_quantizer=shared, name="second").build((None, 3))


def test_larqs_own_layers_take_the_names() -> None:
    layer = larq.layers.QuantDense(4, kernel_quantizer="lsq_w3", input_quantizer="dorefa_a2")
    assert layer(np.ones((2, 3), np.float32)).shape == (2, 4)
    assert (layer.kernel_quantizer.precision, layer.input_quantizer.precision) == (3, 2)


def test_levels_of_larqs() -> None:
    assert quantizers.levels(larq.quantizers.SteTern()).values.tolist() == [-1, 0, 1]
    assert len(quantizers.levels(larq.quantizers.DoReFa(3))) == 8
    with pytest.raises(UsageError, match="<lambda> does not tell its levels"):
        quantizers.levels(lambda x: x)


FAMILIES = sorted(
    {type(quantizers.get(name)) for name in OURS if "bits" in quantizers.get(name).get_config()},
    key=lambda family: family.__name__,
)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("bits", [0, 9, 2.5, True])
def test_bits_that_a_family_has_not_are_refused_with_what_to_do(family: type, bits: object) -> None:
    with pytest.raises(UsageError, match=rf"takes \d to \d bits, got {bits}; .*(choose from|use|more|one bit|a sign)"):
        family(bits=bits)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "lq_w2"])
def test_every_family_is_refused_in_the_wrong_place(name: str) -> None:
    other = "input_quantizer" if "kernel_quantizer" in place(name) else "kernel_quantizer"
    with pytest.raises(UsageError, match=f"was given as {other}; use '"):
        QuantConv2D(4, 3, **{other: name})
