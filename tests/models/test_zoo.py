"""Every architecture is what its registry entry and its paper say."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from helpers.int8 import ops
from helpers.keras import keras
from helpers.zoo import outline, trainable_params, unallocated
from tfkit import models
from tfkit._errors import UsageError
from tfkit.counting import count
from tfkit.metadata import Preprocessing, metadata_of
from tfkit.quantization import is_quantize_aware
from tfkit.training import RECIPES

SPECS = list(models.REGISTRY.values())
# These take long to build even without weights.
LARGE = ("densenet_bc_190_40",)
# These take seconds; ``test_road.py`` builds all of them with other arguments too.
DEEP = ("resnet50", "efficientnet_b0", "mobilenet_v3_large", "shufflenet_v1_g1", "googlenet", "resnext29_8x64",
        "mobilenet_v2", "binary_densenet28", "quicknet", "birealnet18", "binary_resnet_e18")  # fmt: skip
# Every paper by its first architecture, deep families by a shallow member.
SMALL_MEMBERS = ("wrn_10_2", "densenet_bc_16_12")
ONE_OF_EACH = list(
    {
        **{spec.paper: spec.name for spec in reversed(SPECS)},
        **{models.REGISTRY[name].paper: name for name in SMALL_MEMBERS},
    }.values()
)


@pytest.mark.parametrize(
    "spec", [pytest.param(spec, id=spec.name, marks=[pytest.mark.slow] * (spec.name in LARGE)) for spec in SPECS]
)
def test_registry_entries_are_true(spec: models.ModelSpec) -> None:
    model = outline(spec.name)
    found = count(model)
    assert (model.count_params(), found.params, found.macs) == (spec.params, spec.params, spec.macs)
    assert model.input_shape == (None, *spec.input_shape)
    assert model.output_shape == (None, spec.classes)
    assert model.name == spec.name
    assert metadata_of(model).scheme == spec.schemes[0]
    assert spec.recipe in RECIPES
    names = [layer.name for layer in model.layers]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["wrn_10_1", "wrn_16_3", "wrn_22_2", "densenet_bc_10_7", "densenet_bc_22_12"])
def test_members_of_families_count_themselves(name: str) -> None:
    """Their params and MACs are closed formulas."""
    test_registry_entries_are_true(models.REGISTRY[name])


def test_published_counts() -> None:
    """To the digits that are published."""
    # https://arxiv.org/abs/1704.04861, table 8: 1.0 MobileNet-224, 4.2 million parameters, 569 million mult-adds.
    assert round(trainable_params(outline("mobilenet_v1")) / 1e6, 1) == 4.2
    assert round(models.REGISTRY["mobilenet_v1"].macs / 1e6) == 569
    # https://arxiv.org/abs/1801.04381, table 4: 300 million (its 3.4 million parameters leave out the
    # normalizations; Keras and TensorFlow Hub list 3.5 million).
    assert round(trainable_params(outline("mobilenet_v2")) / 1e6, 1) == 3.5
    assert round(models.REGISTRY["mobilenet_v2"].macs / 1e7) == 30
    # ResNet-18 has 11.7 million parameters and 1.8 billion MACs; Bi-RealNet-18 is one in shape.
    assert round(trainable_params(outline("birealnet18")) / 1e6, 1) == 11.7
    assert round(models.REGISTRY["birealnet18"].macs / 1e9, 1) == 1.8


def test_quicknet_matches_larqs_table() -> None:
    """Larq's zoo lists 13,234,088: every weight but the moving statistics of normalizations that have a scale."""
    model = outline("quicknet")
    folded = sum(
        int(np.prod(weight.shape))
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization) and layer.scale
        for weight in (layer.moving_mean, layer.moving_variance)
    )
    assert model.count_params() - folded == 13_234_088


@pytest.mark.parametrize("width", [pytest.param(1.0, marks=pytest.mark.slow), 0.5])
def test_mobilenets_against_keras_applications(width: float) -> None:
    for name, reference in (
        ("mobilenet_v1", keras.applications.MobileNet),
        ("mobilenet_v2", keras.applications.MobileNetV2),
    ):
        with unallocated():
            theirs = reference(input_shape=(224, 224, 3), alpha=width, weights=None)
        ours = outline(name, width=width)
        assert ours.count_params() == theirs.count_params()
        assert count(ours).macs == count(theirs).macs


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in DEEP)) for name in (*ONE_OF_EACH, "resnet50")]
)
def test_arguments_reach_the_model(name: str) -> None:
    spec = models.REGISTRY[name]
    model = outline(name, input_shape=(64, 96, 3), classes=7, width=0.5)
    assert model.input_shape == (None, 64, 96, 3)
    assert model.output_shape == (None, 7)
    larger = ("small_cnn", "vgg_small")  # for inputs below 64x96: a third stage, more pixels for a dense layer
    assert (count(model).params < spec.params) == (name not in larger)
    assert metadata_of(model).extra == {"classes": 7, "width": 0.5, "recipe": spec.recipe}


@pytest.mark.parametrize("name", ["small_cnn", "vgg_small", "quicknet"])
def test_one_seed_one_model(name: str) -> None:
    arguments: dict[str, Any] = {"input_shape": (32, 32, 3), "classes": 3, "width": 0.25}
    first, again, other = (models.build(name, **arguments, seed=seed) for seed in (1, 1, 2))
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(np.any(one != two) for one, two in zip(first.get_weights(), other.get_weights(), strict=True))


