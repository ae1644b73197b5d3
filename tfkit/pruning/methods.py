"""The methods by name."""

from __future__ import annotations

from tfkit._registry import Registry
from tfkit.pruning.block import Block
from tfkit.pruning.dns import DynamicNetworkSurgery
from tfkit.pruning.dpp import DPP
from tfkit.pruning.group_lasso import GroupLasso
from tfkit.pruning.group_vd import GroupVD
from tfkit.pruning.han import Han
from tfkit.pruning.l0 import L0
from tfkit.pruning.l0_arm import L0ARM
from tfkit.pruning.method import Method
from tfkit.pruning.n_of_m import NOfM
from tfkit.pruning.obd import OptimalBrainDamage
from tfkit.pruning.obs import OptimalBrainSurgeon
from tfkit.pruning.psp import PSP
from tfkit.pruning.scaling_factors import ScalingFactors
from tfkit.pruning.slimming import NetworkSlimming
from tfkit.pruning.snr import SNR
from tfkit.pruning.sparse_vd import SparseVD
from tfkit.pruning.thinet import ThiNet

METHODS: Registry[type[Method]] = Registry("pruning method")

for _method in (
    Han,
    DynamicNetworkSurgery,
    OptimalBrainDamage,
    NOfM,
    Block,
    SNR,
    OptimalBrainSurgeon,
    SparseVD,
    PSP,
    GroupLasso,
    NetworkSlimming,
    ScalingFactors,
    L0,
    L0ARM,
    GroupVD,
    ThiNet,
    DPP,
):
    METHODS.add(_method.name, _method)
