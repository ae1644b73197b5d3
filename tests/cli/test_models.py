from __future__ import annotations

import json
import subprocess
import sys

from click.testing import CliRunner

from tfkit.cli import cli
from tfkit.models import REGISTRY


def test_table_and_json_say_the_same() -> None:
    table = CliRunner().invoke(cli, ["models"])
    document = json.loads(CliRunner().invoke(cli, ["models", "--json"]).stdout)
    assert document["schema_version"] == 1
    assert [row["name"] for row in document["models"]] == list(REGISTRY)
    for row in document["models"]:
        (line,) = [line for line in table.stdout.splitlines() if line.startswith(row["name"] + " ")]
        assert f"{row['params']:,}" in line
        assert f"{row['macs']:,}" in line
        assert all(scheme in line for scheme in row["schemes"])


def test_imports_no_tensorflow() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from tfkit.cli import cli; "
        "assert CliRunner().invoke(cli, ['models']).exit_code == 0; print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
