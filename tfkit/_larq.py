"""Larq, imported after Keras 2 was made sure of: beside Keras 3 it fails without saying why."""

from __future__ import annotations

from tfkit._keras import legacy_keras

legacy_keras()

import larq  # noqa: E402

__all__ = ["larq"]
