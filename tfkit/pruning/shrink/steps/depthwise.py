"""Convolutions whose every channel is summed alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.pruning.shrink.arrays import along_last
from tfkit.pruning.shrink.pointwise import apply, is_pointwise
from tfkit.pruning.shrink.steps.base import Step, Unfit, needs_channels_last
from tfkit.pruning.shrink.steps.contracting import pads
from tfkit.pruning.shrink.steps.cropping import cropped
from tfkit.pruning.shrink.tracer import Flow, Tracer


class Depthwise(Step):
    """y[c·M + m] = act(bias[c·M + m] + kernel[c, m] · x[c]): M outputs go with each channel."""

    @property
    def kernel(self) -> np.ndarray:
        """[taps, channels, M]."""
        kernel = self.own[0]
        return kernel.reshape(-1, *kernel.shape[-2:])

    @property
    def multiplier(self) -> int:
        return int(self.kernel.shape[-1])

    def trace(self, tracer: Tracer) -> None:
        needs_channels_last(self)
        activation = getattr(self.layer, "activation", None)
        if activation is not None and not is_pointwise(activation, len(self.call.shape)):
            raise Unfit("its activation works on all channels together")
        given = self.inputs[0].flow
        self.flow = Flow(self.shape, self._spread(given.labels), self._spread(given.rows))
        self.follow_first(tracer)

    def _spread(self, array: np.ndarray) -> np.ndarray:
        return along_last(np.repeat(array.ravel(), self.multiplier), len(self.shape))

    def evaluate(self) -> None:
        sums = self.kernel.sum(axis=0, dtype=np.float64).ravel()
        empty = ~(self.kernel != 0).any(axis=0).ravel()
        value = self._spread(self.inputs[0].value).ravel()
        value = np.where((value != 0) & pads(self), np.nan, value)
        bias = self.own[-1] if self.layer.use_bias else 0.0
        made = (np.where(empty, 0.0, value * sums) + bias).reshape(self.flow.labels.shape)
        activation = getattr(self.layer, "activation", None)
        self.value = made if activation is None else apply(activation, made)
        self.dropped = self._spread(self.inputs[0].dropped)
        self.drop_planned()

    @property
    def _read(self) -> np.ndarray:
        return self.inputs[0].places.ravel()

    def place(self, kept: np.ndarray) -> None:
        made = self._read[:, None] * self.multiplier + np.arange(self.multiplier)
        self.places = along_last(made.ravel(), len(self.shape))
        self.check_first()

    def reduced(self) -> np.ndarray:
        """What is left of the kernel."""
        return cropped(self, self.own[0][..., self._read, :])

    def config(self) -> dict[str, Any]:
        return {**super().config(), "kernel_size": self.reduced().shape[:-2]}

    def weights(self) -> list[np.ndarray]:
        kernel = self.reduced()
        return [kernel, self.own[1][self.places.ravel()]] if self.layer.use_bias else [kernel]


class GroupPerChannel(Depthwise):
    """``Conv2D`` with as many groups as channels: [kernel size..., 1, channels · M]."""

    @property
    def kernel(self) -> np.ndarray:
        return self.own[0].reshape(-1, self.layer.groups, self.layer.filters // self.layer.groups)

    def config(self) -> dict[str, Any]:
        return {**Step.config(self), "filters": self.places.size, "groups": self._read.size}

    def weights(self) -> list[np.ndarray]:
        made = self.places.ravel()
        return [self.own[0][..., made], *(bias[made] for bias in self.own[1:])]
