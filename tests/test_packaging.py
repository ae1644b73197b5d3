"""The wheel and an editable install work from outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]

CHECK = """
import tfkit, tfkit.models, tfkit.converters, tfkit.layers
from tfkit import _native
print(tfkit.models.__file__)
for platform in (None, _native.ARM64):
    for name in ("libtfkit_delegate.so", "tfkit_bench"):
        assert _native.path(name, platform).stat().st_size > 10_000
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, cwd=folder)
    return next(folder.glob("*.whl"))


def empty_environment(folder: Path) -> Path:
    """A fresh environment that sees this one's packages, but not this one's tfkit.

    A .pth inside a folder that a .pth names is not read, so an editable tfkit does not come along.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", query], capture_output=True, text=True, check=True).stdout.strip())
    (site / "packages.pth").write_text(sysconfig.get_path("purelib"))
    return python


def run_outside(python: Path, *arguments: str, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TFKIT_NATIVE_DIR")}
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False, cwd=cwd, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def install(python: Path, *arguments: str) -> None:
    subprocess.run([*PIP, "--python", str(python), "install", "--no-deps", *arguments], check=True)


def test_wheel_holds_every_module_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, target in (("tfkit", "tfkit"), ("models", "tfkit/models"), ("converters", "tfkit/converters")):
        for source in (path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".css", ".js", ".c")):
            assert f"{target}/{source.relative_to(ROOT / folder)}" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tfkit"}
    assert "tfkit/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    python = empty_environment(tmp_path / "env")
    install(python, str(wheel))
    where = run_outside(python, "-c", CHECK, cwd=tmp_path)
    assert str(tmp_path) in where
    assert "convert" in run_outside(python, str(python.parent / "tfkit"), "--help", cwd=tmp_path)


def test_editable_install_works_outside_the_checkout(tmp_path: Path) -> None:
    python = empty_environment(tmp_path / "env")
    install(python, "--no-build-isolation", "--editable", str(ROOT))
    where = run_outside(python, "-c", CHECK, cwd=tmp_path)
    assert Path(where.strip()).parent == ROOT / "models"
    assert "convert" in run_outside(python, str(python.parent / "tfkit"), "--help", cwd=tmp_path)
