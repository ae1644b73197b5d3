"""`tfkit convert`, `verify` and `inspect` as a user sees them: one message, an exit code, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.conversion import binary_cnn, float_cnn, images, keras, layers, six_fallbacks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models and data; one subprocess a command is slow, so commands run in this process where they can."""
    found = tmp_path_factory.mktemp("cli")
    tfkit.save(float_cnn(), found / "float.keras")
    tfkit.save(binary_cnn(), found / "binary.keras")
    tfkit.save(six_fallbacks(), found / "six.keras")
    np.savez(found / "x.npz", image=images(16))
    np.savez(found / "shape.npz", image=np.zeros((4, 5, 5, 3), np.float32))
    np.savez(found / "names.npz", picture=images(4))
    (found / "text.keras").write_text("hello")
    return found


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Run the entry point as the shell does, in this process."""
    from tfkit.cli import main

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["tfkit", *map(str, arguments)])
        capfd.readouterr()
        stderr, descriptor = sys.stderr, os.dup(2)  # main() takes both for itself, for good
        try:
            with pytest.raises(SystemExit) as raised:
                main()
        finally:
            sys.stderr = stderr
            os.dup2(descriptor, 2)
            os.close(descriptor)
        out, err = capfd.readouterr()
        return Result(int(raised.value.code or 0), out, err)

    return call


def test_do_convert_and_show_the_proof(folder: Path, tmp_path: Path, run: Any) -> None:
    result = run("convert", folder / "binary.keras", "-o", tmp_path / "m.tflite", "--format", "lce", "--json",
                 tmp_path / "r.json")  # fmt: skip
    assert result.code == 0
    assert "2 of 2 binary layers are what they were declared" in result.out
    assert "parity ok" in result.out
    assert result.err.splitlines() == [
        "reading the model ...", "converting to lce ...", "matching layers to ops ...", "comparing with Keras ...",
    ]  # fmt: skip
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["schema_version"] == 1
    assert document["bytes"] == (tmp_path / "m.tflite").stat().st_size
    assert document["parity"]["ok"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.tflite", "r.json"]


def test_do_print_json_alone(folder: Path, tmp_path: Path, run: Any) -> None:
    result = run("convert", folder / "float.keras", "-o", tmp_path / "m.tflite", "--no-verify", "--json", "-")
    document = json.loads(result.out)
    assert document["parity"] is None
    assert document["ledger"]["ok"]


def test_do_convert_to_integers_inspect_and_verify(folder: Path, tmp_path: Path, run: Any) -> None:
    made = tmp_path / "m.tflite"
    result = run("convert", folder / "float.keras", "-o", made, "--format", "int8", "--calibration", folder / "x.npz",
                 "--io", "int8", "--min-agreement", "0")  # fmt: skip
    assert result.code == 0, result.err
    inspected = json.loads(run("inspect", made, "--json").out)
    assert [end["type"] for end in inspected["inputs"] + inspected["outputs"]] == ["int8", "int8"]
    shown = run("inspect", made)
    assert "CONV_2D" in shown.out
    assert "peak activations" in shown.out
    verified = run("verify", folder / "float.keras", made, "--data", folder / "x.npz", "--min-agreement", "0")
    assert verified.code == 0
    assert "SQNR" in verified.out
    as_json = json.loads(run("verify", folder / "float.keras", made, "--min-agreement", "0", "--json").out)
    assert as_json["mode"] == "post-training"


def test_do_exit_3_on_strict_and_write_nothing(folder: Path, tmp_path: Path, run: Any) -> None:
    listed = run("convert", folder / "six.keras", "-o", tmp_path / "m.tflite", "--format", "lce", "--no-verify")
    assert listed.code == 0
    assert listed.out.count("fallback") == 6
    (tmp_path / "m.tflite").unlink()
    strict = run("convert", folder / "six.keras", "-o", tmp_path / "m.tflite", "--format", "lce", "--strict")
    assert strict.code == 3
    assert "6 of 8 declared layers fell back" in strict.err
    assert not list(tmp_path.iterdir())


def _ruined(folder: Path) -> list[object]:
    np.savez(folder / "dark.npz", image=images(16) * 1e-3)
    np.savez(folder / "bright.npz", image=images(64, seed=5))
    return ["--format", "int8", "--calibration", folder / "dark.npz", "--data", folder / "bright.npz",
            "--min-agreement", "0.99"]  # fmt: skip


def test_do_exit_3_on_parity_and_write_nothing(folder: Path, tmp_path: Path, run: Any) -> None:
    result = run("convert", folder / "float.keras", "-o", tmp_path / "m.tflite", *_ruined(folder))
    assert result.code == 3
    assert "same top-1 answer as Keras on" in result.err
    assert not list(tmp_path.iterdir())


def test_do_keep_what_was_rejected_when_asked(folder: Path, tmp_path: Path, run: Any) -> None:
    result = run("convert", folder / "float.keras", "-o", tmp_path / "m.tflite", "--keep-failed", *_ruined(folder))
    assert result.code == 3
    assert [p.name for p in tmp_path.iterdir()] == ["m.rejected.tflite"]


def test_do_not_replace_an_older_output_by_a_failure(folder: Path, tmp_path: Path, run: Any) -> None:
    (tmp_path / "m.tflite").write_bytes(b"older")
    assert run("convert", folder / "six.keras", "-o", tmp_path / "m.tflite", "--format", "lce", "--strict").code == 3
    assert (tmp_path / "m.tflite").read_bytes() == b"older"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["text.keras"], 1, "text.keras is not a Keras model"),
        (["missing.keras"], 1, "no model"),
        (["float.keras", "--format", "int8"], 2, "either train it quantization-aware"),
        (["float.keras", "--format", "int8", "--calibration", "{folder}/shape.npz"], 1, "samples of shape 5x5x3"),
        (["float.keras", "--format", "int8", "--calibration", "{folder}/names.npz"], 1, "no array for image"),
        (["float.keras", "--format", "int8", "--calibration", "{folder}/none.npz"], 1, "no data file"),
        (["float.keras", "--format", "flaot"], 2, "flaot"),
        (["float.keras", "--batch", "many"], 2, "is no number and not 'dynamic'"),
        (["binary.keras", "--format", "lce", "--io", "int8"], 2, "was not trained with any"),
    ],
)
def test_do_say_one_thing(
    arguments: list[str], code: int, message: str, folder: Path, tmp_path: Path, run: Any
) -> None:
    name, *rest = [a.replace("{folder}", str(folder)) for a in arguments]
    result = run("convert", folder / name, "-o", tmp_path / "m.tflite", *rest)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err
    assert result.err.count("rror: ") == 1
    assert not list(tmp_path.iterdir())


def test_do_check_the_output_path_before_any_work(folder: Path, tmp_path: Path, run: Any) -> None:
    result = run("convert", folder / "float.keras", "-o", tmp_path / "missing" / "m.tflite")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "create it or choose another" in result.err
    assert "reading the model" not in result.err


def test_do_not_run_code_from_an_h5(tmp_path: Path, run: Any) -> None:
    """A Lambda layer whose payload would write a file."""
    trap = tmp_path / "trap"
    target = str(trap)

    def payload(x: Any) -> Any:
        open(target, "w").close()
        return x

    i = layers.Input((4,))
    model = keras.Model(i, layers.Lambda(payload, output_shape=(4,), name="gift")(i))
    model.save(tmp_path / "m.h5")
    trap.unlink(missing_ok=True)
    result = run("convert", tmp_path / "m.h5", "-o", tmp_path / "m.tflite")
    assert result.code == 1
    assert "Lambda" in result.err or "gift" in result.err
    assert not trap.exists()
    assert not (tmp_path / "m.tflite").exists()


def test_do_not_crash_on_a_truncated_flatbuffer(folder: Path, tmp_path: Path, run: Any) -> None:
    whole = tfkit.convert(float_cnn(), verify=False).flatbuffer
    (tmp_path / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    for arguments in (
        ["inspect", tmp_path / "cut.tflite"],
        ["verify", folder / "float.keras", tmp_path / "cut.tflite"],
    ):
        result = run(*arguments)
        assert result.code == 1
        assert "the flatbuffer is damaged" in result.err
        assert "Traceback" not in result.err


def test_do_exit_3_when_verify_finds_another_model(folder: Path, tmp_path: Path, run: Any) -> None:
    other = keras.models.clone_model(float_cnn())
    made = tfkit.convert(other, verify=False).save(tmp_path / "m.tflite")
    result = run("verify", folder / "float.keras", made)
    assert result.code == 3
    assert "records another source model" in result.out
    assert "flatbuffer and Keras model disagree" in result.err


def test_do_show_nothing_but_progress_in_a_real_terminal(folder: Path, tmp_path: Path) -> None:
    """In a fresh process TensorFlow, absl, oneDNN and XNNPACK all write to stderr while they load."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tfkit", "convert", folder / "float.keras", "-o", tmp_path / "m.tflite"],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stderr.splitlines() == [
        "reading the model ...", "converting to float32 ...", "matching layers to ops ...", "comparing with Keras ...",
    ]  # fmt: skip
    assert "parity ok" in done.stdout


