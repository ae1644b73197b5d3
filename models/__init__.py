"""The model zoo: one architecture a file, whose ``SPECS`` (and ``FAMILIES``) are readable without TensorFlow."""

from __future__ import annotations

if __name__ != "tfkit.models":
    raise ImportError("this folder is the package tfkit.models; import it by that name")

from tfkit.models import (
    alexnet,
    binary_densenet,
    binary_resnet_e,
    birealnet,
    densenet,
    efficientnet,
    googlenet,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    nin,
    quicknet,
    resnet,
    resnext,
    shufflenet_v1,
    small_cnn,
    squeezenet,
    vgg,
    wrn,
    xnornet,
)
from tfkit.models._build import REGISTRY, build
from tfkit.models._registry import ModelRegistry
from tfkit.models._spec import ModelFamily, ModelSpec
from tfkit.models._summary import summary

__all__ = ["REGISTRY", "ModelFamily", "ModelRegistry", "ModelSpec", "build", "summary"]

for _module in (
    small_cnn,
    alexnet,
    vgg,
    nin,
    googlenet,
    resnet,
    wrn,
    densenet,
    resnext,
    mobilenet_v1,
    mobilenet_v2,
    squeezenet,
    shufflenet_v1,
    mobilenet_v3,
    efficientnet,
    xnornet,
    birealnet,
    binary_resnet_e,
    binary_densenet,
    quicknet,
):
    for _spec in _module.SPECS:
        REGISTRY.add(_spec.name, _spec)
    for _family in getattr(_module, "FAMILIES", ()):
        REGISTRY.add_family(_family)
