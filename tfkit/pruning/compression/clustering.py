"""Weight sharing: the values of a pruned kernel become few. TF-MOT trains them where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit._rebuild import rebuilt
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.pruning.choice import choose

keras = legacy_keras()

_ROUNDS = 100


def share_weights(model: Any, bits: int | None = None, layers: str | Sequence[str] = "all") -> Any:
    """A copy whose kernels have at most 2^bits - 1 values beside zero: centroids of k-means; zeros stay zeros.

    k-means begins with centroids at equal distances between the smallest and the largest weight that is not zero,
    which keeps large weights (section 3.2 of the paper).

    Args:
        model: functional or sequential, pruned.
        bits: 1 to 12; 8 for convolutions and 5 for dense layers when None, as in the paper.
        layers: "all"; "float"; or the names of the layers.

    Source: Han, Mao and Dally 2016, https://arxiv.org/abs/1510.00149, equation 2.
    """
    if bits is not None and not 1 <= bits <= 12:
        raise UsageError(f"weights are shared among 2^bits values, bits from 1 to 12; got {bits}")
    shared = rebuilt(model, {})
    for name in choose(model, layers):
        kernel = shared.get_layer(name).kernel
        values = kernel.numpy()
        kernel.assign(clustered(values, _clusters(values.ndim, bits)))
    return shared


def clustered(values: np.ndarray, clusters: int) -> np.ndarray:
    """``values`` with those that are not zero replaced by the nearest of ``clusters`` centroids."""
    flat = np.sort(values[values != 0].astype(np.float64))
    if not flat.size or len(np.unique(flat)) <= clusters:
        return values
    sums = np.concatenate([[0.0], np.cumsum(flat)])
    centroids = np.linspace(flat[0], flat[-1], clusters)
    for _ in range(_ROUNDS):
        edges = np.searchsorted(flat, (centroids[1:] + centroids[:-1]) / 2)
        starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [flat.size]])
        means = (sums[ends] - sums[starts]) / np.maximum(ends - starts, 1)
        moved = np.where(ends > starts, means, centroids)  # a centroid without weights stays
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    nearest = np.searchsorted((centroids[1:] + centroids[:-1]) / 2, values.astype(np.float64))
    return np.where(values == 0, 0, centroids[nearest]).astype(np.float32)


def cluster_aware(model: Any, bits: int | None = None, layers: str | Sequence[str] = "all") -> Any:
    """A copy with TF-MOT's clustering in it: centroids learn while it trains, zeros stay zeros. ``strip_clusters``."""
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster

    chosen = set(choose(model, layers))

    def clone(layer: Any) -> Any:
        if layer.name not in chosen:
            return layer
        return cluster.cluster_weights(
            layer,
            number_of_clusters=_clusters(len(layer.kernel.shape), bits) + 1,  # zero is one of them
            cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.LINEAR,
            preserve_sparsity=True,
        )

    network = keras.models.clone_model(rebuilt(model, {}), clone_function=clone)
    return attach_metadata(network, metadata_of(model))


def strip_clusters(model: Any) -> Any:
    """The clustered model without TF-MOT's wrappers."""
    import tensorflow_model_optimization as tfmot

    return attach_metadata(tfmot.clustering.keras.strip_clustering(model), metadata_of(model))


def _clusters(rank: int, bits: int | None) -> int:
    return int(2 ** ((5 if rank == 2 else 8) if bits is None else bits) - 1)
