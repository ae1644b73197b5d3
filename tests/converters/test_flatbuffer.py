"""check, parse and edit: nothing that a file holds may crash them."""

from __future__ import annotations

import re
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tfkit._errors import ModelError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.verifier import MAX_DEPTH, Choice, Scalar, Table, Tables, Text, Vector, Verifier

FUZZ_SECONDS = [2.0, pytest.param(120.0, marks=pytest.mark.slow)]


def test_do_parse_what_the_runtime_sees(float_conversion: Any) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=float_conversion.flatbuffer)
    interpreter.allocate_tensors()
    graph = fb.parse(float_conversion.flatbuffer).main
    for details in interpreter.get_tensor_details():
        if details["index"] < len(graph.tensors):
            tensor = graph.tensors[details["index"]]
            assert (tensor.name, tensor.shape) == (details["name"], tuple(details["shape"]))
    assert list(graph.inputs) == [d["index"] for d in interpreter.get_input_details()]
    assert list(graph.outputs) == [d["index"] for d in interpreter.get_output_details()]


def test_do_read_custom_options(binary_conversion: Any) -> None:
    ops = [op for op in fb.parse(binary_conversion.flatbuffer).main.ops if op.name == "LceBconv2d"]
    assert len(ops) == 2
    assert fb.custom_options(ops[0])["channels_in"] == 32
    assert fb.custom_options(ops[0])["pad_values"] == 1


@pytest.mark.parametrize("data", [b"", b"TFL3", b"hello, this is some text", b"\x1c\0\0\0TFL2" + bytes(64)])
def test_do_not_accept_foreign_bytes(data: bytes) -> None:
    with pytest.raises(ModelError, match="not a TFLite flatbuffer"):
        fb.check(data)


def test_do_not_accept_any_truncation(int8_conversion: Any) -> None:
    data = int8_conversion.flatbuffer
    for length in [*range(8, 400, 3), *range(400, len(data), 997), len(data) - 1]:
        with pytest.raises(ModelError, match="damaged"):
            fb.check(data[:length])


@pytest.mark.parametrize("seconds", FUZZ_SECONDS)
@pytest.mark.parametrize("kind", ["float", "int8", "binary", "sparse"])
def test_do_not_crash_on_mutations(kind: str, seconds: float, request: pytest.FixtureRequest) -> None:
    """Flipped bytes give a ModelError or a model that can be read through; nothing else, and never a hang."""
    data = request.getfixturevalue(f"{kind}_conversion").flatbuffer
    seed = sum(map(ord, kind)) + int(seconds)
    generator = np.random.default_rng(seed)
    # Weights fill most of a file and mean nothing to the structure: most mutations go into the rest.
    zeros = np.frombuffer(data, np.uint8) < 64
    structure = np.flatnonzero(zeros)
    refused = tried = 0
    end = time.monotonic() + seconds  # more or fewer mutations by the machine's speed; each must hold
    while time.monotonic() < end:
        mutated = bytearray(data)
        for _ in range(generator.integers(1, 6)):
            position = generator.choice(structure) if generator.random() < 0.8 else generator.integers(len(data))
            mutated[position] = generator.integers(256)
        if generator.random() < 0.2:
            del mutated[generator.integers(8, len(mutated)) :]
        tried += 1
        try:
            for op in fb.parse(bytes(mutated)).main.ops:
                fb.custom_options(op)
        except ModelError:
            refused += 1
        except BaseException as error:
            pytest.fail(f"seed {seed}, mutation {tried} of {kind}: {type(error).__name__}: {error}")
    assert refused > tried / 10, f"seed {seed}: only {refused} of {tried} mutations were refused"


def test_do_not_follow_deep_nesting() -> None:
    chain = bytearray(b"\x08\0\0\0TFL3")
    for _ in range(MAX_DEPTH + 4):
        # vtable offset -8 (behind), field 0 at +4 -> next table 12 bytes further; vtable {6, 8, 4} padded to 8 bytes
        chain += (-8).to_bytes(4, "little", signed=True) + (12).to_bytes(4, "little")
        chain += b"\x06\0\x08\0\x04\0\0\0"
    with pytest.raises(ModelError, match="nested deeper"):
        Verifier(bytes(chain), {"Node": {0: Table("Node")}}).run("Node")


