"""One way to compress a network: what a [[compression]] table says, what goes together, and how it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tfkit.tradeoffs.sweep.keys import Key, choice, flag, number, text

# Spelt out, not read from the registries: a spec is read without TensorFlow. A test compares them.
SPARSE = ("han", "dns", "obd", "n_of_m", "block", "snr", "obs", "sparse_vd")
STRUCTURED = ("psp", "group_lasso", "slimming", "scaling_factors", "l0", "l0_arm", "group_vd", "thinet", "dpp")
STRUCTURES = ("channel", "kernel", "group")
FORMATS = ("float32", "float16", "dynamic", "int8", "lowbit", "lce", "auto")

KEYS: Mapping[str, Key] = {
    "name": text("the name of the series", "my method"),
    "format": choice(FORMATS, grid=True),
    "int8": choice(("qat", "ptq"), grid=True),
    "scheme": choice(("binary",)),
    "kernel_quantizer": text("the name of a quantizer of kernels", "lsq_w2", grid=True),
    "input_quantizer": text("the name of a quantizer of activations", "lsq_a2", grid=True),
    "prune": choice((*STRUCTURED, *SPARSE), grid=True),
    "structure": choice(STRUCTURES, grid=True),
    "rate": number(0, 1, 0.5, grid=True),
    "pattern": text("N:M, so that N of M weights stay", "2:4", grid=True),
    "block": text("ROWSxCOLUMNS that go together", "1x4", grid=True),
    "strict": flag(True),
}


@dataclass(frozen=True)
class Compression:
    """What is done to a network before it is measured; see ``docs`` in ``tfkit sweep --help`` for each key.

    Attributes:
        name: of the series; made from the rest when None.
        format: what it is converted to.
        int8: "qat" (fine-tuning for int8) or "ptq" (calibration), before conversion.
        scheme: "binary", where the architecture has a binary twin.
        kernel_quantizer, input_quantizer: few bits, in all layers but the first and the last.
        prune: a method of ``tfkit.pruning.METHODS``.
        structure: what goes as a whole, for methods that remove structures.
        rate: the share that goes: of the MACs for those methods, of the weights for the others.
        pattern, block: of the methods n_of_m and block.
        strict: whether a layer that falls back fails the point.
    """

    name: str | None
    format: str
    int8: str | None = None
    scheme: str | None = None
    kernel_quantizer: str | None = None
    input_quantizer: str | None = None
    prune: str | None = None
    structure: str | None = None
    rate: float | None = None
    pattern: str | None = None
    block: str | None = None
    strict: bool = True

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Compression:
        """From one combination of a table's values.

        Raises:
            Contradiction: keys that do not go together; it names one of them.
        """
        given = {name: value for name, value in values.items() if value is not None}
        _check(given)
        defaults: dict[str, Any] = {}
        if "prune" in given:
            if given["prune"] in STRUCTURED:
                defaults = {"structure": "channel", "rate": 0.5}
            elif given["prune"] == "n_of_m":
                defaults = {"pattern": "2:4"}
            else:
                defaults = {"rate": 0.8, **({"block": "1x4"} if given["prune"] == "block" else {})}
        return cls(**{**dict.fromkeys(KEYS), "strict": True, "format": _format(given), **defaults, **given})

    @property
    def series(self) -> str:
        """For the legend."""
        if self.name is not None:
            return self.name
        parts = [name for name in (self.scheme, _bits(self), _pruning(self)) if name]
        if self.int8 is not None:
            parts.append(f"int8 {self.int8.upper()}")
        elif not parts or self.format not in ("auto", "float32"):
            parts.append(self.format)
        return " + ".join(parts)

    def settings(self) -> dict[str, Any]:
        """JSON-ready: what is set, without the name."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None and name != "name" and (name, value) != ("strict", True)
        }


class Contradiction(Exception):
    """``key`` does not go with another; the message says why and what to do."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _check(given: Mapping[str, Any]) -> None:
    few_bits = "kernel_quantizer" in given or "input_quantizer" in given
    method = given.get("prune")
    if "scheme" in given and few_bits:
        raise Contradiction("scheme", "a binary scheme has its own quantizers; leave scheme out, or the quantizers")
    if method is not None and ("scheme" in given or few_bits):
        raise Contradiction("prune", "pruning takes float networks here; leave out scheme and the quantizers")
    if given.get("int8") == "ptq" and ("scheme" in given or few_bits):
        raise Contradiction("int8", 'calibration runs the float network, and this one has bits; write int8 = "qat"')
    if given.get("int8") == "qat" and method in SPARSE:
        raise Contradiction("int8", 'int8 fine-tuning would fill the zeros again; write int8 = "ptq"')
    if "int8" in given and given.get("format", "int8") not in ("int8", "auto"):
        raise Contradiction(
            "format", f"int8 networks are converted to int8 or auto, not {given['format']}; leave it out"
        )
    if given.get("format") == "int8" and "int8" not in given:
        raise Contradiction("format", 'int8 takes ranges: write int8 = "qat" or int8 = "ptq" instead of the format')
    _check_pruning(method, given)


def _check_pruning(method: str | None, given: Mapping[str, Any]) -> None:
    takes: tuple[str, ...] = ()
    if method in STRUCTURED:
        takes = ("structure", "rate")
    elif method is not None:
        takes = {"n_of_m": ("pattern",), "block": ("rate", "block")}.get(method, ("rate",))
    for key in ("structure", "rate", "pattern", "block"):
        if key in given and key not in takes:
            said = f"{method} takes {' and '.join(takes)}" if method else 'it goes with prune = "METHOD"'
            raise Contradiction(key, f"{key} means nothing here: {said}; leave it out")
    for key, sign, example in (("pattern", ":", "2:4"), ("block", "x", "1x4")):
        if key in given and not two_numbers(given[key], sign):
            raise Contradiction(
                key, f'{key} is {given[key]!r}; two whole numbers are accepted: write {key} = "{example}"'
            )


def two_numbers(text: str, sign: str) -> tuple[int, int] | None:
    """Of "2:4" or "1x4"; None where there are no two positive ones."""
    first, _, second = text.partition(sign)
    if not (first.isascii() and first.isdigit() and second.isascii() and second.isdigit() and len(text) < 10):
        return None
    return (int(first), int(second)) if int(first) > 0 and int(second) > 0 else None


def _format(given: Mapping[str, Any]) -> str:
    if "scheme" in given or "kernel_quantizer" in given or "input_quantizer" in given:
        return "auto"
    return "int8" if "int8" in given else "float32"


def _bits(compression: Compression) -> str:
    return " ".join(name for name in (compression.kernel_quantizer, compression.input_quantizer) if name)


def _pruning(compression: Compression) -> str:
    if compression.prune is None:
        return ""
    parts = [compression.prune, compression.structure, compression.pattern, compression.block]
    parts += [None if compression.rate is None else f"{compression.rate:g}"]
    return " ".join(part for part in parts if part)
