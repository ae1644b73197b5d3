"""Calls that work within height and width, channel by channel."""

from __future__ import annotations

import numpy as np

from tfkit.pruning.shrink.steps.base import Step, Unfit, needs_channels_last
from tfkit.pruning.shrink.tracer import Flow, Tracer


class Spatial(Step):
    """Pooling, cropping, upsampling: a constant stays what it is, for padding takes no part in maxima and means."""

    def trace(self, tracer: Tracer) -> None:
        needs_channels_last(self)
        given = self.inputs[0].flow
        if len(self.shape) != len(given.shape) or self.shape[-1] != given.shape[-1]:
            raise Unfit("it changes the number of axes or channels")
        self.flow = Flow(self.shape, given.labels, given.rows)

    def evaluate(self) -> None:
        self.as_input()

    def place(self, kept: np.ndarray) -> None:
        self.places = self.inputs[0].places


class ZeroPadding(Spatial):
    """Only a zero stays constant."""

    def evaluate(self) -> None:
        self.as_input()
        self.value = np.where(self.value == 0, 0.0, np.nan)


class GlobalPooling(Step):
    """One value per channel, with or without the axes of one."""

    def trace(self, tracer: Tracer) -> None:
        needs_channels_last(self)
        given = self.inputs[0].flow
        shape = (1,) * (len(self.shape) - 1) + (-1,)
        self.flow = Flow(self.shape, given.labels.reshape(shape), given.rows.reshape(shape))

    def evaluate(self) -> None:
        self.value = self.inputs[0].value.reshape(self.flow.labels.shape)
        self.dropped = self.inputs[0].dropped.reshape(self.flow.labels.shape)

    def place(self, kept: np.ndarray) -> None:
        self.places = self.inputs[0].places.reshape((1,) * (len(self.shape) - 1) + (-1,))