def test_do_not_spend_quadratic_time_on_overlapping_vectors() -> None:
    """Many tables that share one long vector would make a small file cost its square."""
    tables, shared = 64, 200
    leaf = struct.pack("<i", -4) + struct.pack("<HH", 4, 4)
    node = struct.pack("<iI", -8, 0) + struct.pack("<HHH", 6, 8, 4) + b"\0\0"
    root_at, nodes_at = 8, 8 + len(node) + 4 + 4 * tables
    vector_at = nodes_at + tables * len(node)
    data = bytearray(b"\x08\0\0\0TFL3") + node + struct.pack("<I", tables) + bytes(4 * tables) + node * tables
    data += struct.pack("<I", shared) + bytes(4 * shared) + leaf

    def point(position: int, target: int) -> None:
        struct.pack_into("<I", data, position, target - position)

    point(root_at + 4, root_at + len(node))
    for n in range(tables):
        point(root_at + len(node) + 4 + 4 * n, nodes_at + n * len(node))
        point(nodes_at + n * len(node) + 4, vector_at)
    for n in range(shared):
        point(vector_at + 4 + 4 * n, vector_at + 4 + 4 * shared)
    with pytest.raises(ModelError, match="more elements than the file has room for"):
        Verifier(bytes(data), {"Root": {0: Tables("Node")}, "Node": {0: Tables("Leaf")}}).run("Root")


def _edited(data: bytes, change: Any) -> bytes:
    edit = fb.Edit(data)
    change(edit._model)
    return edit.serialize()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: setattr(m.subgraphs[0].tensors[3], "buffer", 10_000), "tensor buffer 10000"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "opcodeIndex", 99), "operator code 99"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "inputs", np.array([9999], np.int32)), "reads tensor 9999"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "outputs", np.array([-1], np.int32)), "writes tensor -1"),
        (lambda m: setattr(m.subgraphs[0], "outputs", np.array([9999], np.int32)), "graph output 9999"),
        (lambda m: setattr(m.subgraphs[0].operators[0].builtinOptions, "strideW", 0), "strideW = 0"),
        (lambda m: setattr(m.subgraphs[0].tensors[0], "shape", np.array([1, -5], np.int32)), "shape"),
        (lambda m: setattr(m.subgraphs[0].tensors[0], "shape", np.array([2**30, 8], np.int32)), "shape"),
        (lambda m: m.subgraphs[0].operators.reverse(), "before anything wrote it"),
        (lambda m: setattr(m.metadata[0], "buffer", 777), "metadata buffer 777"),
        (lambda m: setattr(m.signatureDefs[0].inputs[0], "tensorIndex", 5000), "maps 'image' to tensor 5000"),
        (lambda m: setattr(m.signatureDefs[0], "subgraphIndex", 4), "names graph 4"),
        (lambda m: setattr(m.subgraphs[0].tensors[0], "name", b"\xff\xfe"), "utf-8"),
        (lambda m: setattr(m, "subgraphs", []), "no graph"),
        (
            lambda m: setattr(m.buffers[max(t.buffer for t in m.subgraphs[0].tensors)], "data", np.zeros(3, np.uint8)),
            "its shape needs|before anything wrote|writes the constant",
        ),
    ],
)
def test_do_not_accept_inconsistent_models(change: Any, message: str, float_conversion: Any) -> None:
    with pytest.raises(ModelError, match=message):
        fb.check(_edited(float_conversion.flatbuffer, change))


def test_do_not_accept_wrong_sparse_indices(sparse_conversion: Any) -> None:
    def change(model: Any) -> None:
        tensor = next(t for t in model.subgraphs[0].tensors if t.sparsity is not None)
        dim = next(d for d in tensor.sparsity.dimMetadata if d.arrayIndices is not None)
        values = np.array(dim.arrayIndices.values)
        values[0] = 250
        dim.arrayIndices.values = values

    with pytest.raises(ModelError, match="segments and indices that do not fit"):
        fb.check(_edited(sparse_conversion.flatbuffer, change))


