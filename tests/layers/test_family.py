"""What holds for every layer of the family beyond Dense and Conv2D, which have their own tests.

The identity test is against the float Keras layer on data that was quantized and padded by hand; the gradient test
against the adjoint of the linear map, written out in NumPy from the layers' equations.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
import tfkit.layers as family
from helpers.keras import keras, run_layer_test, sign, values_with_edges
from tfkit.layers import NotBinaryWarning, is_binary_layer

SEED = 23
SIGN = "ste_sign"


@dataclass(frozen=True)
class Kind:
    """A layer class: how to make one, and what its parts are called."""

    ours: type
    theirs: type
    shape: tuple[int, ...]  # one sample
    required: dict[str, Any]
    parts: tuple[str, ...] = ("kernel",)
    pads: bool = True
    runs_binary: bool = False
    settings: tuple[dict[str, Any], ...] = field(default=())

    @property
    def binary(self) -> dict[str, Any]:
        return {"input_quantizer": SIGN, **{f"{part}_quantizer": SIGN for part in self.parts}}

    @property
    def added(self) -> list[str]:
        return [
            "input_quantizer",
            *(f"{part}_quantizer" for part in self.parts),
            *(["pad_values"] if self.pads else []),
        ]

    def make(self, **arguments: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotBinaryWarning)
            return self.ours(**{**self.required, **arguments})


FILTERS: dict[str, Any] = {"filters": 5, "kernel_size": 3}
KINDS = {
    "Conv1D": Kind(
        family.QuantConv1D, keras.layers.Conv1D, (11, 6), FILTERS, runs_binary=True,
        settings=({"strides": 2}, {"dilation_rate": 2}, {"filters": 6, "groups": 3}, {"kernel_size": 4}),
    ),
    "Conv3D": Kind(
        family.QuantConv3D, keras.layers.Conv3D, (5, 4, 7, 3), {"filters": 4, "kernel_size": (2, 3, 1)},
        settings=({"strides": (1, 2, 2)}, {"kernel_size": 2}),
    ),
    "DepthwiseConv2D": Kind(
        family.QuantDepthwiseConv2D, keras.layers.DepthwiseConv2D, (7, 6, 5), {"kernel_size": 3}, ("depthwise",),
        settings=({"strides": 2}, {"depth_multiplier": 2}, {"dilation_rate": 2}),
    ),
    "SeparableConv1D": Kind(
        family.QuantSeparableConv1D, keras.layers.SeparableConv1D, (11, 6), FILTERS, ("depthwise", "pointwise"),
        settings=({"strides": 2}, {"depth_multiplier": 3}),
    ),
    "SeparableConv2D": Kind(
        family.QuantSeparableConv2D, keras.layers.SeparableConv2D, (7, 6, 5), FILTERS, ("depthwise", "pointwise"),
        settings=({"strides": 2}, {"depth_multiplier": 2}),
    ),
    "Conv2DTranspose": Kind(
        family.QuantConv2DTranspose, keras.layers.Conv2DTranspose, (5, 4, 6), FILTERS, pads=False,
        settings=({"strides": 2}, {"strides": 2, "output_padding": 1}, {"kernel_size": (2, 3)}),
    ),
}  # fmt: skip
CASES = [
    pytest.param(kind, {"padding": padding, **settings}, id=f"{name}-{padding}-{settings}")
    for name, kind in KINDS.items()
    for settings in ({}, *kind.settings)
    for padding in ("valid", "same")
]
each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def filled(layer: Any, shape: tuple[int, ...]) -> Any:
    """The layer, built, with kernels that have zeros and clip edges, and a bias."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotBinaryWarning)
        layer.build((None, *shape))
    layer.set_weights([values_with_edges(w.shape, SEED + n) for n, w in enumerate(layer.get_weights())])
    return layer


