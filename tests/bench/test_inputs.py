"""Seeded inputs are the same bytes in Python and in the runner, for every type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.flatbuffers import golden, identity
from helpers.runner import tfkit_bench
from tfkit._errors import DataError
from tfkit.bench import inputs
from tfkit.runtime import Interpreter
from tfkit.runtime.tensors import TensorInfo

SHAPE = (3, 5, 7)
DTYPES = ("float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool")


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_python_and_runner_agree(dtype: str, seed: int, tmp_path: Path) -> None:
    model, dump = tmp_path / "identity.tflite", tmp_path / "out.bin"
    model.write_bytes(identity(dtype, SHAPE))
    answer = tfkit_bench("--model", model, "--seed", str(seed), "--runs", "0", "--dump-outputs", dump)
    assert answer.exit_code == 0, answer.stderr
    assert answer.document is not None
    (tensor,) = answer.document["inputs"]
    assert (tensor["dtype"], tensor["shape"]) == (dtype, list(SHAPE))
    (array,) = inputs.seeded([TensorInfo(0, "in", SHAPE, np.dtype(dtype))], seed)
    assert array.dtype == dtype
    assert dump.read_bytes() == inputs.concatenated([array]), f"seed {seed}"


def test_all_inputs_share_one_stream(tmp_path: Path) -> None:
    dump = tmp_path / "out.bin"
    assert (
        tfkit_bench("--model", golden("two_ends"), "--seed", "5", "--runs", "0", "--dump-outputs", dump).exit_code == 0
    )
    interpreter = Interpreter(golden("two_ends"))
    arrays = inputs.seeded(interpreter.inputs, 5)
    np.testing.assert_array_equal(
        np.concatenate([a.ravel() for a in arrays]), inputs.seeded([TensorInfo(0, "", (10,), np.dtype("f4"))], 5)[0]
    )
    assert dump.read_bytes() == inputs.concatenated(interpreter.run(arrays))


def test_values_cover_their_range() -> None:
    info = TensorInfo(0, "x", (20_000,), np.dtype(np.float32))
    (floats,) = inputs.seeded([info], 3)
    assert -1 <= floats.min() < -0.999
    assert 0.999 < floats.max() < 1
    (int8,) = inputs.seeded([TensorInfo(0, "x", (20_000,), np.dtype(np.int8))], 3)
    assert set(int8.tolist()) == set(range(-128, 128))


def test_data_is_preprocessed_and_quantized(tmp_path: Path) -> None:
    info = Interpreter(golden("int8")).inputs[0]
    assert info.scale is not None
    assert info.zero_point is not None
    raw = np.random.default_rng(1).uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32)
    np.savez(tmp_path / "x.npz", image=raw, y=np.arange(4))
    found = inputs.data_candidates(tmp_path / "x.npz", golden("int8").read_bytes(), [info])
    expected = np.clip(np.round(raw.astype(np.float64) / info.scale) + info.zero_point, -128, 127)
    assert [len(arrays) for arrays in found] == [1, 1, 1, 1]
    np.testing.assert_array_equal(np.concatenate([arrays[0] for arrays in found]), expected.astype(np.int8))


def test_data_of_the_wrong_shape(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 9, 9, 3), np.float32))
    info = Interpreter(golden("float32")).inputs[0]
    with pytest.raises(DataError, match="image has samples of shape 9x9x3, the model takes 8x8x3"):
        inputs.data_candidates(tmp_path / "x.npz", golden("float32").read_bytes(), [info])
