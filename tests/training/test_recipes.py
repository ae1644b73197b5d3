from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers.keras import keras, tiny_dataset
from tfkit import models, training
from tfkit._errors import UsageError
from tfkit.layers import QuantConv2D
from tfkit.metadata import ModelMetadata, attach_metadata
from tfkit.pruning import prune
from tfkit.quantization import quantize_aware, quantize_layers
from tfkit.training import RECIPES, Recipe
from tfkit.training.losses import SmoothedCrossEntropy
from tfkit.training.optimizers import decaying_weights, make_optimizer
from tfkit.training.schedules import RecipeSchedule

SEED = 31


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_makes_sense(name: str) -> None:
    recipe = RECIPES[name].check()
    assert recipe.summary
    assert "https://" in recipe.source
    assert json.loads(json.dumps(recipe.settings()))["learning_rate"] == recipe.learning_rate


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "rmsprop"}, "unknown optimizer 'rmsprop'; it is one of adam, sgd, bop"),
        ({"schedule": "linear"}, "unknown schedule 'linear'"),
        ({"precision": "int8"}, "unknown precision 'int8'"),
        ({"epochs": 0}, "must be positive; got 0, 64 and 0.003"),
        ({"learning_rate": float("nan")}, "must be positive"),
        ({"warmup": 1.0}, r"warmup lies in \[0, 1\); got 1"),
        ({"label_smoothing": -0.1}, "label_smoothing lies in"),
        ({"weight_decay": -1.0}, "weight_decay is not negative"),
        ({"gamma": 0.0}, "bop needs gamma > 0"),
        ({"settle": 1.5}, r"settle is a share of the run, in \[0, 1\]; got 1.5"),
        ({"partitions": (0.5, 0.2)}, r"partitions are rising shares of the run in \[0, 1\); got \(0.5, 0.2\)"),
    ],
)
def test_nonsense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(RECIPES["adam"], **change).check()


@pytest.mark.parametrize("schedule", ["cosine", "step", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.2])
def test_schedules_against_their_formulas(schedule: str, warmup: float) -> None:
    recipe = Recipe("", "", learning_rate=0.5, schedule=schedule, warmup=warmup, milestones=(0.5, 0.75), decay=0.2)
    steps, warm = 40, round(40 * warmup)
    found = [float(RecipeSchedule.of(recipe, steps)(step)) for step in range(steps)]
    for t, rate in enumerate(found):
        if t < warm:
            expected = 0.5 * (t + 1) / warm
        elif schedule == "cosine":
            expected = 0.25 * (1 + np.cos(np.pi * (t - warm) / (steps - warm)))
        else:
            expected = 0.5 * 0.2 ** (int(t >= 20) + int(t >= 30)) if schedule == "step" else 0.5
        # 1 + cos in float32 is off by some 2^-23, also where it is nearly zero
        assert rate == pytest.approx(expected, rel=1e-5, abs=0.25 * 2**-22), f"step {t}"


def test_schedules_survive_their_config() -> None:
    schedule = RecipeSchedule.of(RECIPES["residual"], 100)
    copy = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert float(copy(57)) == float(schedule(57))


def mixed_network() -> Any:
    layers = keras.layers
    signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
    return keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, name="first"),
            layers.PReLU(name="slopes"),
            layers.BatchNormalization(),
            QuantConv2D(4, 3, name="binary", **signs),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="last"),
        ]
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weight_decay_touches_kernels_only(optimizer: str) -> None:
    model = mixed_network()
    assert [weight.name.split(":")[0] for weight in decaying_weights(model)] == ["first/kernel", "last/kernel"]
    recipe = Recipe("", "", optimizer=optimizer, learning_rate=0.1, schedule="constant", weight_decay=0.5)
    made = make_optimizer(model, recipe, 10)
    before = {weight.name: weight.numpy() for weight in model.trainable_variables}
    made.apply_gradients([(tf.zeros(weight.shape), weight) for weight in model.trainable_variables])
    for weight in model.trainable_variables:
        name = weight.name.split(":")[0]
        factor = 1 - 0.1 * 0.5 if name in ("first/kernel", "last/kernel") else 1.0
        np.testing.assert_allclose(weight.numpy(), before[weight.name] * factor, rtol=1e-6, atol=1e-8, err_msg=name)


def test_label_smoothing_against_its_formula() -> None:
    rng = np.random.default_rng(SEED)
    logits, labels = rng.normal(size=(5, 4)).astype(np.float32), rng.integers(0, 4, 5)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = np.full((5, 4), 0.2 / 4)
    targets[np.arange(5), labels] += 0.8
    expected = -(targets * logs).sum(axis=1).mean()
    assert float(SmoothedCrossEntropy(0.2)(labels, logits)) == pytest.approx(expected, rel=1e-5)
    softmax = np.exp(logs)
    assert float(SmoothedCrossEntropy(0.2, from_logits=False)(labels, softmax)) == pytest.approx(expected, rel=1e-5)
    copy = SmoothedCrossEntropy.from_config(SmoothedCrossEntropy(0.2).get_config())
    assert copy.smoothing == 0.2


