"""``tfkit doctor``."""

from __future__ import annotations

from dataclasses import asdict

import click

from tfkit._json import json_text
from tfkit.doctor import Finding, examine


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(as_json: bool) -> None:
    """Say what works on this machine, what is missing, and the one command that brings it.

    Versions are compared with the set that tfkit is tested with. Nothing is changed.
    """
    findings = list(examine())
    if as_json:
        click.echo(json_text({"schema_version": 1, "findings": [asdict(f) for f in findings]}))
        return
    width = max(len(f.name) for f in findings)
    for finding in findings:
        click.echo(_line(finding, width))
    wanting = [f for f in findings if f.status != "ok"]
    click.echo(
        f"\n{len(findings) - len(wanting)} of {len(findings)} as tested"
        + ("." if not wanting else "; see above for the rest.")
    )


def _line(finding: Finding, width: int) -> str:
    colour = {"ok": "green", "untested": "yellow", "missing": "red"}[finding.status]
    text = f"{click.style(f'{finding.status:9}', fg=colour)} {finding.name:{width}}  {finding.found}"
    if finding.costs and finding.status != "ok":
        text += f"\n{'':{width + 12}}without it: {finding.costs}"
    if finding.fix:
        text += f"\n{'':{width + 12}}to get it:  {finding.fix}"
    return text
