"""The methods by name."""

from __future__ import annotations

from tfkit._registry import Registry
from tfkit.pruning.block import Block
from tfkit.pruning.dns import DynamicNetworkSurgery
from tfkit.pruning.group_lasso import GroupLasso
from tfkit.pruning.han import Han
from tfkit.pruning.method import Method
from tfkit.pruning.n_of_m import NOfM
from tfkit.pruning.obd import OptimalBrainDamage
from tfkit.pruning.psp import PSP
from tfkit.pruning.slimming import NetworkSlimming

METHODS: Registry[type[Method]] = Registry("pruning method")

for _method in (
    Han,
    DynamicNetworkSurgery,
    OptimalBrainDamage,
    NOfM,
    Block,
    PSP,
    GroupLasso,
    NetworkSlimming,
):
    METHODS.add(_method.name, _method)