def padded(x: np.ndarray, layer: Any, value: float) -> np.ndarray:
    """ "same" padding by hand: TensorFlow puts the odd one behind."""
    pads = []
    for size, k, step, d in zip(x.shape[1:-1], layer.kernel_size, layer.strides, layer.dilation_rate, strict=True):
        total = max((-(-size // step) - 1) * step + (k - 1) * d + 1 - size, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=value)


@each
def test_signature_is_that_of_keras_and_quantizer_arguments(kind: Kind) -> None:
    ours = dict(inspect.signature(kind.ours.__init__).parameters)  # type: ignore[misc]
    theirs = inspect.signature(kind.theirs.__init__).parameters  # type: ignore[misc]
    assert [ours.pop(name).default for name in kind.added] == [None] * len(kind.added)
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@each
def test_arguments_may_be_given_by_position(kind: Kind) -> None:
    names = list(inspect.signature(kind.theirs.__init__).parameters)[1:4]  # type: ignore[misc]
    values = {**kind.required, "strides": 2, "padding": "same"}
    layer = kind.ours(*(values[name] for name in names))
    assert all(getattr(layer, name) == getattr(kind.theirs(**{n: values[n] for n in names}), name) for name in names)
    with pytest.raises(TypeError, match="nonsense"):
        kind.ours(*(values[name] for name in names), nonsense=1)


@pytest.mark.parametrize(("kind", "arguments"), CASES)
def test_is_the_float_layer_on_signs(kind: Kind, arguments: dict[str, Any]) -> None:
    """Layer(x) == Float layer with sign(kernels) on sign(x) padded with ones; exact, since sums of small integers are.

    The bias is a multiple of 1/64 here, so that adding it is exact too.
    """
    x = values_with_edges((2, *kind.shape), SEED)
    layer = filled(kind.make(**arguments, **kind.binary), kind.shape)
    *kernels, bias = layer.get_weights()
    layer.set_weights([*kernels, np.round(bias * 64) / 64])
    same = arguments["padding"] == "same" and kind.pads
    given = padded(sign(x), layer, 1.0) if same else sign(x)
    reference = kind.theirs(**{**kind.required, **arguments, **({"padding": "valid"} if same else {})})
    reference.build(given.shape)
    reference.set_weights([*map(sign, kernels), np.round(bias * 64) / 64])
    np.testing.assert_array_equal(layer(x).numpy(), reference(given).numpy(), err_msg=f"seed {SEED}")


@each
def test_without_quantizers_it_is_the_keras_layer(kind: Kind) -> None:
    x = values_with_edges((2, *kind.shape), SEED)
    layer = filled(kind.make(padding="same"), kind.shape)
    reference = kind.theirs(**kind.required, padding="same")
    reference.build(x.shape)
    reference.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(x).numpy(), reference(x).numpy())
    assert getattr(layer, "pad_values", 0.0) == 0.0
    assert not any(getattr(layer, f"{part}_constraint") for part in kind.parts)


Sums = Callable[[np.ndarray, list[np.ndarray]], np.ndarray]


def windows(x: np.ndarray, size: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """(offset, x[n, offset + place, c]) for every offset of a kernel, valid padding and stride 1."""
    for offset in itertools.product(*map(range, size)):
        places = [slice(o, n - k + o + 1) for o, n, k in zip(offset, x.shape[1:-1], size, strict=True)]
        yield offset, x[(slice(None), *places)]


def convolution(x: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
    (kernel,) = kernels
    return sum(part @ kernel[offset] for offset, part in windows(x, kernel.shape[:-2]))  # type: ignore[return-value]


def depthwise(x: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
    (kernel,) = kernels
    found: Any = sum(part[..., None] * kernel[offset] for offset, part in windows(x, kernel.shape[:-2]))
    return found.reshape(*found.shape[:-2], -1)  # type: ignore[no-any-return]


def separable(x: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
    first, second = kernels
    return depthwise(x, [first]) @ second.reshape(second.shape[-2:])


def transposed(x: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
    (kernel,) = kernels  # [u, v, output channel, input channel]
    height, width = (n + k - 1 for n, k in zip(x.shape[1:3], kernel.shape[:2], strict=True))
    y = np.zeros((len(x), height, width, kernel.shape[2]))
    for u, v in np.ndindex(*kernel.shape[:2]):
        y[:, u : u + x.shape[1], v : v + x.shape[2]] += x @ kernel[u, v].T
    return y


FORMULAS: dict[str, Sums] = {
    "Conv1D": convolution,
    "Conv3D": convolution,
    "DepthwiseConv2D": depthwise,
    "SeparableConv1D": separable,
    "SeparableConv2D": separable,
    "Conv2DTranspose": transposed,
}


@pytest.mark.parametrize("name", KINDS)
def test_gradients_against_formula(name: str) -> None:
    """STE: d/dv = (gradient of the layer's equation at sign(v)) · 1[|v| <= 1] (BNN, equation 4), for x and kernels.

    The equations are linear in each of their arguments, so the gradient towards one entry is the difference that a
    unit step of it makes to sum(upstream · y).
    """
    import tensorflow as tf

    kind, formula = KINDS[name], FORMULAS[name]
    shape = (*(min(n, 4) for n in kind.shape[:-1]), 2)
    x = values_with_edges((1, *shape), SEED)
    layer = filled(kind.make(use_bias=False, **kind.binary), shape)
    kernels = layer.get_weights()
    values = [x.astype(np.float64), *(k.astype(np.float64) for k in kernels)]
    signs = [sign(v).astype(np.float64) for v in values]
    y = formula(signs[0], signs[1:])
    upstream = np.random.default_rng(SEED).normal(size=y.shape)
    with tf.GradientTape() as tape:
        variable = tf.Variable(x)
        result = layer(variable)
        loss = tf.reduce_sum(result * upstream.astype(np.float32))
    np.testing.assert_array_equal(result.numpy(), y, err_msg=f"seed {SEED}")
    gradients = tape.gradient(loss, [variable, *layer.trainable_weights])
    for number, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
        wanted = np.empty_like(value)
        for place in np.ndindex(*value.shape):
            step = [s.copy() for s in signs]
            step[number][place] += 1.0
            wanted[place] = ((formula(step[0], step[1:]) - y) * upstream).sum()
        wanted *= np.abs(value.astype(np.float32)) <= 1
        np.testing.assert_allclose(gradient.numpy(), wanted, rtol=1e-4, atol=1e-4, err_msg=f"{number}, seed {SEED}")


@each
@pytest.mark.parametrize("quantized", [False, True])
def test_layer(kind: Kind, quantized: bool) -> None:
    arguments = {"padding": "same", "activation": "relu", **kind.binary} if quantized else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotBinaryWarning)
        layer = run_layer_test(lambda: kind.make(**arguments), kind.shape, SEED)
    assert is_binary_layer(layer) == quantized


@each
def test_latent_weights_are_clipped_while_training(kind: Kind) -> None:
    model = keras.Sequential([keras.layers.Input(kind.shape), kind.make(**kind.binary)])
    model.compile(keras.optimizers.SGD(1000.0), "mse")
    x = values_with_edges((4, *kind.shape), SEED)
    model.fit(x, np.ones((4, *model.output_shape[1:]), np.float32), verbose=0)
    *kernels, _ = model.get_weights()
    assert len(kernels) == len(kind.parts)
    assert [float(np.abs(kernel).max()) for kernel in kernels] == [1.0] * len(kernels)


@each
def test_another_constraint_is_kept(kind: Kind) -> None:
    layer = kind.make(**kind.binary, **{f"{part}_constraint": "non_neg" for part in kind.parts})
    assert {type(getattr(layer, f"{part}_constraint")).__name__ for part in kind.parts} == {"NonNeg"}


@each
def test_default_padding(kind: Kind) -> None:
    if not kind.pads:
        assert not hasattr(kind.make(padding="same", **kind.binary), "pad_values")
        return
    assert kind.make(padding="same", **kind.binary).pad_values == 1.0
    assert kind.make(padding="same", pad_values=0.0, **kind.binary).pad_values == 0.0
    assert kind.make(padding="valid", **kind.binary).pad_values == 0.0
    assert kind.make(padding="same", input_quantizer=SIGN).pad_values == 0.0
    layer = kind.make(padding="same", pad_values=0.0, **kind.binary)
    assert kind.make(**{**layer.get_config(), "name": "copy"}).pad_values == 0.0


@each
def test_what_will_not_run_as_binary_warns_in_the_callers_name(kind: Kind) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind.ours(**kind.required)
        if kind.runs_binary:
            kind.ours(**kind.required, **kind.binary)
            return
    message = f"{kind.ours.__name__} 'odd' will not run as a binary layer: .*binary kernel.*; .*QuantConv"
    with pytest.warns(NotBinaryWarning, match=message) as caught:
        kind.ours(**kind.required, name="odd", **kind.binary)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_quantizer": SIGN}, "weights-only layer"),
        ({"input_quantizer": SIGN}, "activations-only layer"),
        ({**KINDS["Conv1D"].binary, "padding": "causal", "dilation_rate": 2}, r"ZeroPadding1D\(\(4, 0\)\) in front"),
        ({**KINDS["Conv1D"].binary, "padding": "same", "pad_values": 0.5}, "pad_values is 0.5"),
    ],
)
def test_conv1d_says_what_keeps_it_from_its_kernel(arguments: dict[str, Any], message: str) -> None:
    with pytest.warns(NotBinaryWarning, match=message):
        family.QuantConv1D(4, 3, **arguments)


def test_conv1d_with_narrow_groups_warns_when_the_channels_are_known() -> None:
    layer = family.QuantConv1D(4, 3, groups=2, **KINDS["Conv1D"].binary)
    with pytest.warns(NotBinaryWarning, match="16 input channels per group"):
        layer.build((None, 5, 32))


def test_what_the_causal_warning_advises_is_exact_and_binary() -> None:
    """Zeros that are padded before the quantizer are +1: the layer then runs as binary."""
    made = [
        keras.layers.Input((9, 32)),
        keras.layers.ZeroPadding1D((4, 0)),
        family.QuantConv1D(4, 3, dilation_rate=2, **KINDS["Conv1D"].binary),
    ]
    conversion = tfkit.convert(keras.Sequential(made), "lce", strict=True)
    assert conversion.ledger.entries[0].rewritten == "Conv1D as 1x3"


def test_all_layers_survive_a_file(tmp_path: Path) -> None:
    made = []
    for name, kind in KINDS.items():
        inputs = keras.layers.Input(kind.shape, name=name.lower())
        layer = kind.make(padding="same", name=f"layer_{name.lower()}", **kind.binary)
        made.append((inputs, layer(inputs), layer))
    model = keras.Model([i for i, _, _ in made], [o for _, o, _ in made])
    for _, _, layer in made:
        layer.set_weights([values_with_edges(w.shape, SEED + n) for n, w in enumerate(layer.get_weights())])
    tfkit.save(model, tmp_path / "family.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotBinaryWarning)
        copy = tfkit.load(tmp_path / "family.keras")
    arrays = [values_with_edges((2, *kind.shape), SEED) for kind in KINDS.values()]
    for before, after in zip(model(arrays), copy(arrays), strict=True):
        np.testing.assert_array_equal(before, after)
    for _, _, layer in made:
        found = copy.get_layer(layer.name)
        assert type(found) is type(layer)
        assert found.get_config() == layer.get_config()
