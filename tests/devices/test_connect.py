"""Names of devices: what is accepted, and what an error says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfkit import _native
from tfkit._errors import DeviceError, MissingToolError, UsageError
from tfkit.devices import connect, qemu


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("qmu:cortex-a53", "unknown device 'qmu'; did you mean 'qemu'"),
        ("usb", r"unknown device 'usb'.*A device is given as local, qemu:CPU .*adb\[:SERIAL\], ssh:"),
        ("", "unknown device ''"),
        ("qemu", "qemu needs a CPU, for example qemu:cortex-a72"),
        ("qemu:cortex-a27", "unknown CPU 'cortex-a27'; did you mean .*'cortex-a72'"),
        ("local:0", "there is one local device"),
    ],
)
def test_wrong_names(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        connect(spec)


def test_missing_qemu_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="qemu-aarch64 is not installed; run: apt-get install -y qemu-user "):
        connect("qemu:cortex-a53")


@pytest.mark.qemu
def test_missing_arm_libraries_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(qemu, "SYSROOT", tmp_path)
    with pytest.raises(
        MissingToolError, match=r"lacks ld-linux-aarch64.so.1, .*apt-get install -y .*libc6-arm64-cross"
    ):
        connect("qemu:cortex-a53")


def test_local_runs_pushes_and_pulls(tmp_path: Path) -> None:
    odd = tmp_path / "a 'b\"; $(touch c)\n.txt"
    odd.write_text("content")
    with connect("local") as device:
        assert device.times_meaningful
        done = device.run(["/bin/cat", device.push(odd)], timeout=30)
        assert (done.exit_code, done.stdout, done.signal) == (0, "content", None)
        device.pull(str(odd), tmp_path / "copy")
        assert (tmp_path / "copy").read_text() == "content"
        with pytest.raises(DeviceError, match="cannot fetch"):
            device.pull(str(tmp_path / "none"), tmp_path / "other")
        assert not (tmp_path / "other").exists()
        assert device.properties()["kind"] == "local"


@pytest.mark.qemu
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72", "cortex-a76"])
def test_qemu_shows_an_arm_machine(cpu: str) -> None:
    with connect(f"qemu:{cpu}") as device:
        assert not device.times_meaningful
        assert device.platform == "linux-aarch64"
        runner = device.push(_native.path("tfkit_bench", device.platform))
        done = device.run([runner, "--help"], timeout=60)
        assert done.exit_code == 0, done.stderr
        assert done.stdout.startswith("usage: tfkit_bench")
        facts = device.properties()
        assert facts["cpu_model"] == cpu
        assert "qemu-aarch64" in facts["emulator"]
