"""The op ledger: every layer declared binary, int8 or sparse, against the op it became."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tfkit._units import format_bytes
from tfkit.converters.declared import SPARSE_SHARE, Declared, declared_layers, quantizers_of, wrapped_names
from tfkit.converters.graph import Graph, Model
from tfkit.converters.lowbit.bits import is_packed
from tfkit.converters.lowbit.columns import INT8, LCE, OWN, REFUSED, STORED
from tfkit.converters.lowbit.unpacked import UNPACK
from tfkit.converters.reasons import Reason, about_few_bits, explain, remark
from tfkit.converters.resemblance import Rows, at_least
from tfkit.converters.weights import WeightOp, named_like, weight_ops

SCHEMA_VERSION = 1
SAME_KERNEL = 0.98  # see ``resemblance.similarity``: rounded kernels lie above 0.999, others far below
# Dynamic quantization leaves small kernels in float; the converter's own limit.
DYNAMIC_MINIMUM = 1024
KINDS = {"tf_keras": "tf_keras model", "keras3": "Keras 3 model", "saved_model": "SavedModel"}
_BOUNDARY = ("QUANTIZE", "DEQUANTIZE", "LceQuantize", "LceDequantize", UNPACK)


@dataclass(frozen=True)
class Entry:
    """One layer. ``status`` is ``ok``, ``note`` (works, with a remark) or ``fallback``.

    ``rewritten`` says how a layer was rewritten for its op ("Dense as 1x1"); empty: it was not. ``ships_as`` is the
    column of converters/lowbit/METHODS.md that holds for a layer with quantizers.
    """

    layer: str
    type: str
    declared: str
    op: str
    precision: str
    bytes: int
    status: str
    matched_by: str
    code: str = ""
    reason: str = ""
    fix: str = ""
    rewritten: str = ""
    ships_as: str = ""

    @property
    def became(self) -> str:
        """The op for people: with the way there."""
        return f"{self.op} (rewritten from {self.rewritten})" if self.rewritten else self.op


@dataclass(frozen=True)
class Ledger:
    """All entries, and what could not be known."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()

    @property
    def fallbacks(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.status == "fallback")

    @property
    def ok(self) -> bool:
        return not self.fallbacks

    @property
    def summary(self) -> str:
        """One line."""
        if not self.entries:
            return "no layer is declared binary, few-bit, int8 or sparse"
        kinds = [k for k in ("binary", "few-bit", "int8", "sparse") if any(e.declared == k for e in self.entries)]
        parts = []
        for kind in kinds:
            of_kind = [e for e in self.entries if e.declared == kind]
            kept = sum(e.status != "fallback" and e.code != "small" for e in of_kind)
            parts.append(f"{kept} of {len(of_kind)} {kind}")
        return ", ".join(parts) + " layers are what they were declared"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; the same content as the table."""
        return {
            "schema_version": SCHEMA_VERSION,
            "ok": self.ok,
            "entries": [asdict(entry) for entry in self.entries],
            "notes": list(self.notes),
        }

    def table(self) -> str:
        """Lines for people: one per layer, reasons and fixes indented below."""
        told = any(e.ships_as for e in self.entries)
        rows = [("layer", "declared", "became", "precision", "bytes", *(["ships as"] if told else []), "")]
        for e in self.entries:
            cells = (e.layer, e.declared, e.became, e.precision, format_bytes(e.bytes))
            rows.append((*cells, *([e.ships_as] if told else []), "" if e.status == "ok" else e.status))
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = []
        for number, row in enumerate(rows if self.entries else []):
            lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
            if number and (entry := self.entries[number - 1]).reason:
                lines.append(f"    {entry.reason}")
                lines += [f"    fix: {entry.fix}"] if entry.fix else []
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes), self.summary])


def build(
    keras: Any,
    model: Model,
    format: str,
    *,
    trained_int8: bool,
    complaints: Sequence[str] = (),
    kind: str = "tf_keras",
    rewritten: Mapping[str, str] | None = None,
    unpacked: Mapping[str, Reason] | None = None,
    rounded: Mapping[str, Reason | None] | None = None,
) -> Ledger:
    """Match the layers of a tf_keras model to the ops of its flatbuffer, by what their kernels hold.

    ``keras`` None: layers are unknown (SavedModel, Keras 3) and the ledger lists the ops instead, which it says.
    ``rewritten``: path of a layer -> how it was rewritten, from ``passes.as_convolutions``.
    ``unpacked``: path of a few-bit layer -> why it has no packed op, from ``passes.packed_calls``.
    ``rounded``: path of a layer with a quantized kernel in int8 -> why its levels were rounded, None where they were
    not, from ``passes.exact_int8``.
    """
    graph = model.main
    ops = weight_ops(graph)
    integer = format == "int8" or trained_int8
    if keras is None:
        entries = [
            _op_entry(op, format, trained_int8)
            for op in ops
            if format in ("int8", "dynamic") or op.precision == "binary"
        ]
        if integer:
            entries += _float_islands(graph, ops, trained_int8, {})
        note = (
            f"the source is a {KINDS[kind]}: its layers' declarations are not visible, "
            "so this lists ops, and a binary layer that fell back cannot be told from a float one"
        )
        return Ledger(tuple(entries), (note,))
    layers = declared_layers(keras)
    matched = match(layers, ops)
    entries = []
    for number, layer in enumerate(layers):
        found, by = matched[number]
        how = (rewritten or {}).get(layer.name, "")
        if layer.name in (rounded or {}) and "input_quantizer" not in quantizers_of(layer.layer):
            entries.append(_in_int8(layer, found, by, (rounded or {})[layer.name]))
        elif format in ("lowbit", "auto") and layer.is_binary:
            entries.append(_by_quantizers(layer, found, by, format, (unpacked or {}).get(layer.name), how))
        elif format != "lowbit":
            entries += _entries(layer, found, by, format, trained_int8, list(complaints), how)
    if integer:
        owners = {op.index: layers[n].name for n, (found, _) in enumerate(matched) for op in found}
        names = [layer.name for layer in layers] + sorted(wrapped_names(keras))
        entries += _float_islands(graph, ops, trained_int8, owners, names)
    return Ledger(tuple(entries))


def match(layers: Sequence[Declared], ops: Sequence[WeightOp]) -> list[tuple[list[WeightOp], str]]:
    """For each layer the ops that carry its kernels and how they were recognised ("weights", "name" or "").

    Kernels decide; names, which converters cut and merge, only break ties between equal kernels.
    """
    candidates = []
    stored = [Rows(op.kernel) for op in ops]
    for number, layer in enumerate(layers):
        for kernel_number, kernel in enumerate(map(Rows, layer.kernels)):
            for position, op in enumerate(ops):
                score = at_least(SAME_KERNEL, kernel, stored[position])
                if score is not None:
                    named = named_like(op.names, layer.name.rsplit("/", 1)[-1])
                    drift = abs(number / len(layers) - position / len(ops))
                    candidates.append((-named, -round(score, 3), drift, number, kernel_number, position))
    taken: set[int] = set()
    calls: dict[tuple[int, int], int] = {}
    found: list[list[WeightOp]] = [[] for _ in layers]
    for _, _, _, number, kernel_number, position in sorted(candidates):
        key = (number, kernel_number)
        if position not in taken and calls.get(key, 0) < layers[number].calls:
            taken.add(position)
            calls[key] = calls.get(key, 0) + 1
            found[number].append(ops[position])
    result = []
    for layer, matched in zip(layers, found, strict=True):
        by = "weights" if matched else ""
        if not matched:
            matched = [
                op
                for position, op in enumerate(ops)
                if position not in taken and named_like(op.names, layer.name.rsplit("/", 1)[-1]) == 2
            ]
            by = "name" if matched else ""
            taken |= {position for position, op in enumerate(ops) if op in matched}
        result.append((sorted(matched, key=lambda op: op.index), by))
    return result


def _entries(
    layer: Declared,
    ops: list[WeightOp],
    by: str,
    format: str,
    trained_int8: bool,
    complaints: list[str],
    rewritten: str,
) -> list[Entry]:
    found = []
    if layer.few_bit:
        found.append(_entry(layer, layer.few_bit, ops, by, False, about_few_bits(layer)))
    elif layer.is_binary:
        kept = bool(ops) and all(op.precision == "binary" for op in ops)
        if not kept:
            entry = _entry(layer, "binary", ops, by, kept, explain(layer, format, complaints))
        elif rewritten:
            entry = replace(_entry(layer, "binary", ops, by, kept, _saved(layer, ops)), rewritten=rewritten)
        else:
            entry = _entry(layer, "binary", ops, by, kept, remark(layer))
        found.append(entry)
    elif layer.is_wrapped_int8 or format in ("int8", "dynamic"):
        wanted = "int8 weights" if format == "dynamic" else "int8"
        kept = bool(ops) and all(op.precision == wanted for op in ops)
        why = None if kept else _why_not_int8(layer, ops, format, trained_int8)
        # Below the converter's limit float is what dynamic quantization means, not a failure of it.
        small = why is not None and why.code == "small"
        found.append(_entry(layer, "int8", ops, by, kept or small, why))
    if layer.is_sparse:
        kept = bool(ops) and all(op.is_sparse for op in ops)
        found.append(_entry(layer, "sparse", ops, by, kept, _about_sparse(layer, ops, kept, format)))
    return found


def ships_as(op: WeightOp) -> str:
    """The column of the table of methods that an op stands for; empty: it takes weights that are stored in full."""
    if op.op.name == "LceBconv2d":
        return LCE
    if is_packed(op.op):
        return OWN
    return "" if not op.bits else INT8 if op.precision.endswith("int8") else STORED


def _by_quantizers(
    layer: Declared, ops: list[WeightOp], by: str, format: str, why: Reason | None, rewritten: str
) -> Entry:
    """A layer with quantizers is kept when the file holds its weights in their bits.

    ``why`` says what keeps it from an op that computes with bits. Where its inputs are quantized too, that is worth a
    remark: they are rounded in float.
    """
    columns = list(dict.fromkeys(map(ships_as, ops)))
    kind = "binary" if format == "auto" and not layer.few_bit else "few-bit"
    if not ops or "" in columns:
        why = why or Reason("no_op", "no packed op carries this layer's weights", "report it with the model")
        return replace(_entry(layer, kind, ops, by, False, why), ships_as=REFUSED)
    about = _against_floats(layer, ops)
    if columns == [LCE]:
        about = _saved(layer, ops) if rewritten else remark(layer) or about
    elif STORED in columns and why is not None and "input_quantizer" in quantizers_of(layer.layer):
        about = why
    return replace(_entry(layer, kind, ops, by, True, about), rewritten=rewritten, ships_as=", ".join(columns))


def _in_int8(layer: Declared, ops: list[WeightOp], by: str, rounded: Reason | None) -> Entry:
    """A layer whose kernel alone is quantized, as an int8 op; worth a note where its levels were rounded anew."""
    exact = Reason("saved", "its levels are the int8 weights, with the scales of its quantizer", "")
    kind = "few-bit" if layer.few_bit else "binary"
    return replace(_entry(layer, kind, ops, by, True, rounded or exact), ships_as=INT8)


def _entry(layer: Declared, kind: str, ops: list[WeightOp], by: str, kept: bool, why: Reason | None) -> Entry:
    return Entry(
        layer=layer.name,
        type=layer.type,
        declared=kind,
        op=" + ".join(op.op.name for op in ops) or "-",
        precision=", ".join(dict.fromkeys(op.precision for op in ops)) or "-",
        bytes=sum(op.bytes for op in ops),
        status="fallback" if not kept else "note" if why and why.code != "saved" else "ok",
        matched_by=by,
        code=why.code if why else "",
        reason=why.text if why else "",
        fix=why.fix if why else "",
    )


def _saved(layer: Declared, ops: list[WeightOp]) -> Reason:
    """What the rewrite to a binary op saves; without it the converter stores these kernels as floats."""
    saved = _against_floats(layer, ops)
    padding = remark(layer)
    return saved if padding is None else Reason(padding.code, f"{saved.text}; {padding.text}", padding.fix)


def _against_floats(layer: Declared, ops: list[WeightOp]) -> Reason:
    floats = sum(kernel.size for kernel in layer.kernels) * 4
    packed = sum(op.bytes for op in ops)
    return Reason("saved", f"{format_bytes(max(floats - packed, 0))} saved against float storage", "")


def _float_op(name: str, trained_int8: bool) -> Reason:
    """Why an op of an integer model computes in float. Calibration gives every tensor a range; training may not."""
    if trained_int8:
        return Reason(
            "float_op",
            f"{name} computes in float: its input or output has no quantization range",
            "train with tfkit.quantize_aware(model), which gives every tensor a range",
        )
    return Reason(
        "float_op",
        f"{name} computes in float although its ranges are known: TensorFlow Lite has no int8 form of it here",
        "replace the layer by one with an int8 form; `tfkit inspect` shows the ops around it",
    )


def _why_not_int8(layer: Declared, ops: list[WeightOp], format: str, trained_int8: bool) -> Reason:
    if not ops:
        return Reason(
            "no_op",
            "no op carries this layer's weights: the converter folded or rewrote them",
            "look at `tfkit inspect`; if the op is there under another shape, report it with the model",
        )
    size = sum(kernel.size for kernel in layer.kernels)
    if format == "dynamic" and size < DYNAMIC_MINIMUM:
        return Reason("small", f"{size} weights: the converter leaves kernels below {DYNAMIC_MINIMUM} in float", "")
    if format == "dynamic":
        return Reason(
            "no_dynamic_kernel",
            f"{ops[0].op.name} has no kernel for int8 weights with float activations",
            "use format int8 with calibration data",
        )
    return _float_op(ops[0].op.name, trained_int8)


def _about_sparse(layer: Declared, ops: list[WeightOp], kept: bool, format: str) -> Reason:
    share = f"{layer.zeros:.0%} of its weights are zero"
    if kept:
        saved = sum(op.dense_bytes - op.bytes for op in ops)
        return Reason("saved", f"{share}; {format_bytes(max(saved, 0))} saved against dense storage", "")
    if format != "float32":
        return Reason(
            "sparse_format",
            f"{share}, but {format} stores them densely: only float32 kernels have a sparse form",
            "use format float32 for sparse inference, or a compressed file where only the download counts",
        )
    return Reason(
        "sparse_op",
        f"{share}, but {' + '.join(op.op.name for op in ops) or 'the op'} was stored densely: "
        "TFLite encodes only convolutions and dense layers sparsely, and none where a kernel is all zeros",
        f"prune 1x1 convolutions and dense layers, to {SPARSE_SHARE:.0%} zeros or more; leave no kernel empty",
    )


def _op_entry(op: WeightOp, format: str, trained_int8: bool) -> Entry:
    wanted = {"int8": ("int8",), "dynamic": ("int8 weights", "float32"), "lce": ("binary",)}[format]
    kept = op.precision in (*wanted, "binary")
    why = None if kept else _float_op(op.op.name, trained_int8)
    name = "/".join(op.names[0].split(";")[0].split("/")[-2:])
    return Entry(
        name, "", "binary" if op.precision == "binary" else "int8", op.op.name, op.precision, op.bytes,
        "ok" if kept else "fallback", "op", why.code if why else "", why.text if why else "", why.fix if why else "",
    )  # fmt: skip


def _float_islands(
    graph: Graph,
    ops: Sequence[WeightOp],
    trained_int8: bool,
    owners: Mapping[int, str],
    names: Sequence[str] = (),
) -> list[Entry]:
    """Ops that compute in float inside an integer model; the first QUANTIZE and last DEQUANTIZE are its doors."""
    weighted = {op.index for op in ops if op.precision != "binary"}
    found = []
    for index, op in enumerate(graph.ops):
        outputs = [graph.tensors[i] for i in op.outputs]
        floats = any(t.type == "FLOAT32" for t in outputs)
        if op.name in _BOUNDARY:
            continue
        if not floats or index in weighted:  # weighted ops have their own entry
            continue
        near = [name for name in names if named_like([outputs[0].name], name.rsplit("/", 1)[-1]) == 2]
        layer = owners.get(index) or (near[0] if near else outputs[0].name)
        if op.name == "LceBconv2d":
            why = Reason(
                "float_op",
                "the binary convolution writes floats into an int8 model",
                "give the batch normalization after it an output range: tfkit.quantize_aware does",
            )
        else:
            why = _float_op(op.name, trained_int8)
        found.append(Entry(layer, "", "int8", op.name, "float32", 0, "fallback", "name", why.code, why.text, why.fix))
    return found
