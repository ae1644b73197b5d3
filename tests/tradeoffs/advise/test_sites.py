from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from helpers.flatbuffers import golden
from helpers.lce_graph import pack, unpack
from tfkit._errors import ModelError
from tfkit.tradeoffs.advise.sites import sites

FILES = ("float32", "int8", "lce_float32", "lce_int8")


@pytest.mark.parametrize("name", FILES)
def test_every_op_is_a_site(name: str) -> None:
    data = golden(name).read_bytes()
    found = sites(data)
    graph = unpack(data).subgraphs[0]
    assert [site.index for site in found] == list(range(len(graph.operators)))
    assert all(site.traffic > 0 for site in found)
    assert sites(data) == found


def test_numbers_of_a_convolution_by_hand() -> None:
    """From the schema's own objects: every output element sums over height, width and channels of the kernel."""
    data = golden("float32").read_bytes()
    graph = unpack(data).subgraphs[0]
    for site, op in zip(sites(data), graph.operators, strict=True):
        if not site.kind.startswith("CONV_2D"):
            continue
        given, kernel, made = (graph.tensors[i].shape for i in (op.inputs[0], op.inputs[1], op.outputs[0]))
        assert site.macs == np.prod(made) * np.prod(kernel[1:])
        assert site.traffic == 4 * (np.prod(given) + np.prod(made))
        assert site.channels == made[-1]
        assert site.kind == f"CONV_2D {kernel[1]}x{kernel[2]} float32"
        return
    pytest.fail("the file has no convolution")


def test_weights_do_not_matter_but_shapes_and_options_do() -> None:
    data = golden("float32").read_bytes()
    keys = [site.key for site in sites(data)]
    model = unpack(data)
    for buffer in model.buffers[1:]:
        if buffer.data is not None and len(buffer.data) > 64:
            buffer.data = np.roll(np.asarray(buffer.data, np.uint8), 4)
    assert [site.key for site in sites(pack(model))] == keys
    model = unpack(data)
    index = next(
        i for i, op in enumerate(model.subgraphs[0].operators) if isinstance(op.builtinOptions, schema.Conv2DOptionsT)
    )
    model.subgraphs[0].operators[index].builtinOptions.fusedActivationFunction = 3
    changed = [site.key for site in sites(pack(model))]
    assert changed[index] != keys[index]
    assert [k for i, k in enumerate(changed) if i != index] == [k for i, k in enumerate(keys) if i != index]


def test_what_is_no_flatbuffer_is_refused() -> None:
    with pytest.raises(ModelError, match="not a TFLite flatbuffer"):
        sites(b"0123456789")
