"""TensorFlow functions called on Keras tensors, as layers: symbol of the function -> rule, ``OPERATORS``.

Functions of one tensor that keep its shape (activations, casts, clipping) need no rule: they are recognised by
their values.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit._registry import Registry
from tfkit.quantization import layers as own
from tfkit.quantization.activations import recognise
from tfkit.quantization.calls import Call, Graph
from tfkit.quantization.lowering import RULES, only_tensors
from tfkit.quantization.rewriting import Rewriter, Unsupported, renamed

keras = legacy_keras()
layers = keras.layers

Arguments = Mapping[str, Any]
Operator = Callable[[Call, Arguments, Rewriter], Call]

OPERATORS: Registry[Operator] = Registry("operator")


def lowered_operator(call: Call, rewriter: Rewriter) -> Call:
    """The rule of an operator's symbol applied to its arguments by name."""
    symbol = str(getattr(call.layer, "symbol", None) or getattr(call.layer.function, "__name__", "a function"))
    arguments = _arguments(call)
    if symbol in OPERATORS:
        return OPERATORS[symbol](call, arguments, rewriter)
    if len(call.inputs) == 1 and call.shape == call.inputs[0].shape and len(call.shape) > 1:
        return _elementwise(call, symbol, rewriter)
    raise Unsupported(f"computes tf.{symbol}, which has no int8 form here; {_ADVICE}")


_ADVICE = "use a Keras layer or a TensorFlow function from tfkit.quantization.operators, or register a rule there"


def _arguments(call: Call) -> dict[str, Any]:
    """Arguments by name, with the inputs of the call where the tensors they replace were."""
    args, kwargs = call.args or (call.inputs[0],), call.kwargs
    try:
        bound = inspect.signature(call.layer.function).bind(*args, **kwargs)
    except (TypeError, ValueError) as error:
        raise Unsupported(f"is called in a way that its signature does not allow ({error})") from error
    bound.apply_defaults()
    return dict(bound.arguments)


def _elementwise(call: Call, symbol: str, rewriter: Rewriter) -> Call:
    function, kwargs = call.layer.function, call.kwargs
    args = call.args or (call.inputs[0],)

    def apply(x: Any) -> Any:
        return function(*(x if isinstance(a, Call) else a for a in args), **_replaced(kwargs, x))

    found = recognise(apply, len(call.shape))
    if found is None:
        raise Unsupported(f"computes tf.{symbol}, which has no int8 form here; {_ADVICE}")
    return rewriter.activation(found, call.inputs[0], call.name)


def _replaced(kwargs: Mapping[str, Any], x: Any) -> dict[str, Any]:
    return {name: x if isinstance(value, Call) else value for name, value in kwargs.items()}


