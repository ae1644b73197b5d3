"""Several interpreters, with one delegate each, in several threads at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from helpers.lce_graph import Convolution
from helpers.lce_runtimes import DelegatedInterpreter, assert_same_bits, delegate_path, runtime

SEED = 12
CONVOLUTIONS = [
    Convolution(height=12, width=12, channels_in=64, channels_out=32, output=output, seed=seed)
    for seed, output in enumerate(("float32", "int8", "bitpacked", "float32"))
]


def image(seed: int) -> np.ndarray:
    return np.random.default_rng([SEED, seed]).standard_normal((1, 12, 12, 64)).astype(np.float32)


def test_threads_do_not_disturb_each_other() -> None:
    expected = [DelegatedInterpreter(c.model()).run([image(i)])[0] for i, c in enumerate(CONVOLUTIONS)]

    def work(task: int) -> None:
        which = task % len(CONVOLUTIONS)
        interpreter = DelegatedInterpreter(CONVOLUTIONS[which].model(), options={"num_threads": "2"})
        for _ in range(20):
            (got,) = interpreter.run([image(which)])
            assert_same_bits(expected[which], got, f"task {task}, seed {SEED}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))


def test_one_delegate_serves_several_interpreters() -> None:
    interpreter_class, load_delegate = runtime("ai_edge_litert")
    delegate = load_delegate(str(delegate_path()))
    interpreters = []
    for convolution in CONVOLUTIONS:
        interpreter = interpreter_class(model_content=convolution.model(), experimental_delegates=[delegate])
        interpreter.allocate_tensors()
        interpreters.append(interpreter)
    for seed, (convolution, interpreter) in enumerate(zip(CONVOLUTIONS, interpreters, strict=True)):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image(seed))
        interpreter.invoke()
        got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        (want,) = DelegatedInterpreter(convolution.model()).run([image(seed)])
        assert_same_bits(want, got, f"interpreter {seed}")


DESTROYED_FIRST = """
import sys
from tfkit.runtime import Interpreter
for _ in range(20):
    interpreter = Interpreter(sys.argv[1])
    delegate, = interpreter._native._delegates
    delegate.__del__()  # as the garbage collector does when both are in one cycle
    del interpreter, delegate
"""


def test_the_delegate_may_be_destroyed_before_the_interpreter(tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(Convolution(channels_in=33, channels_out=40, output="bitpacked").model())
    done = subprocess.run(
        [sys.executable, "-c", DESTROYED_FIRST, model], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
