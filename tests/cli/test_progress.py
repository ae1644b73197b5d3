from __future__ import annotations

import pytest

from tfkit.cli import _progress
from tfkit.cli._progress import TrainingProgress


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_progress, "time", clock)
    return clock


def told(progress: TrainingProgress, clock: Clock) -> None:
    """Two epochs of ten steps of ten seconds each."""
    for epoch in (1, 2):
        for step in range(1, 11):
            clock.now += 10
            progress.step(epoch, 2, step, 10, {"loss": 1.0, "accuracy": 0.5})
        progress.epoch(epoch, 2, {"loss": 1.0, "accuracy": 0.5, "val_accuracy": 0.25})


def test_lines_now_and_then_without_a_terminal(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    told(TrainingProgress("training"), clock)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        *(f"training 1/2, step {step}/10" for step in (3, 6, 9)),
        "training 1/2",
        *(f"training 2/2, step {step}/10" for step in (3, 6, 9)),
        "training 2/2",
    ]
    assert lines[0] == "training 1/2, step 3/10: loss 1.0000, accuracy 0.5000, 2 min 50 s left"
    assert lines[3] == "training 1/2: loss 1.0000, accuracy 0.5000, test 0.2500, 1 min 40 s left"
    assert lines[7] == "training 2/2: loss 1.0000, accuracy 0.5000, test 0.2500, took 3 min 20 s"


def test_one_moving_line_on_a_terminal(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_progress.sys.stderr, "isatty", lambda: True)
    told(TrainingProgress("training"), clock)
    text = capsys.readouterr().err
    assert text.count("\n") == 2
    assert text.count("\r") == 22
    assert text.split("\r")[2].startswith("training 1/2, step 2/10:")


def test_the_first_step_which_builds_the_graph_says_nothing_of_the_time_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = TrainingProgress("training")
    clock.now += 500
    told(progress, clock)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "training 1/2, step 1/10: loss 1.0000, accuracy 0.5000"
    assert lines[1].endswith("step 4/10: loss 1.0000, accuracy 0.5000, 2 min 40 s left")
    assert lines[4].startswith("training 1/2: ")
    assert lines[4].endswith("1 min 40 s left")
    assert lines[-1].endswith("took 11 min 40 s")


def test_a_resumed_run_counts_its_own_epochs(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrainingProgress("training")
    clock.now += 60
    progress.epoch(8, 10, {"loss": 1.0, "accuracy": 0.5, "val_accuracy": 0.25})
    assert "2 min 0 s left" in capsys.readouterr().err
