"""Registry, units and files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tfkit._errors import InputError, UsageError
from tfkit._files import check_writable, whole_file
from tfkit._registry import Registry
from tfkit._units import format_bytes, format_seconds


def test_registry_refuses_duplicates() -> None:
    registry: Registry[int] = Registry("model")
    registry.add("a", 1)
    with pytest.raises(ValueError, match="model 'a' is registered twice"):
        registry.add("a", 2)


def test_registry_names_near_matches() -> None:
    registry: Registry[int] = Registry("model")
    registry.add("mobilenet_v2", 1)
    with pytest.raises(UsageError, match="did you mean 'mobilenet_v2'"):
        registry["mobilenetv2"]
    assert "mobilenetv2" not in registry
    assert list(registry) == ["mobilenet_v2"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ns"), (1.5e-9, "1.5 ns"), (2e-6, "2 us"), (0.0421, "42.1 ms"), (1.0, "1 s"), (3600.0, "3600 s")],
)
def test_seconds(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB")])
def test_bytes(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_whole_file_appears_on_success(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.json") as temporary:
        temporary.write_text("{}")
        assert not (tmp_path / "a.json").exists()
    assert (tmp_path / "a.json").read_text() == "{}"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_whole_file_leaves_nothing_on_failure(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")

    def write_half() -> None:
        with whole_file(tmp_path / "a.json") as temporary:
            temporary.write_text("ne")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert (tmp_path / "a.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_unwritable_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        check_writable(tmp_path / "none" / "a.json")
    with pytest.raises(InputError, match="cannot write"), whole_file(tmp_path / "none" / "a.json"):
        pass


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        with pytest.raises(InputError, match="no regular file"):
            check_writable(path)
        with pytest.raises(InputError, match="no regular file"), whole_file(path):
            pass
    assert pipe.is_fifo()


def test_links_stay_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "real" / "a.json")
    with whole_file(tmp_path / "link.json") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real" / "a.json").read_text() == "new"
    assert len(list((tmp_path / "real").iterdir())) == 1


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No space left on device; make room"), whole_file(tmp_path / "a.json"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())
