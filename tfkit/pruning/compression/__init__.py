"""Deep compression: pruned kernels with few values, coded by Huffman; the file and its exact decoder.

``share_weights`` clusters what is left of pruned kernels, ``cluster_aware`` lets TF-MOT train the clusters;
``compress`` codes a model's weights, ``decompress`` gives exactly them back, ``restore`` puts them into a model.
Source: Han, Mao and Dally 2016, https://arxiv.org/abs/1510.00149.
"""

from __future__ import annotations

from tfkit.pruning.compression.clustering import cluster_aware, share_weights, strip_clusters
from tfkit.pruning.compression.container import Compressed, compress, decompress, restore

__all__ = [
    "Compressed",
    "cluster_aware",
    "compress",
    "decompress",
    "restore",
    "share_weights",
    "strip_clusters",
]
