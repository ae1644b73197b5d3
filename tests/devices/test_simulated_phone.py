"""The simulated phone, as the real adb program sees it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tfkit._errors import UsageError
from tfkit.devices import process
from tfkit.devices.base import Completed
from tfkit.devices.simulated import Phone, peer
from tfkit.devices.simulated.sandbox import WAYS

pytest_plugins = ["tfkit.devices.simulated.pytest"]
pytestmark = pytest.mark.qemu


@pytest.fixture
def phone(simulated_phone: Phone) -> Phone:
    adb("connect", simulated_phone.serial)
    return simulated_phone


def adb(*arguments: str) -> Completed:
    return process.run(["adb", *arguments], timeout=60)


def test_shell_has_exit_code_and_both_streams(phone: Phone) -> None:
    assert adb("-s", phone.serial, "shell", "echo out; echo err >&2; exit 42") == Completed(42, "out\n", "err\n")
    assert "Simulated_phone" in adb("devices", "-l").stdout
    assert adb("-s", phone.serial, "get-state").stdout == "device\n"


def test_standard_input_arrives(phone: Phone) -> None:
    command = ["adb", "-s", phone.serial, "shell", "wc -c"]
    done = subprocess.run(command, input=b"x" * 3_000_000, capture_output=True, timeout=60, check=True)
    assert done.stdout.strip() == b"3000000"


def test_files_and_folders_come_back_the_same(phone: Phone, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    (folder / "deep").mkdir(parents=True)
    contents = {"one": os.urandom(2_500_000), "a 'b\"; $(c)\n.bin": b"odd", "deep/empty": b""}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    assert adb("-s", phone.serial, "push", str(folder), "/data/local/tmp/").exit_code == 0
    assert adb("-s", phone.serial, "pull", "/data/local/tmp/many", str(tmp_path / "back")).exit_code == 0
    for name, content in contents.items():
        assert (tmp_path / "back" / name).read_bytes() == content
    missing = adb("-s", phone.serial, "pull", "/data/local/tmp/none", str(tmp_path / "none"))
    assert missing.exit_code == 1
    assert "No such file or directory" in missing.stdout + missing.stderr


def test_it_says_what_it_was_told(phone: Phone) -> None:
    def said(command: str) -> str:
        return adb("-s", phone.serial, "shell", command).stdout.strip()

    assert said("getprop ro.build.version.sdk") == "33"
    assert "[ro.product.model]: [Simulated phone]" in said("getprop")
    assert said("uname -m") == "aarch64"
    assert "CPU implementer\t: 0x41" in said("cat /proc/cpuinfo")
    phone.set_thermal(status=1, statuses=[3, 2], skin_c=44.0)
    statuses = [said("dumpsys thermalservice | grep 'Thermal Status'")[-1] for _ in range(3)]
    assert statuses == ["3", "2", "1"]
    assert "44000" in said("cat /sys/class/thermal/thermal_zone*/temp")
    phone.set_battery(charging=True, percent=17)
    assert "USB powered: true" in said("dumpsys battery")
    assert said("cat /sys/class/power_supply/battery/capacity") == "17"
    phone.set_load(7.5)
    assert said("cat /proc/loadavg").startswith("7.50")
    boot = said("cat /proc/sys/kernel/random/boot_id")
    phone.reboot()
    adb("connect", phone.serial)
    wait_for(phone)
    assert said("cat /proc/sys/kernel/random/boot_id") != boot


def wait_for(phone: Phone) -> None:
    for _ in range(50):
        if adb("-s", phone.serial, "get-state").stdout == "device\n":
            return
        time.sleep(0.1)


def test_time_in_state_goes_on(phone: Phone) -> None:
    path = f"/sys/devices/system/cpu/cpu{phone.clusters[-1].cpus[0]}/cpufreq/stats/time_in_state"
    first = adb("-s", phone.serial, "shell", f"cat {path}").stdout
    for _ in range(100):  # the clock of a busy machine
        if adb("-s", phone.serial, "shell", f"cat {path}").stdout != first:
            return
        time.sleep(0.1)
    raise AssertionError(f"time stands still: {first}")


def test_nothing_of_this_machine_shows(phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("host")
    assert adb("-s", phone.serial, "shell", f"ls {tmp_path}").exit_code != 0
    assert adb("-s", phone.serial, "shell", "ls /home /root /usr/lib").exit_code != 0
    adb("-s", phone.serial, "shell", f"ln -s {tmp_path} /data/local/tmp/out; ln -s ../../../../.. /data/local/tmp/up")
    for way in ("/data/local/tmp/out/secret", f"/data/local/tmp/up{tmp_path}/secret", f"/../../..{tmp_path}/secret"):
        assert adb("-s", phone.serial, "pull", way, str(tmp_path / "stolen")).exit_code != 0, way
        adb("-s", phone.serial, "push", str(tmp_path / "secret"), way.replace("secret", "planted"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["secret"]


def test_replies_stand_in_for_commands(phone: Phone) -> None:
    phone.reply(r"^tool\b", "it's doctored\n", 7)
    assert adb("-s", phone.serial, "shell", "tool --now") == Completed(7, "it's doctored\n", "")
    assert phone.commands[-1] == "tool --now"


def test_closing_ends_every_process_and_removes_every_file() -> None:
    with Phone() as phone:
        root = phone.root
        phone.sandbox.start("setsid sleep 4321 & setsid sleep 4321", separate=True)
        time.sleep(0.5)
        assert running("4321")
    assert not root.exists()
    for _ in range(40):
        if not running("4321"):
            return
        time.sleep(0.05)
    raise AssertionError("a process of the phone lives on")


def running(argument: str) -> bool:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if entry.read_bytes().split(b"\0")[-2:-1] == [argument.encode()]:
                return True
        except OSError:
            continue
    return False


@pytest.fixture(params=WAYS)
def entered(request: pytest.FixtureRequest) -> Iterator[Phone]:
    if request.param == "chroot" and os.geteuid() != 0:
        pytest.skip("only root may chroot")
    with Phone(way=request.param) as phone:
        yield phone


def test_each_way_in_runs_arm_programs(entered: Phone) -> None:
    from tfkit.devices import qemu

    target = entered.root / "data/local/tmp/loader"
    target.write_bytes((qemu.SYSROOT / qemu.LOADER).read_bytes())
    target.chmod(0o755)
    done = entered.sandbox.start("env /data/local/tmp/loader --version", separate=True).communicate(timeout=60)
    assert b"ld.so" in done[0], done


def test_an_unknown_way_in() -> None:
    with pytest.raises(UsageError, match=f"entered by {', '.join(WAYS)}; got 'magic'"):
        Phone(way="magic")


def test_only_its_own_user_is_served(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    row = "   0: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 {uid}        0 1 1\n"
    for uid, served in ((os.geteuid(), True), (0, True), (os.geteuid() + 4321, False)):
        table.write_text("  sl  local_address rem_address\n" + row.format(uid=uid))
        assert peer.is_ours(("127.0.0.1", 40000), 8080, table) is served
    assert peer.is_ours(("127.0.0.1", 40000), 8080, tmp_path / "none")
    with Phone() as phone, socket.create_connection(("127.0.0.1", phone.port)) as link:
        link.sendall(b"GET / HTTP/1.0\r\n\r\n padding")  # nothing of adb's: the phone hangs up
        assert link.recv(100) == b""
