"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

# Spelt out, not read from the registry: `--help` imports no NumPy. A test compares the two.
DATA = (
    "an .npz file (arrays named like the inputs, or x; labels in y), digits, shapes[:DIFFICULTY], cifar10:DIR, "
    "cifar100:DIR, cifar100-coarse:DIR or images:DIR (a folder of images per class)"
)


def data_option(
    *names: str, purpose: str, required: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes data: ``purpose`` says what for, the forms are the same everywhere."""
    return click.option(*names, metavar="DATA", required=required, help=f"{purpose}: {DATA}.")


class InputShape(click.ParamType):
    """``224x224x3``: height, width, channels."""

    name = "HxWxC"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int, int]:
        if isinstance(value, tuple):
            return value
        try:
            height, width, channels = (int(size) for size in str(value).lower().split("x"))
        except ValueError:
            self.fail(f"{value!r} is not height x width x channels, for example 224x224x3", param, ctx)
        if min(height, width, channels) < 1:
            self.fail(f"{value!r} has a size below 1", param, ctx)
        return height, width, channels


def architecture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a model of the zoo is built with."""
    for option in reversed(
        (
            click.option(
                "--input",
                "input_shape",
                type=InputShape(),
                metavar="HxWxC",
                help="Input size; the architecture's own if absent.",
            ),
            click.option("--classes", type=click.IntRange(min=2), help="Number of classes."),
            click.option("--width", type=click.FloatRange(0, 8, min_open=True), help="Factor on the channels."),
            click.option("--scheme", help="Precision: float32, int8, binary or binary_int8; see `tfkit models`."),
            click.option(
                "--kernel-quantizer", metavar="NAME", help="Of all kernels but the first and the last: lsq_w2, ttq, ..."
            ),
            click.option("--input-quantizer", metavar="NAME", help="Of what those layers read: lsq_a2, bnn, ..."),
        )
    ):
        command = option(command)
    return command
