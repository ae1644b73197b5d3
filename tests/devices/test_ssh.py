"""Boards over a real sshd on loopback; logins end in a simulated Arm machine whose programs run under qemu."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.flatbuffers import golden
from helpers.ssh_board import SshBoard
from tfkit import bench
from tfkit._errors import DeviceError, MissingToolError, UnsupportedError, UsageError
from tfkit.bench.bundle import Bundle
from tfkit.devices import connect
from tfkit.devices.base import Completed
from tfkit.devices.process import TimedOut
from tfkit.devices.ssh.address import Address
from tfkit.devices.ssh.complaints import explain

pytestmark = pytest.mark.qemu

WORDS = ["a 'b' \"c\"", "$(touch /data/local/tmp/bad)", ";", "`id`", "x\ny", "", "*", "-n", "\\", "ä!"]


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[SshBoard]:
    with SshBoard() as started:
        monkeypatch.setenv("PATH", str(started.bin), prepend=":")
        yield started


def test_runs_pushes_and_pulls(board: SshBoard, tmp_path: Path) -> None:
    odd = tmp_path / "a 'b\"; $(touch c)\n.bin"
    odd.write_bytes(bytes(range(256)) * 1000)
    with connect(board.spec) as device:
        assert (device.platform, device.label, device.properties()["kind"]) == ("linux-aarch64", "simulated", "ssh")
        done = device.run(["sh", "-c", "echo out; echo err >&2; exit 255"], timeout=30)
        assert done == Completed(255, "out\n", "err\n")
        assert device.run(["printf", "<%s>", *WORDS], timeout=30).stdout == "".join(f"<{word}>" for word in WORDS)
        device.pull(device.push(odd), tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == odd.read_bytes()
        with pytest.raises(TimedOut, match=r"sleep has not ended on ssh:board after 0.5 s and was killed"):
            device.run(["sleep", "987"], timeout=0.5)
        with pytest.raises(DeviceError, match="cannot start nosuchprogram on ssh:board"):
            device.run(["nosuchprogram"], timeout=30)
    assert not list((board.machine.root / ".cache/tfkit/runs").iterdir())
    assert not (board.machine.root / "data/local/tmp/bad").exists()


def test_the_runner_starts_on_the_boards_own_c_library(board: SshBoard) -> None:
    with connect(board.spec) as device:
        assert (device.userland().libc, device.userland().libc_version) == ("glibc", (2, 36))
        bundle = Bundle.for_device(device)
        assert bundle.label is None
        bundle.push(device)
        done = device.run(bundle.command(["--help"]), timeout=60)
        assert (done.exit_code, done.stdout[:18]) == (0, "usage: tfkit_bench")


def test_a_whole_benchmark(board: SshBoard) -> None:
    report = bench.run(golden("lce_int8"), board.spec, preset="quick")
    report.check()
    (result,) = report.results
    assert len(result.processes[0]["measurement"]["run_ns"]) == 64
    assert (result.latency, report.device["properties"]["kind"]) == (None, "ssh")


def test_an_old_board_gets_a_c_library(board: SshBoard) -> None:
    from tfkit.devices.simulated import tree

    tree.script(board.machine.root, "getconf", "echo glibc 2.31\n")
    with connect(board.spec) as device:
        bundle = Bundle.for_device(device)
        assert bundle.label == "glibc bundle"
        bundle.push(device)
        done = device.run(bundle.command(["--help"]), timeout=60)
        assert (done.exit_code, done.stdout[:18]) == (0, "usage: tfkit_bench")


def test_what_the_board_cannot_run_is_known_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with SshBoard(machine="armv7l") as old:
        monkeypatch.setenv("PATH", str(old.bin), prepend=":")
        with (
            connect(old.spec) as device,
            pytest.raises(UnsupportedError, match=r"ssh:board has a 32-bit Arm userland.*64-bit Raspberry Pi OS"),
        ):
            Bundle.for_device(device)
        assert not list((old.machine.root / ".cache/tfkit/cache").iterdir())


def test_one_connection_serves_all_calls(board: SshBoard) -> None:
    with connect(board.spec) as device:
        board.stop_server()  # the shared connection has its own server process
        assert device.run(["echo", "still"], timeout=30).stdout == "still\n"


def test_a_foreign_host_key(board: SshBoard) -> None:
    board.known_hosts.write_text("")
    with pytest.raises(DeviceError, match="has a host key that this user has not accepted yet; run once by hand: ssh"):
        connect(board.spec)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(board.known_hosts.with_name("other"))], check=True
    )
    board.trust(board.known_hosts.with_name("other.pub"))
    with pytest.raises(DeviceError, match=r"shows another host key than before.*ssh-keygen -R board"):
        connect(board.spec)


def test_no_login(board: SshBoard) -> None:
    board.forbid_keys()
    with pytest.raises(DeviceError, match=r"refuses the login; tfkit asks for no passwords.*ssh-copy-id board"):
        connect(board.spec)


def test_nobody_listens(board: SshBoard) -> None:
    board.stop_server()
    with pytest.raises(DeviceError, match="runs no ssh server on that port"):
        connect(board.spec)


def test_no_ssh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="ssh is not installed; run: apt-get install -y openssh-client"):
        connect("ssh:board")


@pytest.mark.parametrize("text", ["", "-oProxyCommand=x", "a@-oProxyCommand=x", "a b", "host:0", "host:70000", "a@b@c"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match=r"a board is given as ssh:\[user@\]host\[:port\]"):
        Address.parse(text)


def test_the_host_stands_after_the_end_of_options() -> None:
    assert Address.parse("pi@host:22").arguments() == ["-l", "pi", "-p", "22", "--", "host"]


def test_an_unknown_complaint_is_repeated() -> None:
    assert explain("ssh:x", "x", Completed(255, "", "something new\n")) == "ssh:x: ssh failed: something new"
    assert "lost its link" in explain("ssh:x", "x", Completed(255, "", ""))
