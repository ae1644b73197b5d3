from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import images
from helpers.keras import keras, tiny_dataset
from helpers.training import assert_same_bits
from tfkit import models, training
from tfkit._errors import DataError, ModelError, TrainingError, UsageError
from tfkit.data import Dataset
from tfkit.data._types import Augmentation
from tfkit.data.image_folder import ImageFolder
from tfkit.pruning import prune, sparsity, strip
from tfkit.quantization import quantize_aware, tfmot
from tfkit.training import streams
from tfkit.training.checkpoint import CheckpointFile, State
from tfkit.training.losses import ends_in_softmax
from tfkit.training.recipes import RECIPES
from tfkit.training.stages import Stage, run_stages

SEED = 19


def network(scheme: str = "float32", **arguments: Any) -> Any:
    return models.build("small_cnn", scheme=scheme, classes=3, seed=SEED, **arguments)


def test_learns_and_reports() -> None:
    seen: list[tuple[int, int, float]] = []
    data = tiny_dataset(SEED, samples=192)
    model = network()
    history = training.fit(
        model, data, epochs=6, batch_size=16, progress=lambda epoch, of, logs: seen.append((epoch, of, logs["loss"]))
    )
    assert [epoch for epoch, _, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert all(of == 6 for _, of, _ in seen)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["loss"] == pytest.approx([loss for _, _, loss in seen])
    assert history["loss"][-1] < history["loss"][0] / 2
    assert training.accuracy(model, data.x_test, data.y_test) == pytest.approx(history["val_accuracy"][-1])
    assert history["val_accuracy"][-1] > 0.8, f"seed {SEED}"


def test_one_seed_one_result() -> None:
    data = tiny_dataset(SEED)

    def weights(seed: int) -> list[np.ndarray]:
        model = network("binary")
        training.fit(model, data, epochs=2, batch_size=16, seed=seed)
        return list(model.get_weights())

    first, second, other = weights(1), weights(1), weights(2)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(np.any(a != b) for a, b in zip(first, other, strict=True))


def test_binary_kernels_stay_clipped() -> None:
    model = network("binary")
    training.fit(model, tiny_dataset(SEED), epochs=2, batch_size=8, learning_rate=0.5)
    assert np.abs(model.get_layer("block1a").get_weights()[0]).max() == 1.0


def test_ranges_of_int8_models_follow_the_data() -> None:
    data = tiny_dataset(SEED)
    model = network()
    training.fit(model, data, epochs=4, batch_size=16)
    aware = quantize_aware(model)
    training.fit(aware, data, epochs=1, batch_size=16)
    ranges = [(float(r.minimum.numpy()), float(r.maximum.numpy())) for r in tfmot.activation_ranges(aware)]
    assert (-6.0, 6.0) not in ranges
    assert ranges[0] == pytest.approx((0.0, float(data.x_train.max() / 16)), abs=1e-3)
    floats = training.accuracy(model, data.x_test, data.y_test)
    assert training.accuracy(aware, data.x_test, data.y_test) >= floats - 0.1


def test_pruned_models_get_their_step_counter() -> None:
    model = prune(network(), 0.6, end_step=6, frequency=2)
    training.fit(model, tiny_dataset(SEED), epochs=2, batch_size=8)
    assert min(sparsity(strip(model)).values()) > 0.59


def test_softmax_outputs_are_no_logits() -> None:
    inputs = keras.layers.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    for last in (keras.layers.Dense(3, activation="softmax"), keras.layers.Softmax()):
        y = last(x if isinstance(last, keras.layers.Dense) else keras.layers.Dense(3)(x))
        model = keras.Model(inputs, y)
        training.fit(model, tiny_dataset(SEED), epochs=1)
        assert model.loss.get_config()["from_logits"] is False
        assert ends_in_softmax(keras.Sequential([keras.layers.Input((8, 8, 1)), model]))
        assert not ends_in_softmax(keras.Sequential([keras.layers.Input((8, 8, 1)), model, keras.layers.Dense(3)]))
    linear = network()
    training.fit(linear, tiny_dataset(SEED), epochs=1)
    assert linear.loss.get_config()["from_logits"] is True


def test_what_does_not_fit_is_refused() -> None:
    data = tiny_dataset(SEED)
    with pytest.raises(DataError, match=r"takes samples of shape \(16, 16, 1\), the data has \(8, 8, 1\)"):
        training.fit(network(input_shape=(16, 16, 1)), data)
    with pytest.raises(DataError, match="the data has 10 classes, the model 3 outputs"):
        training.fit(network(), dataclasses.replace(data, classes=10))
    with pytest.raises(DataError, match="hand over the raw data"):
        training.fit(network(), dataclasses.replace(data, x_train=data.x_train * 16))
    with pytest.raises(UsageError, match="must be positive; got 0, 64"):
        training.fit(network(), data, epochs=0)
    with pytest.raises(UsageError, match="classifiers with one input"):
        training.fit(keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(1, 1)]), data)


