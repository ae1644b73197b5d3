"""The reference that a device is held to: its values, and where its tolerance comes from."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.flatbuffers import golden, identity
from tfkit.bench import golden as reference
from tfkit.bench import inputs
from tfkit.runtime import Interpreter

SEED = 9


def made(name: str) -> reference.Golden:
    data = golden(name).read_bytes()
    return reference.make(data, inputs.seeded_candidates(Interpreter(data).inputs, SEED))


@pytest.mark.parametrize("name", ["int8", "lce_int8"])
def test_integer_models_are_exact(name: str) -> None:
    found = made(name)
    assert (found.relative, found.integer) == (0.0, 0)
    assert found.reason == "exact: every op is defined to the bit"
    for got, want in zip(found.outputs, Interpreter(golden(name)).run(found.inputs), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["float32", "lce_float32"])
def test_float_models_get_a_derived_tolerance(name: str) -> None:
    found = made(name)
    assert reference.FLOOR <= found.relative < 0.05
    assert "the last bits of CONV_2D, " in found.reason
    # TFLite's own kernels sum in another order: that is what the tolerance has to cover.
    (other,) = Interpreter(golden(name), kernels="reference").run(found.inputs)
    (mine,) = found.outputs
    assert np.abs(other - mine).max() <= found.relative * np.abs(mine).max(), f"seed {SEED}"


def test_a_calm_candidate_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    movements = iter([(0.03, 0.0), (0.01, 0.0), (1e-7, 0.0), (0.0, 0.0)])
    monkeypatch.setattr(reference, "_sensitivity", lambda *_: next(movements))
    found = made("lce_float32")
    assert (found.candidate, found.relative) == (2, reference.FLOOR)
    data = golden("lce_float32").read_bytes()
    third = list(inputs.seeded_candidates(Interpreter(data).inputs, SEED))[2]
    np.testing.assert_array_equal(found.inputs[0], third[0])


def test_without_a_calm_candidate_the_calmest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    movements = iter([(0.03, 0.0)] * 5 + [(0.01, 0.0)] + [(0.02, 0.0)] * 10)
    monkeypatch.setattr(reference, "_sensitivity", lambda *_: next(movements))
    found = made("lce_float32")
    assert (found.candidate, found.relative) == (5, 0.02)


def test_inexact_ops() -> None:
    assert reference.inexact_ops(golden("float32").read_bytes()) == ["CONV_2D", "MEAN", "FULLY_CONNECTED"]
    assert reference.inexact_ops(golden("lce_float32").read_bytes()) == ["CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"]
    assert reference.inexact_ops(golden("lce_int8").read_bytes()) == []
    assert reference.inexact_ops(identity("float32", (2,))) == []


def test_the_disturbance_moves_floats_only() -> None:
    random = np.random.default_rng(SEED)
    floats = np.linspace(-1, 1, 100, dtype=np.float32)
    moved = reference._disturbed(floats, random)
    assert moved.dtype == np.float32
    assert 0 < np.abs(moved - floats).max() <= reference.DISTURBANCE * 1.01
    integers = np.arange(5, dtype=np.int8)
    assert reference._disturbed(integers, random) is integers