def _binary(kind: Callable[..., Any], constants: Callable[[Any, bool], tuple[Any, Any]]) -> Operator:
    """An operator of two tensors, or of one and constants: (constant, it comes first) -> (scale, offset)."""

    def rule(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
        x, y = arguments["x"], arguments["y"]
        if isinstance(x, Call) and isinstance(y, Call):
            return _of_two(kind, call, [x, y], rewriter)
        first = not isinstance(x, Call)
        given, constant = (y, x) if first else (x, y)
        scale, offset = constants(_numbers(constant), first)
        return rewriter.affine(given, scale, offset, call.name)

    return rule


def _of_two(kind: Callable[..., Any], call: Call, inputs: list[Call], rewriter: Rewriter) -> Call:
    """TensorFlow lines up the last axes of two tensors, Keras' layers the first."""
    if len(inputs[0].shape) != len(inputs[1].shape):
        raise Unsupported("combines tensors with different numbers of axes; reshape one to those of the other")
    return rewriter.layer(kind(), inputs, call.name)


def _extremum(kind: Callable[..., Any]) -> Operator:
    def rule(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
        if len(call.inputs) == 2:
            return _of_two(kind, call, call.inputs, rewriter)
        return _elementwise(call, "maximum or minimum with a constant", rewriter)

    return rule


def _numbers(value: Any) -> np.ndarray:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise Unsupported("computes with a value that is no constant; use Keras layers for what has weights") from error


def _difference(constant: np.ndarray, first: bool) -> tuple[Any, Any]:
    return (-1.0, constant) if first else (1.0, -constant)


def _divide(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    x, y = arguments["x"], arguments["y"]
    if isinstance(y, Call):
        raise Unsupported("divides by a tensor, which has no int8 kernel; divide by constants only")
    return rewriter.affine(x, 1 / _numbers(y), 0.0, call.name)


def _concat(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    axis = _axis(arguments["axis"], len(call.shape))
    return rewriter.layer(layers.Concatenate(axis=axis), _joined(arguments["values"], axis), call.name)


def _joined(values: Any, axis: int) -> list[Call]:
    """What stands side by side along an axis."""
    if axis == 0:
        raise Unsupported("joins batches; join height, width or channels")
    if not all(isinstance(value, Call) for value in values):
        raise Unsupported("joins tensors with constants; pad with zeros (tf.pad), or join tensors only")
    return list(values)


def _stack(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    axis = _axis(arguments["axis"], len(call.shape))
    shape = [1 if n == axis else size for n, size in enumerate(call.shape)]
    parts = [
        rewriter.reshaped(x, shape[1:], rewriter.names.unique(f"{call.name}_{n}"))
        for n, x in enumerate(_joined(arguments["values"], axis))
    ]
    return rewriter.layer(layers.Concatenate(axis=axis), parts, call.name)


def _reshape(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    x = call.inputs[0]
    if call.shape[0] is not None and call.shape[0] != x.shape[0]:
        raise Unsupported(f"gives every batch the shape {call.shape}; keep the batch as the first axis (-1)")
    if call.shape[1:].count(None) > 1 or (None in call.shape[1:] and None in x.shape[1:]):
        raise Unsupported("reshapes a tensor of free size; give the network an input of fixed size")
    shape = call.shape[1:]
    if None in shape:
        known = math.prod(size for size in shape if size is not None)
        total = math.prod(size for size in x.shape[1:] if size is not None)
        shape = tuple(total // known if size is None else size for size in shape)
    if None not in x.shape[1:] and math.prod(shape) != math.prod(x.shape[1:]):  # type: ignore[arg-type]
        raise Unsupported(f"makes other samples, {shape} of {x.shape[1:]}; keep what belongs to a sample together")
    return rewriter.reshaped(x, shape, call.name)


def _transpose(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    order = arguments.get("perm")
    order = list(range(len(call.shape)))[::-1] if order is None else [int(n) for n in _numbers(order)]
    if order[0] != 0:
        raise Unsupported("moves the batch; keep it the first axis")
    return rewriter.layer(layers.Permute(order[1:]), call.inputs, call.name)


def _reduce(kind2d: Callable[..., Any], word: str) -> Operator:
    def rule(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
        (x,) = call.inputs
        axes = arguments["axis"]
        axes = None if axes is None else sorted({_axis(n, len(x.shape)) for n in np.atleast_1d(axes)})
        if len(x.shape) == 4 and axes == [1, 2]:
            return rewriter.layer(kind2d(keepdims=bool(arguments["keepdims"])), [x], call.name)
        if len(x.shape) == 3 and axes == [1]:
            wide = rewriter.reshaped(x, (*x.shape[1:2], 1, x.shape[2]), rewriter.names.unique(f"{call.name}_wide"))
            made = rewriter.layer(kind2d(), [wide], rewriter.names.unique(f"{call.name}_2d"))
            return rewriter.reshaped(made, call.shape[1:], call.name)
        raise Unsupported(
            f"takes the {word} over axes {axes} of {len(x.shape)}; over height and width, (1, 2), it has an int8 form"
        )

    return rule


def _pad(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    widths = _numbers(arguments["paddings"]).astype(int).tolist()
    mode, value = str(arguments.get("mode", "CONSTANT")).upper(), arguments.get("constant_values") or 0
    if mode != "CONSTANT" or np.any(_numbers(value) != 0):
        raise Unsupported("pads with something else than zeros; pad with zeros, or use padding='same'")
    if len(widths) == 4 and not any(widths[0]) and not any(widths[3]):
        return rewriter.layer(layers.ZeroPadding2D(widths[1:3]), call.inputs, call.name)
    if len(widths) == 4 and not any(np.ravel(widths[:3])):
        return rewriter.layer(own.PadChannels(*widths[3]), call.inputs, call.name)
    raise Unsupported(f"pads by {widths}; pad height and width, or channels, of [batch, height, width, channels]")


def _resize(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    if arguments.get("antialias") or arguments.get("preserve_aspect_ratio"):
        raise Unsupported("resizes with antialias or preserve_aspect_ratio, which has no int8 kernel; leave them out")
    return rewriter.resize(call.inputs[0], call.shape, str(arguments["method"]).lower(), call.name)


def _split(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    x = call.inputs[0]
    axis = _axis(arguments["axis"], len(x.shape))
    sizes = arguments["num_or_size_splits"]
    total = x.shape[axis]
    if axis == 0 or total is None:
        raise Unsupported("splits the batch or an axis of free size; split height, width or channels of fixed size")
    parts = [total // int(sizes)] * int(sizes) if np.ndim(sizes) == 0 else [int(n) for n in sizes]
    if -1 in parts:
        parts[parts.index(-1)] = total - sum(parts) - 1
    start = sum(parts[: call.index])
    return _sliced(x, {axis: (start, start + parts[call.index], None)}, call, rewriter)


def _unstack(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    x = call.inputs[0]
    axis = _axis(arguments["axis"], len(x.shape))
    if axis == 0:
        raise Unsupported("takes the batch apart; take height, width or channels apart")
    part = _sliced(x, {axis: (call.index, call.index + 1, None)}, call, rewriter)
    return rewriter.reshaped(renamed(part, rewriter.names.unique(f"{call.name}_slice")), call.shape[1:], part.name)


def _sliced(
    x: Call, slices: Mapping[int, tuple[int | None, int | None, int | None]], call: Call, rewriter: Rewriter
) -> Call:
    parts = [slices.get(axis, (None, None, None)) for axis in range(1, len(x.shape))]
    return rewriter.layer(own.Slice(parts), [x], call.name)


def _getitem(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    x = call.inputs[0]
    if len(x.shape) and x.kind in ("TFOpLambda", "SlicingOpLambda") and _is_shape(x):
        return call  # a size taken from a shape; what reads it says whether it can
    spec = arguments["slice_spec"]
    entries = list(spec) if isinstance(spec, Sequence) else [spec]
    if any(isinstance(entry, Call) for entry in entries):
        raise Unsupported("slices at places that are computed; slice at constants")
    axes = len(x.shape)
    used = sum(entry is not None and entry is not Ellipsis for entry in entries)
    if Ellipsis in [entry if entry is Ellipsis else None for entry in entries]:
        place = next(n for n, entry in enumerate(entries) if entry is Ellipsis)
        entries[place : place + 1] = [slice(None)] * (axes - used)
    slices: dict[int, tuple[int | None, int | None, int | None]] = {}
    axis, reshapes = 0, False
    for entry in entries:
        if entry is None:
            reshapes = True
            continue
        if isinstance(entry, Mapping):
            entry = slice(entry["start"], entry["stop"], entry["step"])
        if isinstance(entry, slice):
            part = tuple(None if v is None else int(v) for v in (entry.start, entry.stop, entry.step))
        else:
            index, reshapes = int(entry), True
            part = (index, None if index == -1 else index + 1, None)
        if part != (None, None, None):
            slices[axis] = part  # type: ignore[assignment]
        axis += 1
    if 0 in slices:
        raise Unsupported("slices the batch; slice height, width or channels")
    if not reshapes:
        return _sliced(x, slices, call, rewriter)
    part_call = _sliced(x, slices, call, rewriter)
    if None in call.shape[1:]:
        raise Unsupported("changes the axes of a tensor of free size; give the network an input of fixed size")
    inner = renamed(part_call, rewriter.names.unique(f"{call.name}_slice"))
    return rewriter.reshaped(inner, call.shape[1:], call.name)


def _is_shape(call: Call) -> bool:
    return str(getattr(call.layer, "symbol", "")).split(".")[-1] in ("shape", "getitem") and len(call.shape) <= 1


def _size(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
    return call


def _rearrange(to: str) -> Operator:
    def rule(call: Call, arguments: Arguments, rewriter: Rewriter) -> Call:
        return rewriter.layer(own.Rearrange(int(arguments["block_size"]), to), [call.inputs[0]], call.name)

    return rule


def _axis(axis: Any, rank: int) -> int:
    return int(axis) % rank


_ADD = _binary(layers.Add, lambda constant, first: (1.0, constant))
_SUBTRACT = _binary(layers.Subtract, _difference)
_MULTIPLY = _binary(layers.Multiply, lambda constant, first: (constant, 0.0))
for _name in ("__operators__.add", "__operators__.radd", "math.add", "add"):
    OPERATORS.add(_name, _ADD)
for _name in ("__operators__.sub", "__operators__.rsub", "math.subtract", "subtract"):
    OPERATORS.add(_name, _SUBTRACT)
for _name in ("__operators__.mul", "__operators__.rmul", "math.multiply", "multiply"):
    OPERATORS.add(_name, _MULTIPLY)
for _name in ("__operators__.truediv", "math.truediv", "math.divide", "divide", "realdiv"):
    OPERATORS.add(_name, _divide)
OPERATORS.add("math.maximum", _extremum(layers.Maximum))
OPERATORS.add("math.minimum", _extremum(layers.Minimum))
OPERATORS.add("concat", _concat)
OPERATORS.add("stack", _stack)
for _name in ("reshape", "squeeze", "expand_dims", "compat.v1.squeeze", "compat.v1.expand_dims"):
    OPERATORS.add(_name, _reshape)
for _name in ("transpose", "compat.v1.transpose"):
    OPERATORS.add(_name, _transpose)
for _name in ("math.reduce_mean", "reduce_mean"):
    OPERATORS.add(_name, _reduce(layers.GlobalAveragePooling2D, "mean"))
for _name in ("math.reduce_max", "reduce_max"):
    OPERATORS.add(_name, _reduce(layers.GlobalMaxPooling2D, "maximum"))
for _name in ("pad", "compat.v1.pad"):
    OPERATORS.add(_name, _pad)
OPERATORS.add("image.resize", _resize)
OPERATORS.add("split", _split)
OPERATORS.add("unstack", _unstack)
OPERATORS.add("__operators__.getitem", _getitem)
for _name in ("shape", "compat.v1.shape"):
    OPERATORS.add(_name, _size)
for _name in ("nn.depth_to_space", "compat.v1.depth_to_space"):
    OPERATORS.add(_name, _rearrange("space"))
for _name in ("nn.space_to_depth", "space_to_depth", "compat.v1.space_to_depth"):
    OPERATORS.add(_name, _rearrange("depth"))

RULES.add("TFOpLambda", lowered_operator)
RULES.add("SlicingOpLambda", lowered_operator)


def lower(graph: Graph) -> tuple[Graph, Rewriter]:
    """The same function in layers that int8 inference knows; the rewriter's ``offenders`` have no such form."""
    rewriter = Rewriter(graph)

    def rewrite(call: Call) -> Call:
        try:
            return RULES[call.kind](call, rewriter) if call.kind in RULES else only_tensors(call)
        except Unsupported as error:
            rewriter.offend(call, str(error))
            return call

    return graph.rewritten(rewrite), rewriter
