"""What goes wrong with phones, one test each: the error says what to do, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tfkit._errors import DeviceError
from tfkit.bench.bundle import Bundle
from tfkit.devices import connect
from tfkit.devices.process import TimedOut
from tfkit.devices.simulated import Phone

pytest_plugins = ["tfkit.devices.simulated.pytest"]
pytestmark = pytest.mark.qemu

CACHE = "data/local/tmp/tfkit/cache"


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    file = tmp_path / "big.bin"
    file.write_bytes(os.urandom(4_000_000))
    return file


def settled(phone: Phone) -> None:
    """Wait until adb has found the phone again after its link broke."""
    for _ in range(100):
        try:
            connect(phone.spec).close()
        except DeviceError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the phone does not come back")


def test_disconnect_in_mid_push(simulated_phone: Phone, big_file: Path) -> None:
    with connect(simulated_phone.spec) as device:
        simulated_phone.faults.drop_push_after = 2_000_000
        with pytest.raises(DeviceError, match=rf"{simulated_phone.spec}.*(lost its link|went away|offline|adb failed)"):
            device.push(big_file)
    assert not list((simulated_phone.root / CACHE).rglob("big.bin"))
    settled(simulated_phone)
    with connect(simulated_phone.spec) as device:  # the half that arrived is not taken for the file
        assert device.run(["sha256sum", device.push(big_file)], timeout=30).exit_code == 0


def test_disconnect_in_mid_run(simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        simulated_phone.faults.drop_command = "sleep 5432"
        with pytest.raises(DeviceError, match=rf"{simulated_phone.spec} (lost its link|went away)"):
            device.run(["sleep", "5432"], timeout=60)
    settled(simulated_phone)
    with connect(simulated_phone.spec) as device:
        assert "5432" not in device.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"], timeout=30).stdout
        assert device.run(["echo", "back"], timeout=30).stdout == "back\n"


def test_a_hanging_device(simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        simulated_phone.faults.hang_command = "cat /proc/version"
        begun = time.monotonic()
        with pytest.raises(TimedOut, match=r"cat has not ended on adb:.* after 1 s and was killed"):
            device.run(["cat", "/proc/version"], timeout=1)
        assert time.monotonic() - begun < 25


def test_full_disk(simulated_phone: Phone, big_file: Path) -> None:
    with connect(simulated_phone.spec) as device:
        simulated_phone.faults.free_bytes = 1_000_000
        with pytest.raises(DeviceError, match="has no room left; delete files there"):
            device.push(big_file)
        assert not list((simulated_phone.root / CACHE).rglob("big.bin"))
        simulated_phone.faults.free_bytes = None
        device.push(big_file)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("unauthorized", r"is (unauthorized|authorizing): unlock its screen and accept this computer's key"),
        pytest.param(
            "offline",
            "is offline: it does not answer; unplug it|cannot reach 127.0.0.1:",
            marks=pytest.mark.slow,  # adb itself waits ten seconds
        ),
    ],
)
def test_a_phone_that_lets_nobody_in(private_adb: dict[str, str], fault: str, message: str) -> None:
    with Phone() as phone:
        setattr(phone.faults, fault, True)
        with pytest.raises(DeviceError, match=message):
            connect(phone.spec)


def test_execution_is_denied(simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        bundle = Bundle.for_device(device)
        bundle.push(device)
        simulated_phone.faults.exec_denied = True
        with pytest.raises(
            DeviceError, match=r"may not execute files in /data/local/tmp/tfkit .*noexec.*SELinux.*TFKIT_DEVICE_ROOT"
        ):
            device.run(bundle.command(["--help"]), timeout=60)


def test_a_restart_between_models(simulated_phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1")
    with connect(simulated_phone.spec) as device:
        there = device.push(tmp_path / "one")
        simulated_phone.reboot()
        settled(simulated_phone)
        # Files in /data live on: the session goes on where it was.
        assert device.run(["cat", there], timeout=60).stdout == "1"


def test_a_phone_that_does_not_come_back(simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        simulated_phone.faults.offline = True
        simulated_phone.disconnect()
        with pytest.raises(DeviceError, match=r"went away|offline|lost its link|has not ended"):
            device.run(["echo", "there?"], timeout=10)
        simulated_phone.faults.offline = False


def test_a_file_that_vanished(simulated_phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    with connect(simulated_phone.spec) as device:
        there = device.push(tmp_path / "tool")
        (simulated_phone.root / there.lstrip("/")).unlink()
        with pytest.raises(DeviceError, match=r"has lost /data/local/tmp/.* since it was sent; was it restarted"):
            device.run([there], timeout=30)


def test_a_corrupted_push_is_done_again(simulated_phone: Phone, big_file: Path) -> None:
    with connect(simulated_phone.spec) as device:
        simulated_phone.faults.corrupt_pushes = 1
        there = device.push(big_file)
        assert (simulated_phone.root / there.lstrip("/")).read_bytes() == big_file.read_bytes()
    assert len(simulated_phone.pushed) == 2


def test_a_link_that_damages_everything(simulated_phone: Phone, big_file: Path) -> None:
    with connect(simulated_phone.spec) as device:
        simulated_phone.faults.corrupt_pushes = 1_000_000
        with pytest.raises(DeviceError, match=r"big.bin arrived damaged on adb:.* 2 times; try another cable"):
            device.push(big_file)
    assert not list((simulated_phone.root / CACHE).rglob("big.bin"))


def test_a_killed_runner_is_told_by_its_signal(simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        threading.Thread(target=_kill_when_it_runs, args=("4321",), daemon=True).start()
        assert device.run(["sleep", "4321"], timeout=60).signal == signal.SIGKILL


def _kill_when_it_runs(argument: str) -> None:
    for _ in range(600):
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if entry.read_bytes() == f"sleep\0{argument}\0".encode():
                    os.kill(int(entry.parent.name), signal.SIGKILL)
                    return
            except OSError:
                continue
        time.sleep(0.05)
