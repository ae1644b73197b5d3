from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tfkit._errors import InputError, ModelError, UsageError
from tfkit.training.checkpoint import CheckpointFile, State, checkpoint_path, sweep

SETTINGS = {"seed": 1, "data": {"name": "digits"}, "stages": {"training": {"epochs": 5, "warmup": 0.1}}}
ROWS = ({"loss": 0.1, "accuracy": 1 / 3}, {"loss": 0.05, "accuracy": 2 / 3})


def variables() -> tuple[list[Any], list[Any]]:
    weights = [tf.Variable([[1.5, -0.0]]), tf.Variable([3], dtype=tf.int32)]
    return weights, [tf.Variable(7, dtype=tf.int64), tf.Variable([0.25])]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    CheckpointFile(tmp_path / "m.checkpoint", SETTINGS).save(State(1, 2, ROWS), *variables())
    return tmp_path / "m.checkpoint"


def test_round_trip(path: Path) -> None:
    file = CheckpointFile(path, SETTINGS)
    assert file.state() == State(1, 2, ROWS)
    targets = [[tf.Variable(tf.zeros_like(v)) for v in group] for group in variables()]
    file.restore(*targets)
    for group, expected in zip(targets, variables(), strict=True):
        for variable, wanted in zip(group, expected, strict=True):
            assert variable.numpy().tobytes() == wanted.numpy().tobytes()
    file.remove()
    assert file.state() is None


def test_other_settings_are_refused_by_name(path: Path) -> None:
    other = {"seed": 2, "data": {"name": "digits"}, "stages": {"training": {"epochs": 9, "warmup": 0.1}}, "width": 2}
    with pytest.raises(UsageError) as caught:
        CheckpointFile(path, other).state()
    message = str(caught.value)
    for difference in ("seed was 1, now it is 2", "stages training epochs was 5, now it is 9", "width was None, now"):
        assert difference in message
    assert "warmup" not in message
    assert "--restart" in message


def rewritten(path: Path, **members: bytes | None) -> None:
    with zipfile.ZipFile(path) as archive:
        content: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    content.update({name.replace("__", "/").replace("_npy", ".npy"): data for name, data in members.items()})
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)


def array_bytes(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


class Bomb:
    """Unpickling one would leave a file behind."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def test_no_code_is_run(path: Path, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    rewritten(path, weights__00000_npy=array_bytes(np.array([Bomb(trap)], object), allow_pickle=True))
    with pytest.raises(ModelError, match="damaged"):
        CheckpointFile(path, SETTINGS).restore(*variables())
    path.write_bytes(pickle.dumps(Bomb(trap)))
    with pytest.raises(ModelError, match="damaged"):
        CheckpointFile(path, SETTINGS).state()
    assert not trap.exists()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"weights__00000_npy": None}, "1 arrays of weights, the run has 2"),
        ({"weights__00000_npy": array_bytes(np.zeros((1, 3), np.float32))}, r"float32 \(1, 3\), the run has float32"),
        ({"weights__00000_npy": array_bytes(np.zeros((1, 2), np.float64))}, "is float64"),
        ({"weights__00000_npy": array_bytes(np.zeros((1, 2), np.float32))[:-1]}, "damaged.*expected 8 bytes got 7"),
        ({"weights__00000_npy": array_bytes(np.zeros((1, 2), np.float32))[:80]}, "damaged"),
        ({"weights__00000_npy": b"no array"}, "damaged"),
        ({"optimizer__00002_npy": array_bytes(np.zeros(1))}, "3 arrays of optimizer, the run has 2"),
    ],
)
def test_arrays_that_do_not_fit_change_nothing(path: Path, members: dict[str, Any], message: str) -> None:
    rewritten(path, **members)
    weights, optimizer = variables()
    weights[1].assign([9])
    with pytest.raises(ModelError, match=message):
        CheckpointFile(path, SETTINGS).restore(weights, optimizer)
    assert weights[1].numpy() == [9]


def state_text(**changes: Any) -> bytes:
    state = {"version": 1, "settings": SETTINGS, "stage": 1, "epoch": 2, "rows": list(ROWS), **changes}
    return json.dumps(state).encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "damaged"),
        (b"[1, 2]", "damaged"),
        (b"[" * 100_000, "damaged"),
        (state_text(version=2), "version 2, this tfkit writes and reads 1"),
        (state_text(epoch=-1), "contradicts itself"),
        (state_text(epoch=3), "contradicts itself"),
        (state_text(rows=[1, 2]), "damaged"),
        (state_text(settings=3), "contradicts itself"),
    ],
)
def test_damaged_states(path: Path, text: bytes, message: str) -> None:
    rewritten(path, **{"state.json": text})
    with pytest.raises(ModelError, match=message):
        CheckpointFile(path, SETTINGS).state()


def test_every_cut_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="damaged"):
            CheckpointFile(path, SETTINGS).state()


def test_a_failed_write_keeps_the_old_one(path: Path) -> None:
    before = path.read_bytes()

    class Broken:
        def numpy(self) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CheckpointFile(path, SETTINGS).save(State(1, 3, ROWS), [Broken()], [])
    assert path.read_bytes() == before
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_leftovers_are_swept_up_and_nothing_else(tmp_path: Path) -> None:
    target = checkpoint_path(tmp_path / "m[1].keras")
    leftover = tmp_path / ".m[1].keras.abcdefgh.checkpoint"
    others = [tmp_path / "m[1].keras", tmp_path / ".m1.keras.abcdefgh.checkpoint", tmp_path / ".m[1].keras.checkpoint"]
    for file in (leftover, *others):
        file.touch()
    sweep(target)
    assert not leftover.exists()
    assert all(other.exists() for other in others)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        CheckpointFile(tmp_path / "missing" / "m.checkpoint", SETTINGS)