@pytest.mark.parametrize("kind", ["float", "int8", "binary", "sparse", "mixed"])
def test_do_serialize_the_same_model(kind: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(f"{kind}_conversion").flatbuffer
    again, once = fb.parse(fb.Edit(data).serialize()), fb.parse(data)
    assert str(again) == str(once)
    # str() shortens long arrays; weights must be the same to the byte.
    for first, second in zip(again.main.tensors, once.main.tensors, strict=True):
        assert (first.data is None) == (second.data is None)
        if first.data is not None and second.data is not None:
            assert first.data.tobytes() == second.data.tobytes()


def test_do_align_weights_for_vector_loads(float_conversion: Any) -> None:
    model = schema.Model.GetRootAs(float_conversion.flatbuffer, 0)
    checked = 0
    for i in range(model.BuffersLength()):
        buffer = model.Buffers(i)
        if buffer.DataLength():
            position = buffer._tab.Vector(buffer._tab.Offset(4))
            assert position % fb.BUFFER_ALIGNMENT == 0
            checked += 1
    assert checked > 5


def test_do_replace_metadata(float_conversion: Any) -> None:
    once = fb.set_metadata(float_conversion.flatbuffer, {"note": b"first"})
    twice = fb.set_metadata(once, {"note": b"second"})
    assert fb.parse(once).metadata["note"] == b"first"
    assert fb.parse(twice).metadata["note"] == b"second"
    assert str(fb.parse(twice).main) == str(fb.parse(float_conversion.flatbuffer).main)


def test_do_extract_one_op_that_computes_the_same(float_conversion: Any) -> None:
    from tfkit.runtime import Interpreter

    data = float_conversion.flatbuffer
    graph = fb.parse(data).main
    number = next(n for n, op in enumerate(graph.ops) if op.name == "DEPTHWISE_CONV_2D")
    op = graph.ops[number]
    whole = Interpreter(data, kernels="reference", preserve_all_tensors=True)
    whole.run([np.random.default_rng(1).random(whole.inputs[0].shape, np.float32)])
    single_data = fb.extract(data, [number], op.inputs[:1], op.outputs)
    single = Interpreter(single_data, kernels="reference")
    np.testing.assert_array_equal(single.run([whole.tensor(op.inputs[0])])[0], whole.tensor(op.outputs[0]))
    assert len(fb.parse(single_data).main.tensors) == 4  # input, kernel, bias, output: nothing else is carried along
    assert len(single_data) < len(data) / 4


def _generated_fields() -> dict[str, dict[int, str]]:
    """Non-scalar fields by class and slot, read out of the generated schema code."""
    source = Path(schema.__file__).read_text()
    found: dict[str, dict[int, str]] = {}
    parts = re.split(r"\nclass (\w+)\(object\):", source)
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        for method in re.finditer(r"    def (\w+)\(self(?:, j)?\):\n((?:        .*\n|\n)+)", body):
            slot = re.search(r"Offset\((\d+)\)", method[2])
            if slot is None:
                continue
            number = (int(slot[1]) - 4) // 2
            kind = (
                "vector" if "Vector" in method[2]
                else "text" if "String(" in method[2]
                else "union" if "Union(" in method[2]
                else "table" if "Indirect(" in method[2]
                else ""
            )  # fmt: skip
            if kind:
                found.setdefault(name, {}).setdefault(number, kind)
    return found


def test_do_know_every_offset_of_the_schema() -> None:
    """A field with an offset that the verifier's table misses would be followed unchecked."""
    ours = {
        "Model": "Model", "OperatorCode": "OperatorCode", "SubGraph": "SubGraph", "Buffer": "Buffer",
        "Metadata": "Metadata", "SignatureDef": "SignatureDef", "TensorMap": "TensorMap", "Tensor": "Tensor",
        "ExternalBufferGroup": "Group", "ExternalBuffer": "External", "VariantSubType": "Variant",
        "QuantizationParameters": "Quantization", "CustomQuantization": "CustomQuantization",
        "BlockwiseQuantization": "Blockwise", "MultiAxisQuantization": "MultiAxis", "SparsityParameters": "Sparsity",
        "DimensionMetadata": "DimensionMetadata", "Int32Vector": "Int32Vector", "Uint16Vector": "Uint16Vector",
        "Uint8Vector": "Uint8Vector", "Operator": "Operator",
    }  # fmt: skip
    for enum, prefix in ((schema.BuiltinOptions, "option"), (schema.BuiltinOptions2, "option2")):
        ours |= {name: f"{prefix} {n}" for name, n in vars(enum).items() if isinstance(n, int) and n}
    kinds = {Vector: "vector", Tables: "vector", Text: "text", Choice: "union", Table: "table", Scalar: ""}
    fields = _generated_fields()
    assert len(fields) > 30
    missing = []
    for name, slots in fields.items():
        assert name in ours, f"the schema has a new table {name} with offsets"
        for slot, kind in slots.items():
            field = fb.SCHEMA.get(ours[name], {}).get(slot)
            if field is None or kinds[type(field)] != kind:
                missing.append((name, slot, kind, field))
    assert not missing