def test_do_keep_and_describe_what_strict_rejected(folder: Path, tmp_path: Path, run: Any) -> None:
    result = run("convert", folder / "six.keras", "-o", tmp_path / "m.tflite", "--format", "lce", "--strict",
                 "--keep-failed", "--json", tmp_path / "m.json")  # fmt: skip
    assert result.code == 3
    assert "parity: not checked after a fallback" in result.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.json", "m.rejected.tflite"]
    document = json.loads((tmp_path / "m.json").read_text())
    assert (document["output"], document["parity"], document["ledger"]["ok"]) == (None, None, False)
    assert run("inspect", tmp_path / "m.rejected.tflite").code == 0


def test_do_write_json_that_is_json_about_a_broken_network(tmp_path: Path, run: Any) -> None:
    i = layers.Input((4,), name="row")
    model = keras.Model(i, layers.Dense(3, kernel_initializer=keras.initializers.Constant(np.nan))(i))
    tfkit.save(model, tmp_path / "nan.keras")
    result = run("convert", tmp_path / "nan.keras", "-o", tmp_path / "m.tflite", "--json", "-")
    assert result.code == 3
    document = json.loads(result.out, parse_constant=pytest.fail)
    assert document["parity"]["outputs"][0]["difference"] is None


def test_the_options_are_the_pipelines() -> None:
    """The command keeps its own lists, so that --help imports no pipeline."""
    from tfkit.cli import convert, verify
    from tfkit.converters import pipeline

    assert set(convert.FORMATS) == set(pipeline.FORMATS)
    for command in (convert.command, verify.command):
        choices = {option.name: getattr(option.type, "choices", ()) for option in command.params}
        assert set(choices["runtime"]) == set(pipeline.RUNTIMES)
        assert set(choices.get("io", pipeline.IO_TYPES)) == set(pipeline.IO_TYPES)