def test_a_model_chooses_its_recipe() -> None:
    model = models.build("small_cnn")
    assert training.recipe_of(model) == "adam"
    assert training.recipe_of(models.build("small_cnn", scheme="binary")) == "binary"
    nested = [keras.layers.Input((8, 8, 1)), models.build("small_cnn", scheme="binary", classes=3)]
    assert training.recipe_of(keras.Sequential(nested)) == "binary"
    assert training.recipe_of(quantize_aware(model)) == "int8"
    assert training.recipe_of(prune(model)) == "pruning"
    attach_metadata(model, ModelMetadata(extra={"recipe": "residual"}))
    assert training.recipe_of(model) == "residual"
    for wrong in ("resnet", ["adam"]):
        attach_metadata(model, ModelMetadata(extra={"recipe": wrong}))
        with pytest.raises(UsageError, match=r"asks for the recipe .* which does not exist; choose one with --recipe"):
            training.recipe_of(model)


@pytest.mark.parametrize("name", ["residual", "compact", "plain"])
def test_recipes_train(name: str) -> None:
    data = tiny_dataset(SEED, samples=192)
    model = models.build("small_cnn", classes=3, seed=SEED, width=0.5)
    history = training.fit(model, data, recipe=name, epochs=5, batch_size=16, seed=SEED)
    assert history["loss"][-1] < history["loss"][0], f"seed {SEED}: {history}"


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_keeps_float32_weights(precision: str) -> None:
    data = tiny_dataset(SEED, samples=192)
    model = models.build("small_cnn", classes=3, seed=SEED, width=0.5)
    recipe = replace(RECIPES["adam"], precision=precision, epochs=4, batch_size=16)
    history = training.fit(model, data, recipe=recipe, seed=SEED)
    assert history["loss"][-1] < history["loss"][0], f"seed {SEED}: {history}"
    assert {weight.dtype for weight in model.weights} == {tf.float32}
    assert model.get_layer("block1a").compute_dtype == "float32"
    assert training.accuracy(model, data.x_test, data.y_test) == pytest.approx(history["val_accuracy"][-1], abs=0.05)


def test_mixed_precision_is_for_float_models() -> None:
    recipe = replace(RECIPES["adam"], precision="bfloat16")
    float_model = models.build("small_cnn", classes=3)
    for model in (
        models.build("small_cnn", classes=3, scheme="binary"),
        keras.Sequential([keras.layers.Input((8, 8, 1)), models.build("small_cnn", classes=3, scheme="binary")]),
        quantize_aware(float_model),
        prune(float_model),
    ):
        with pytest.raises(UsageError, match="binary, quantization-aware or pruned"):
            training.fit(model, tiny_dataset(SEED), recipe=recipe)


def test_latent_weights_without_a_constraint_are_clipped() -> None:
    import larq

    layers = keras.layers
    signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    for clip in (True, False):
        keras.utils.set_random_seed(SEED)
        binary = larq.layers.QuantConv2D(4, 3, **signs)
        model = keras.Sequential(
            [layers.Input((8, 8, 1)), layers.BatchNormalization(), binary, layers.Flatten(), layers.Dense(3)]
        )
        recipe = replace(RECIPES["binary"], learning_rate=0.5, clip_latent=clip)
        training.fit(model, tiny_dataset(SEED), recipe=recipe, epochs=2, batch_size=8)
        assert bool(np.abs(binary.get_weights()[0]).max() <= 1.0) is clip, f"seed {SEED}"


@pytest.mark.parametrize(
    ("kernel", "inputs", "recipe"),
    [
        ("ste_sign", "ste_sign", "binary"),
        ("xnor_weights", "xnor_activations", "binary"),
        ("lsq_w2", "lsq_a2", "few_bit"),
        (None, "dorefa_a3", "few_bit"),
        ("inq_w5", None, "incremental"),
    ],
)
def test_quantizers_have_a_recipe(kernel: str | None, inputs: str | None, recipe: str) -> None:
    model = models.build("small_cnn", width=0.25, kernel_quantizer=kernel, input_quantizer=inputs)
    assert training.recipe_of(model) == recipe


def test_an_incremental_run_ends_with_powers_of_two_and_can_be_interrupted(tmp_path: Path) -> None:
    dataset = tiny_dataset(SEED)
    recipe = replace(RECIPES["incremental"], epochs=5, batch_size=32)

    def network() -> Any:
        layers = [keras.layers.Conv2D(4, 3), keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
        keras.utils.set_random_seed(SEED)
        return quantize_layers(keras.Sequential([keras.layers.Input((8, 8, 1)), *layers]), "inq_w4")

    whole = network()
    shares: list[float] = []
    (inq,) = (layer.kernel_quantizer for layer in whole.layers if isinstance(layer, QuantConv2D))
    training.fit(whole, dataset, recipe=recipe, seed=SEED, progress=lambda *_: shares.append(round(inq.share, 2)))
    assert shares == [0.0, 0.0, 0.75, 0.88, 1.0], "half and three quarters begin with the same epoch"

    class Stop(Exception):
        pass

    def stop(epoch: int, *_: Any) -> None:
        if epoch == 3:
            raise Stop

    resumed = network()
    with pytest.raises(Stop):
        training.fit(resumed, dataset, recipe=recipe, seed=SEED, progress=stop, checkpoint=tmp_path / "c")
    resumed = network()
    training.fit(resumed, dataset, recipe=recipe, seed=SEED, checkpoint=tmp_path / "c")
    for once, twice in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(once, twice)
