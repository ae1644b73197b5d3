"""The model zoo: one architecture a file, each with a ``SPEC`` that is readable without TensorFlow."""

from __future__ import annotations

if __name__ != "tfkit.models":
    raise ImportError("this folder is the package tfkit.models; import it by that name")

from tfkit.models import birealnet, mobilenet_v1, mobilenet_v2, quicknet, small_cnn
from tfkit.models._build import REGISTRY, build
from tfkit.models._spec import ModelSpec

__all__ = ["REGISTRY", "ModelSpec", "build"]

for _module in (small_cnn, mobilenet_v1, mobilenet_v2, birealnet, quicknet):
    REGISTRY.add(_module.SPEC.name, _module.SPEC)
