"""The examples in this package's docstrings."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from tests.claims_arm import features, few_bits, layers, lce, operands, verdicts


@pytest.mark.parametrize(
    "module", [features, few_bits, layers, lce, operands, verdicts], ids=lambda module: module.__name__
)
def test_examples(module: ModuleType) -> None:
    done = doctest.testmod(module)
    assert done.attempted > 0
    assert done.failed == 0
