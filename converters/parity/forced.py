"""Evaluate a Keras model along its flatbuffer, so that a tie is told from an error.

A binary or int8 network is full of decisions: the sign of a sum, the integer next to a product. Where a value lies
within float rounding of the threshold, two correct programs may decide differently, and everything behind it changes.
Here Keras evaluates layer by layer; at every decision its value is kept, judged against the flatbuffer's decision,
and *replaced* by it. So each decision is judged on equal inputs, and differences do not pile up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfkit._keras import flat_layers, set_untracked
from tfkit.converters.graph import Model
from tfkit.converters.lowbit.plan import activations_of
from tfkit.converters.parity.bounds import cancellation_bound, kernel_bound, rounding_bound, sign_bound
from tfkit.converters.parity.recording import Recording, arranged, dequantized, signs
from tfkit.converters.parity.result import Point
from tfkit.converters.parity.staircases import staircases
from tfkit.converters.reasons import Reason
from tfkit.converters.weights import KERNEL_INPUT, Constants, real

# A tensor is taken for a decision's counterpart when at most this share of its values differs; wrong tensors of the
# same shape differ in about half of the signs. Differences are then judged one by one.
RECOGNISED = 0.25
SAME_SCALE = 1e-4  # relative; the flatbuffer's scales are the learned ranges in float32


@dataclass
class Forced:
    """What a forced evaluation found: outputs, points, decisions whose tensor was not found."""

    outputs: list[np.ndarray] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    pairs: list[tuple[str, int]] = field(default_factory=list)


def has_decisions(model: Any) -> bool:
    """Whether a tf_keras model has binary or few-bit inputs or int8 ranges."""
    return any(True for _ in _sign_layers(model)) or any(True for _ in _ranges(model))


def evaluate(keras: Any, run: Callable[[], list[np.ndarray]], model: Model, recording: Recording) -> Forced:
    """Run Keras (``run``) with every decision replaced by the recorded one."""
    judge = _Judge(model, recording)
    with _intercepted(keras, judge.sign, judge.rounding):
        judge.found.outputs = run()
    return judge.found


class _Judge:
    def __init__(self, model: Model, recording: Recording) -> None:
        self.found = Forced()
        self._model = model
        self._tensors = model.main.tensors
        self._recorded = recording.tensors
        self._order = {index: n for n, index in enumerate(recording.tensors)}
        self._last = -1
        self._accumulator_steps = accumulator_steps(model)
        self._kernel_bounds = kernel_bounds(model)
        self._scalings = binary_scalings(model)
        self._staircases = staircases(model)
        self._thresholds: dict[int, np.ndarray] = {}  # of quantizers, by their ids

    def sign(self, name: str, before: np.ndarray, after: np.ndarray, quantizer: Callable[[Any], Any]) -> np.ndarray:
        """Judge one binary or few-bit input; ``before`` and ``after`` its ``quantizer``, [sample, ..., channel]."""
        few_bits = self._level(name, before, after, quantizer)
        if few_bits is not None:
            return few_bits
        candidates = (
            (index, bits)
            for index, values in self._recorded.items()
            if (alike := arranged(values, after.shape)) is not None
            and (bits := signs(alike, after.shape[-1])) is not None
        )
        # A quantizer may scale its signs; the file holds the signs alone. Where it gives zeros, it gives no signs.
        scale = np.abs(after)
        if not scale.all():
            self.found.unmatched.append(name)
            return after
        return scale * self._judge(name, "sign", before, np.sign(after), candidates, sign_bound(self._model, before))

    def _level(
        self, name: str, before: np.ndarray, after: np.ndarray, quantizer: Callable[[Any], Any]
    ) -> np.ndarray | None:
        """Judge one input of a packed op: the thresholds that the file holds part the values that Keras gives.

        None when no packed op reads it.
        """
        found = {}
        for index, stairs in self._staircases.items():
            values = self._recorded.get(index)
            steps = None if values is None else stairs.levels(values, after.shape)
            if steps is None:
                continue
            thresholds = self._thresholds_of(quantizer) if stairs.thresholds is None else stairs.thresholds
            if len(thresholds) + 1 == len(stairs.level_bits):
                given = np.asarray(quantizer(np.append(np.float32(-3e38), thresholds)[None]))[0]
                found[index] = (steps, given[steps], thresholds)
        shares = {index: float((value != after).mean()) for index, (_, value, _) in found.items()}
        best = min(shares, key=lambda i: (shares[i], self._order[i] <= self._last, self._order[i]), default=None)
        if best is None or shares[best] > RECOGNISED:
            return None
        self._last = max(self._last, self._order[best])
        self.found.pairs.append((name, best))
        steps, forced, thresholds = found[best]
        own = np.searchsorted(thresholds, before, side="right")
        differs = own != steps
        crossed = thresholds[np.minimum(np.minimum(own, steps), len(thresholds) - 1)]
        distance = np.where(np.abs(own - steps) <= 1, np.abs(before - crossed), np.inf)
        bound = sign_bound(self._model, before)
        far = differs & (distance > bound)
        self.found.points.append(
            Point(
                layer=name,
                kind="level",
                values=int(after.size),
                ties=int((differs & ~far).sum()),
                errors=int(far.sum()),
                largest=float(distance[differs].max(initial=0.0)),
                bound=float(bound),
            )
        )
        return forced.astype(np.float32)

    def _thresholds_of(self, quantizer: Callable[[Any], Any]) -> np.ndarray:
        """Where the quantizer's levels begin, by bisection; none where it has no few of them."""
        if id(quantizer) not in self._thresholds:
            stairs = activations_of(quantizer)
            self._thresholds[id(quantizer)] = np.zeros(0, np.float32) if isinstance(stairs, Reason) else stairs[1]
        return self._thresholds[id(quantizer)]

    def rounding(self, name: str, before: np.ndarray, after: np.ndarray, scale: float) -> np.ndarray:
        """Judge one int8 range; ``after`` lies on the grid that the learned range makes, with steps of ``scale``."""
        alike = {
            index: found
            for index, values in self._recorded.items()
            if values.dtype == np.int8
            and (found := arranged(values, after.shape)) is not None
            and found.shape == after.shape
        }
        # The value before a requantization lies on another grid and may be as close.
        same = {index: found for index, found in alike.items() if abs(self._step(index) / scale - 1) < SAME_SCALE}
        candidates = ((index, dequantized(found, self._tensors[index])) for index, found in (same or alike).items())
        return self._judge(name, "rounding", before, after, candidates, 0.0)

    def _judge(
        self,
        name: str,
        kind: str,
        before: np.ndarray,
        after: np.ndarray,
        candidates: Iterator[tuple[int, np.ndarray]],
        bound: float | np.ndarray,
    ) -> np.ndarray:
        best: tuple[float, bool, int] | None = None
        chosen, forced = -1, after
        for index, values in candidates:
            step = self._step(index) if kind == "rounding" else 1.0
            share = float((np.abs(values - after) > 0.5 * step).mean())
            key = (share, self._order[index] <= self._last, self._order[index])
            if best is None or key < best:
                best, chosen, forced = key, index, values.astype(np.float32)
        if best is None or best[0] > RECOGNISED:
            self.found.unmatched.append(name)
            return after
        self._last = max(self._last, self._order[chosen])
        self.found.pairs.append((name, chosen))
        if kind == "sign":
            differs = forced != after
            distance = np.abs(before)
        else:
            step = self._step(chosen)
            steps = np.abs(forced - after) / step
            differs = steps > 0.5
            # How far the value before rounding lies from the border between the two integers, in LSB.
            distance = np.where(steps < 1.5, np.abs(before - (forced + after) / 2) / step, np.inf)
            bound = rounding_bound(self._model, self._accumulator_steps.get(chosen, 0.0), step)
            bound += self._kernel_bounds.get(chosen, 0.0)
            if chosen in self._scalings:
                bound = bound + cancellation_bound(*self._scalings[chosen], step)
        far = differs & (distance > bound)
        self.found.points.append(
            Point(
                layer=name,
                kind=kind,
                values=int(after.size),
                ties=int((differs & ~far).sum()),
                errors=int(far.sum()),
                largest=float(distance[differs].max(initial=0.0)),
                bound=float(np.max(bound)),
            )
        )
        return forced

    def _step(self, index: int) -> float:
        found = self._tensors[index].quantization
        return float(found.scale[0]) if found is not None else 1.0


