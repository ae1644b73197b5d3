"""Native noise is kept off the terminal, and the reason is found in it."""

from __future__ import annotations

import os

import pytest

from tfkit.converters.diagnostics import captured, reason


def test_do_capture_the_file_descriptor(capfd: pytest.CaptureFixture[str]) -> None:
    with captured() as found:
        os.write(2, b'loc("a"): error: no such op\nI0000 00:00:1 1 x.cc:3] chatter\n')
    assert found.errors() == ["no such op"]
    assert capfd.readouterr().err == ""


def test_do_restore_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), captured():
        raise ValueError("inside")
    os.write(2, b"visible again")
    assert capfd.readouterr().err == "visible again"


def test_do_nest(capfd: pytest.CaptureFixture[str]) -> None:
    with captured() as outer:
        os.write(2, b"error: one\n")
        with captured() as inner:
            os.write(2, b"error: two\n")
        os.write(2, b"error: three\n")
    assert (outer.errors(), inner.errors()) == (["one", "three"], ["two"])
    assert capfd.readouterr().err == ""


def test_do_find_mlirs_words_in_an_exception() -> None:
    with captured() as found:
        os.write(2, b"W0000 00:00:1 2 file.cc:3] warning\n")
    error = RuntimeError(
        '<unknown>:0: error: loc("x"): op is neither a custom op nor a flex op\n<unknown>:0: note: more'
    )
    assert reason(error, found) == 'loc("x"): op is neither a custom op nor a flex op'


def test_do_fall_back_on_the_exceptions_text() -> None:
    with captured() as found:
        pass
    assert reason(ValueError("plain words"), found) == "plain words"
    assert reason(ValueError(), found) == "ValueError"
    many = RuntimeError("\n".join(f"error: number {n}" for n in range(9)))
    assert reason(many, found) == "number 0; number 1; number 2 (and 6 more)"
    assert len(reason(RuntimeError("x" * 5000), found)) <= 300
