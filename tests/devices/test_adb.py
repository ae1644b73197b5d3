"""The adb adapter against the simulated phone, through the real adb program."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tfkit._errors import DeviceError, MissingToolError, UnsupportedError, UsageError
from tfkit.bench.bundle import Bundle
from tfkit.devices import connect, process
from tfkit.devices.adb import listing
from tfkit.devices.adb.complaints import explain
from tfkit.devices.base import Completed
from tfkit.devices.process import TimedOut
from tfkit.devices.simulated import Phone, commands

pytest_plugins = ["tfkit.devices.simulated.pytest"]
pytestmark = pytest.mark.qemu

WORDS = ["a 'b' \"c\"", "$(touch /data/local/tmp/bad)", ";", "`id`", "x\ny", "", "*", "-n", "\\", "ä!", "&& false"]
TMP = "data/local/tmp"


@pytest.mark.parametrize("old", [False, True])
def test_runs_pushes_and_pulls(simulated_phone: Phone, old: bool, tmp_path: Path) -> None:
    simulated_phone.faults.no_shell_v2 = old
    odd = tmp_path / "a 'b\"; $(touch c)\n.bin"
    odd.write_bytes(bytes(range(256)) * 5000)
    with connect(simulated_phone.spec) as device:
        assert (device.platform, device.label, device.times_meaningful) == ("linux-aarch64", "simulated", True)
        facts = device.properties()
        assert (facts["kind"], facts["api_level"], facts["simulated"]) == ("adb", "33", True)
        assert device.userland().android
        done = device.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=30)
        assert done == Completed(3, "out\n", "err\n")
        assert device.run(["sh", "-c", "kill -9 $$"], timeout=30).signal == 9
        assert device.run(["printf", "<%s>", *WORDS], timeout=30).stdout == "".join(f"<{word}>" for word in WORDS)
        device.pull(device.push(odd), tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == odd.read_bytes()
        with pytest.raises(DeviceError, match="cannot start nosuchprogram on adb:"):
            device.run(["nosuchprogram"], timeout=30)
        assert device.run(["sh", "-c", "exit 127"], timeout=30).exit_code == 127
    assert not (simulated_phone.root / TMP / "bad").exists()
    assert not list((simulated_phone.root / TMP / "tfkit/runs").iterdir())


def test_the_bundle_runs_and_is_sent_once(simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        bundle = Bundle.for_device(device)
        assert bundle.label == "glibc bundle"
        assert not simulated_phone.pushed
        bundle.push(device)
        done = device.run(bundle.command(["--help"]), timeout=60)
        assert (done.exit_code, done.stdout[:18]) == (0, "usage: tfkit_bench"), done.stderr
    sent = len(simulated_phone.pushed)
    assert sent == len(bundle.libraries) + 3
    with connect(simulated_phone.spec) as device:
        again = Bundle.for_device(device)
        again.push(device)
        assert device.run(again.command(["--help"]), timeout=60).exit_code == 0
    assert len(simulated_phone.pushed) == sent


def test_without_a_hashing_tool_files_are_read_back(simulated_phone: Phone, tmp_path: Path) -> None:
    (simulated_phone.root / "system/bin/sha256sum").unlink()
    simulated_phone.faults.corrupt_pushes = 1
    (tmp_path / "file.bin").write_bytes(b"content" * 1000)
    with connect(simulated_phone.spec) as device:
        path = device.push(tmp_path / "file.bin")
        assert device.run(["cat", path], timeout=30).stdout == "content" * 1000
    assert len(set(simulated_phone.pushed)) == 2


def test_the_time_limit_ends_the_program_there(simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        with pytest.raises(TimedOut, match=r"sleep has not ended on adb:.* after 1 s and was killed"):
            device.run(["sleep", "8765"], timeout=1)
        assert_gone("8765")
        assert device.run(["echo", "alive"], timeout=30).stdout == "alive\n"


def test_ctrl_c_ends_the_program_and_removes_the_folder(simulated_phone: Phone) -> None:
    script = f"""
        from tfkit.devices import connect
        with connect({simulated_phone.spec!r}) as device:
            print("started", flush=True)
            device.run(["sleep", "7654"], timeout=600)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"started\n"
    wait_until_running("7654")
    child.send_signal(2)
    _, errors = child.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert_gone("7654")
    assert not list((simulated_phone.root / TMP / "tfkit/runs").iterdir())


