from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from tfkit._errors import UsageError
from tfkit._units import format_count
from tfkit.cli import cli
from tfkit.models import REGISTRY


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["models", *arguments])


def test_table_and_json_say_the_same() -> None:
    table = run().stdout.splitlines()
    document = json.loads(run("--json").stdout)
    assert document["schema_version"] == 1
    assert [row["name"] for row in document["models"]] == list(REGISTRY)
    assert [row["pattern"] for row in document["families"]] == list(REGISTRY.families)
    for row in document["models"]:
        (line,) = [line for line in table if line.startswith(row["name"] + " ")]
        assert f" {format_count(row['params'])} " in line
        assert f" {format_count(row['macs'])} " in line
        assert ", ".join(row["schemes"]) in line
        assert line.endswith(row["paper"].split(", http")[0])
    for row in document["families"]:
        assert any(line.startswith(row["pattern"] + " ") and line.endswith(row["summary"]) for line in table)


def test_binary_networks_stand_apart() -> None:
    lines = run().stdout.splitlines()
    floats, binaries = lines.index("float networks:"), lines.index("binary networks:")
    for name, spec in REGISTRY.items():
        (number,) = [number for number, line in enumerate(lines) if line.startswith(name + " ")]
        assert (number > binaries) == spec.schemes[0].startswith("binary")
        assert number > floats


def test_one_in_full() -> None:
    page = run("vgg_small").stdout
    spec = REGISTRY["vgg_small"]
    for fact in (spec.summary, f"{spec.params:,}", f"{spec.macs:,}", spec.paper, spec.recipe, *spec.schemes):
        assert fact in page
    assert "32x32x3, raw values 0 to 255; tfkit hands x * 0.007843 - 1 to the network" in page
    assert "tfkit build vgg_small -o vgg_small.keras" in page
    assert "family" not in page
    row = json.loads(run("vgg_small", "--json").stdout)["model"]
    assert (row["name"], row["macs"], row["recipe"]) == ("vgg_small", spec.macs, spec.recipe)


def test_families() -> None:
    family = run("wrn_D_K").stdout
    member = run("wrn_16_2").stdout
    for text in (family, member):
        assert "6n + 4" in text
        assert "the widening factor" in text
    assert "wrn_16_2: wide residual network, 16 layers deep" in member
    assert f"{REGISTRY['wrn_16_2'].params:,}" in member
    document = json.loads(run("wrn_D_K", "--json").stdout)
    assert list(document["family"]["numbers"]) == ["D", "K"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wrn_17_2", "6n [+] 4.*next to it are wrn_16_2 and wrn_22_2"),
        ("vgg17", "unknown model 'vgg17'; did you mean 'vgg16'"),
    ],
)
def test_wrong_names(name: str, message: str) -> None:
    error = run(name).exception
    assert isinstance(error, UsageError)
    with pytest.raises(UsageError, match=message):
        raise error


@pytest.mark.parametrize("arguments", [[], ["--json"], ["wrn_16_2"]])
def test_imports_no_tensorflow(arguments: list[str]) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from tfkit.cli import cli; "
        f"assert CliRunner().invoke(cli, ['models', *{arguments}]).exit_code == 0; print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
