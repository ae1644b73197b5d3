"""abi/tflite.h against running runtimes: tensor and node fields, read through it, agree with what Python knows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.lce_graph import Convolution, unpack
from helpers.native_build import host_build

# Type numbers of the C API.
TYPES = {"float32": 1, "int32": 2, "int8": 9}
BYTES = {"float32": 4, "int32": 4, "int8": 1}

PROBE = """
import json, sys
runtime, model, probe, log = sys.argv[1:]
if runtime == "tensorflow":
    import tensorflow as tf
    Interpreter, load_delegate = tf.lite.Interpreter, tf.lite.experimental.load_delegate
elif runtime == "ai_edge_litert":
    from ai_edge_litert.interpreter import Interpreter, load_delegate
else:
    from tflite_runtime.interpreter import Interpreter, load_delegate
delegate = load_delegate(probe, {"path": log})
interpreter = Interpreter(model_path=model, experimental_delegates=[delegate])
details = [
    {"index": d["index"], "name": d["name"], "type": d["dtype"].__name__, "shape": [int(n) for n in d["shape"]],
     "scale": float(d["quantization"][0]), "zero_point": int(d["quantization"][1])}
    for d in interpreter.get_tensor_details()
]
print(json.dumps(details))
"""


@pytest.mark.parametrize("runtime", ["ai_edge_litert", "tflite_runtime", "tensorflow"])
def test_layout_matches_the_runtime(runtime: str, tmp_path: Path) -> None:
    flatbuffer = Convolution(channels_in=40, output="int8").model()
    model, log = tmp_path / "model.tflite", tmp_path / "layout.tsv"
    model.write_bytes(flatbuffer)
    probe = host_build() / "tests" / "libtfkit_abi_probe.so"
    # A process of its own: a wrong layout may well crash, and tflite-runtime does not work beside TensorFlow.
    command = [sys.executable, "-c", PROBE, runtime, str(model), str(probe), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    details = json.loads(done.stdout.splitlines()[-1])
    lines = [line.split("\t") for line in log.read_text().splitlines()]

    graph = unpack(flatbuffer).subgraphs[0]
    constants = [int(tensor.buffer != 0) for tensor in graph.tensors]
    expected = []
    for detail in details:
        size = BYTES[detail["type"]]
        for axis in detail["shape"]:
            size *= axis
        expected.append(
            [
                "tensor",
                str(detail["index"]),
                detail["name"],
                str(TYPES[detail["type"]]),
                # Activations have no memory yet when a delegate sees them; constants have theirs.
                str(size),
                f"{detail['scale']:.9g}",
                str(detail["zero_point"]),
                str(int(detail["scale"] != 0)),
                str(constants[detail["index"]]),
                *map(str, detail["shape"]),
            ]
        )
    tensors = [line for line in lines if line[0] == "tensor"][: len(expected)]
    assert tensors == expected

    operators = [
        [
            "node",
            str(index),
            name,
            "1",
            str(0 if operator.customOptions is None else len(operator.customOptions)),
            str(operator.outputs[0]),
            *map(str, operator.inputs),
        ]
        for index, (name, operator) in enumerate(zip(["LceQuantize", "LceBconv2d"], graph.operators, strict=True))
    ]
    assert [line for line in lines if line[0] == "node"] == operators