class Stopped(Exception):
    """What interrupts a run in these tests."""


@pytest.mark.parametrize(
    ("scheme", "options", "stops"),  # (epoch, step); each takes a whole training function to get there
    [
        pytest.param("float32", {"recipe": "compact"}, [(1, 2), (2, 3), (3, 1)], marks=pytest.mark.slow, id="float32"),
        pytest.param("binary", {}, [(1, 2), (2, 3), (3, 1)], id="binary"),
        pytest.param("binary", {"recipe": "bop"}, [(2, 3)], id="bop"),
        pytest.param("int8", {}, [(2, 3)], id="int8"),
    ],
)
def test_interrupted_training_ends_with_the_same_bits(
    scheme: str, options: dict[str, Any], stops: list[tuple[int, int]], tmp_path: Path
) -> None:
    data = dataclasses.replace(tiny_dataset(SEED), augmentation=Augmentation(pad=1, flip=True))
    settings = {"epochs": 3, "batch_size": 16, "seed": SEED, **options}
    whole = network(scheme, width=0.5)
    expected = training.fit(whole, data, **settings)

    checkpoint = tmp_path / "run.checkpoint"
    for stop in stops:

        def interrupt(epoch: int, epochs: int, step: int, steps: int, logs: Any, stop: Any = stop) -> None:
            if (epoch, step) == stop:
                raise Stopped

        with pytest.raises(Stopped):
            training.fit(network(scheme, width=0.5), data, checkpoint=checkpoint, step_progress=interrupt, **settings)
        assert checkpoint.exists()
    pieces = network(scheme, width=0.5)
    assert training.fit(pieces, data, checkpoint=checkpoint, **settings) == expected
    assert_same_bits(whole.get_weights(), pieces.get_weights(), f"seed {SEED}")
    assert not checkpoint.exists()


def test_a_checkpoint_belongs_to_its_settings(tmp_path: Path) -> None:
    def stop(*_: Any) -> None:
        raise Stopped

    path, data = tmp_path / "run.checkpoint", tiny_dataset(SEED)
    with pytest.raises(Stopped):
        training.fit(network(), data, epochs=2, checkpoint=path, step_progress=stop)
    with pytest.raises(UsageError, match=r"other settings: recipe epochs was 2, now it is 3\. Use the same"):
        training.fit(network(), data, epochs=3, checkpoint=path)
    with pytest.raises(UsageError, match="model was "):
        training.fit(network(width=0.5), data, epochs=2, checkpoint=path)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (State(1, 0, ()), "stands in stage 1, counted from 0, of a run with 1"),
        (State(0, 3, ({"loss": 1.0},) * 3), "is 3 epochs into a stage of 2"),
        (State(0, 1, ({"loss": 1.0},)), "its epochs do not have loss, accuracy, val_loss, val_accuracy"),
    ],
)
def test_a_checkpoint_of_no_such_run_is_damaged(state: State, message: str, tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "run.checkpoint", {})
    file.save(state, [], [])
    stage = Stage("training", "training", dataclasses.replace(RECIPES["adam"], epochs=2))
    with pytest.raises(ModelError, match=message):
        run_stages(network(), tiny_dataset(SEED), [stage], seed=SEED, checkpoint=file, begin=lambda *_: (None, None))  # type: ignore[arg-type, return-value]


