"""When and how the tfkit delegate joins a runtime."""

from __future__ import annotations

from collections.abc import Iterable

from tfkit import _native

LIBRARY = "libtfkit_delegate.so"
OP_PREFIXES = ("Lce", "Tfkit")


def needs_delegate(custom_ops: Iterable[str]) -> bool:
    """Whether any of these op names is one the delegate exists for."""
    return any(name.startswith(OP_PREFIXES) for name in custom_ops)


def library(platform: str | None = None) -> str:
    """Path of the delegate for ``platform``; raises ``MissingToolError`` when it was not built."""
    return str(_native.path(LIBRARY, platform))


def options(num_threads: int, kernel: str | None) -> dict[str, str]:
    """The delegate's options as the external-delegate interface takes them: strings."""
    chosen = {"num_threads": str(num_threads)}
    if kernel is not None:
        chosen["kernel"] = kernel
    return chosen
