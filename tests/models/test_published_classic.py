"""The classic networks have the sizes that their papers and the published implementations state.

MACs and parameters of the registry are compared with the built models in ``test_zoo.py``; here they are compared
with tables. Where a table follows another convention, the test derives the difference.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from helpers.zoo import kernel_shapes, outline, trainable_params, unallocated
from tfkit import models
from tfkit.counting import count
from tfkit.models import resnet

REGISTRY = models.REGISTRY
SEED = 47


def macs_of(name: str, kind: str) -> int:
    return sum(layer.macs for layer in count(outline(name)).layers if layer.kind == kind)


def millions(value: float, digits: int = 0) -> float:
    return round(value / 1e6, digits)


@pytest.mark.parametrize(
    ("name", "conv_macs", "conv_params", "dense_params", "macs"),
    [
        # Sze et al. 2017, https://arxiv.org/abs/1703.09039, table II: MACs and weights of the convolutional and of
        # the fully connected layers, in millions. AlexNet is the one in two columns of the 2012 paper.
        ("alexnet", 666, 2.3, 58.6, 724),
        ("vgg16", 15_300, 14.7, 124, 15_500),
    ],
)
def test_sze_table_2(name: str, conv_macs: float, conv_params: float, dense_params: float, macs: float) -> None:
    shapes = kernel_shapes(outline(name))
    conv = sum(int(np.prod(shape)) for shape in shapes if len(shape) == 4)
    dense = sum(int(np.prod(shape)) for shape in shapes if len(shape) == 2)
    assert round(conv / 1e6, 1) == conv_params
    assert dense == macs_of(name, "Dense")
    assert dense / 1e6 == pytest.approx(dense_params, abs=0.5 if dense_params > 100 else 0.05)
    assert macs_of(name, "Conv2D") / 1e6 == pytest.approx(conv_macs, abs=50 if conv_macs > 1000 else 0.5)
    assert REGISTRY[name].macs / 1e6 == pytest.approx(macs, abs=50 if macs > 1000 else 0.5)


def test_alexnet_columns() -> None:
    """Krizhevsky et al. 2012, section 3.5 and figure 2: kernels as printed there, per column where there are two."""
    model = outline("alexnet")
    assert [tuple(model.get_layer(f"conv{n}").kernel.shape) for n in range(1, 6)] == [
        (11, 11, 3, 96),
        (5, 5, 48, 256),
        (3, 3, 256, 384),
        (3, 3, 192, 384),
        (3, 3, 192, 256),
    ]
    # "253,440-186,624-64,896-64,896-43,264-4096-4096-1000" neurons after the input, section 3.5. The first is the
    # known slip of the paper: 55·55·96 = 290,400; its figure shows the 55.
    neurons = [int(np.prod(model.get_layer(f"conv{n}").output_shape[1:])) for n in range(1, 6)]
    assert neurons == [290_400, 186_624, 64_896, 64_896, 43_264]
    # "60 million parameters" (abstract); the Caffe model in two groups has 60,965,224.
    assert REGISTRY["alexnet"].params == 60_965_224


def test_vgg16_is_that_of_keras_applications() -> None:
    """Layer for layer at two sizes; the paper's table 2 says 138 million."""
    assert millions(REGISTRY["vgg16"].params) == 138
    for shape, classes in (((224, 224, 3), 1000), ((64, 96, 3), 7)):
        with unallocated():
            theirs = keras.applications.VGG16(
                input_shape=shape, classes=classes, weights=None, classifier_activation=None
            )
        ours = outline("vgg16", input_shape=shape, classes=classes)
        assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
        assert count(ours).macs == count(theirs).macs


def test_vgg16_computes_what_that_of_keras_applications_computes() -> None:
    theirs = keras.applications.VGG16(input_shape=(32, 32, 3), classes=5, weights=None, classifier_activation=None)
    ours = models.build("vgg16", input_shape=(32, 32, 3), classes=5, seed=SEED)
    theirs.set_weights(ours.get_weights())
    x = np.random.default_rng(SEED).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    expected = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-5, err_msg=f"seed {SEED}")


def test_vgg_small_is_finns() -> None:
    """Umuroglu et al. 2017, https://arxiv.org/abs/1612.07119, CNV; its layers are spelled out in Xilinx' Brevitas.

    (https://github.com/Xilinx/brevitas, src/brevitas_examples/bnn_pynq/models/CNV.py.)
    """
    channels = [3, 64, 64, 128, 128, 256, 256]
    convolutions = [(3, 3, a, b) for a, b in pairwise(channels)]
    for scheme in ("float32", "binary"):
        model = outline("vgg_small", scheme=scheme)
        dense = [(256, 512), (512, 512)]
        hidden = dense if scheme == "binary" else [(1, 1, *shape) for shape in dense]  # convolutions of one pixel
        assert kernel_shapes(model) == sorted([*convolutions, *hidden, (512, 10)])
        sides = [model.get_layer(f"conv{stage}_{n}").output_shape[1] for stage in (1, 2, 3) for n in (1, 2)]
        assert sides == [30, 28, 12, 10, 3, 1]
        found = count(model)
        # by hand: 1,542,848 weights (one bit each in FINN, which has no biases), 59.5 million MACs
        assert sum(int(np.prod(shape)) for shape in kernel_shapes(model)) == 1_542_848
        assert found.macs == 59_461_376
    # All but the first convolution and the last dense layer are binary.
    assert found.macs_by_precision["binary"] == found.macs - 30 * 30 * 27 * 64 - 512 * 10


