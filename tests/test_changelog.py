"""The changelog's newest version is the package's."""

from __future__ import annotations

import re
from pathlib import Path

import tfkit

CHANGELOG = Path(__file__).parent.parent / "CHANGELOG.md"


def test_newest_version_is_the_package_version() -> None:
    newest = re.search(r"^## (\d+\.\d+\.\d+)", CHANGELOG.read_text(), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == tfkit.__version__
