"""The ``tfkit`` command: a click group whose commands are imported only when they run."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from typing import Any, NoReturn

import click

from tfkit import __version__
from tfkit._errors import TfkitError
from tfkit._registry import unknown_name

# name -> (module, one line for --help); kept here so that --help imports no command.
COMMANDS = {
    "quickstart": ("tfkit.cli.quickstart", "The whole road on real data, in about two minutes."),
    "doctor": ("tfkit.cli.doctor", "What works on this machine, what is missing, how to get it."),
    "models": ("tfkit.cli.models", "The zoo: name, input, parameters, MACs, schemes."),
    "build": ("tfkit.cli.build", "Write a fresh model from the zoo."),
    "train": ("tfkit.cli.train", "Fit a zoo model on a named data set."),
    "prune": ("tfkit.cli.prune", "Find what a model can do without, and take it out."),
    "convert": ("tfkit.cli.convert", "Keras model to flatbuffer, with op ledger and parity check."),
    "inspect": ("tfkit.cli.inspect", "Ops, precision, MACs and bytes of a flatbuffer."),
    "verify": ("tfkit.cli.verify", "Compare a flatbuffer with the Keras model it came from."),
    "devices": ("tfkit.cli.devices", "What is attached; what would spoil a measurement; a simulated phone."),
    "bench": ("tfkit.cli.bench", "Run flatbuffers on a device: correctness first, then latency."),
    "compare": ("tfkit.cli.compare", "Two results of bench: faster, slower or inconclusive."),
    "advise": ("tfkit.cli.advise", "Which precision is worth it, layer by layer, on a device."),
    "sweep": ("tfkit.cli.sweep", "Train, compress and measure a grid of networks; stop and go on at any time."),
    "report": ("tfkit.cli.report", "What a sweep found: one page with charts and tables, CSV, figures."),
}


class LazyGroup(click.Group):
    """Resolves a command to its module on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS:
            ctx.fail(unknown_name("command", args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tfkit")
def cli() -> None:
    """Take a Keras model to an ARM phone or board, and prove what it does there.

    \b
      tfkit build mobilenet_v2 -o m.keras
      tfkit convert m.keras -o m.tflite --format int8 --calibration x.npz
      tfkit bench m.tflite --device local
    """


def main() -> NoReturn:
    """Entry point: failures are one message on stderr and an exit code, never a traceback.

    ``TFKIT_DEBUG=1`` shows the traceback, and what TensorFlow's native code has to say.
    """
    if not os.environ.get("TFKIT_DEBUG"):
        _hush_native_code()
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except TfkitError as error:
        if os.environ.get("TFKIT_DEBUG"):
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe left, as `| head` does
        sys.exit(1)
    except Exception as error:
        if os.environ.get("TFKIT_DEBUG"):
            raise
        click.echo(
            f"error: {type(error).__name__}: {error}\nThis is a defect in tfkit; TFKIT_DEBUG=1 shows where.", err=True
        )
        sys.exit(1)
    sys.exit(0)


def _hush_native_code() -> None:
    """Keep what C++ libraries write to file descriptor 2 off the terminal; Python's own stderr stays there.

    TensorFlow, Larq Compute Engine and LiteRT log to it at import, before any log level takes effect.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in ("tensorflow", "absl", "larq"):
        logging.getLogger(name).setLevel(logging.ERROR)
    sys.stderr.flush()
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
