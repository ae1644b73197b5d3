"""Every architecture at a small size, all the way: build, convert strictly to what applies, verify, run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras, shake_normalizations
from tfkit import bench, models
from tfkit.metadata import metadata_of
from tfkit.runtime import Interpreter

SEED = 31
CLASSES = 4
SAMPLES = 8
# ImageNet networks divide height and width by 32, those for CIFAR by 4 or 8.
SIDE = {224: 64, 227: 96}
# One member of each family; the other names differ in numbers only.
NAMES = [name for name in models.REGISTRY if not name.startswith(("wrn_", "densenet_bc_"))]
NAMES += ["wrn_10_1", "densenet_bc_16_12"]
FORMATS = {
    "float32": ("float32", "float16", "dynamic", "int8"),
    "int8": ("int8",),
    "binary": ("lce",),
    "binary_int8": ("lce",),
}
# In every run: the formats that differ most, of every scheme. The rest is only in `make test-all`.
ALWAYS = ("float32", "int8", "lce")
EMULATED = {
    "shufflenet_v1_g3": ("float32", "int8"),
    "mobilenet_v3_small": ("int8", "int8"),
    "squeezenet_1_1": ("float32", "float32"),
    "binary_densenet28": ("binary", "lce"),
    "quicknet_small": ("binary_int8", "lce"),
}


def cases() -> list[Any]:
    return [
        pytest.param(name, scheme, format, marks=[] if format in ALWAYS else [pytest.mark.slow])
        for name in NAMES
        for scheme in models.REGISTRY[name].schemes
        for format in FORMATS[scheme]
    ]


def small(name: str, scheme: str) -> Any:
    """The architecture with few channels, as after training: statistics and ranges are those of the data."""
    spec = models.REGISTRY[name]
    height, width, channels = spec.input_shape
    shape = (SIDE.get(height, min(height, 16)), SIDE.get(width, min(width, 16)), channels)
    base = {"int8": "float32", "binary_int8": "binary"}.get(scheme, scheme)
    model = models.build(name, input_shape=shape, classes=CLASSES, width=0.25, scheme=base, seed=SEED)
    shake_normalizations(model, SEED)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(preprocessed(model, raw(model)), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model if scheme == base else tfkit.quantize_aware(model, preprocessed(model, raw(model)))


def raw(model: Any) -> np.ndarray:
    """Raw samples in the range of the model's preprocessing: stripes that differ in colour, width and noise."""
    preprocessing = metadata_of(model).preprocessing
    assert preprocessing is not None
    height, width, channels = model.input_shape[1:]
    rng = np.random.default_rng(SEED)
    waves = (
        rng.uniform(0.05, 1.5, (SAMPLES, 1, 1, channels)) * np.arange(width)[:, None] + np.arange(height)[:, None, None]
    )
    shares = rng.uniform(0.2, 0.8, (SAMPLES, 1, 1, channels)) + 0.1 * np.sin(waves)
    shares = shares + rng.uniform(-0.1, 0.1, (SAMPLES, height, width, channels))
    return (preprocessing.raw_min + shares * (preprocessing.raw_max - preprocessing.raw_min)).astype(np.float32)


def preprocessed(model: Any, samples: np.ndarray) -> np.ndarray:
    preprocessing = metadata_of(model).preprocessing
    assert preprocessing is not None
    return preprocessing.apply(samples)


def converted(name: str, scheme: str, format: str) -> tuple[Any, tfkit.Conversion]:
    """A strict conversion; raises when a layer fell back or the flatbuffer computes something else."""
    model = small(name, scheme)
    samples = raw(model)
    calibration = samples if (scheme, format) == ("float32", "int8") else None
    # Layer upon layer of random weights amplifies what rounding to int8 changes, so after calibration alone answers
    # say nothing here; the kernels are held to their reference all the same.
    found = tfkit.convert(model, format, calibration=calibration, strict=True, min_agreement=0.0)
    assert found.parity is not None
    assert found.parity.ok, found.parity.summary
    return model, found


@pytest.mark.parametrize(("name", "scheme", "format"), cases())
def test_converts_verifies_and_runs(name: str, scheme: str, format: str) -> None:
    model, conversion = converted(name, scheme, format)
    declared = [entry for entry in conversion.ledger.entries if entry.declared == "binary"]
    assert bool(declared) == scheme.startswith("binary")
    outputs = Interpreter(conversion.flatbuffer).predict(preprocessed(model, raw(model)))
    assert outputs.shape == (SAMPLES, CLASSES)
    assert np.isfinite(outputs).all()
    assert np.ptp(outputs, axis=0).max() > 0, "every sample gives the same answer: nothing was computed"
    keras.backend.clear_session()


@pytest.mark.qemu
@pytest.mark.parametrize("name", EMULATED)
def test_runs_on_emulated_arm(name: str, tmp_path: Path) -> None:
    scheme, format = EMULATED[name]
    _, conversion = converted(name, scheme, format)
    path = tmp_path / f"{name}.tflite"
    conversion.save(path)
    report = bench.run([path], device="qemu:cortex-a72", seed=SEED)
    report.check()
    (result,) = report.results
    assert result.ok, f"seed {SEED}: {result.golden}"


def test_every_emulated_model_is_in_the_zoo() -> None:
    for name, (scheme, _) in EMULATED.items():
        assert scheme in models.REGISTRY[name].schemes
