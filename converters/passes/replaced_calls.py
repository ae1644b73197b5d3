"""How a model is rewritten without a copy of it: its layers compute something equal while it is traced.

Nested models, wrappers, shared layers and models with code of their own need nothing special, and once the trace is
taken the model is what it was, for the parity check to compare with.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tfkit._keras import set_untracked

Replace = Callable[[Any, Callable[..., Any]], None]
_UNSET = object()
# Of two threads that convert one model, the second would take the first one's calls for the layers' own.
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def replaced_calls() -> Iterator[Replace]:
    """Yields a function (layer, call) that lets a layer compute ``call``; every layer is put back behind the block."""
    before: list[tuple[Any, Any]] = []

    def replace(layer: Any, call: Callable[..., Any]) -> None:
        call.__signature__ = inspect.signature(layer.call)  # type: ignore[attr-defined]  # wrappers look at it
        before.append((layer, vars(layer).get("call", _UNSET)))
        set_untracked(layer, "call", call)

    with _ONE_AT_A_TIME:
        try:
            yield replace
        finally:
            for layer, call in reversed(before):
                if call is _UNSET:
                    del vars(layer)["call"]
                else:
                    set_untracked(layer, "call", call)
