from __future__ import annotations

import json
from pathlib import Path

import pytest

from tfkit._errors import InputError
from tfkit.tradeoffs.advise.cache import Cache, Measurements, Network, Sample, default_folder, identity

SAMPLE = Sample("ADD float32", 0, 128, 0, 32, 1.5e-6, "XNNPACK")
KNOWN = Measurements({"a": SAMPLE}, {"n": Network("n", "g", ("a", "a"), 1, 2e-3)})


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    cache = Cache({"device": "local"}, tmp_path / "new")
    assert cache.read() == Measurements()
    cache.write(KNOWN)
    assert Cache({"device": "local"}, tmp_path / "new").read() == KNOWN
    assert [file.suffix for file in (tmp_path / "new").iterdir()] == [".json"]
    assert json.loads(cache.path.read_text())["identity"] == {"device": "local"}


def test_another_device_build_or_thread_count_has_another_file(tmp_path: Path) -> None:
    facts = {"cpu_model": "A", "load_average": [1.0]}
    made = {"delegate_sha256": "1"}
    same = [identity("local", {**facts, "load_average": [load]}, made, 1, "big") for load in (1.0, 2.0)]
    others = [
        identity("adb:1", facts, made, 1, "big"),
        identity("local", {**facts, "cpu_model": "B"}, made, 1, "big"),
        identity("local", facts, {"delegate_sha256": "2"}, 1, "big"),
        identity("local", facts, made, 2, "big"),
    ]
    paths = [Cache(one, tmp_path).path for one in (*same, *others)]
    assert paths[0] == paths[1]
    assert len(set(paths)) == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"schema_version": 2, "samples": {}, "networks": {}}',
        '{"schema_version": 1, "samples": [], "networks": {}}',
        '{"schema_version": 1, "samples": {"a": {"kind": "ADD"}}, "networks": {}}',
        json.dumps({"schema_version": 1, "samples": {"a": {**vars(SAMPLE), "seconds": -1}}, "networks": {}}),
        json.dumps({"schema_version": 1, "samples": {"a": {**vars(SAMPLE), "macs": True}}, "networks": {}}),
        json.dumps({"schema_version": 1, "samples": {"a": {**vars(SAMPLE), "seconds": "1"}}, "networks": {}}),
        '{"schema_version": 1, "samples": {}, "networks": {"n": {"keys": 1}}}',
        '{"schema_version": 1, "samples": {"a": {"seconds": NaN}}, "networks": {}}',
    ],
)
def test_a_damaged_file_is_measured_again(text: str, tmp_path: Path) -> None:
    cache = Cache({}, tmp_path)
    cache.path.write_text(text)
    assert cache.read() == Measurements()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write the cache .*set XDG_CACHE_HOME to a writable folder"):
        Cache({}, tmp_path / "file" / "below").write(KNOWN)


def test_the_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "tfkit" / "advise"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "tfkit" / "advise"
