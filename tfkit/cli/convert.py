"""``tfkit convert``."""

from __future__ import annotations

from pathlib import Path

import click

from tfkit._errors import TfkitError
from tfkit._files import check_writable, whole_file
from tfkit._json import json_text
from tfkit._units import format_bytes
from tfkit.cli._options import data_option

FORMATS = ("float32", "float16", "dynamic", "int8", "lowbit", "lce", "auto")
RUNTIMES = ("litert", "tflite-2.14")


@click.command()
@click.argument("model", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The flatbuffer to write.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="float32", show_default=True)
@data_option("--calibration", purpose="Raw samples for post-training int8")
@click.option("--io", type=click.Choice(("float32", "int8")), help="Type of inputs and outputs  [default: float32]")
@click.option("--runtime", type=click.Choice(RUNTIMES), default="litert", show_default=True, help="What must load it.")
@click.option("--batch", default="1", show_default=True, metavar="N|dynamic", help="Samples per invocation.")
@data_option("--data", purpose="Raw samples to verify on, beside seeded ones")
@click.option("--min-agreement", type=click.FloatRange(0, 1), default=0.80, show_default=True,
              help="Least share of equal top-1 answers on real data.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 3 when a layer falls back.")
@click.option("--no-verify", is_flag=True, help="Skip the comparison with Keras.")
@click.option("--keep-failed", is_flag=True, help="Write a rejected flatbuffer as *.rejected.tflite.")
@click.option("--trust-model", is_flag=True, help="Run code that the model file carries (Lambda layers).")
@click.option("--json", "json_path", type=click.Path(path_type=Path, allow_dash=True),
              help="Write ledger and parity as JSON; - for stdout.")  # fmt: skip
def command(
    model: str,
    output: Path,
    format_: str,
    calibration: str | None,
    io: str | None,
    runtime: str,
    batch: str,
    data: str | None,
    min_agreement: float,
    strict: bool,
    no_verify: bool,
    keep_failed: bool,
    trust_model: bool,
    json_path: Path | None,
) -> None:
    """Convert a Keras model (.keras, .h5, SavedModel) to a flatbuffer and prove what is in it.

    Prints the op ledger (what became of every layer declared binary, few-bit, int8 or sparse) and parity with Keras.
    Exit code 3: a check said no, and no output was written.

    \b
    float32  32-bit floats; weights that are mostly zero are stored sparsely
    float16  weights in 16 bits, arithmetic in 32
    dynamic  int8 weights, activations quantized while running
    int8     full integer: from quantization-aware training, or with --calibration
    lowbit   layers with few-bit quantizers in bits, on tfkit's delegate; the rest float
    lce      binary layers in bits; the rest float, or int8 after such training
    auto     each layer by its quantizers, all of the above in one file

    \b
      tfkit convert m.keras -o m.tflite
      tfkit convert m.keras -o m.tflite --format int8 --calibration x.npz --io int8
      tfkit convert binary.keras -o b.tflite --format lce --strict
      tfkit convert mixed.keras -o m.tflite --format auto --strict
    """
    check_writable(output)
    if json_path is not None and str(json_path) != "-":
        check_writable(json_path)
    from tfkit.converters.pipeline import FellBack, Rejected, convert

    try:
        conversion = convert(
            model,
            format_,
            calibration=calibration,
            io=io,
            runtime=runtime,
            batch=_batch(batch),
            strict=strict,
            verify=not no_verify,
            data=data,
            min_agreement=min_agreement,
            trust_model=trust_model,
            progress=lambda line: click.echo(f"{line} ...", err=True),
        )
        failure: TfkitError | None = None
    except (FellBack, Rejected) as error:
        if error.conversion is None:
            raise
        conversion, failure = error.conversion, error
    if failure is None:
        conversion.save(output)
    elif keep_failed:
        kept = conversion.save(output.with_suffix(".rejected.tflite"))
        click.echo(f"rejected flatbuffer kept as {kept}", err=True)
    parity = conversion.parity
    document = {
        "schema_version": 1,
        "output": str(output) if failure is None else None,
        "bytes": len(conversion.flatbuffer),
        "format": conversion.format,
        "metadata": dict(conversion.metadata),
        "ledger": conversion.ledger.to_json(),
        "parity": parity.to_json() if parity is not None else None,
    }
    text = json_text(document)
    if json_path is not None and str(json_path) != "-":
        with whole_file(json_path) as temporary:
            temporary.write_text(text + "\n")
    if str(json_path) == "-":
        click.echo(text)
    else:
        click.echo(conversion.ledger.table())
        unchecked = "parity: not checked " + ("(--no-verify)" if no_verify else "after a fallback (--strict)")
        click.echo(unchecked if parity is None else parity.table())
        if failure is None:
            click.echo(f"{output}: {format_bytes(len(conversion.flatbuffer))}, {format_}")
    if failure is not None:
        raise failure


def _batch(text: str) -> int | str:
    if text == "dynamic":
        return text
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number and not 'dynamic'", param_hint="--batch") from None
