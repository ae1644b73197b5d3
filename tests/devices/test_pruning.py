"""The bound of a device's cache, behind a link to a folder of this machine, and on a simulated phone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tfkit.devices import connect, process
from tfkit.devices.base import Completed
from tfkit.devices.remote import RemoteDevice, pruning
from tfkit.devices.remote.framing import Frame
from tfkit.devices.simulated import Phone

pytest_plugins = ["tfkit.devices.simulated.pytest"]
KIB = 1024


class HereLink:
    """Scripts run by this machine's shell; counts how often a file is sent."""

    name, kind = "here", "here"

    def __init__(self) -> None:
        self.sent = 0

    def script(self, text: str, *, timeout: float) -> Completed:
        frame = Frame.around(text)
        done = frame.open(process.run(["sh", "-c", frame.text], timeout=timeout))
        assert done is not None
        return done

    def send(self, file: Path, path: str, *, timeout: float) -> None:
        self.sent += 1
        shutil.copy2(file, path)  # with its time, as adb does

    def fetch(self, path: str, file: Path, *, timeout: float) -> None:
        shutil.copy(path, file)

    def close(self) -> None:
        pass


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pruning, "LIMIT_BYTES", 100 * KIB)
    return tmp_path / "it's there"


def made(folder: Path, name: str, kib: int) -> Path:
    file = folder / name
    file.write_bytes(name.encode() * (kib * KIB // len(name)) + b"." * (kib * KIB % len(name)))
    os.utime(file, (1, 1))
    return file


def use(root: Path, *files: Path, age: int = 0) -> None:
    """One session that uses the files, so many minutes ago."""
    with RemoteDevice(HereLink(), str(root)) as device:
        paths = [device.push(file) for file in files]
    for path in paths:
        at = os.stat(path).st_mtime - 60 * age
        os.utime(path, (at, at))


def there(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("cache/*/*"))


def test_what_was_not_used_for_longest_goes_first(root: Path, tmp_path: Path) -> None:
    files = {name: made(tmp_path, name, 30) for name in ("a", "b", "c", "d", "e")}
    for age, name in ((4, "b"), (3, "a"), (2, "c")):
        use(root, files[name], age=age)
    use(root, files["b"])  # now a is the oldest
    use(root, files["d"])
    assert there(root) == ["b", "c", "d"]
    assert len(list(root.glob("cache/*"))) == 3  # nor do empty folders stay
    use(root, files["e"], files["a"])
    assert there(root) == ["a", "d", "e"]


def test_nothing_goes_that_the_session_uses(root: Path, tmp_path: Path) -> None:
    use(root, made(tmp_path, "old", 60), age=5)
    names = [f"file{number}" for number in range(4)]
    with RemoteDevice(HereLink(), str(root)) as device:
        paths = [device.push(made(tmp_path, name, 40)) for name in names]
        assert all(Path(path).is_file() for path in paths)
    assert there(root) == names


def test_a_file_that_is_there_is_not_sent_again_and_stays(root: Path, tmp_path: Path) -> None:
    kept, new = made(tmp_path, "kept", 60), made(tmp_path, "new", 60)
    use(root, kept, age=9)
    link = HereLink()
    with RemoteDevice(link, str(root)) as device:
        assert Path(device.push(kept)).is_file()
        device.push(new)
        assert Path(device.push(kept)).is_file()
    assert link.sent == 1


def test_other_sessions_are_not_robbed(root: Path, tmp_path: Path) -> None:
    use(root, made(tmp_path, "old", 60), age=5)
    other = root / "runs/elsewhere-1"
    other.mkdir()
    use(root, made(tmp_path, "new", 60), age=4)
    assert there(root) == ["new", "old"]
    os.utime(other, (1, 1))  # saw no command for longer than a day
    use(root, made(tmp_path, "third", 60))
    assert there(root) == ["third"]


def test_a_device_without_find_keeps_everything(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "ls", "wc", "rm", "mkdir", "mv", "chmod", "touch", "cat", "sed", "sort", "uname", "head", "tr",
                 "grep", "printf", "sha256sum", "kill", "od"):  # fmt: skip
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    use(root, made(tmp_path, "old", 60), age=5)
    (root / "runs/elsewhere-1").mkdir()
    os.utime(root / "runs/elsewhere-1", (1, 1))
    monkeypatch.setenv("PATH", str(tools))
    use(root, made(tmp_path, "new", 60))
    assert there(root) == ["new", "old"]


@pytest.mark.qemu
def test_a_phones_cache_is_bounded(simulated_phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "LIMIT_BYTES", 100 * KIB)
    cache = simulated_phone.root / "data/local/tmp/tfkit/cache"
    for age, name in ((2, "first"), (1, "second")):
        with connect(simulated_phone.spec) as device:
            path = device.push(made(tmp_path, name, 45))
        at = cache.stat().st_mtime - 60 * age
        os.utime(simulated_phone.root / path.lstrip("/"), (at, at))
    with connect(simulated_phone.spec) as device:
        path = device.push(made(tmp_path, "third", 45))
        assert device.run(["head", "-c", "5", path], timeout=30).stdout == "third"
    assert sorted(file.name for file in cache.glob("*/*")) == ["second", "third"]
