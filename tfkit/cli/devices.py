"""``tfkit devices``: list them, examine one, simulate a phone."""

from __future__ import annotations

from dataclasses import asdict

import click

from tfkit._json import json_text

SCHEMA_VERSION = 1
COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}


@click.group("devices", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the devices that --device takes right now, with what to do about those that are not ready."""
    if context.invoked_subcommand is not None:
        return
    from tfkit.devices.inventory import entries

    found = list(entries())
    if as_json:
        click.echo(json_text({"schema_version": SCHEMA_VERSION, "devices": [asdict(entry) for entry in found]}))
        return
    width = max(len(entry.spec) for entry in found)
    for entry in found:
        click.echo(f"{entry.spec:{width}}  {entry.what}")
        if entry.advice:
            click.echo(f"{'':{width}}  {click.style('not ready', fg='yellow')}: {entry.advice}")


@command.command("doctor")
@click.argument("device")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(device: str, as_json: bool) -> None:
    """Say what would spoil a measurement on DEVICE, and what tfkit does about it. Nothing is changed there."""
    from tfkit.bench.examination import examine
    from tfkit.devices import connect

    with connect(device) as opened:
        points = examine(opened)
        facts = dict(opened.properties())
        label = opened.label
    if as_json:
        document = {
            "schema_version": SCHEMA_VERSION,
            "device": device,
            "label": label,
            "findings": [asdict(point) for point in points],
            "properties": facts,
        }
        click.echo(json_text(document))
        return
    width = max(len(point.name) for point in points)
    for point in points:
        status = click.style(f"{point.status:4}", fg=COLOURS[point.status])
        click.echo(f"{status} {point.name:{width}}  {point.found}")
        click.echo(f"{'':{width + 7}}{point.action}")


@command.command("simulate")
@click.option("--port", default=0, show_default=True, metavar="N", help="To listen on; 0 takes a free one.")
@click.option("--cpu", default="cortex-a76", show_default=True, metavar="NAME", help="The core qemu stands for.")
@click.option("--android", "api_level", default=33, show_default=True, metavar="N", help="API level it tells.")
@click.option("--charging", is_flag=True, help="It hangs on a charger.")
@click.option("--thermal-status", default=0, show_default=True, metavar="0-6", help="Android's thermal status.")
@click.option("--no-shell-v2", is_flag=True, help="An old Android without exit codes.")
def simulate(port: int, cpu: str, api_level: int, charging: bool, thermal_status: int, no_shell_v2: bool) -> None:
    """Run a simulated Android phone that adb connects to, until Ctrl-C.

    Arm programs run in it under qemu: what they compute is right, how long they take says nothing.
    """
    import signal
    import threading

    from tfkit._errors import UsageError
    from tfkit.devices.arm_cpus import CPUS
    from tfkit.devices.simulated import Phone

    if not 0 <= thermal_status <= 6:
        raise UsageError(f"Android's thermal status goes from 0 to 6; got {thermal_status}")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    with Phone({"ro.build.version.sdk": str(api_level)}, cpu=CPUS[cpu].name, port=port) as phone:
        phone.set_battery(charging=charging)
        phone.set_thermal(status=thermal_status)
        phone.faults.no_shell_v2 = no_shell_v2
        click.echo(f"simulated phone: --device {phone.spec}  (or: adb connect {phone.serial}); Ctrl-C ends it")
        try:
            ended.wait()
        except KeyboardInterrupt:
            click.echo("ended", err=True)
