"""When and how the tfkit delegate joins a runtime."""

from __future__ import annotations

from tfkit import _native
from tfkit.runtime.model_file import ModelFile

LIBRARY = "libtfkit_delegate.so"
OP_PREFIXES = ("Lce", "Tfkit")


def needs_delegate(file: ModelFile) -> bool:
    """Whether the model has ops that the delegate exists for, or weights stored sparse.

    Sparse weights run without it too, as if they were dense: XNNPACK has no sparse kernels for x86 with AVX.
    """
    return file.is_sparse or any(name.startswith(OP_PREFIXES) for name in file.custom_ops)


def library(platform: str | None = None) -> str:
    """Path of the delegate for ``platform``; raises ``MissingToolError`` when it was not built."""
    return str(_native.path(LIBRARY, platform))


def options(num_threads: int, kernel: str | None) -> dict[str, str]:
    """The delegate's options as the external-delegate interface takes them: strings."""
    chosen = {"num_threads": str(num_threads)}
    if kernel is not None:
        chosen["kernel"] = kernel
    return chosen
