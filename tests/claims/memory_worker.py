"""What one interpreter adds to a fresh process: ``python memory_worker.py WHO FLATBUFFER`` prints it as JSON, in bytes.

WHO is "tfkit" (the delegate in LiteRT) or "lce", each with "-xnnpack" behind it for everything else to run there; LCE
also with "-indirect". Heap is what malloc has handed out and not got back (glibc's mallinfo2): tensors, workspace,
packed weights and the interpreters' own lists, by whichever of the libraries. LCE's copy of the flatbuffer, which its
Python interface makes, is taken off.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class MallocInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")),
    ]


def heap() -> int:
    """Bytes in use, those of large blocks that have mappings of their own included."""
    function = ctypes.CDLL("libc.so.6").mallinfo2
    function.restype = MallocInfo
    info = function()
    return int(info.uordblks + info.hblkhd)


def resident() -> int:
    """Bytes of this process in memory."""
    match = re.search(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert match, "/proc/self/status has no VmRSS"
    return 1024 * int(match[1])


def values(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An input."""
    random = np.random.default_rng(0)
    if dtype == np.float32:
        return random.standard_normal(shape).astype(np.float32)
    return random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def lce(flatbuffer: bytes, who: str) -> Callable[[], Any]:
    """Builds LCE's interpreter and runs it once."""
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    def run() -> Any:
        interpreter = Interpreter(
            flatbuffer, num_threads=1, use_indirect_bgemm="indirect" in who, use_xnnpack="xnnpack" in who
        )
        interpreter.predict(values(tuple(interpreter.input_shapes[0]), np.dtype(interpreter.input_types[0])))
        return interpreter

    return run


def tfkit(flatbuffer: bytes, who: str) -> Callable[[], Any]:
    """Builds LiteRT's interpreter with the delegate and runs it once."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate

    from tfkit import _native

    resolver = OpResolverType.AUTO if "xnnpack" in who else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    library = str(_native.path("libtfkit_delegate.so"))

    def run() -> Any:
        delegate = load_delegate(library, {"num_threads": "1"})
        interpreter = Interpreter(
            model_content=flatbuffer,
            num_threads=1,
            experimental_delegates=[delegate],
            experimental_op_resolver_type=resolver,
        )
        interpreter.allocate_tensors()
        detail = interpreter.get_input_details()[0]
        interpreter.set_tensor(detail["index"], values(tuple(detail["shape"]), np.dtype(detail["dtype"])))
        interpreter.invoke()
        return interpreter, delegate

    return run


def main() -> None:
    """Measure one."""
    who, path = sys.argv[1:]
    flatbuffer = Path(path).read_bytes()
    is_lce = who.startswith("lce")
    run = (lce if is_lce else tfkit)(flatbuffer, who)
    before = heap(), resident()
    kept = run()
    after = heap(), resident()
    copies = len(flatbuffer) if is_lce else 0
    report = {"heap": after[0] - before[0] - copies, "resident": after[1] - before[1]}
    if not is_lce:
        report["planned"] = _planned(kept[1])
    sys.stdout.write(json.dumps(report) + "\n")


def _planned(delegate: Any) -> int:
    """Arena, workspace and packed weights, as the delegate planned them before anything ran."""
    from tfkit import _native

    function = ctypes.CDLL(str(_native.path("libtfkit_delegate.so"))).tfkit_delegate_report
    function.restype = ctypes.c_size_t
    function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    handle = ctypes.cast(delegate._get_native_delegate_pointer(), ctypes.c_void_p)
    text = ctypes.create_string_buffer(function(handle, None, 0) + 1)
    function(handle, text, len(text))
    memory = json.loads(text.value)["memory"]
    return int(memory["arena_bytes"] + memory["workspace_bytes"] + memory["packed_bytes"])


if __name__ == "__main__":
    main()
