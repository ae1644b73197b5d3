"""Clusters that TF-MOT trains."""

from __future__ import annotations

import numpy as np

from helpers.keras import keras
from helpers.pruning import dense
from tfkit.pruning.compression import cluster_aware, compress, decompress, strip_clusters

SEED = 59


def test_centroids_learn_and_zeros_stay() -> None:
    model = dense((12, 10, 4), SEED)
    for name in ("d1", "d2"):
        kernel = model.get_layer(name).kernel
        kernel.assign(np.where(np.abs(kernel.numpy()) < np.median(np.abs(kernel.numpy())), 0, kernel.numpy()))
    zeros = [model.get_layer(name).kernel.numpy() == 0 for name in ("d1", "d2")]
    network = cluster_aware(model, bits=2)
    network.compile("adam", "mse")
    x = np.random.default_rng(SEED).normal(size=(64, 12)).astype(np.float32)
    network.fit(x, x[:, :4], epochs=2, batch_size=16, verbose=0)
    stripped = strip_clusters(network)
    for name, zero in zip(("d1", "d2"), zeros, strict=True):
        kernel = stripped.get_layer(name).kernel.numpy()
        assert np.all(kernel[zero] == 0)
        assert len(np.unique(kernel)) <= 4
        assert np.any(kernel != model.get_layer(name).kernel.numpy())
    back = list(decompress(compress(stripped).data).values())
    for weight, array in zip(stripped.get_weights(), back, strict=True):
        np.testing.assert_array_equal(weight, array)
    assert isinstance(stripped, keras.Model)
