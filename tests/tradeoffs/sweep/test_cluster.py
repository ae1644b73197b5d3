"""Two workers of a local dask cluster, which share no folder with the sweep."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import distributed
import numpy as np
import pytest

from helpers.sweeps import SMALL, InlinePool, carry, measure, on_workers, planned
from tfkit._errors import DeviceError, UsageError
from tfkit.data import Dataset
from tfkit.tradeoffs import read_points
from tfkit.tradeoffs.sweep import cluster
from tfkit.tradeoffs.sweep.cluster import ClusterPool
from tfkit.tradeoffs.sweep.run import carry_out


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as started:
        yield started.scheduler_address


@pytest.mark.slow
def test_a_cluster_gives_what_this_machine_gives(address: str, tmp_path: Path) -> None:
    images, labels = np.zeros((3, 2, 2, 1)), np.zeros(3, np.int64)
    dataset = Dataset(images, labels, images, labels, classes=2)
    log = tmp_path / "log"
    carry_out(
        planned(SMALL),
        tmp_path / "cluster",
        lambda: ClusterPool(address, dataset),
        functools.partial(on_workers, log=log),
        functools.partial(measure, log=log),
    )
    carry_out(
        planned(SMALL),
        tmp_path / "here",
        InlinePool,
        functools.partial(carry, log=log),
        functools.partial(measure, log=log),
    )
    ours, theirs = read_points(tmp_path / "here"), read_points(tmp_path / "cluster")
    assert [(point.key, point.accuracy, point.state) for point in ours] == [
        (point.key, point.accuracy, point.state) for point in theirs
    ]


@pytest.mark.slow
def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_S", 2)
    with pytest.raises(DeviceError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"):
        ClusterPool("tcp://127.0.0.1:9", None)
    with pytest.raises(UsageError, match="is no address of a dask scheduler"):
        ClusterPool("nonsense://x", None)
