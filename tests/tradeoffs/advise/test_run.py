"""The whole way with a faked stopwatch: times follow a rule, so that the right advice is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from tfkit import models
from tfkit._errors import UnsupportedError, UsageError
from tfkit.cli import cli
from tfkit.saving import save
from tfkit.tradeoffs.advise import advisor, timing
from tfkit.tradeoffs.advise import run as advise_run
from tfkit.tradeoffs.advise.cache import Sample
from tfkit.tradeoffs.advise.reference import Reference
from tfkit.tradeoffs.advise.sites import Site, sites
from tfkit.tradeoffs.advise.timing import Timed

PER_MAC = {"float32": 1e-9, "int8": 4e-10, "W2A2": 1e-10, "binary": 2e-11}


def seconds(site: Site) -> float:
    precision = next((name for name in PER_MAC if name in site.kind), "float32")
    return site.macs * PER_MAC[precision] + 1e-6


class FakeStopwatch(timing.Stopwatch):
    """No device: an op takes time by its MACs and precision, a network the sum and a tenth of a millisecond."""

    calls: ClassVar[list[list[str]]] = []

    def time(self, flatbuffers: Mapping[str, bytes], turns: int = 1) -> dict[str, Timed]:
        self.calls.append(list(flatbuffers))
        found = {}
        for name, data in flatbuffers.items():
            ops = sites(data)
            made = [Sample(s.kind, s.macs, s.traffic, s.weight_bytes, s.channels, seconds(s), "XNNPACK") for s in ops]
            found[name] = Timed(ops, tuple(made), 1, sum(map(seconds, ops)) + 1e-4)
        return found


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[FakeStopwatch]:
    def references() -> Iterator[Reference]:
        yield from ()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(advise_run, "Stopwatch", FakeStopwatch)
    monkeypatch.setattr(advisor, "references", references)
    FakeStopwatch.calls = []
    return FakeStopwatch


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("advise") / "m.keras"
    save(models.build("small_cnn", seed=1), made)
    return made


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["advise", *arguments])


@pytest.mark.slow
def test_advice_from_the_command_line(path: Path, tmp_path: Path, stopwatch: type[FakeStopwatch]) -> None:
    done = run(str(path), "--json", str(tmp_path / "a.json"))
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["schema_version"] == 1
    assert found["rest"] == "int8"
    assert found["bits"], "whoever saves nine tenths of the time is worth it"
    assert set(found["bits"].values()) <= {"few-bit", "binary"}
    for layer in found["layers"]:
        assert layer["seconds"]["int8"] < layer["seconds"]["float"]
        assert layer["noise"]["int8"] < layer["noise"]["few-bit"] < layer["noise"]["binary"]
    titles = [one["title"] for one in found["networks"]]
    assert titles[:2] == ["float", "int8"]
    assert "plan: int8, " in done.stdout
    assert "A risk, no promise" in done.stdout
    assert "expected latency" in done.stdout
    again = run(str(path))
    assert again.exit_code == 0
    assert len([c for c in stopwatch.calls if any("small_cnn" in name for name in c)]) == 1, "kept in the cache"


@pytest.mark.slow
def test_budgets(path: Path, stopwatch: type[FakeStopwatch]) -> None:
    kept = run(str(path), "--max-size", "1MB")
    assert kept.exit_code == 0, kept.output
    assert "plan: float\n" in kept.stdout, "the safest that keeps the limit"
    done = run(str(path), "--max-latency", "1us")
    assert isinstance(done.exception, UnsupportedError)
    assert "no mix of precisions keeps the limits" in str(done.exception)
    assert "The closest is " in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-latency", "20 parsecs"], "got '20 parsecs'"),
        (["--max-size", "2"], "a size is a positive number with its unit"),
        (["--min-accuracy", "95"], "share between 0 and 1"),
        (["--min-accuracy", "0.9"], "a least accuracy needs labelled data"),
        (["--train"], "--train needs --data to train on and -o"),
        (["-o", "m.tflite"], "-o is for what --train makes"),
        (["--train", "--data", "digits", "-o", "m.keras"], "-o names a .tflite file; got 'm.keras'"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, path: Path) -> None:
    done = run(str(path), *arguments)
    assert isinstance(done.exception, UsageError), done.output
    assert message in str(done.exception)


def test_emulated_devices_are_refused_before_anything_is_done(path: Path) -> None:
    done = run(str(path), "--device", "qemu:cortex-a53")
    assert isinstance(done.exception, UnsupportedError)
    assert "is emulated" in str(done.exception)


@pytest.mark.slow
def test_on_this_machine(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real times: trained, converted, measured."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    output = tmp_path / "m.tflite"
    done = run(str(path), "--data", "digits", "--train", "--epochs", "2", "-o", str(output))
    assert done.exit_code == 0, done.output
    assert output.exists()
    assert output.with_suffix(".keras").exists()
    assert "carried out" in done.stdout
    assert "held-out error" in done.stdout
