"""The delegate under AddressSanitizer in every runtime: loaded, invoked, resized and dropped, in several threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.lce_graph import Convolution
from helpers.native_build import sanitized_build

TESTS = Path(__file__).resolve().parents[1]
USE = """
import gc, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from helpers.lce_runtimes import runtime
name, library, model = sys.argv[1:]
interpreter_class, load_delegate = runtime(name)
flatbuffer = open(model, "rb").read()

def use(seed):
    delegate = load_delegate(library, {"num_threads": "2"})
    for _ in range(2):  # interpreters of one delegate
        interpreter = interpreter_class(model_content=flatbuffer, experimental_delegates=[delegate])
        index = interpreter.get_input_details()[0]["index"]
        for batch in (1, 60, 2):
            interpreter.resize_tensor_input(index, (batch, 12, 12, 64))
            interpreter.allocate_tensors()
            interpreter.set_tensor(index, np.full((batch, 12, 12, 64), seed, np.float32))
            interpreter.invoke()
            interpreter.invoke()

with ThreadPoolExecutor(3) as pool:
    list(pool.map(use, range(6)))
gc.collect()
print("finished")
"""
LEAK = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[2])
library.tflite_plugin_create_delegate.restype = None  # the pointer is lost
library.tflite_plugin_create_delegate(None, None, ctypes.c_size_t(0), None)
print("finished")
"""


def sanitizer(name: str) -> str:
    """Path of one of g++'s sanitizer libraries."""
    done = subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def leaks(script: str, runtime: str, folder: Path) -> str:
    """What LeakSanitizer finds of the delegate's; fails if the script does."""
    model = folder / "model.tflite"
    model.write_bytes(Convolution(height=12, width=12, channels_in=64, channels_out=64, output="bitpacked").model())
    library = sanitized_build() / "delegate" / "libtfkit_delegate.so"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")])),
        "LD_PRELOAD": f"{sanitizer('libasan.so')} {sanitizer('libubsan.so')}",
        "ASAN_OPTIONS": "detect_leaks=1:new_delete_type_mismatch=0",
    }
    done = subprocess.run(
        [sys.executable, "-c", script, runtime, str(library), str(model)],
        env=environment,
        timeout=600,
        capture_output=True,
        text=True,
        check=False,
    )
    # Python and the runtimes leak for themselves, so the exit code says nothing.
    assert "finished" in done.stdout, done.stderr[-4000:]
    assert "ERROR: AddressSanitizer" not in done.stderr, done.stderr[-4000:]
    assert "runtime error: " not in done.stderr, done.stderr[-4000:]
    assert "LeakSanitizer" in done.stderr
    reports = done.stderr.split("\n\n")
    return "\n\n".join(report for report in reports if "libtfkit_delegate" in report)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["ai_edge_litert", "tflite_runtime", "tensorflow"])
def test_nothing_is_left_behind(runtime: str, tmp_path: Path) -> None:
    assert leaks(USE, runtime, tmp_path) == ""


@pytest.mark.slow
def test_a_leak_would_be_seen(tmp_path: Path) -> None:
    assert leaks(LEAK, "", tmp_path) != ""