def accumulator_steps(model: Model) -> dict[int, float]:
    """Tensor -> the real value of one unit of the integer accumulator that its op rounds from.

    Kernels and products multiply two integers: the product of their scales (the largest, where they are per channel).
    A mean divides by the number of values it runs over. Other ops round from finer units or not at all.
    """
    graph = model.main
    constants = Constants(graph)

    def scale(index: int) -> float:
        found = (constants.tensor(index) or graph.tensors[index]).quantization
        return float(found.scale.max()) if found is not None else 0.0

    steps = {}
    for op in graph.ops:
        position = KERNEL_INPUT.get(op.name)
        if op.name == "LceBconv2d":
            continue  # scales in float
        if position is not None and position < len(op.inputs):
            data = 2 if op.name == "TRANSPOSE_CONV" and len(op.inputs) > 2 else 0
            steps[op.outputs[0]] = scale(op.inputs[data]) * scale(op.inputs[position])
        elif op.name == "MUL":
            steps[op.outputs[0]] = scale(op.inputs[0]) * scale(op.inputs[1])
        elif op.name == "MEAN":
            count = math.prod(graph.tensors[op.inputs[0]].shape) / max(math.prod(graph.tensors[op.outputs[0]].shape), 1)
            steps[op.outputs[0]] = scale(op.inputs[0]) / max(count, 1.0)
    return steps


