"""Fixtures for every test: a scrubbed environment, fixed seeds, quiet TensorFlow."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tfkit  # noqa: F401  (asks for Keras 2 before anything imports TensorFlow)

SEED = 20201


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's shell changes what a test sees."""
    for name in ("TFKIT_KERNEL", "TFKIT_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    """Every test starts from the same random state, whatever ran before it."""
    import random
    import sys

    import numpy as np

    random.seed(SEED)
    np.random.seed(SEED)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(SEED)
