"""Why a result is not simply trusted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TRUSTED, SUSPECT, INVALID = "trusted", "suspect", "invalid"
# From best to worst; a result is as good as its worst reason.
LEVELS = (TRUSTED, SUSPECT, INVALID)


@dataclass(frozen=True)
class Reason:
    """``code`` is stable, for programs; ``text`` says what was seen and what to do."""

    code: str
    level: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def suspect(code: str, text: str) -> Reason:
    """The figures may be right, but something that could have moved them was seen."""
    return Reason(code, SUSPECT, text)


def invalid(code: str, text: str) -> Reason:
    """The figures do not say what they seem to say."""
    return Reason(code, INVALID, text)
