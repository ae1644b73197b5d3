"""What a device is given, decided by what it is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tfkit import _native
from tfkit._errors import DeviceError, MissingToolError, UnsupportedError
from tfkit.bench import bionic, bundle
from tfkit.bench.artifacts import Artifacts
from tfkit.bench.bundle import Bundle
from tfkit.bench.examination import examine
from tfkit.devices import connect, qemu
from tfkit.devices.local import LocalDevice
from tfkit.devices.simulated import Phone
from tfkit.devices.userland import Userland

pytest_plugins = ["tfkit.devices.simulated.pytest"]
BOARD = Userland("arm64", (6, 1), "glibc", (2, 36), (3, 4, 30))


class Other(LocalDevice):
    """A device of any kind."""

    name = "other"

    def __init__(self, userland: Userland) -> None:
        super().__init__()
        self.platform = _native.ARM64 if userland.abi == "arm64" else f"linux-{userland.abi}"
        self._userland = userland

    def userland(self) -> Userland:
        return self._userland


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("userland", "own"),
    [
        (BOARD, False),
        (Userland("arm64", (6, 1), "glibc", (2, 34), (3, 4, 32)), False),
        (Userland("arm64", (5, 4), "glibc", (2, 31), (3, 4, 28)), True),
        (Userland("arm64", (6, 1), "glibc", (2, 36), (3, 4, 29)), True),
        (Userland("arm64", (6, 1), "glibc", (2, 36)), True),
        (Userland("arm64", (6, 6), "musl", (1, 2, 4)), True),
        (Userland("arm64", (5, 10), "bionic", api_level=31), True),
        (Userland("arm64"), True),
    ],
)
def test_a_c_library_travels_where_the_own_one_does_not_serve(userland: Userland, own: bool) -> None:
    found = Bundle.for_device(Other(userland))
    assert bool(found.libraries) is own
    assert found.label == ("glibc bundle" if own else None)
    assert found.provenance()["label"] == found.label
    assert ("libc.so.6_sha256" in found.provenance()) is own


@pytest.mark.parametrize(
    ("userland", "message"),
    [
        (Userland("arm32", (4, 9), "glibc", (2, 28)), r"other has a 32-bit Arm userland; .*64-bit Raspberry Pi OS"),
        (Userland("x86_64", (5, 4), "bionic", api_level=30), "other is an Android device with x86_64 processors"),
        (Userland("riscv64", (6, 6), "glibc", (2, 39)), "other is riscv64; tfkit has binaries for 64-bit Arm and x86"),
        (Userland("x86_64", (3, 10), "glibc", (2, 17)), r"other is x86-64 with glibc 2.17; .*needs glibc 2.27"),
        (Userland("arm64", (3, 4, 113), "bionic", api_level=22), r"runs Linux 3.4.113; .* needs 3.7 or newer"),
    ],
)
def test_what_cannot_run_is_refused(userland: Userland, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        Bundle.for_device(Other(userland))


@pytest.mark.qemu
def test_the_bundle_holds_every_library_that_is_needed() -> None:
    """What its own files ask for is among them; nothing is left to the device."""
    found = Bundle.for_device(Other(Userland("arm64", libc="bionic", api_level=31)))
    there = {file.name for file in found.libraries}
    for file in (*found.libraries, found.artifacts.runner, found.artifacts.delegate, found.artifacts.litert):
        said = subprocess.run(["readelf", "-d", str(file)], capture_output=True, text=True, check=True).stdout
        assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", said)) <= there, file.name


@pytest.mark.qemu
def test_versions_that_are_asked_for_are_those_of_the_library() -> None:
    library = Artifacts.for_platform(_native.ARM64).litert
    said = subprocess.run(["readelf", "-V", str(library)], capture_output=True, text=True, check=True).stdout

    def newest(name: str) -> tuple[int, ...]:
        return max(tuple(map(int, text.split("."))) for text in re.findall(rf"{name}_([\d.]*\d)", said))

    assert (newest("GLIBC"), newest("GLIBCXX")) == (bundle.GLIBC[_native.ARM64], bundle.LIBSTDCXX)


def test_missing_libraries_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(qemu, "SYSROOT", tmp_path)
    with pytest.raises(MissingToolError, match=r"lacks ld-linux-aarch64.so.1, .*apt-get install"):
        Bundle.for_device(Other(Userland("arm64", libc="bionic", api_level=31)))


@pytest.fixture
def ndk_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for what the NDK builds: its runner is a script, which every phone's shell runs."""
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "tfkit_bench").write_text('#!/system/bin/sh\necho "stand-in $*"\n')
    for name in ("libtfkit_delegate.so", "libLiteRt.so"):
        (folder / name).write_text(f"{name} for bionic")
    monkeypatch.setenv(bionic.VARIABLE, str(folder))
    return folder


def test_a_phone_gets_what_was_built_for_it(ndk_build: Path) -> None:
    found = Bundle.for_device(Other(Userland("arm64", libc="bionic", api_level=24)))
    assert (found.label, found.libraries, found.artifacts.runner) == ("bionic build", (), ndk_build / "tfkit_bench")
    assert (found.provenance()["label"], found.provenance()["litert_version"]) == ("bionic build", None)


@pytest.mark.qemu
@pytest.mark.parametrize("userland", [Userland("arm64", libc="bionic", api_level=23), Userland("arm64"), BOARD])
def test_others_do_not(ndk_build: Path, userland: Userland) -> None:
    assert ndk_build not in Bundle.for_device(Other(userland)).artifacts.runner.parents


def test_a_build_beside_the_other_platforms(ndk_build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = Other(Userland("arm64", libc="bionic", api_level=34))
    monkeypatch.delenv(bionic.VARIABLE)
    monkeypatch.setenv("TFKIT_NATIVE_DIR", str(tmp_path))
    beside = ndk_build.rename(tmp_path / "android-aarch64")
    assert Bundle.for_device(phone).artifacts.delegate == beside / "libtfkit_delegate.so"
    (beside / "libLiteRt.so").unlink()
    with pytest.raises(MissingToolError, match=r"android-aarch64 lacks libLiteRt.so: .* or remove the folder"):
        Bundle.for_device(phone)
    monkeypatch.setenv(bionic.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(MissingToolError, match=r"nowhere lacks tfkit_bench, .* or unset TFKIT_ANDROID_DIR"):
        Bundle.for_device(phone)


@pytest.mark.qemu
def test_what_was_built_starts_on_a_phone(ndk_build: Path, simulated_phone: Phone) -> None:
    with connect(simulated_phone.spec) as device:
        found = Bundle.for_device(device)
        found.push(device)
        assert len(simulated_phone.pushed) == 3
        said = device.run(found.command(["--help"], with_delegate=True), timeout=60).stdout
        assert re.fullmatch(r"stand-in --litert /\S+/libLiteRt.so --delegate /\S+/libtfkit_delegate.so --help\n", said)
        (programs, *_) = examine(device)
        assert programs.action == "the runner starts as it is (bionic build)"


def test_nothing_starts_before_it_is_pushed() -> None:
    with connect("local") as device:
        found = Bundle.for_device(device)
        with pytest.raises(DeviceError, match="tfkit_bench is not on the device; call push first"):
            found.command([])
        found.push(device)
        assert device.run(found.command(["--help"], with_delegate=True), timeout=60).exit_code == 0
