"""The two stock runtimes behind one constructor, and their complaints in plain words."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Literal

from tfkit._errors import InferenceError, MissingToolError, TfkitError, UsageError
from tfkit._registry import unknown_name

Backend = Literal["litert", "tflite_runtime"]

# backend -> (module, package on PyPI)
BACKENDS = {
    "litert": ("ai_edge_litert.interpreter", "ai-edge-litert==2.3.0"),
    "tflite_runtime": ("tflite_runtime.interpreter", "tflite-runtime==2.14.0"),
}

_OLD_OP = re.compile(r"Didn't find op for builtin opcode '(?P<op>\w+)' version '(?P<version>\d+)'")
_UNRESOLVED = re.compile(r"Encountered unresolved custom op: (?P<op>[^\n]*?)\.(?:\n|$)")


def load(backend: str) -> ModuleType:
    """The runtime's interpreter module.

    Raises:
        UsageError: no such backend.
        MissingToolError: its package is not installed; names the pip command.
    """
    if backend not in BACKENDS:
        raise UsageError(unknown_name("backend", backend, BACKENDS))
    module, package = BACKENDS[backend]
    try:
        with _own_symbols():
            return importlib.import_module(module)
    except ImportError as error:
        raise MissingToolError(
            f"the {backend} runtime is not installed ({error}); run: pip install '{package}'"
        ) from error


@contextmanager
def _own_symbols() -> Iterator[None]:
    """Bind a runtime's symbols to itself while it is loaded.

    TensorFlow exports its own TFLite to the whole process; without this, tflite_runtime imported after TensorFlow
    calls half of it and fails with ``vector::reserve``.
    """
    deep = getattr(os, "RTLD_DEEPBIND", None)  # glibc only
    if deep is None:
        yield
        return
    before = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | deep)
    try:
        yield
    finally:
        sys.setdlopenflags(before)


def resolver(module: ModuleType, kernels: str, preserve_all_tensors: bool) -> Any:
    """The op resolver for ``kernels``.

    Intermediate tensors exist only without XNNPACK, which keeps those of its partitions to itself.
    """
    types = module.OpResolverType
    if kernels == "reference":
        return types.BUILTIN_REF
    return types.BUILTIN_WITHOUT_DEFAULT_DELEGATES if preserve_all_tensors else types.AUTO


def explain(error: Exception, backend: str, custom_ops: tuple[str, ...]) -> TfkitError:
    """A runtime's exception as an ``InferenceError`` that says what to do."""
    text = str(error)
    old = sorted({f"{m['op']} version {m['version']}" for m in _OLD_OP.finditer(text)})
    if old:
        fix = (
            "convert again with `tfkit convert --runtime tflite-2.14`, or run it with backend='litert'"
            if backend == "tflite_runtime"
            else "the file was written for a newer runtime; convert it with the installed versions"
        )
        return InferenceError(f"{backend} has no {', '.join(old)}; {fix}")
    unresolved = sorted({m["op"] for m in _UNRESOLVED.finditer(text)})
    if unresolved:
        known = [name for name in unresolved if name.startswith(("Lce", "Tfkit"))]
        fix = (
            f"the tfkit delegate declined {', '.join(known)}: the op's options or shapes are ones it cannot run"
            if known
            else "tfkit runs Lce* and Tfkit* custom ops; convert the model without the others"
        )
        return InferenceError(
            f"unresolved custom op {', '.join(unresolved)} (custom ops in this file: {', '.join(custom_ops)}); {fix}. "
            f"The runtime said: {_one_line(text)}"
        )
    return InferenceError(f"{backend} could not run this model: {_one_line(text)}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
