"""How well latencies are predicted: networks of the zoo that the model was not fitted to, and mixes of precisions.

Every network is timed whole, and op by op in halves: two flatbuffers cut out of it, so that what is predicted did not
run as a whole when its ops were timed. (In small pieces weights would stay in a cache that they do not fit in
together.) Turns of all are interleaved, and of each the fastest counts: whatever else the machine does only adds. Then

- held out, in halves: overheads are fitted to the other architectures, the ops' times are those from its halves;
- held out, profiled: the same with the ops' times from a profile of the whole network, which is what `tfkit advise`
  has of a model with all its layers in one precision;
- mixes: networks with every second layer in bits, from the ops of those with all or none in bits; ops that only the mix
  has are estimated from their kind. That is what `tfkit advise` predicts of a plan, except that it times the ops of a
  plan that it would have to refuse;
- unmeasured: nothing of the network was timed, its ops are estimated from ops of the same kind in other architectures;
  networks with an op of another kind or size are refused, and are counted apart.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from tests.claims import target
from tests.claims.table import table
from tfkit import models
from tfkit._json import json_text
from tfkit.converters import flatbuffer as fb
from tfkit.devices import connect
from tfkit.tradeoffs.advise.cache import Measurements
from tfkit.tradeoffs.advise.latency import LatencyModel, OutsideMeasured
from tfkit.tradeoffs.advise.mixture import layers_of
from tfkit.tradeoffs.advise.reference import converted as from_the_zoo
from tfkit.tradeoffs.advise.sites import sites
from tfkit.tradeoffs.advise.timing import Stopwatch
from tfkit.tradeoffs.advise.variants import Mix, converted, random_samples

TITLE = "Predicted latencies: tfkit advise on networks it was not fitted to, single thread"
WITHIN, LEAST = 0.10, 0.90
TARGET = f"at least {LEAST:.0%} of held-out networks within +-{WITHIN:.0%} of the measured latency"
HEADINGS = ("what", "networks", "architectures", "within 10 %", "median error", "largest", target.HEADING)
TURNS = 3
STARTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "LceQuantize", "TfkitKBitQuantize")
SIDE = 64
SMALL = ("densenet_bc_40_12", "wrn_16_2", "nin", "small_cnn")  # made for 32x32, and slow on more
FLOAT_AND_INT8 = (
    *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "squeezenet_1_1", "shufflenet_v1_g2", "resnet18"),
    *("efficientnet_lite0", "densenet_bc_40_12", "wrn_16_2", "nin", "small_cnn", "googlenet"),
)
BINARY = ("quicknet", "birealnet18", "binary_resnet_e18", "binary_densenet28")
MIXED = ("resnet18", "wrn_16_2", "small_cnn")


@dataclass(frozen=True)
class Subject:
    """A flatbuffer, and of which architecture it is."""

    name: str
    group: str
    flatbuffer: bytes


def side(name: str) -> int:
    """Of the input of a network."""
    return 32 if name in SMALL else SIDE


def subjects(names: Sequence[str] = (*FLOAT_AND_INT8, *BINARY)) -> Iterator[Subject]:
    """Networks as they are, in float, int8 or binary."""
    for name in names:
        for format in ("lce",) if name in BINARY else ("float32", "int8"):
            yield Subject(f"{name} {format}", name, from_the_zoo(name, side(name), 1.0, format))


def mixes() -> Iterator[tuple[list[Subject], list[Subject]]]:
    """(those with all or none of the layers in bits, those with every second layer in bits) of each network."""
    for name in MIXED:
        model = models.build(name, input_shape=(side(name), side(name), 3), classes=10, seed=0)
        samples = random_samples(model)
        pure, mixed = [Mix("float")], []
        for precision in ("few-bit", "binary"):
            able = [layer.name for layer in layers_of(model) if precision not in layer.refused]
            pure.append(Mix("float", dict.fromkeys(able, precision)))
            mixed.append(Mix("float", dict.fromkeys(able[::2], precision)))
        yield tuple(
            [Subject(f"{name} {mix.title}", name, converted(model, mix, samples).flatbuffer) for mix in of]
            for of in (pure, mixed)
        )  # type: ignore[misc]


def pieces(subject: Subject) -> dict[str, tuple[bytes, list[int]]]:
    """Name -> (a flatbuffer of some ops in a row, their indices): cut where no op that might be fused is parted."""
    graph = fb.parse(subject.flatbuffer).main
    able = [
        index
        for index, op in enumerate(graph.ops)
        if op.name in STARTS and index and graph.ops[index - 1].name not in ("PAD", "DEQUANTIZE", "DENSIFY")
    ]
    cuts = [0, min(able, key=lambda index: abs(index - len(graph.ops) / 2))]
    found = {}
    for number, (start, end) in enumerate(zip(cuts, [*cuts[1:], len(graph.ops)], strict=True)):
        inside = range(start, end)
        written = {t for i in inside for t in graph.ops[i].outputs}
        read = [t for i in inside for t in graph.ops[i].inputs if t >= 0 and t not in written]
        inputs = [t for t in dict.fromkeys(read) if not graph.tensors[t].is_constant]
        wanted = {t for i, op in enumerate(graph.ops) if i not in inside for t in op.inputs} | set(graph.outputs)
        outputs = [t for t in sorted(written) if t in wanted]
        data = fb.extract(subject.flatbuffer, inside, inputs, outputs)
        found[f"{subject.name}, piece {number}"] = (data, list(inside))
    return found


@dataclass
class Known:
    """Networks from their own files; ops ``in_halves`` or ``profiled``; and for which architectures keys were timed."""

    in_halves: Measurements
    profiled: Measurements
    origin: dict[str, set[str]]


def timed(stopwatch: Stopwatch, whole: Sequence[Subject]) -> Known:
    """Everything that is known of ``whole``."""
    cut = {subject.name: pieces(subject) for subject in whole}
    files = {subject.name: subject.flatbuffer for subject in whole}
    files |= {name: data for parts in cut.values() for name, (data, _) in parts.items()}
    times = stopwatch.time(files, TURNS)
    found = Known(Measurements(), Measurements(), {})
    for subject in whole:
        own = times[subject.name]
        keys = [site.key for site in own.sites]
        for name, (_, inside) in cut[subject.name].items():
            half = replace(times[name], sites=tuple(own.sites[index] for index in inside))  # with their neighbours
            found.in_halves.samples.update(half.by_key())
        found.profiled.samples.update(own.by_key())
        for key in keys:
            found.origin.setdefault(key, set()).add(subject.group)
        for measurements in (found.in_halves, found.profiled):
            measurements.networks[subject.name] = own.network(subject.name, subject.group)
    return found


def _row(what: str, errors: Sequence[float], architectures: int) -> tuple[str, ...]:
    share = sum(abs(error) <= WITHIN for error in errors) / max(1, len(errors))
    sizes = [abs(error) for error in errors] or [float("nan")]
    verdict = target.at_least([("within 10 %", share, LEAST)])
    return (
        what,
        str(len(errors)),
        str(architectures),
        f"{share:.0%}",
        f"{median(sizes):.1%}",
        f"{max(sizes):.0%}",
        verdict,
    )


def rows(folder: Path | None = None) -> Iterator[tuple[str, ...]]:
    """One line per way of predicting; what was measured goes to ``folder``, to try other models on it."""
    with connect("local") as device:
        stopwatch = Stopwatch(device, 1, lambda line: None)
        whole = list(subjects())
        known = timed(stopwatch, whole)
        if folder is not None:
            for name, measurements in (("in_halves", known.in_halves), ("profiled", known.profiled)):
                (folder / f"{name}.json").write_text(json_text(measurements.to_json()) + "\n")
        yield _held_out("held out, in halves", known.in_halves)
        yield _held_out("held out, profiled", known.profiled)
        yield _mixed(stopwatch, known.profiled)
        yield _unmeasured(known, whole)


def _held_out(what: str, known: Measurements) -> tuple[str, ...]:
    found = LatencyModel(known).held_out
    for one in found:
        sys.stderr.write(f"  {what}: {one.name:40s} {one.seconds * 1e3:8.3f} ms {one.error:+.1%}\n")
    return _row(what, [one.error for one in found], len({one.group for one in found}))


def _unmeasured(known: Known, whole: Sequence[Subject]) -> tuple[str, ...]:
    errors, refused = [], 0
    for subject in whole:
        samples = {key: s for key, s in known.profiled.samples.items() if subject.group not in known.origin[key]}
        networks = {name: n for name, n in known.profiled.networks.items() if n.group != subject.group}
        model = LatencyModel(Measurements(samples, networks))
        try:
            found = model.predict(sites(subject.flatbuffer))
        except OutsideMeasured:
            refused += 1
            continue
        errors.append(found.seconds / known.profiled.networks[subject.name].seconds - 1)
    groups = len({subject.group for subject in whole})
    return _row(f"unmeasured ({refused} more refused)", errors, groups)


def _mixed(stopwatch: Stopwatch, known: Measurements) -> tuple[str, ...]:
    errors, refused = [], 0
    for pure, mixed in mixes():
        times = stopwatch.time({s.name: s.flatbuffer for s in (*pure, *mixed)}, TURNS)
        seen = Measurements(dict(known.samples), {n: v for n, v in known.networks.items() if v.group != pure[0].group})
        for subject in pure:
            seen.samples.update(times[subject.name].by_key())
        model = LatencyModel(seen)
        for subject in mixed:
            try:
                error = model.predict(sites(subject.flatbuffer)).seconds / times[subject.name].seconds - 1
            except OutsideMeasured as refusal:
                sys.stderr.write(f"  {subject.name}: {refusal}\n")
                refused += 1
                continue
            sys.stderr.write(f"  {subject.name:40s} {times[subject.name].seconds * 1e3:8.3f} ms {error:+.1%}\n")
            errors.append(error)
    return _row(f"mixes ({refused} more refused)", errors, len(MIXED))


def main() -> None:
    """Print the table, or with names of the zoo only how far off those are that are held out."""
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks of the zoo, instead of the whole table")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write what was measured into DIR")
    arguments = parser.parse_args()
    if arguments.names:
        with connect("local") as device:
            known = timed(Stopwatch(device, 1, lambda line: None), list(subjects(arguments.names)))
            sys.stdout.write(f"{table(HEADINGS, [_held_out('held out, in halves', known.in_halves)])}\n")
        return
    sys.stdout.write(f"{TITLE}\n{TARGET}\n{table(HEADINGS, list(rows(arguments.keep)))}\n")


if __name__ == "__main__":
    main()
