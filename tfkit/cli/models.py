"""``tfkit models``: the zoo as a table, without importing TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tfkit._json import json_text
from tfkit._units import format_bytes, format_count

if TYPE_CHECKING:
    from tfkit.models import ModelFamily, ModelSpec

SCHEMA_VERSION = 1

_COLUMNS = ("name", "input", "params", "MACs", "schemes", "paper")
_RIGHT = ("params", "MACs")


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the same as versioned JSON, with exact counts.")
def command(name: str | None, as_json: bool) -> None:
    """List the architectures of the zoo, or show the one called NAME in full.

    Parameters and MACs (multiply-accumulates for one sample) are those of the default input and width in the
    first scheme; parameters count every weight, batch normalization statistics included. M is 10^6, G 10^9.

    The schemes are what `tfkit build --scheme` takes: float32; int8, which trains quantization-aware; binary, with
    1-bit weights and activations in all layers but the first, the last and some small ones; binary_int8, where
    these are int8.

    A family is a name with numbers in it: every one of its members can be built, trained and shown.

    \b
      tfkit models
      tfkit models wrn_D_K          a family and its numbers
      tfkit models wrn_16_2         one of its members
      tfkit build mobilenet_v2 -o m.keras --width 0.5 --input 96x96x3
    """
    from tfkit.models import REGISTRY

    if name in REGISTRY.families:
        family = REGISTRY.families[name]
        click.echo(_json_document("family", _family_row(family)) if as_json else _family_page(family))
    elif name is not None:
        spec = REGISTRY[name]
        click.echo(_json_document("model", _row(spec)) if as_json else _page(spec, _family_of(spec)))
    elif as_json:
        families = [_family_row(family) for family in REGISTRY.families.values()]
        click.echo(
            json_text(
                {
                    "schema_version": SCHEMA_VERSION,
                    "models": [_row(spec) for spec in REGISTRY.values()],
                    "families": families,
                }
            )
        )
    else:
        click.echo(_table(list(REGISTRY.values()), list(REGISTRY.families.values())))


def _row(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "summary": spec.summary,
        "input_shape": list(spec.input_shape),
        "classes": spec.classes,
        "params": spec.params,
        "macs": spec.macs,
        "schemes": list(spec.schemes),
        "recipe": spec.recipe,
        "paper": spec.paper,
    }


def _family_row(family: ModelFamily) -> dict[str, Any]:
    return {
        "pattern": family.pattern,
        "summary": family.summary,
        "numbers": dict(family.numbers),
        "paper": family.paper,
    }


def _json_document(kind: str, row: dict[str, Any]) -> str:
    return json_text({"schema_version": SCHEMA_VERSION, kind: row})


def _table(specs: list[ModelSpec], families: list[ModelFamily]) -> str:
    rows = {spec.name: _cells(spec) for spec in specs}
    widths = [max(len(row[column]) for row in (_COLUMNS, *rows.values())) for column in range(len(_COLUMNS))]
    lines = [_line(_COLUMNS, widths)]
    for heading, binary in (("float networks", False), ("binary networks", True)):
        group = [spec for spec in specs if spec.schemes[0].startswith("binary") == binary]
        lines += ["", f"{heading}:", *(_line(rows[spec.name], widths) for spec in group)]
    lines += ["", "families, of which any member can be built:"]
    width = max((len(family.pattern) for family in families), default=0)
    lines += [f"{family.pattern.ljust(width)}  {family.summary}" for family in families]
    lines += [
        "",
        "int8 and binary_int8 are quantization-aware: train them, then convert with --format int8 or lce.",
        "`tfkit models NAME` shows one in full, a family too.",
    ]
    return "\n".join(lines)


def _cells(spec: ModelSpec) -> tuple[str, ...]:
    authors = spec.paper.split(", http")[0]
    counts = (format_count(spec.params), format_count(spec.macs))
    return (spec.name, _shape(spec), *counts, ", ".join(spec.schemes), authors)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [
        cell.rjust(width) if column in _RIGHT else cell.ljust(width)
        for column, cell, width in zip(_COLUMNS, cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _page(spec: ModelSpec, family: ModelFamily | None) -> str:
    preprocessing = spec.preprocessing(spec.input_shape)
    sign = "-" if preprocessing.offset < 0 else "+"
    facts = {
        "input": f"{_shape(spec)}, raw values {preprocessing.raw_min:g} to {preprocessing.raw_max:g}; tfkit hands "
        f"x * {preprocessing.scale:.4g} {sign} {abs(preprocessing.offset):g} to the network",
        "classes": str(spec.classes),
        "parameters": f"{spec.params:,} ({format_bytes(4 * spec.params)} in float32)",
        "MACs": f"{spec.macs:,}",
        "schemes": ", ".join(spec.schemes),
        "recipe": spec.recipe,
        "paper": spec.paper,
    }
    if family:
        numbers = "; ".join(f"{letter} is {meaning}" for letter, meaning in family.numbers.items())
        facts["family"] = f"{family.pattern}: {numbers}"
    facts["build"] = f"tfkit build {spec.name} -o {spec.name}.keras"
    return _facts(f"{spec.name}: {spec.summary}", facts)


def _family_page(family: ModelFamily) -> str:
    facts = {**family.numbers, "paper": family.paper}
    return _facts(f"{family.pattern}: {family.summary}; put numbers for the letters", facts)


def _facts(heading: str, facts: dict[str, str]) -> str:
    width = max(map(len, facts))
    return "\n".join([heading, *(f"  {name.ljust(width)}  {fact}" for name, fact in facts.items())])


def _family_of(spec: ModelSpec) -> ModelFamily | None:
    from tfkit.models import REGISTRY

    return next((family for family in REGISTRY.families.values() if family.has_form(spec.name)), None)


def _shape(spec: ModelSpec) -> str:
    return "x".join(map(str, spec.input_shape))
