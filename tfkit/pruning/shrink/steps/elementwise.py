"""Calls that work on every value alone, or on every channel alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.pruning.shrink.pointwise import Function, apply, is_pointwise
from tfkit.pruning.shrink.steps.base import Step, Unfit, needs_channels_last
from tfkit.pruning.shrink.tracer import Tracer
from tfkit.quantization.calls import Call


class Same(Step):
    """Dropout and noise: nothing happens when a model is used."""

    def trace(self, tracer: Tracer) -> None:
        self.flow = self.inputs[0].flow

    def evaluate(self) -> None:
        self.as_input()

    def place(self, kept: np.ndarray) -> None:
        self.places = self.inputs[0].places


class Elementwise(Same):
    """y = f(x), value by value."""

    def function(self) -> Function:
        """f."""
        call: Function = self.layer.call
        return call

    def trace(self, tracer: Tracer) -> None:
        if not is_pointwise(self.function(), len(self.call.shape)):
            raise Unfit("it does not work on each value alone")
        super().trace(tracer)

    def evaluate(self) -> None:
        self.as_input()
        if np.isfinite(self.value).any():
            self.value = apply(self.function(), self.value)


class Operator(Elementwise):
    """A TensorFlow function of one tensor and constants."""

    def function(self) -> Function:
        function, kwargs = self.layer.function, self.call.kwargs
        args = self.call.args or (self.call.inputs[0],)

        def applied(x: Any) -> Any:
            return function(
                *(x if isinstance(value, Call) else value for value in args),
                **{name: x if isinstance(value, Call) else value for name, value in kwargs.items()},
            )

        return applied


class Normalization(Same):
    """y = gamma · (x - mean) / sqrt(variance + epsilon) + beta."""

    def trace(self, tracer: Tracer) -> None:
        needs_channels_last(self)
        axis = self.layer.axis
        if list(axis if isinstance(axis, list | tuple) else [axis]) not in ([-1], [len(self.call.shape) - 1]):
            raise Unfit("it normalizes along another axis than the last")
        super().trace(tracer)
        self.follow_first(tracer)

    def evaluate(self) -> None:
        self.as_input()
        layer = self.layer
        rate = 1 / np.sqrt(layer.moving_variance.numpy().astype(np.float64) + layer.epsilon)
        rate = rate * (layer.gamma.numpy() if layer.scale else 1.0)
        beta = layer.beta.numpy() if layer.center else 0.0
        value = (self.value.ravel() - layer.moving_mean.numpy()) * rate + beta
        # Without a slope it is beta whatever comes in.
        self.value = np.where(rate == 0, beta, value).reshape(self.flow.labels.shape)
        self.drop_planned()

    def place(self, kept: np.ndarray) -> None:
        super().place(kept)
        self.check_first()

    def weights(self) -> list[np.ndarray]:
        return [weight[self.places.ravel()] for weight in self.own]


class ParametricRelu(Same):
    """y = max(x, 0) + alpha · min(x, 0) with weights alpha."""

    def trace(self, tracer: Tracer) -> None:
        needs_channels_last(self)
        super().trace(tracer)
        self.follow_first(tracer)

    def evaluate(self) -> None:
        self.as_input()
        alpha = self.own[0].astype(np.float64)
        slope = alpha.reshape(-1) if alpha.size == alpha.shape[-1] else np.nan
        flat = self.value.ravel()
        self.value = np.where(flat >= 0, flat, slope * flat).reshape(self.value.shape)

    def place(self, kept: np.ndarray) -> None:
        super().place(kept)
        self.check_first()

    def weights(self) -> list[np.ndarray]:
        (alpha,) = self.own
        return [alpha if alpha.shape[-1] == 1 else alpha[..., self.places.ravel()]]
