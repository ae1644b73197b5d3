"""Commands and modules that do not need TensorFlow do not import it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tfkit.cli import COMMANDS

LIGHT = [
    "import tfkit",
    "import tfkit.cli",
    "import tfkit.devices",
    "import tfkit.bench",
    "import tfkit.runtime",
    "import tfkit.metadata",
    "import tfkit.doctor",
    "import tfkit.models",
    "import tfkit.converters",
    "import tfkit.tradeoffs.advise",
    "import tfkit.tradeoffs.report",
    "import tfkit.tradeoffs.sweep",
    "from tfkit.data import load; load('digits')",
    "from tfkit.data.shapes import generate; generate(9, 0.5, seed=0, part=0)",
    "import tfkit.data.cifar, tfkit.data.image_folder",
    "import sys; sys.argv = ['tfkit', '--help']\nfrom tfkit.cli import cli\ncli(standalone_mode=False)",
    "import sys; sys.argv = ['tfkit', 'models']\nfrom tfkit.cli import cli\ncli(standalone_mode=False)",
]


def imports_tensorflow(statement: str) -> bool:
    report = "\nimport sys; sys.stderr.write('tensorflow' if 'tensorflow' in sys.modules else 'light')"
    done = subprocess.run([sys.executable, "-c", statement + report], capture_output=True, text=True, check=True)
    return done.stderr.endswith("tensorflow")


@pytest.mark.parametrize("statement", LIGHT)
def test_does_not_import_tensorflow(statement: str) -> None:
    assert not imports_tensorflow(statement)


def test_the_check_can_fail() -> None:
    assert imports_tensorflow("import tensorflow")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_light(command: str) -> None:
    arguments = ["tfkit", command, "--help"]
    assert not imports_tensorflow(
        f"import sys; sys.argv = {arguments!r}\nfrom tfkit.cli import cli\n"
        "try:\n    cli(standalone_mode=False)\nexcept SystemExit:\n    pass"
    )
