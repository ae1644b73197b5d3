"""A user's model converted in a mix of precisions, as `tfkit convert` would, and which layer each op belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import ConversionError, UnsupportedError
from tfkit.converters import calibration, convert
from tfkit.converters import flatbuffer as fb
from tfkit.converters.declared import declared_layers
from tfkit.converters.graph import Graph
from tfkit.converters.ledger import match
from tfkit.converters.sources import open_source
from tfkit.converters.weights import weight_ops
from tfkit.tradeoffs.advise.mixture import mixed

RESTS = ("float", "int8")  # what all layers are that are not given bits
_SAMPLES = 4
# Ops that stand in front of a layer for its sake: they belong to the layer behind them.
_FOR_THE_NEXT = ("LceQuantize", "TfkitKBitQuantize", "TfkitUnpackWeights", "DENSIFY")


@dataclass(frozen=True)
class Mix:
    """Which precision each layer has: ``rest`` for all that ``bits`` (layer -> "few-bit" or "binary") does not name."""

    rest: str = "float"
    bits: Mapping[str, str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", dict(self.bits or {}))

    @property
    def title(self) -> str:
        """For people: "int8 with 3 layers few-bit, 2 binary"."""
        counts = [f"{list(self.bits.values()).count(name)} {name}" for name in ("few-bit", "binary")]
        named = [text for text in counts if not text.startswith("0 ")]
        return f"{self.rest}, {' and '.join(named)} layers" if named else self.rest


@dataclass(frozen=True)
class Variant:
    """One mix, converted.

    ``owners`` are the layers of the ops, in order ("" for those of none); ``refused`` are layers that did not become
    what the mix asks for -> why; ``weight_bytes`` are those of each layer.
    """

    mix: Mix
    flatbuffer: bytes
    owners: tuple[str, ...]
    refused: Mapping[str, str]
    weight_bytes: Mapping[str, int]


def network(model: Any, mix: Mix, samples: np.ndarray) -> Any:
    """The Keras network of a mix, weights kept; ``samples`` are network inputs that set its ranges.

    Raises:
        UnsupportedError: int8 for a model that has layers without an int8 form; all of them are listed.
    """
    made = mixed(model, mix.bits) if mix.bits else model
    if mix.rest != "int8":
        return made
    from tfkit.quantization import quantize_aware

    return quantize_aware(made, samples)


def converted(model: Any, mix: Mix, samples: Any) -> Variant:
    """``model`` as a flatbuffer in this mix.

    Raises:
        UnsupportedError: as ``network``.
        ConversionError: the converter refused.
    """
    made = network(model, mix, samples)
    plain = mix.rest == "float" and not mix.bits
    conversion = convert(made, "float32" if plain else "auto", verify=False)
    graph = fb.parse(conversion.flatbuffer).main
    declared = declared_layers(made)
    ops = weight_ops(graph)
    matched = match(declared, ops)
    owned: dict[int, str] = {}
    sizes: dict[str, int] = {}
    for layer, (found, _) in zip(declared, matched, strict=True):
        for op in found:
            owned[op.index] = layer.name
            sizes[layer.name] = sizes.get(layer.name, 0) + op.bytes
    refused = {
        entry.layer: entry.reason or f"it became {entry.op} in {entry.precision}"
        for entry in conversion.ledger.fallbacks
        if entry.layer in mix.bits
    }
    return Variant(mix, conversion.flatbuffer, _owners(graph, owned), refused, sizes)


def random_samples(model: Any) -> np.ndarray:
    """Network inputs in the range that the model was made for. Raises ``UnsupportedError`` for several inputs."""
    source = open_source(model)
    if len(source.inputs) != 1:
        raise UnsupportedError(f"the model has {len(source.inputs)} inputs; advice is for networks of one input")
    return calibration.seeded(source.inputs, source.metadata, _SAMPLES, 0).arrays[0]


def tried(model: Any, mixes: Sequence[Mix], samples: Any, say: Any) -> tuple[dict[str, Variant], dict[str, str]]:
    """The variants that could be made, by title, and why others could not."""
    found: dict[str, Variant] = {}
    failed: dict[str, str] = {}
    for number, mix in enumerate(mixes, 1):
        say(f"[{number}/{len(mixes)}] converting: {mix.title}")
        try:
            found[mix.title] = converted(model, mix, samples)
        except (UnsupportedError, ConversionError) as error:
            failed[mix.title] = str(error)
    return found, failed


def _owners(graph: Graph, owned: Mapping[int, str]) -> tuple[str, ...]:
    """Each op's layer: that of the nearest kernel in front of it, or behind it where it stands there for its sake."""
    written: dict[int, str] = {}
    found = [""] * len(graph.ops)
    for index, op in enumerate(graph.ops):
        before = [written[tensor] for tensor in op.inputs if written.get(tensor)]
        found[index] = owned.get(index) or (before[0] if before else "")
        written.update(dict.fromkeys(op.outputs, found[index]))
    readers = {tensor: index for index, op in reversed(list(enumerate(graph.ops))) for tensor in op.inputs}
    for index in reversed(range(len(graph.ops))):
        op = graph.ops[index]
        if op.name in _FOR_THE_NEXT and op.outputs and op.outputs[0] in readers:
            found[index] = found[readers[op.outputs[0]]]
    return tuple(found)