def test_vgg_small_at_width_2_has_binarynets_channels() -> None:
    """Hubara et al. 2016, https://arxiv.org/abs/1602.02830, section 2.1.2 and BinaryConnect, section 3.2.

    (2x128C3)-MP2-(2x256C3)-MP2-(2x512C3)-MP2-(2x1024FC)-10.
    """
    shapes = kernel_shapes(outline("vgg_small", scheme="binary", width=2))
    assert [shape[-1] for shape in shapes if len(shape) == 4] == [128, 128, 256, 256, 512, 512]
    assert sorted(shape[-1] for shape in shapes if len(shape) == 2) == [10, 1024, 1024]


# https://arxiv.org/abs/1409.4842, table 1, column "ops": millions of MACs.
GOOGLENET_ROWS = {
    "conv2": 360,
    "inception3a": 128,
    "inception3b": 304,
    "inception4a": 73,
    "inception4b": 88,
    "inception4c": 100,
    "inception4d": 119,
    "inception4e": 170,
    "inception5b": 71,
    "logits": 1,
}


def test_googlenet_table_1() -> None:
    found: dict[str, int] = {}
    for layer in count(outline("googlenet")).layers:
        row = layer.name.split("_")[0]
        found[row] = found.get(row, 0) + layer.macs
    for row, ops in GOOGLENET_ROWS.items():
        assert found[row] / 1e6 == pytest.approx(ops, abs=1), row
    # Row 5a says 54: that of 48 channels in "#5x5 reduce" as in row 5b; the table's own 32 give 51.
    assert millions(found["inception5a"]) == 51
    assert millions(found["inception5a"] + 49 * 16 * (832 + 25 * 128)) == 54
    # Row 1 says 34 and 2.7K weights, but its 7x7 convolution has 9,408 weights: 118 with 112x112 outputs. The sum
    # of the column, 1.5 billion, is ours but for these two rows.
    assert found["conv1"] == 112 * 112 * 9408
    published = 34 + 54 + sum(GOOGLENET_ROWS.values())
    derived = millions(REGISTRY["googlenet"].macs) - (118 - 34) - (51 - 54)
    assert published == 1502
    assert derived == pytest.approx(published, abs=3)


def test_googlenet_params() -> None:
    """The column "params" of table 1 adds up to 6,798 K with K = 1024: 6.96 million; "7M" in Sze et al., table II."""
    shapes = kernel_shapes(outline("googlenet"))
    kernels = sum(int(np.prod(shape)) for shape in shapes)
    assert millions(kernels) == 7
    # The Caffe model has 6,998,552: the same kernels, and a bias for each filter and class.
    assert kernels + sum(shape[-1] for shape in shapes) == 6_998_552
    assert len([shape for shape in shapes if len(shape) == 4]) == 57  # Sze et al., table II


@pytest.mark.parametrize(
    ("name", "params", "gmacs"),
    [
        # https://docs.pytorch.org/vision/stable/models.html, parameters and "GFLOPS", which count MACs
        ("resnet18", 11_689_512, 1.81),
        ("resnet50", 25_557_032, 4.09),
        ("vgg16", 138_357_544, 15.47),
    ],
)
def test_torchvision_table(name: str, params: int, gmacs: float) -> None:
    assert trainable_params(outline(name)) == params
    assert round(REGISTRY[name].macs / 1e9, 2) == gmacs


def resnet50_of_the_paper(shape: tuple[int, int, int], classes: int) -> Any:
    with unallocated():
        return resnet.create_bottleneck(
            shape, classes, 1.0, "float32", repetitions=(3, 4, 6, 3), name="resnet50", stride_first=True
        )


