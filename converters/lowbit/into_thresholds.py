"""A quantizer behind a few-bit layer, and the float ops between them: folded into thresholds on the layer's sums."""

from __future__ import annotations

import numpy as np

from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph
from tfkit.converters.lowbit import bits, sum_thresholds
from tfkit.converters.lowbit.float_steps import composed
from tfkit.converters.lowbit.links import Links
from tfkit.converters.lowbit.sum_thresholds import Thresholds
from tfkit.converters.lowbit.way import Way, way_to
from tfkit.converters.op_edit import OpEdit
from tfkit.converters.weights import Constants, real

_SCALES, _BIAS = 2, 3
_ABSENT = -1
_WORD = 32
_MARGIN = 1.001  # of a bound on float sums, for their roundings


def into_thresholds(flatbuffer: bytes) -> bytes:
    """The model whose few-bit layers write the bits of the quantizers that alone read them.

    Every sum gets the level that the chain of float32 operations would give it. A max-pooling in between works on the
    levels; a flattening becomes the window of the dense layers behind it.
    """
    graph = fb.parse(flatbuffer).main
    constants, links = Constants(graph), Links(graph)
    edit = OpEdit(flatbuffer)
    changed = False
    for number, op in enumerate(graph.ops):
        way = way_to(graph, constants, links, number) if op.name == bits.QUANTIZE else None
        if way is not None:
            changed |= _Fold(edit, graph, constants, way).run()
    return edit.serialize() if changed else flatbuffer


class _Fold:
    """One layer with one quantizer."""

    def __init__(self, edit: OpEdit, graph: Graph, constants: Constants, way: Way) -> None:
        self._edit, self._graph, self._constants, self._way = edit, graph, constants, way
        self._layer, self._quantizer = graph.ops[way.layer], graph.ops[way.quantizer]
        self._options = bits.options(self._layer)
        self._name = graph.tensors[self._layer.outputs[0]].name

    def run(self) -> bool:
        """Whether it could be done."""
        way, edit = self._way, self._edit
        steps = self._constants.tensor(self._quantizer.inputs[1])
        planes = fb.custom_options(self._quantizer).get("activation_planes")
        found = None if steps is None else self._thresholds(real(steps).ravel())
        if found is None or not isinstance(planes, int):
            return False
        thresholds, falls_behind_pool = found
        words = planes * -(-self._options["channels_out"] // _WORD)
        output, level_bits = self._quantizer.outputs[0], self._quantizer.inputs[2]

        stays = way.reshape is not None and not way.dense  # pixels are only grouped otherwise
        last = way.reshape if stays else way.pool
        shape = self._shape(way.layer)
        target = output if last is None else edit.tensor(f"{self._name}/levels", "INT32", (*shape[:-1], words))
        self._write_levels(thresholds, planes, level_bits, target)
        if way.pool is not None:
            shape = self._shape(way.pool)
            source, target = target, output
            if stays:
                target = edit.tensor(f"{self._name}/pooled", "INT32", (*shape[:-1], words))
            falling = self._mask("falling_behind_pool", falls_behind_pool)
            edit.custom(
                way.pool, bits.MAX_POOL, [source, level_bits, falling], [target], self._pool_options(way.pool, planes)
            )
        if way.reshape is not None and stays:
            sizes = np.asarray((*self._shape(way.quantizer)[:-1], words), np.int32)
            edit.builtin(way.reshape, "RESHAPE", [target, edit.constant(f"{self._name}/shape", sizes)], [output])
        if way.dense:
            edit.reshape(output, (*shape[:-1], words))
            for number in way.dense:
                self._let_flatten(number, shape)
        for number in (*way.between, way.quantizer):
            if number != way.pool and not (stays and number == way.reshape):
                edit.drop(number)
        return True

    def _shape(self, number: int) -> tuple[int, ...]:
        return self._graph.tensors[self._graph.ops[number].outputs[0]].shape

    def _thresholds(self, steps: np.ndarray) -> tuple[Thresholds, np.ndarray] | None:
        """Thresholds, and the channels that fall from the pooling on."""
        stored = [self._constants.tensor(self._layer.inputs[position]) for position in (_SCALES, _BIAS)]
        if stored[0] is None or stored[1] is None:
            return None
        scales, bias = real(stored[0]), real(stored[1])
        most = bits.largest_sum(self._layer)
        before, all_behind = self._way.before, composed([self._way.before, self._way.after])
        if self._options.get("bases", 0):
            ends = np.asarray(np.abs(scales).astype(np.float64).sum(0) * most * _MARGIN, np.float32)
            found = sum_thresholds.of_floats(lambda x: all_behind(x + bias), steps, ends)
            first, last = before(-ends + bias), before(ends + bias)
        else:
            channels, end = self._options["channels_out"], np.float32(most)
            found = sum_thresholds.of_integers(lambda x: all_behind(x * scales[0] + bias), steps, most, channels)
            first, last = before(-end * scales[0] + bias), before(end * scales[0] + bias)
        return None if found is None else (found, found.falls ^ (first > last))

    def _write_levels(self, thresholds: Thresholds, planes: int, level_bits: int, target: int) -> None:
        """The layer's new form."""
        inputs = [
            *self._layer.inputs[:_SCALES],
            self._layer.inputs[_SCALES] if self._options.get("bases", 0) else _ABSENT,
            _ABSENT,
            self._edit.constant(f"{self._name}/thresholds", thresholds.stored()),
            level_bits,
            self._mask("falling", thresholds.falls),
        ]
        # As they stand now: a dense layer may just have got a window.
        options = {**self._edit.options_of(self._way.layer), "output_planes": planes}
        self._edit.custom(self._way.layer, self._layer.name, inputs, [target], options)

    def _pool_options(self, number: int, planes: int) -> dict[str, int]:
        given = self._graph.ops[number].options
        return {
            "activation_planes": planes,
            "channels": self._options["channels_out"],
            "filter_height": int(given["filterHeight"]),
            "filter_width": int(given["filterWidth"]),
            "padding": int(given["padding"]),
            "stride_height": int(given["strideH"]),
            "stride_width": int(given["strideW"]),
        }

    def _let_flatten(self, number: int, shape: tuple[int, ...]) -> None:
        """A dense layer of flattened images as one whose window is the image: its weights lie in the same order."""
        window = {"kernel_height": shape[1], "kernel_width": shape[2], "channels_in": shape[3]}
        self._edit.set_options(number, {**self._edit.options_of(number), **window})

    def _mask(self, name: str, channels: np.ndarray) -> int:
        """Bits of channels as a constant; absent where none is set."""
        if not channels.any():
            return _ABSENT
        padded = np.zeros(-(-len(channels) // _WORD) * _WORD, np.uint8)
        padded[: len(channels)] = channels
        return self._edit.constant(f"{self._name}/{name}", np.packbits(padded, bitorder="little").view("<i4"))
