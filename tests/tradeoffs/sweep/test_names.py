"""What the spec spells out is what the packages know; they import TensorFlow, the spec does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfkit.converters.pipeline import FORMATS
from tfkit.pruning import METHODS
from tfkit.pruning.structures import STRUCTURES
from tfkit.tradeoffs.sweep import SpecError, compression, read_spec
from tfkit.tradeoffs.sweep.reader import Reader
from tfkit.tradeoffs.sweep.spec import parse_spec

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_spec_knows_every_method_structure_and_format() -> None:
    assert {name for name, method in METHODS.items() if method.aim == "sparsity"} == set(compression.SPARSE)
    assert {name for name, method in METHODS.items() if method.aim == "macs"} == set(compression.STRUCTURED)
    assert compression.STRUCTURES == STRUCTURES
    assert set(compression.FORMATS) == set(FORMATS)


@pytest.mark.parametrize(("name", "size"), [("digits_sweep.toml", (2, 5, 2, 1)), ("cifar10_sweep.toml", (6, 16, 3, 2))])
def test_examples_are_sound(name: str, size: tuple[int, ...]) -> None:
    spec = read_spec(EXAMPLES / name)
    assert (len(spec.models), len(spec.compressions), len(spec.training.seeds), len(spec.devices)) == size


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("kernel_quantizer", "lsq_v2", "line 6: unknown quantizer 'lsq_v2'; did you mean"),
        ("kernel_quantizer", "lsq_a2", "line 6: .* is made for activations"),
        ("input_quantizer", "lsq_w2", "line 6: .* is made for kernels"),
    ],
)
def test_unknown_quantizers_are_refused_before_anything_is_trained(key: str, name: str, message: str) -> None:
    text = f'[data]\nname = "digits"\n[[model]]\nname = "small_cnn"\n[[compression]]\n{key} = "{name}"\n'
    with pytest.raises(SpecError, match=message):
        parse_spec(Reader(text))
