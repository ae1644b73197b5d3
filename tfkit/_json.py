"""JSON as every reader takes it: numbers that JSON has no form for become null."""

from __future__ import annotations

import json
import math
from typing import Any


def json_text(document: Any) -> str:
    """``document`` as indented JSON text; NaN and infinities, which Python would write by name, become null.

    >>> json_text([float("nan"), 1.5])
    '[\\n  null,\\n  1.5\\n]'
    """
    return json.dumps(_finite(document), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