def test_what_a_killed_session_left_is_ended_by_the_next(simulated_phone: Phone) -> None:
    script = f"""
        from tfkit.devices import connect
        device = connect({simulated_phone.spec!r})
        print("started", flush=True)
        device.run(["sleep", "6543"], timeout=600)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"started\n"
    wait_until_running("6543")
    child.kill()
    child.communicate()
    assert list((simulated_phone.root / TMP / "tfkit/runs").iterdir())
    with connect(simulated_phone.spec), connect(simulated_phone.spec):  # one that is alive is left alone
        assert len(list((simulated_phone.root / TMP / "tfkit/runs").iterdir())) == 2
        assert_gone("6543")


@pytest.mark.parametrize(
    ("properties", "machine", "message"),
    [
        ({"ro.product.cpu.abi": "armeabi-v7a"}, "aarch64", "has a 32-bit Arm userland; tfkit's binaries are 64-bit"),
        ({"ro.product.cpu.abi": "x86_64"}, "x86_64", "is an Android device with x86_64 processors"),
    ],
)
def test_foreign_processors_are_known_before_anything_is_sent(
    private_adb: dict[str, str], properties: dict[str, str], machine: str, message: str
) -> None:
    with Phone(properties, machine=machine) as phone, connect(phone.spec) as device:
        with pytest.raises(UnsupportedError, match=message):
            Bundle.for_device(device)
        assert not phone.pushed


def test_too_old_a_kernel_is_known_before_anything_is_sent(simulated_phone: Phone) -> None:
    commands.install_uname(simulated_phone.root, "aarch64", "3.4.113")
    with connect(simulated_phone.spec) as device:
        with pytest.raises(UnsupportedError, match=r"runs Linux 3.4.113; .* needs 3.7 or newer"):
            Bundle.for_device(device)
        assert not simulated_phone.pushed


def test_another_folder(simulated_phone: Phone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TFKIT_DEVICE_ROOT", "/data/local/tmp/it's mine")
    (tmp_path / "file").write_text("x")
    with connect(simulated_phone.spec) as device:
        assert device.push(tmp_path / "file").startswith("/data/local/tmp/it's mine/cache/")
    monkeypatch.setenv("TFKIT_DEVICE_ROOT", "/sys/forbidden")
    with pytest.raises(DeviceError, match=r"cannot make the folder /sys/forbidden .*set TFKIT_DEVICE_ROOT"):
        connect(simulated_phone.spec)


def test_no_adb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="adb is not installed; run: apt-get install -y adb"):
        connect("adb")


def test_no_device(private_adb: dict[str, str]) -> None:
    for left in listing.attached():
        process.run(["adb", "disconnect", left.serial], timeout=30)
    with pytest.raises(DeviceError, match=r"no Android device is attached; plug one in with USB debugging on"):
        connect("adb")
    with pytest.raises(DeviceError, match=r"adb knows no device 'ABC'; attached: none. See: tfkit devices"):
        connect("adb:ABC")
    with pytest.raises(DeviceError, match=r"adb cannot reach 127.0.0.1:1 .*debugging over Wi-Fi"):
        connect("adb:127.0.0.1:1")


def test_two_devices_have_to_be_told_apart(simulated_phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(simulated_phone.spec), connect("adb"):
        pass
    with Phone() as other:
        with connect(other.spec):
            pass
        with pytest.raises(UsageError, match=f"2 Android devices are attached; say which: .*{simulated_phone.spec}"):
            connect("adb")
        monkeypatch.setenv("ANDROID_SERIAL", other.serial)
        with connect("adb") as device:
            assert device.name == other.spec
        process.run(["adb", "disconnect", other.serial], timeout=30)


@pytest.mark.parametrize(
    ("line", "state", "advice"),
    [
        ("ABC\tunauthorized", "unauthorized", "accept this computer's key"),
        ("ABC  no permissions (user not in plugdev group); see [http://x]", "no permissions", "udev rules"),
        ("ABC  sideload", "sideload", "adb reboot"),
        ("ABC  rescue", "rescue", "adb says 'rescue'"),
    ],
)
def test_states_have_advice(line: str, state: str, advice: str) -> None:
    (found,) = listing.parse(f"List of devices attached\n{line}\n\n")
    assert (found.serial, found.state, found.ready) == ("ABC", state, False)
    assert advice in (found.advice or "")


def test_an_unknown_complaint_is_repeated() -> None:
    assert explain("adb:x", Completed(1, "", "error: something new\n")) == "adb:x: adb failed: error: something new"


def assert_gone(argument: str) -> None:
    for _ in range(100):
        if not is_running(argument):
            return
        time.sleep(0.05)
    raise AssertionError(f"sleep {argument} lives on")


def wait_until_running(argument: str) -> None:
    for _ in range(400):
        if is_running(argument):
            return
        time.sleep(0.05)
    raise AssertionError(f"sleep {argument} never started")


def is_running(argument: str) -> bool:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if entry.read_bytes() == f"sleep\0{argument}\0".encode():
                return True
        except OSError:
            continue
    return False
