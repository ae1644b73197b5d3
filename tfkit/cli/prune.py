"""``tfkit prune``: find out what a model can do without, take it out, train what is left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tfkit._errors import UsageError
from tfkit._files import check_model_file
from tfkit._units import format_bytes
from tfkit.cli._options import data_option
from tfkit.cli.train import _begin, _opened, _recipe, recipe_options

# Spelt out, not read from the registry: `--help` imports no TensorFlow. A test compares the two.
SPARSE = ("han", "dns", "obd", "n_of_m", "block", "snr", "obs", "sparse_vd")
STRUCTURED = ("psp", "group_lasso", "slimming", "scaling_factors", "l0", "l0_arm", "group_vd", "thinet", "dpp")
STRUCTURES = ("channel", "kernel", "group")


@click.command()
@click.argument("model", type=click.Path())
@data_option("--data", "data_name", purpose="What to train on", required=True)
@click.option("-o", "--output", required=True, help="The .keras file to write.")
@click.option("--method", "method_name", type=click.Choice((*SPARSE, *STRUCTURED)), required=True, metavar="METHOD")
@click.option("--structure", type=click.Choice(STRUCTURES), help="What goes as a whole  [default: channel]")
@click.option(
    "--target-macs",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the MACs that is left, for methods that remove structures  [default: 0.5]",
)
@click.option("--multiple-of", type=click.IntRange(min=1), help="Channels that a layer keeps  [default: 8]")
@click.option(
    "--sparsity",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of zeros, for methods that zero single weights  [default: 0.8]",
)
@click.option("--pattern", metavar="N:M", help="Of n_of_m: the N largest of M stay  [default: 2:10]")
@click.option("--block", metavar="RxC", help="Of block: rows x columns that go together  [default: 1x4]")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the method, such as decay.")
@click.option("--layers", default="all", show_default=True, help="all, float (leave binary ones) or names, by commas.")
@recipe_options
@click.option("--tuning-epochs", type=click.IntRange(min=1), help="After the cut; half of --epochs if absent.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--log-dir", type=click.Path(file_okay=False), help="Folder for CSV tables and TensorBoard events.")
@click.option(
    "--resume/--restart",
    default=None,
    help="Insist on a checkpoint, or begin anew; if absent, a checkpoint is continued when there is one.",
)
@click.option("--trust-model", is_flag=True, help="Load Python code that the model file carries.")
def command(
    model: str,
    data_name: str,
    output: str,
    method_name: str,
    structure: str | None,
    target_macs: float | None,
    multiple_of: int | None,
    sparsity: float | None,
    pattern: str | None,
    block: str | None,
    settings: tuple[str, ...],
    layers: str,
    tuning_epochs: int | None,
    seed: int,
    log_dir: str | None,
    resume: bool | None,
    trust_model: bool,
    **overrides: Any,
) -> None:
    """Prune MODEL, a trained .keras file, by METHOD, and write what is left.

    \b
    zero single weights (--sparsity):
      han, dns, obd, n_of_m, block; variational: snr, sparse_vd; without training: obs
    remove structures (--target-macs):
      psp, group_lasso, slimming, scaling_factors, l0, l0_arm; variational: group_vd; without training: thinet, dpp

    Structures are physically gone from the output, which is a smaller model; single weights are zeros in a model of
    the old shape, which `tfkit convert` stores sparsely. Binary kernels are not pruned: --layers float leaves them.

    Without other options a method follows its recipe: the settings below, 8 epochs of Adam in batches of 64 with a
    learning rate of 0.003 along half a cosine, and 4 more after the cut. On digits these keep every method within 2
    points of the accuracy before, at 80 % zeros or half the MACs (tfkit/pruning/ACCURACY.md).

    \b
    settings (--set NAME=VALUE) and what they are if absent:
      dns              margin=0.1 slowing=0.01
      obd              samples=64
      n_of_m           decay=0.5
      snr              prior=0.1 deviation=0.01 weight=1 speed=30
      obs              exact=1024 samples=128 positions=4096 damping=0.01 at_once=64
      sparse_vd        log_variance=-10 weight=1 speed=30
      psp              decay=0.05 threshold=0.01 momentum=0.9 speed=20 group=8
      group_lasso      strength=0.001 group=8
      slimming         strength=0.5
      scaling_factors  strength=0.02 momentum=0.9 speed=20 group=8
      l0               strength=0.1 dropped=0.1 speed=30 group=8
      l0_arm           strength=0.1 dropped=0.1 speed=1000 group=8
      group_vd         weight=1 log_variance=-9 speed=30
      thinet           samples=128 positions=2048
      dpp              samples=128 positions=2048 beta=10

    After every epoch a checkpoint is written beside the output. When pruning was interrupted, the same command
    goes on from there and ends with the same weights, bit for bit.

    \b
      tfkit prune m.keras --method psp --structure channel --target-macs 0.5 --data digits -o half.keras
      tfkit prune m.keras --method dns --sparsity 0.9 --data digits -o sparse.keras
      tfkit prune m.keras --method n_of_m --pattern 2:4 --data digits -o pattern.keras
    """
    _check_goal(method_name, structure, target_macs, multiple_of, sparsity, pattern, block)
    check_model_file(output)
    from tfkit.training.checkpoint import CheckpointFile, check_input, checkpoint_path, sweep

    path = checkpoint_path(output)
    if resume:
        check_input(path)
    from tfkit import training
    from tfkit.counting import count
    from tfkit.pruning import finish
    from tfkit.pruning.run import Goal, pruning_stages, tuning_recipe
    from tfkit.saving import save
    from tfkit.training.loop import data_settings
    from tfkit.training.stages import file_digest, run_settings, run_stages

    given = {"structure": structure, "sparsity": sparsity, **_pattern(pattern), **_block(block)}
    method = _method(method_name, {name: value for name, value in given.items() if value is not None}, settings, seed)
    learning = _recipe("pruning", overrides)
    tuning = tuning_recipe(learning, tuning_epochs)
    network, dataset = _opened(model, data_name, trust_model)
    goal = Goal(target_macs or 0.5, multiple_of or 8, layers if layers in ("all", "float") else layers.split(","))
    before = count(network)
    notes: dict[str, Any] = {}
    stages = pruning_stages(dataset, method, goal, learning, tuning, seed=seed, notes=notes)
    settings_of_run = run_settings(
        stages,
        model=file_digest(model),
        data={"name": data_name, **data_settings(dataset)},
        pruning={**method.settings(), "macs": goal.macs, "multiple_of": goal.multiple_of, "layers": layers},
        seed=seed,
    )
    checkpoint = CheckpointFile(path, settings_of_run, notes)
    if resume is False:
        checkpoint.remove()
    try:
        network = run_stages(network, dataset, stages, seed=seed, checkpoint=checkpoint, begin=_begin, log_dir=log_dir)
    except KeyboardInterrupt:
        if path.exists():
            click.echo(f"\n{path} holds the state after the last epoch; the same command goes on from it", err=True)
        raise
    pruned = finish(network)
    save(pruned, output)
    share = training.evaluate(pruned, dataset)
    after = count(pruned)
    click.echo(f"{output}: accuracy {share:.4f} on {dataset.size('test')} test samples of {data_name}")
    click.echo(
        f"MACs {before.macs:,} -> {after.macs:,}, parameters {before.params:,} -> {after.params:,} "
        f"({after.nonzero_params:,} not zero), weights {format_bytes(before.weight_bytes)} -> "
        f"{format_bytes(after.weight_bytes)}"
    )
    checkpoint.remove()
    sweep(Path(output))


def _check_goal(
    method: str,
    structure: str | None,
    target_macs: float | None,
    multiple_of: int | None,
    sparsity: float | None,
    pattern: str | None,
    block: str | None,
) -> None:
    """Refuse options that the method would ignore."""
    structured = method in STRUCTURED
    refused = {
        "--structure": structure is not None and not structured,
        "--target-macs": target_macs is not None and not structured,
        "--multiple-of": multiple_of is not None and not structured,
        "--sparsity": sparsity is not None and (structured or method == "n_of_m"),
        "--pattern": pattern is not None and method != "n_of_m",
        "--block": block is not None and method != "block",
    }
    wrong = [name for name, is_refused in refused.items() if is_refused]
    if wrong:
        takes = "--structure, --target-macs and --multiple-of" if structured else "--sparsity"
        takes = {"n_of_m": "--pattern", "block": "--sparsity and --block"}.get(method, takes)
        raise UsageError(f"{method} does not take {', '.join(wrong)}; it takes {takes}")


def _method(name: str, given: Mapping[str, Any], settings: tuple[str, ...], seed: int) -> Any:
    """The method with its settings; ``settings`` are NAME=VALUE for the numbers among its fields."""
    from dataclasses import fields

    from tfkit.pruning import METHODS

    kind = METHODS[name]
    known = {item.name: item.default for item in fields(kind) if isinstance(item.default, int | float)}
    chosen = {**({"seed": seed} if "seed" in known else {}), **given}
    for setting in settings:
        key, _, text = setting.partition("=")
        if key not in known:
            raise UsageError(f"{name} has no setting {key!r}; it has {', '.join(known) or 'none'}")
        try:
            chosen[key] = type(known[key])(text)
        except ValueError:
            raise UsageError(f"--set {key}= takes a number such as {known[key]}; got {text!r}") from None
    return kind(**chosen)


def _pattern(text: str | None) -> dict[str, int | None]:
    return {} if text is None else dict(zip(("n", "m"), _two_numbers(text, ":", "--pattern", "2:8"), strict=True))


def _block(text: str | None) -> dict[str, int | None]:
    return (
        {} if text is None else dict(zip(("rows", "columns"), _two_numbers(text, "x", "--block", "1x4"), strict=True))
    )


def _two_numbers(text: str, between: str, option: str, example: str) -> tuple[int, int]:
    try:
        first, second = (int(part) for part in text.split(between))
    except ValueError:
        raise UsageError(f"{option} is two numbers such as {example}; got {text!r}") from None
    return first, second
