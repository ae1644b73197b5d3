"""Layers that sum over channels and give others: dense layers and convolutions."""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np

from tfkit.pruning.shrink.arrays import along_last
from tfkit.pruning.shrink.pointwise import apply, is_pointwise
from tfkit.pruning.shrink.steps.base import Misplaced, Step, needs_channels_last
from tfkit.pruning.shrink.steps.cropping import blocks, cropped, split
from tfkit.pruning.shrink.tracer import Flow, Tracer


class Reading(IntEnum):
    """What a layer does with one channel that it reads."""

    FREE = 0  # could do without it
    LIVE = 1  # sums values that depend on the input
    PADDED = 2  # sums a constant that is cut off at the border, where zeros are


class Contracting(Step):
    """y[o] = act(bias[o] + sum over i of kernel[i, o] · x[i]), in ``groups`` that share nothing.

    Subclasses say how their kernel is stored.
    """

    units = "filters"

    @property
    def groups(self) -> int:
        return int(getattr(self.layer, "groups", 1))

    @property
    def outputs(self) -> int:
        return int(getattr(self.layer, self.units))

    @property
    def kernel(self) -> np.ndarray:
        """[taps, inputs of a group, outputs]."""
        kernel = self.own[0]
        return kernel.reshape(-1, *kernel.shape[-2:])

    @property
    def pads(self) -> bool:
        """Whether zeros around the input are summed too."""
        return pads(self)

    def trace(self, tracer: Tracer) -> None:
        needs_channels_last(self)
        self.flow = Flow(self.shape, *(along_last(part, len(self.shape)) for part in self._begin(tracer)))
        given = self.inputs[0].flow
        groups = self.groups
        if groups > 1:
            # Behind a shuffle each group reads as many channels of each row, else the order would not come out.
            run = np.repeat(np.arange(groups), given.labels.size // groups)
            rows = given.rows.ravel()
            parts = [given.labels.ravel()[run == group] for group in range(groups)]
            tracer.balance(self.name, parts, range(groups))
            if rows.any():
                tracer.balance(
                    self.name,
                    [
                        given.labels.ravel()[(run == group) & (rows == row)]
                        for group in range(groups)
                        for row in np.unique(rows)
                    ],
                )
            tracer.balance(self.name, np.split(self.flow.labels.ravel(), groups), range(groups))
        self.follow_first(tracer)
        activation = getattr(self.layer, "activation", None)
        self.pointwise = activation is None or is_pointwise(activation, len(self.call.shape))
        if not self.pointwise:
            tracer.fix(self.flow.labels, f"the activation of {self.label} works on all channels together")

    def _begin(self, tracer: Tracer) -> tuple[np.ndarray, np.ndarray]:
        return tracer.fresh(self.outputs), np.zeros(self.outputs, int)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """[outputs]: what constant inputs, 0 where there are none, add to each."""
        found = np.zeros((self.groups, self.outputs // self.groups))
        kernel = self.kernel.reshape(*self.kernel.shape[:2], self.groups, -1)
        for group, part in enumerate(values.reshape(self.groups, -1)):
            some = np.flatnonzero(part)
            found[group] = part[some] @ kernel[:, some, group].sum(axis=0, dtype=np.float64)
        return found.ravel()

    @cached_property
    def reads(self) -> np.ndarray:
        """[groups, inputs, outputs]: which kernels are not all zero."""
        return _by_group((self.kernel != 0).any(axis=0), self.groups)

    @property
    def bias(self) -> np.ndarray:
        return self.own[-1].astype(np.float64) if self.layer.use_bias else np.zeros(self.outputs)

    def evaluate(self) -> None:
        value = self.inputs[0].value.ravel()
        unknown = np.isnan(value) | (value != 0) & self.pads
        unsure = (self.reads & unknown.reshape(self.groups, -1, 1)).any(axis=1).ravel()
        if not self.pointwise:
            unsure[:] = True
        made = self.summed(np.where(unknown, 0.0, value)) + self.bias
        made = np.where(unsure, np.nan, made).reshape(self.flow.labels.shape)
        activation = getattr(self.layer, "activation", None)
        self.value = made if activation is None or not self.pointwise else apply(activation, made)
        self.dropped = np.zeros(self.flow.labels.shape, bool)
        self.drop_planned()

    def incoming(self) -> np.ndarray:
        """The constants that it reads, NaN where they are none or not the same in all uses of the layer."""
        values = [use.inputs[0].value.ravel() for use in self.first.uses]
        return np.where(np.all([value == values[0] for value in values], axis=0), values[0], np.nan)

    def reading(self, kept: np.ndarray) -> np.ndarray:
        """[inputs] of ``Reading`` when only the outputs ``kept`` stay."""
        live = (self.reads & kept.reshape(self.groups, 1, -1)).any(axis=2).ravel()
        value = self.incoming()
        found = np.where((value != 0) & self.pads, Reading.PADDED, Reading.FREE)
        found = np.where(np.isnan(value), Reading.LIVE, found)
        return np.where(live & ~self.inputs[0].dropped.ravel(), found, Reading.FREE)

    def place(self, kept: np.ndarray) -> None:
        self.places = along_last(np.flatnonzero(kept[self.flow.labels]), self.flow.labels.ndim)
        self.check_first()

    @property
    def _read(self) -> np.ndarray:
        return self.inputs[0].places.ravel()

    @property
    def _made(self) -> np.ndarray:
        return self.places.ravel()

    def shift(self) -> np.ndarray:
        """[outputs]: what the inputs that are gone added to each of them."""
        value = self.incoming()
        gone = np.ones(value.size, bool)
        gone[self._read] = False
        lost = np.where(gone & np.isfinite(value) & ~((value != 0) & self.pads), value, 0.0)
        return self.summed(lost)[self._made]

    def config(self) -> dict[str, Any]:
        config = super().config()
        config[self.units] = self._made.size
        if "groups" in config:
            config["groups"] = len(self.alive())
        config["use_bias"] = bool(self.layer.use_bias or self.shift().any())
        return config

    def alive(self) -> np.ndarray:
        """The groups that are left; raises ``Misplaced`` where inputs and outputs of a group do not fit."""
        read, made = (_members(part, size, self.groups) for part, size in self._sides())
        alive = np.unique(made)
        for members, what in ((read, "inputs"), (made, "outputs")):
            if not np.array_equal(members, np.repeat(alive, max(1, members.size // max(1, alive.size)))):
                raise Misplaced(self, f"would have groups with different {what}")
        return alive

    def _sides(self) -> list[tuple[np.ndarray, int]]:
        return [(self._read, self.inputs[0].flow.labels.size), (self._made, self.outputs)]

    def gathered(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel [..., inputs of a group, outputs] of what is left."""
        (read, inputs), (made, outputs) = self._sides()
        parts = []
        for group in self.alive():
            mine = read[read // (inputs // self.groups) == group] - group * (inputs // self.groups)
            its = made[made // (outputs // self.groups) == group]
            parts.append(kernel[..., mine, :][..., its])
        return np.concatenate(parts, axis=-1)

    def kernels(self) -> list[np.ndarray]:
        """What is left of the weights but the bias."""
        return [self.gathered(self.own[0])]

    def weights(self) -> list[np.ndarray]:
        shift = self.shift()
        if not self.layer.use_bias and not shift.any():
            return self.kernels()
        return [*self.kernels(), (self.bias[self._made] + shift).astype(self.own[0].dtype)]


class Dense(Contracting):
    """[inputs, units]."""

    units = "units"

    @property
    def pads(self) -> bool:
        return False


class Convolution(Contracting):
    """[kernel size..., inputs of a group, filters]; taps at the border and connections between groups may go too."""

    def reduced(self) -> tuple[np.ndarray, int]:
        """What is left of the kernel, and its groups."""
        kernel, groups = cropped(self, self.gathered(self.own[0])), len(self.alive())
        number = blocks(kernel, groups)
        return split(kernel, groups, number), groups * number

    def kernels(self) -> list[np.ndarray]:
        return [self.reduced()[0]]

    def config(self) -> dict[str, Any]:
        kernel, groups = self.reduced()
        return {**super().config(), "kernel_size": kernel.shape[:-2], "groups": groups}


class Transposed(Contracting):
    """[kernel size..., filters, inputs]; at the border of its result fewer kernels meet."""

    @property
    def kernel(self) -> np.ndarray:
        return np.swapaxes(super().kernel, 1, 2)

    @property
    def pads(self) -> bool:
        return max(*self.layer.kernel_size, *self.layer.strides) > 1

    def kernels(self) -> list[np.ndarray]:
        return [self.own[0][..., self._made, :][..., self._read]]


class Separable(Contracting):
    """[kernel size..., inputs, multiplier] and [1..., inputs · multiplier, filters]."""

    @cached_property
    def kernel(self) -> np.ndarray:
        depthwise, pointwise = self.own[:2]
        inputs, multiplier = depthwise.shape[-2:]
        first = depthwise.reshape(-1, inputs, multiplier)
        return np.einsum("tim,imo->tio", first, pointwise.reshape(inputs, multiplier, -1))

    @cached_property
    def reads(self) -> np.ndarray:
        depthwise, pointwise = self.own[:2]
        inputs, multiplier = depthwise.shape[-2:]
        first = (depthwise != 0).reshape(-1, inputs, multiplier).any(axis=0)
        second = (pointwise != 0).reshape(inputs, multiplier, -1)
        return (first[:, :, None] & second).any(axis=1)[None]

    def kernels(self) -> list[np.ndarray]:
        depthwise, pointwise = self.own[:2]
        multiplier = depthwise.shape[-1]
        middle = (self._read[:, None] * multiplier + np.arange(multiplier)).ravel()
        return [depthwise[..., self._read, :], pointwise[..., middle, :][..., self._made]]


def _members(places: np.ndarray, size: int, groups: int) -> np.ndarray:
    return places // (size // groups)


def _by_group(matrix: np.ndarray, groups: int) -> np.ndarray:
    """[inputs of a group, outputs] as [groups, inputs, outputs]."""
    inputs, outputs = matrix.shape
    return matrix.reshape(inputs, groups, outputs // groups).transpose(1, 0, 2)


def pads(step: Step) -> bool:
    """Whether "same" really adds something, at this size."""
    layer = step.layer
    if layer.padding == "valid":
        return False
    lengths = [(size - 1) * rate + 1 for size, rate in zip(layer.kernel_size, layer.dilation_rate, strict=True)]
    if layer.padding != "same":
        return max(lengths) > 1
    for size, length, stride in zip(step.inputs[0].shape[:-1], lengths, layer.strides, strict=True):
        if size is None:
            if length > 1:
                return True
        elif (-(-size // stride) - 1) * stride + length > size:
            return True
    return False
