"""What inspect says, against counts made another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tfkit
from helpers.conversion import SIDE
from tfkit._errors import ModelError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op, Tensor
from tfkit.converters.inspection import peak_activation_bytes

# float_cnn by hand: outputs times terms. stem 6x6x16 of 3x3x3; depthwise 6x6x16 of 3x3; pointwise 6x6x16 of 16.
FLOAT_MACS = 6 * 6 * 16 * 27 + 6 * 6 * 16 * 9 + 6 * 6 * 16 * 16 + 576 * 40 + 40 * 5


def test_do_count_macs(float_conversion: Any, int8_conversion: Any) -> None:
    found = tfkit.inspect(float_conversion.flatbuffer)
    assert found.macs_by_kind == {"binary": 0, "few-bit": 0, "int8": 0, "float": FLOAT_MACS}
    assert tfkit.inspect(int8_conversion.flatbuffer).macs_by_kind["int8"] == FLOAT_MACS


def test_do_count_binary_macs(binary_conversion: Any) -> None:
    found = tfkit.inspect(binary_conversion.flatbuffer)
    assert found.macs_by_kind["binary"] == 2 * SIDE * SIDE * 32 * 9 * 32
    assert found.macs_by_kind["float"] == SIDE * SIDE * 32 * 27 + 32 * 5
    assert found.custom_ops == ("LceBconv2d", "LceQuantize")


def test_do_agree_with_the_zoo() -> None:
    """MobileNetV1 1.0-224: 569 M multiply-accumulates in the paper."""
    from tfkit.models import build

    found = tfkit.inspect(tfkit.convert(build("mobilenet_v1"), verify=False).flatbuffer)
    assert round(found.macs / 1e6) == 569


def test_do_sum_weights_once(float_conversion: Any, float_model: Any) -> None:
    """Folded batch normalization leaves kernels and biases; the file is little more than its weights."""
    found = tfkit.inspect(float_conversion.flatbuffer)
    kernels = sum(v.numpy().size for v in float_model.weights if "kernel" in v.name)
    assert 4 * kernels <= found.weight_bytes <= 4 * (kernels + 16 + 16 + 16 + 40 + 5) + 64
    assert found.bytes == len(float_conversion.flatbuffer)


def _tensor(size: int) -> Tensor:
    return Tensor("t", "INT8", (size,), (size,), None, None, False, None, 0)


def test_do_follow_lifetimes() -> None:
    """in(10) -> a(100) -> b(1), then b + in -> c(2): the peak is in + a + b while the second op runs."""
    ops = (
        Op("X", False, 1, (0,), (1,)),
        Op("X", False, 1, (1,), (2,)),
        Op("X", False, 1, (2, 0), (3,)),
    )
    graph = Graph("", tuple(_tensor(n) for n in (10, 100, 1, 2)), ops, (0,), (3,))
    assert peak_activation_bytes(graph) == 111
    early = Graph("", graph.tensors, (*ops[:2], Op("X", False, 1, (2,), (3,))), (0,), (3,))
    assert peak_activation_bytes(early) == 110  # in dies after the first op: in + a


def test_do_keep_outputs_alive() -> None:
    ops = (Op("X", False, 1, (0,), (1,)), Op("X", False, 1, (1,), (2,)), Op("X", False, 1, (2,), (3,)))
    tensors = tuple(_tensor(n) for n in (1, 50, 1, 60))
    assert peak_activation_bytes(Graph("", tensors, ops, (0,), (3,))) == 61
    assert peak_activation_bytes(Graph("", tensors, ops, (0,), (1, 3))) == 111


@pytest.mark.parametrize("kind", ["float", "int8", "binary", "mixed", "sparse"])
def test_do_write_json_with_the_tables_content(kind: str, request: pytest.FixtureRequest) -> None:
    found = tfkit.inspect(request.getfixturevalue(f"{kind}_conversion").flatbuffer)
    document = json.loads(json.dumps(found.to_json()))
    assert document["schema_version"] == 1
    assert len(document["ops"]) == len(found.ops)
    table = found.table()
    for op in document["ops"]:
        assert op["name"] in table
    assert document["metadata"]["source_sha256"] in table


def test_do_not_need_tfkits_metadata(float_conversion: Any) -> None:
    edit = fb.Edit(float_conversion.flatbuffer)
    edit._model.metadata = None
    assert tfkit.inspect(edit.serialize()).metadata is None


def test_do_not_read_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read .*: No such file"):
        tfkit.inspect(tmp_path / "none.tflite")
    (tmp_path / "text.tflite").write_text("hello, this is some text")
    with pytest.raises(ModelError, match="not a TFLite flatbuffer"):
        tfkit.inspect(tmp_path / "text.tflite")


def test_do_not_import_tensorflow(tmp_path: Path, float_conversion: Any) -> None:
    """Boards without TensorFlow inspect files; a second run proves that the first could fail."""
    import subprocess
    import sys

    path = float_conversion.save(tmp_path / "m.tflite")
    code = (
        "import sys, tfkit; tfkit.inspect({!r}); import tfkit.converters.flatbuffer; print('tensorflow' in sys.modules)"
    )
    for extra, answer in (("", "False"), ("; import tensorflow; print('tensorflow' in sys.modules)", "True")):
        done = subprocess.run(
            [sys.executable, "-P", "-c", code.format(str(path)) + extra], capture_output=True, text=True, check=True
        )
        assert done.stdout.split()[-1] == answer


def test_zeros_of_weights_stored_sparse_are_told(sparse_conversion: Any) -> None:
    found = tfkit.inspect(sparse_conversion.flatbuffer)
    sparse = [op for op in found.ops if op.nonzero_macs != op.macs]
    assert sparse
    for op in sparse:
        assert op.name in ("CONV_2D", "FULLY_CONNECTED")
        assert 0 < op.nonzero_macs < op.macs / 2