def test_resnet_table_1() -> None:
    """https://arxiv.org/abs/1512.03385, table 1: 1.8 · 10⁹ and 3.8 · 10⁹; Sze et al., table II: 3.86 G in 53 layers."""
    assert round(REGISTRY["resnet18"].macs / 1e9, 1) == 1.8
    paper = count(resnet50_of_the_paper((224, 224, 3), 1000))
    convolutions = [layer.macs for layer in paper.layers if layer.kind == "Conv2D"]
    assert len(convolutions) == 53
    assert round(sum(convolutions) / 1e9, 2) == 3.86
    # The later form strides in the 3x3 convolution, so in three blocks the 1x1 before it works at four times the
    # pixels: (56² - 28²) · 256 · 128, and the same number in the stages after it.
    moved = sum((2 * side) ** 2 * 2 * inner * inner * 3 // 4 for side, inner in ((28, 128), (14, 256), (7, 512)))
    assert paper.macs + moved == REGISTRY["resnet50"].macs


@pytest.mark.parametrize(
    ("shape", "classes"), [((64, 96, 3), 7), pytest.param((224, 224, 3), 1000, marks=pytest.mark.slow)]
)
def test_resnet50_is_that_of_keras_applications(shape: tuple[int, int, int], classes: int) -> None:
    """Layer for layer; theirs has biases in its convolutions and the paper's strides."""
    with unallocated():
        theirs = keras.applications.ResNet50(
            input_shape=shape, classes=classes, weights=None, classifier_activation=None
        )
    ours = resnet50_of_the_paper(shape, classes)
    assert kernel_shapes(ours) == kernel_shapes(theirs)
    biases = sum(s[-1] for s in kernel_shapes(theirs) if len(s) == 4)
    assert ours.count_params() + biases == theirs.count_params()
    assert count(ours).macs == count(theirs).macs


def normalized_channels_wrn(depth: int, factor: int) -> int:
    n = (depth - 4) // 6
    first = 16 + 16 * factor + 2 * 16 * factor * (n - 1)
    later = sum(w // 2 + w + 2 * w * (n - 1) for w in (32 * factor, 64 * factor))
    return first + later + 64 * factor


@pytest.mark.parametrize(
    ("depth", "factor", "params"),
    [
        # https://arxiv.org/abs/1605.07146, tables 3 and 4, in millions
        (40, 1, 0.6),
        (40, 2, 2.2),
        (40, 4, 8.9),
        (40, 8, 35.7),
        (28, 10, 36.5),
        (28, 12, 52.5),
        (22, 8, 17.2),
        (22, 10, 26.8),
        (16, 8, 11.0),
        (16, 10, 17.1),
    ],
)
def test_wrn_tables(depth: int, factor: int, params: float) -> None:
    spec = REGISTRY[f"wrn_{depth}_{factor}"]
    assert millions(spec.params - 2 * normalized_channels_wrn(depth, factor), 1) == params


def test_wrn_28_10() -> None:
    """36,479,194 is what the authors' code prints for CIFAR-10; 100 classes add 90 · 641 (36.54 million)."""
    assert trainable_params(outline("wrn_28_10")) == 36_479_194
    assert REGISTRY["wrn_28_10"].params - 2 * normalized_channels_wrn(28, 10) == 36_479_194


def normalized_channels_densenet(depth: int, growth: int) -> int:
    n = (depth - 4) // 6
    channels, total = 2 * growth, 0
    for block in range(3):
        total += sum(channels + layer * growth + 4 * growth for layer in range(n))
        channels += n * growth
        total += channels
        channels = channels // 2 if block < 2 else channels
    return total


@pytest.mark.parametrize(
    ("depth", "growth", "params", "digits"),
    [
        # https://arxiv.org/abs/1608.06993, table 2: DenseNet-BC, in millions
        (100, 12, 0.8, 1),
        (250, 24, 15.3, 1),
        (190, 40, 25.6, 1),
        (100, 12, 0.77, 2),  # the table in the README of the authors' code, https://github.com/liuzhuang13/DenseNet
    ],
)
def test_densenet_table_2(depth: int, growth: int, params: float, digits: int) -> None:
    spec = REGISTRY[f"densenet_bc_{depth}_{growth}"]
    assert millions(spec.params - 2 * normalized_channels_densenet(depth, growth), digits) == params


def test_densenet_bc_100_12() -> None:
    model = outline("densenet_bc_100_12")
    assert trainable_params(model) == 769_162
    # "L" counts the convolutions and the classifier.
    assert len(kernel_shapes(model)) == 100


def test_resnext_table_7() -> None:
    """https://arxiv.org/abs/1611.05431, table 7: ResNeXt-29, 8x64d has 34.4 million parameters."""
    model = outline("resnext29_8x64")
    assert millions(trainable_params(model), 1) == 34.4
    assert len(kernel_shapes(model)) - 3 == 29  # the three projections do not count
    assert [layer.groups for layer in model.layers if layer.name.endswith("block1_conv")] == [8, 8, 8]


def test_nin() -> None:
    """About 1 million parameters: Springenberg et al. 2015, https://arxiv.org/abs/1412.6806, table 3.

    By hand from the authors' definition for CIFAR-10 (https://gist.github.com/mavenlin/e56253735ef32c3c296d):
    """
    stages = [(5, 3, 192), (1, 192, 160), (1, 160, 96), (5, 96, 192), (1, 192, 192), (1, 192, 192)]
    stages += [(3, 192, 192), (1, 192, 192), (1, 192, 10)]
    assert REGISTRY["nin"].params == sum(size * size * a * b + b for size, a, b in stages) == 966_986
    assert kernel_shapes(outline("nin")) == sorted((size, size, a, b) for size, a, b in stages)
    assert kernel_shapes(outline("nin", scheme="binary")) == kernel_shapes(outline("nin"))


@pytest.mark.parametrize("name", ["vgg_small", "nin"])
def test_binary_twins_keep_their_ends(name: str) -> None:
    found = count(outline(name, scheme="binary"))
    precisions = [layer.precision for layer in found.layers if layer.macs]
    assert precisions[0] == precisions[-1] == "float32"
    assert set(precisions[1:-1]) == {"binary"}
    assert found.macs == REGISTRY[name].macs
