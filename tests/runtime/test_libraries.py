"""libLiteRt.so of this machine and of Arm: found, fetched, verified, cached."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from tfkit._errors import MissingToolError, UsageError
from tfkit._native import ARM64, host_platform
from tfkit.runtime import libraries, litert_library, litert_licence


def test_the_hosts_library_is_the_installed_one() -> None:
    import ai_edge_litert

    library = litert_library()
    assert library == Path(ai_edge_litert.__file__).with_name("libLiteRt.so")
    licence = litert_licence(library)
    assert licence is not None
    assert "Apache License" in licence.read_text()


def test_unknown_platforms() -> None:
    with pytest.raises(UsageError, match="unknown platform 'linux-riscv64'"):
        litert_library("linux-riscv64")


@pytest.mark.skipif(host_platform() == ARM64, reason="an Arm host uses the installed library")
class TestArm:
    @pytest.fixture
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        return tmp_path

    @pytest.fixture
    def served(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder from which pip installs, with a stand-in for the wheel; nothing else is reachable."""
        folder = tmp_path / "links"
        folder.mkdir()
        wheel = folder / f"ai_edge_litert-{libraries.VERSION}-cp311-cp311-manylinux_2_27_aarch64.whl"
        info = f"ai_edge_litert-{libraries.VERSION}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("ai_edge_litert/libLiteRt.so", b"library")
            archive.writestr("ai_edge_litert/libLiteRtWebGpuAccelerator.so", b"not wanted")
            archive.writestr(f"{info}/licenses/LICENSE", b"licence")
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: ai-edge-litert\nVersion: {libraries.VERSION}\n"
            )
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\n")
            archive.writestr(f"{info}/RECORD", "")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        return wheel

    def test_fetched_verified_and_cached_alone(
        self, cache: Path, served: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest = hashlib.sha256(served.read_bytes()).hexdigest()
        monkeypatch.setattr(libraries, "ARM64_WHEEL_SHA256", digest)
        library = litert_library(ARM64)
        assert library.read_bytes() == b"library"
        licence = litert_licence(library)
        assert licence is not None
        assert licence.read_bytes() == b"licence"
        assert sorted(file.name for file in library.parent.iterdir()) == ["LICENSE.libLiteRt", "libLiteRt.so"]
        assert [folder.name for folder in (cache / "tfkit").iterdir()] == [library.parent.name]
        served.unlink()
        assert litert_library(ARM64) == library  # from the cache now

    @pytest.mark.usefixtures("served")
    def test_another_content_is_refused(self, cache: Path) -> None:
        with pytest.raises(MissingToolError, match=r"not the tested 853fc608.*it is not used"):
            litert_library(ARM64)
        assert list((cache / "tfkit").iterdir()) == []

    def test_offline_says_what_to_do(self, cache: Path, served: Path) -> None:
        served.unlink()
        with pytest.raises(MissingToolError, match=r"not cached and could not be downloaded .* set PIP_FIND_LINKS"):
            litert_library(ARM64)
        assert list((cache / "tfkit").iterdir()) == []

    def test_an_unwritable_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        with pytest.raises(MissingToolError, match="set XDG_CACHE_HOME to a writable folder"):
            litert_library(ARM64)
