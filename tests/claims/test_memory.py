"""Binary networks take no more memory than in LCE's interpreter; nothing here depends on timing."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfkit
from tests.claims.kernel_graphs import Layer, binary_chain
from tests.claims.kernels_networks import NETWORKS
from tests.claims.memory import OTHER_OPS, compared


@pytest.mark.parametrize("output", ["bitpacked", "float32"])
def test_convolutions(tmp_path: Path, output: str) -> None:
    """Five in a row: packed weights, workspace and the tensors between them."""
    layer = Layer(28, 128)
    path = tmp_path / "chain.tflite"
    path.write_bytes(binary_chain(layer, output, 5))
    ours, theirs = compared(path, "")
    weights = 5 * 9 * layer.channels**2 // 8
    assert weights <= ours["planned"] <= ours["heap"] <= theirs["heap"]


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_networks(tmp_path: Path, network: str) -> None:
    from tfkit.models import build

    path = tmp_path / "network.tflite"
    path.write_bytes(tfkit.convert(build(network), "lce", verify=False).flatbuffer)
    for suffix in OTHER_OPS.values():
        ours, theirs = compared(path, suffix)
        assert ours["planned"] < ours["heap"] <= theirs["heap"], suffix or "without XNNPACK"
