"""Examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# The three source folders, and the names they are imported by.
PACKAGES = {"tfkit": ROOT / "tfkit", "tfkit.models": ROOT / "models", "tfkit.converters": ROOT / "converters"}


def modules() -> list[str]:
    found = []
    for package, folder in PACKAGES.items():
        found += [info.name for info in pkgutil.walk_packages([str(folder)], prefix=f"{package}.")]
    return sorted(name for name in found if not name.endswith("__main__"))


def with_examples() -> list[str]:
    def source(name: str) -> Path:
        package = max((p for p in PACKAGES if name.startswith(p + ".")), key=len)
        stem = PACKAGES[package].joinpath(*name.removeprefix(package + ".").split("."))
        return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")

    return [name for name in modules() if ">>> " in source(name).read_text()]


@pytest.mark.parametrize("name", with_examples())
def test_docstring_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


def test_every_module_has_a_docstring() -> None:
    for name in modules():
        assert importlib.import_module(name).__doc__, f"{name} says nothing about itself"
