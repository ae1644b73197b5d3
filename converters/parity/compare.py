"""The parity check: what is run on which data, and what counts as a failure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfkit.converters import calibration as samples
from tfkit.converters import flatbuffer as fb
from tfkit.converters.calibration import Batch
from tfkit.converters.graph import Model
from tfkit.converters.inspection import inspect
from tfkit.converters.parity import forced
from tfkit.converters.parity.bounds import U16, float_bound
from tfkit.converters.parity.kernels import compare_kernels
from tfkit.converters.parity.layers import activations_of, compare_layers, relative
from tfkit.converters.parity.recording import Recording, dequantized, record, recordable
from tfkit.converters.parity.result import Kernel, Layer, Output, Parity, Point
from tfkit.converters.parity.sensitivity import sensitivity
from tfkit.converters.sources import Source
from tfkit.converters.weights import weight_ops
from tfkit.runtime.backends import Backend

WARN_AGREEMENT = 0.95
# More ties than this share of all decisions is no accident of rounding: values that are zero by construction, such as
# even popcounts behind a fresh batch normalization, or zero padding corrected in float.
MANY_TIES = 1e-3
# Freshly initialised networks lie below 0.15 on noise and on smooth images (MobileNets, CNNs), trained ones above 1 on
# their data, and at 0.5 even on samples of a single class.
LEAST_DEPENDENCE = 0.25
LEAST_SQNR_DB = 10.0  # noise a third of the signal
UNSETTLED = (
    "this quantization-aware model does not round as int8 inference does: its biases and ranges lie where training "
    "left them. Call tfkit.quantization.settle(model) after model.fit and convert again (tfkit.training.fit does it); "
    "its accuracy stays"
)
UNSEEN = (
    "roundings that are ties cannot be told from errors here, because a model of this kind does not show its layers: "
    "convert the tf_keras model that it was exported from, or its .keras file; or skip the check (--no-verify)"
)
SEEDED_SAMPLES = 8
LAYER_SAMPLES = 16
KERNEL_SAMPLES = 2
_WORK = 2_000_000_000  # multiply-accumulates that a check may spend on seeded samples, some seconds of one core


def compare(
    source: Source,
    flatbuffer: bytes,
    *,
    trained_int8: bool,
    runtime: str,
    backend: Backend,
    data: Batch | None = None,
    calibration: Batch | None = None,
    seed: int = 0,
    min_agreement: float = 0.80,
    layers: bool = False,
) -> Parity:
    """Compare a source with its flatbuffer in a runtime; never raises for a difference, ``Parity.failures`` says it.

    Args:
        calibration: the data a post-training quantization was made with; agreement is judged on ``data`` if given,
            else on this.
        layers: also compare layer by layer; done anyway when something fails and after post-training quantization.
    """
    model = fb.parse(flatbuffer)
    mode = _mode(model, trained_int8)
    count = int(np.clip(_WORK // max(inspect(flatbuffer).macs, 1), 2, SEEDED_SAMPLES))
    sets = [("seeded", samples.seeded(source.inputs, source.metadata, count, seed))]
    sets += [("calibration", calibration)] if calibration is not None else []
    sets += [("given", data)] if data is not None else []
    check = _Check(source, flatbuffer, model, mode, backend, min_agreement, seed)
    judged, last = sets[-1]
    # Random noise lies outside the ranges that were calibrated: after post-training quantization its outputs say
    # nothing, and only stand in where there is no real data.
    told = sets[1:] if mode == "post-training" and len(sets) > 1 else sets
    for name, batch in told:
        check.outputs_on(name, batch, judged=name == judged and name != "seeded")
    kernels: tuple[Kernel, ...] = ()
    if mode == "post-training":
        fed = [batch.take(KERNEL_SAMPLES).arrays for _, batch in (sets[:1] if len(sets) == 1 else (sets[0], sets[-1]))]
        kernels = compare_kernels(flatbuffer, [np.concatenate(column) for column in zip(*fed, strict=True)], backend)
        check.judge_kernels(kernels)
        if judged == "seeded":
            check.warnings.append(
                "the accuracy after quantization is not judged: random data says nothing about it; give real data "
                "(data=..., --data x.npz)"
            )
    check.explain()
    entries: list[Layer] = []
    if source.keras is not None and (layers or check.failures or mode == "post-training"):
        entries = _layers(source, flatbuffer, model, backend, check.snapped(last.take(LAYER_SAMPLES)))
    if mode == "post-training":
        check.warn_of_noise(entries)
    return Parity(
        mode=mode,
        runtime=runtime,
        seed=seed,
        outputs=tuple(check.outputs),
        points=forced.merge(check.points),
        kernels=kernels,
        layers=tuple(entries),
        first_diverging=_first_diverging(model, check, entries) if check.failures else "",
        warnings=tuple(dict.fromkeys(check.warnings)),
        failures=tuple(dict.fromkeys(check.failures)),
    )


def _mode(model: Model, trained_int8: bool) -> str:
    if trained_int8:
        return "trained int8"
    rounded = any(op.precision in ("int8", "int8 weights") for op in weight_ops(model.main))
    integer = any(model.main.tensors[i].type == "INT8" for op in model.main.ops for i in op.outputs)
    return "post-training" if rounded or integer else "float"


class _Check:
    """Collects outputs, points, warnings and failures over the sets of samples."""

    def __init__(
        self,
        source: Source,
        flatbuffer: bytes,
        model: Model,
        mode: str,
        backend: Backend,
        min_agreement: float,
        seed: int,
    ) -> None:
        self.outputs: list[Output] = []
        self.points: list[Point] = []
        self.warnings: list[str] = []
        self.failures: list[str] = []
        self._source = source
        self._flatbuffer = flatbuffer
        self._model = model
        self._mode = mode
        self._backend = backend
        self._min_agreement = min_agreement
        self._seed = seed
        self._bound = float_bound(model)
        self._halves = any(op.precision == "float16 weights" for op in weight_ops(model.main))
        self._decides = source.keras is not None and forced.has_decisions(source.keras)

    def outputs_on(self, name: str, batch: Batch, judged: bool) -> None:
        """Compare the outputs on one set of samples."""
        arrays = self.snapped(batch).arrays
        wanted = self._run(arrays)
        got = record(self._flatbuffer, arrays, backend=self._backend).outputs
        if self._halves:
            some = [array[:LAYER_SAMPLES] for array in arrays]
            self._bound = float_bound(self._model) + sensitivity(self._source, some, U16, self._seed)
        found = [self._output(name, i, batch, w, g) for i, (w, g) in enumerate(zip(wanted, got, strict=True))]
        if self._mode == "post-training":
            self.outputs += found
            self._judge_agreement(name, found, judged)
            return
        if self._decides:
            # Forced evaluation keeps every tensor: some samples at a time.
            found = self._forced(name, arrays, got, found)
        self.outputs += found
        # Ties are no errors, but where they decide the answers on real data, the file is no copy of the model.
        self._judge_agreement(name, found, judged)
        for output in found:
            if output.bound is not None and not output.difference <= output.bound:
                self.failures.append(
                    f"{output.name} on {name} data differs by {output.difference:.3g} {output.unit}, "
                    f"more than {output.bound:.3g}"
                )

    def snapped(self, batch: Batch) -> Batch:
        """Inputs on the grid of a trained int8 model's first quantization, whose rounding is no difference."""
        if self._mode != "trained int8":
            return batch
        graph = self._model.main
        arrays = []
        for index, array in zip(graph.inputs, batch.arrays, strict=True):
            readers = [op for op in graph.ops if op.name == "QUANTIZE" and op.inputs[0] == index]
            first = readers[0].outputs[0] if readers else index
            found = graph.tensors[first].quantization
            if found is not None and array.dtype.kind == "f":
                steps = np.clip(np.round(array / found.scale[0]) + found.zero_point[0], -128, 127) - found.zero_point[0]
                array = (steps * found.scale[0]).astype(array.dtype)
            arrays.append(array)
        return Batch(tuple(arrays), batch.labels)

    def judge_kernels(self, kernels: Sequence[Kernel]) -> None:
        for kernel in kernels:
            if not kernel.difference <= kernel.bound:
                self.failures.append(
                    f"the shipped kernel of {kernel.op} ({kernel.tensor}) differs from the reference by "
                    f"{kernel.difference:.3g} {kernel.unit}, more than {kernel.bound:.3g}"
                )

    def warn_of_noise(self, entries: Sequence[Layer]) -> None:
        """Name the worst layer when quantization noise drowns it."""
        known = [e for e in entries if e.sqnr_db is not None]
        worst = min(known, key=lambda e: e.sqnr_db or 0.0, default=None)
        if worst is not None and (worst.sqnr_db or 0.0) < LEAST_SQNR_DB:
            self.warnings.append(
                f"quantization noise drowns layer {worst.layer}: SQNR {worst.sqnr_db:.1f} dB; "
                "an untrained layer, or one with channels of very different size"
            )

    def explain(self) -> None:
        """Say what makes Keras and flatbuffer decide differently, where the model itself shows it."""
        reason = self._unlike_inference() if self._mode == "trained int8" else ""
        if reason:
            (self.failures if self.failures else self.warnings).insert(0, reason)
            return
        points = forced.merge(self.points)
        values, ties = sum(p.values for p in points), sum(p.ties for p in points)
        if ties > MANY_TIES * values:
            worst = max(points, key=lambda p: p.ties / p.values)
            self.warnings.append(
                f"{ties} of {values} decisions are ties (most in {worst.layer}): many values lie exactly on a "
                "threshold; zero padding and untrained batch normalization do that"
            )

    def _unlike_inference(self) -> str:
        if self._source.keras is None:
            return UNSEEN if self.failures else ""
        from tfkit.quantization import is_settled  # imports TensorFlow

        return "" if is_settled(self._source.keras) else UNSETTLED

    def _run(self, arrays: Sequence[np.ndarray], chunk: int = 32) -> list[np.ndarray]:
        parts = [self._source.run([a[i : i + chunk] for a in arrays]) for i in range(0, len(arrays[0]), chunk)]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _output(self, data: str, number: int, batch: Batch, wanted: np.ndarray, got: np.ndarray) -> Output:
        tensor = self._model.main.tensors[self._model.main.outputs[number]]
        values = dequantized(got, tensor)
        if tensor.quantization is not None and got.dtype == np.int8:
            found = tensor.quantization
            wanted_steps = np.clip(np.round(wanted / found.scale[0]) + found.zero_point[0], -128, 127)
            unit, difference = "LSB", float(np.abs(wanted_steps - got).max(initial=0.0))
            bound: float | None = 0.0
        else:
            unit, difference = "relative", relative(wanted, values)
            bound = self._bound
        if not np.isfinite(values).all() or not np.isfinite(wanted).all():
            self.failures.append(f"{self._source.outputs[number]} on {data} data holds NaN or infinity")
        top1, remark = _top1(wanted, values)
        accuracy = None
        if batch.labels is not None and _has_classes(wanted):
            accuracy = tuple(float((v.argmax(axis=-1) == batch.labels).mean()) for v in (wanted, values))
        return Output(
            name=self._source.outputs[number],
            data=data,
            samples=len(batch),
            unit=unit,
            difference=difference,
            bound=None if self._mode == "post-training" else bound,
            top1=top1,
            accuracy=accuracy,  # type: ignore[arg-type]
            remark=remark,
        )

    def _judge_agreement(self, name: str, found: Sequence[Output], judged: bool) -> None:
        if not judged:
            return
        for output in found:
            if output.top1 is None:
                if self._mode != "post-training":
                    continue  # the outputs were compared value by value
                self.warnings.append(
                    f"top-1 agreement of {output.name} is not judged: {output.remark}; look at the SQNR of the layers"
                )
            elif output.top1 < self._min_agreement:
                self.failures.append(
                    f"{output.name} gives the same top-1 answer as Keras on {output.top1:.1%} of the {name} data; "
                    f"at least {self._min_agreement:.0%} is asked for"
                )
            elif output.top1 < WARN_AGREEMENT:
                advice = (
                    "train with tfkit.quantize_aware, or calibrate with more samples"
                    if self._mode == "post-training"
                    else "ties decide the rest: train the batch normalizations, pad binary layers with ones"
                )
                self.warnings.append(
                    f"{output.name} gives the same top-1 answer as Keras on only {output.top1:.1%} of the {name} data; "
                    + advice
                )

    def _forced(
        self, name: str, arrays: Sequence[np.ndarray], got: Sequence[np.ndarray], found: list[Output]
    ) -> list[Output]:
        """Judge every decision on equal inputs; the outputs are then compared behind equal decisions."""
        indices = recordable(self._model.main)
        wanted_parts: list[list[np.ndarray]] = []
        recorded_parts: list[tuple[np.ndarray, ...]] = []
        found_points: list[Point] = []
        unmatched: set[str] = set()
        for start in range(0, len(arrays[0]), LAYER_SAMPLES):
            chunk = [a[start : start + LAYER_SAMPLES] for a in arrays]
            recording = record(self._flatbuffer, chunk, backend=self._backend, tensors=indices)
            run = lambda chunk=chunk: self._source.run(chunk)  # noqa: E731 - bound to this chunk
            result = forced.evaluate(self._source.keras, run, self._model, recording)
            found_points += result.points
            unmatched |= set(result.unmatched)
            wanted_parts.append(result.outputs)
            recorded_parts.append(recording.outputs)
        wanted = [np.concatenate(column) for column in zip(*wanted_parts, strict=True)]
        recorded = [np.concatenate(column) for column in zip(*recorded_parts, strict=True)]
        self.points += found_points
        for point in forced.merge(found_points):
            if point.errors:
                self.failures.append(
                    f"{point.layer}: {point.errors} of {point.values} {point.kind}s differ on {name} data although the "
                    f"value is no tie ({point.largest:.3g} from the threshold, rounding explains {point.bound:.3g})"
                )
        for output, plain, exposed in zip(found, got, recorded, strict=True):
            tolerance = 0.0 if plain.dtype.kind in "iu" else self._bound
            if relative(plain.astype(np.float64), exposed.astype(np.float64)) > tolerance:
                self.failures.append(f"{output.name} changes when intermediate tensors are read: a kernel is unstable")
        if unmatched:
            self.warnings.append(
                f"{len(unmatched)} decisions have no tensor of their own in the flatbuffer and were compared through "
                f"the outputs only: {', '.join(sorted(unmatched)[:3])}"
            )
        ties = any(point.ties for point in found_points)
        return [
            self._behind(output, number, wanted[number], recorded[number], ties) for number, output in enumerate(found)
        ]

    def _behind(self, output: Output, number: int, wanted: np.ndarray, got: np.ndarray, ties: bool) -> Output:
        """The output behind equal decisions; the plain difference stays in the remark when it is larger."""
        if not ties:
            return output
        tensor = self._model.main.tensors[self._model.main.outputs[number]]
        if output.unit == "LSB" and tensor.quantization is not None:
            found = tensor.quantization
            steps = np.clip(np.round(wanted / found.scale[0]) + found.zero_point[0], -128, 127)
            difference = float(np.abs(steps - got).max(initial=0.0))
        else:
            difference = relative(wanted, dequantized(got, tensor))
        if output.difference <= difference:
            return output
        plain = f"{output.difference:g} LSB" if output.unit == "LSB" else f"{output.difference:.1e} relative"
        remark = f"{plain} without taking the flatbuffer's side in ties"
        return Output(
            **{**output.__dict__, "difference": difference, "remark": "; ".join(filter(None, [output.remark, remark]))}
        )