def test_preprocessing() -> None:
    images = Preprocessing(1 / 127.5, -1.0, 0.0, 255.0)
    assert metadata_of(models.build("mobilenet_v1", input_shape=(32, 32, 3))).preprocessing == images
    assert metadata_of(models.build("small_cnn", input_shape=(32, 32, 3))).preprocessing == images
    assert metadata_of(models.build("small_cnn")).preprocessing == Preprocessing(1 / 16, 0.0, 0.0, 16.0)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_colour_networks_take_bytes(spec: models.ModelSpec) -> None:
    """As ``tfkit.data`` hands out colour images."""
    found = spec.preprocessing((32, 32, 3))
    assert (found.raw_min, found.raw_max) == (0.0, 255.0)
    assert found.offset == -1.0
    assert found.scale == pytest.approx(2 / 255)


def test_twins_have_one_shape() -> None:
    for shape in ((8, 8, 1), (32, 32, 3)):
        float_twin = models.build("small_cnn", input_shape=shape)
        binary_twin = models.build("small_cnn", input_shape=shape, scheme="binary")
        assert count(float_twin).macs == count(binary_twin).macs
        assert float_twin.count_params() == binary_twin.count_params()
        assert count(binary_twin).macs_by_precision["binary"] / count(binary_twin).macs > 0.9


@pytest.mark.parametrize(
    ("name", "scheme"), [("small_cnn", "int8"), ("small_cnn", "binary_int8"), ("alexnet", "int8"), ("nin", "int8")]
)
def test_int8_schemes(name: str, scheme: str) -> None:
    """That every architecture becomes a flatbuffer in each of its schemes is shown in ``test_road.py``."""
    model = models.build(name, scheme=scheme, input_shape=(32, 32, 3), width=0.25, classes=4)
    assert is_quantize_aware(model)
    assert metadata_of(model).scheme == scheme
    assert metadata_of(model).extra["recipe"] == models.REGISTRY[name].recipe


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("xnornet", 6),
        pytest.param("birealnet18", 16, marks=pytest.mark.slow),
        pytest.param("quicknet", 16, marks=pytest.mark.slow),
        pytest.param("binary_resnet_e18", 16, marks=pytest.mark.slow),
        pytest.param("binary_densenet28", 23, marks=pytest.mark.slow),
        pytest.param("quicknet_small", 16, marks=pytest.mark.slow),
        pytest.param("quicknet_large", 32, marks=pytest.mark.slow),
    ],
)
def test_every_binary_convolution_gets_a_binary_kernel(name: str, layers: int) -> None:
    """That none falls back is shown in ``test_road.py``; here they are counted, and no padding is left beside them."""
    import larq_compute_engine as lce

    model = models.build(name, input_shape=(64, 64, 3), width=0.5, classes=4, seed=1)
    found = ops(bytes(lce.convert_keras_model(model)))
    assert sum(op.startswith("lcebconv2d") for op in found) == layers
    assert not any(op.startswith("pad") for op in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scheme": "ternary"}, "mobilenet_v2 has no scheme 'ternary'; it has float32, int8"),
        ({"input_shape": (224, 224)}, r"\(height, width, channels\)"),
        ({"input_shape": (0, 224, 3)}, "all positive"),
        ({"classes": 1}, "at least 2 classes; got 1"),
        ({"width": 0}, "width is a factor on the channels"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        models.build("mobilenet_v2", **arguments)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mobilenetv2", "unknown model 'mobilenetv2'; did you mean 'mobilenet_v2'"),
        ("wrn_28", "unknown model 'wrn_28'; did you mean 'wrn_28_10'.*Known: .*wrn_D_K, densenet_bc_L_K"),
        ("wrn_28_10_2", "unknown model 'wrn_28_10_2'"),
        ("wrn_028_10", "unknown model 'wrn_028_10'"),
        ("wrn_-28_10", "unknown model 'wrn_-28_10'"),
        ("wrn_9999999999_10", "unknown model"),
        ("wrn_29_10", "6n [+] 4.*got 29, next to it are wrn_28_10 and wrn_34_10"),
        ("wrn_4_10", "D of wrn_D_K is the depth, 10 to 400; got 4"),
        ("wrn_28_0", "K of wrn_D_K is the widening factor, 1 to 32; got 0"),
        ("densenet_bc_101_12", "6n [+] 4.*got 101, next to it are densenet_bc_100_12 and densenet_bc_106_12"),
        ("densenet_bc_100_1", "K of densenet_bc_L_K is the growth rate, 2 to 128; got 1"),
    ],
)
def test_names_that_nothing_has(name: str, message: str) -> None:
    assert name not in models.REGISTRY
    with pytest.raises(UsageError, match=message):
        models.build(name)


def test_members_of_families_have_names() -> None:
    assert models.REGISTRY["wrn_22_3"].name == "wrn_22_3"
    assert "wrn_22_3" in models.REGISTRY
    assert "wrn_22_3" not in list(models.REGISTRY)
    assert models.REGISTRY["wrn_28_10"] is models.REGISTRY["wrn_28_10"]
    with pytest.raises(ValueError, match="family 'wrn_D_K' is registered twice"):
        models.REGISTRY.add_family(models.REGISTRY.families["wrn_D_K"])


def test_too_small_an_input() -> None:
    with pytest.raises(UsageError, match="small_cnn cannot take inputs of 1x1x1"):
        models.build("small_cnn", input_shape=(1, 1, 1))


def test_the_registry_needs_no_tensorflow() -> None:
    code = "import sys, tfkit.models; print(len(tfkit.models.REGISTRY), 'tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(SPECS)), "False"]