def kernel_bounds(model: Model) -> dict[int, float]:
    """Tensor -> ``kernel_bound`` of the op that writes it, where that is not 0."""
    graph = model.main
    found = {}
    for op in graph.ops:
        if not op.inputs or not op.outputs:
            continue
        given, made = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
        if given.quantization is None or made.quantization is None:
            continue
        ratio = float(given.quantization.scale[0] / made.quantization.scale[0])
        bound = kernel_bound(op.name, ratio, made.shape, given.shape)
        if bound:
            found[op.outputs[0]] = bound
    return found


def binary_scalings(model: Model) -> dict[int, tuple[np.ndarray, np.ndarray, int]]:
    """Tensor -> (scales [channel], offsets [channel], products per sum) of the binary convolution that writes it."""
    graph = model.main
    constants = Constants(graph)
    found = {}
    for op in graph.ops:
        if op.name != "LceBconv2d" or len(op.inputs) < 4 or graph.tensors[op.outputs[0]].type != "INT8":
            continue
        channels, *window = graph.tensors[op.inputs[1]].shape  # [filters, height, width, 32-bit words]
        scales, offsets = (constants.tensor(op.inputs[position]) for position in (2, 3))
        found[op.outputs[0]] = (
            np.ones(channels, np.float32) if scales is None else real(scales),
            np.zeros(channels, np.float32) if offsets is None else real(offsets),
            32 * math.prod(window),
        )
    return found


def _sign_layers(model: Any) -> Iterator[tuple[str, Any]]:
    for layer in flat_layers(model):
        if callable(getattr(layer, "input_quantizer", None)):
            yield layer.name, layer


def _ranges(model: Any) -> Iterator[tuple[str, Any]]:
    from tfkit.quantization import tfmot

    owners = {id(weight): layer.name for layer in model.layers for weight in layer.weights}
    for found in tfmot.activation_ranges(model):
        yield owners[id(found.minimum)], found


@contextmanager
def _intercepted(
    model: Any, on_sign: Callable[..., np.ndarray], on_rounding: Callable[..., np.ndarray]
) -> Iterator[None]:
    """Route every decision of the model through the judge while the block runs."""
    import tensorflow as tf

    layers = [(layer, layer.input_quantizer, name) for name, layer in _sign_layers(model)]
    ranges = [(found, found.quantizer, name) for name, found in _ranges(model)]

    def sign(original: Any, name: str) -> Callable[[Any], Any]:
        def quantize(values: Any) -> Any:
            return tf.constant(on_sign(name, np.asarray(values), np.asarray(original(values)), original), tf.float32)

        return quantize

    def rounding(original: Any, name: str) -> Callable[..., Any]:
        def quantize(values: Any, training: Any, weights: Mapping[str, Any], **kwargs: Any) -> Any:
            after = original(values, training, weights=weights, **kwargs)
            scale = (float(weights["max_var"]) - float(weights["min_var"])) / 255
            return tf.constant(on_rounding(name, np.asarray(values), np.asarray(after), scale), tf.float32)

        return quantize

    try:
        for layer, original, name in layers:
            set_untracked(layer, "input_quantizer", sign(original, name))
        for found, original, name in ranges:
            found.quantizer = rounding(original, name)
        yield
    finally:
        for layer, original, _ in layers:
            set_untracked(layer, "input_quantizer", original)
        for found, original, _ in ranges:
            found.quantizer = original


def merge(found: Sequence[Point]) -> tuple[Point, ...]:
    """Points of several sets of samples, added up per layer."""
    by_key: dict[tuple[str, str], Point] = {}
    for p in found:
        old = by_key.get((p.layer, p.kind))
        by_key[p.layer, p.kind] = (
            p
            if old is None
            else Point(
                p.layer, p.kind, old.values + p.values, old.ties + p.ties, old.errors + p.errors,
                max(old.largest, p.largest), max(old.bound, p.bound),
            )
        )  # fmt: skip
    return tuple(by_key.values())