def _has_classes(values: np.ndarray) -> bool:
    return values.ndim == 2 and values.shape[1] > 1


def _top1(wanted: np.ndarray, got: np.ndarray) -> tuple[float | None, str]:
    """Share of samples with the same largest class, or None and why it would mean nothing."""
    if not _has_classes(wanted):
        return None, f"an output of shape {wanted.shape[1:]} has no classes, so there is no top-1"
    dependence = input_dependence(wanted)
    if dependence < LEAST_DEPENDENCE:
        return None, (
            f"Keras' own answer hardly depends on the input (scores vary {dependence:.2f} times as much between "
            "samples as between classes), so top-1 says nothing; the model looks untrained"
        )
    return float((wanted.argmax(axis=1) == got.argmax(axis=1)).mean()), ""


def input_dependence(scores: np.ndarray) -> float:
    """How much class scores [sample, class] vary between samples, relative to the spread between classes.

    Median over classes of the standard deviation over samples, over the spread of the class means (median absolute
    deviation, scaled to a standard deviation), so that one class of odd size counts for nothing. Infinite for fewer
    than 4 samples, which tell nothing about it.
    """
    if len(scores) < 4:
        return np.inf
    means = scores.mean(axis=0, dtype=np.float64)
    spread = 1.4826 * float(np.median(np.abs(means - np.median(means))))
    varies = float(np.median(scores.std(axis=0, dtype=np.float64)))
    return varies / spread if spread > 0 else (np.inf if varies > 0 else 0.0)


def _layers(source: Source, flatbuffer: bytes, model: Model, backend: Backend, batch: Batch) -> list[Layer]:
    recording: Recording = record(flatbuffer, batch.arrays, backend=backend, tensors=recordable(model.main))
    return compare_layers(source.keras, model, recording, activations_of(source.keras, batch.arrays))


def _first_diverging(model: Model, check: _Check, entries: Sequence[Layer]) -> str:
    wrong = [point.layer for point in forced.merge(check.points) if point.errors]
    if wrong:
        return wrong[0]
    bound = float_bound(model)
    far = [e for e in entries if e.difference > bound]
    return far[0].layer if far and check.failures else ""