def test_divergence_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"loss became \w+ (in step|after) .*lower learning rate than 1e\+20"):
        training.fit(network(), tiny_dataset(SEED), recipe="plain", learning_rate=1e20, batch_size=8, epochs=3)


def test_logs_have_no_gaps_after_an_interruption(tmp_path: Path) -> None:
    import tensorflow as tf

    def stop(epoch: int, *_: Any) -> None:
        if epoch == 3:
            raise Stopped

    data, path, logs = tiny_dataset(SEED), tmp_path / "run.checkpoint", tmp_path / "logs"
    options = {"epochs": 4, "checkpoint": path, "log_dir": logs, "log_name": "digits"}
    with pytest.raises(Stopped):
        training.fit(network(), data, step_progress=stop, **options)  # type: ignore[arg-type]
    history = training.fit(network(), data, **options)  # type: ignore[arg-type]
    with (logs / "digits.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    for name, values in history.items():
        assert [float(row[name]) for row in rows] == values
    assert float(rows[0]["learning_rate"]) > float(rows[3]["learning_rate"]) > 0
    assert all(float(row["seconds"]) > 0 for row in rows)
    events: dict[str, dict[int, float]] = {}
    for file_name in sorted((logs / "digits").iterdir()):
        for record in tf.data.TFRecordDataset(str(file_name)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                events.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    assert sorted(events["loss"]) == [1, 2, 3, 4]
    assert [events["loss"][step] for step in (1, 2, 3, 4)] == pytest.approx(history["loss"])


class Streamed(Dataset):
    """A data set that refuses to be read as a whole."""

    in_memory = False  # type: ignore[assignment]

    def arrays(self, split: str, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        assert limit is not None, "the whole data set was read"
        return super().arrays(split, limit)


def test_data_streams() -> None:
    source = tiny_dataset(SEED)
    data = Streamed(source.x_train, source.y_train, source.x_test, source.y_test, source.classes)
    model, same = network(), network()
    assert training.fit(model, data, epochs=1, seed=SEED) == training.fit(same, source, epochs=1, seed=SEED)
    share = training.evaluate(model, data, batch_size=7)
    assert share == training.accuracy(same, source.x_test, source.y_test)


def test_images_on_disk_are_checked_by_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []
    read = ImageFolder.arrays

    def arrays(self: ImageFolder, split: str, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        asked.append(limit)
        return read(self, split, limit)

    data = ImageFolder(images.folder(tmp_path, {"a": 6, "b": 6}), shape=(16, 16, 3))
    monkeypatch.setattr(ImageFolder, "arrays", arrays)
    streams.check_fit(models.build("mobilenet_v1", input_shape=(16, 16, 3), classes=2), data)
    assert len(asked) == 2
    assert None not in asked


def test_steps_are_told() -> None:
    seen: list[tuple[int, int, int, int]] = []
    training.fit(
        network(),
        tiny_dataset(SEED),
        epochs=2,
        batch_size=20,
        step_progress=lambda epoch, epochs, step, steps, logs: seen.append((epoch, epochs, step, steps)),
    )
    assert seen == [(epoch, 2, step, 3) for epoch in (1, 2) for step in (1, 2, 3)]


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "wanted"), [("float32", 0.97), ("binary", 0.95)])
def test_digits(scheme: str, wanted: float) -> None:
    from tfkit.data import load

    data = load("digits")
    model = models.build("small_cnn", scheme=scheme, seed=0)
    training.fit(model, data)
    assert training.accuracy(model, data.x_test, data.y_test) > wanted
