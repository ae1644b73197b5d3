"""Broken and hostile models in the real runtime: a clear error, never a crash and never a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from helpers.lce_graph import Convolution, LceGraph, pack, packed_words, unpack
from helpers.lce_runtimes import DelegatedInterpreter, delegate_path, runtime
from helpers.lce_worker import run_in_process

SEED = 5
MUTATIONS = 800
CONVOLUTION = Convolution(channels_in=33, channels_out=40, output="bitpacked")
SOURCE, SIGNS, FILTER, THRESHOLD, TARGET = range(5)
Edit = Callable[[schema.ModelT], None]


def edited(edit: Edit) -> bytes:
    """The valid model with one thing changed."""
    model = unpack(CONVOLUTION.model())
    edit(model)
    return pack(model)


def option(name: str, value: int | None) -> Edit:
    """Set or remove an option of the convolution."""
    options = {**CONVOLUTION.options(), name: value}
    kept = {key: number for key, number in sorted(options.items()) if number is not None}

    def edit(model: schema.ModelT) -> None:
        model.subgraphs[0].operators[1].customOptions = list(flexbuffers.Dumps(kept))

    return edit


def options_cut(model: schema.ModelT) -> None:
    operator = model.subgraphs[0].operators[1]
    operator.customOptions = operator.customOptions[: len(operator.customOptions) // 2]


def option_name_no_text(model: schema.ModelT) -> None:
    named = bytes(flexbuffers.Dumps({"abc": 1.5}))
    model.subgraphs[0].operators[1].customOptions = list(named.replace(b"abc", b"\xff\n\x1b"))


def shape(tensor: int, value: list[int]) -> Edit:
    def edit(model: schema.ModelT) -> None:
        model.subgraphs[0].tensors[tensor].shape = value

    return edit


def dtype(tensor: int, value: int) -> Edit:
    def edit(model: schema.ModelT) -> None:
        model.subgraphs[0].tensors[tensor].type = value

    return edit


def inputs(operator: int, value: list[int]) -> Edit:
    def edit(model: schema.ModelT) -> None:
        model.subgraphs[0].operators[operator].inputs = value

    return edit


def outputs(operator: int, value: list[int]) -> Edit:
    def edit(model: schema.ModelT) -> None:
        model.subgraphs[0].operators[operator].outputs = value

    return edit


def not_constant(tensor: int) -> Edit:
    def edit(model: schema.ModelT) -> None:
        model.subgraphs[0].tensors[tensor].buffer = 0

    return edit


REFUSED: dict[str, tuple[Edit, str]] = {
    "options_cut": (options_cut, "node 1 (LceBconv2d): the options are not a FlexBuffer map"),
    "option_missing": (option("padding", None), "the option 'padding' is missing"),
    "option_unknown": (option("weight_bits", 2), "options that tfkit does not know"),
    "option_range": (option("stride_height", 2**40), "the option 'stride_height' is out of range"),
    "option_no_text": (option_name_no_text, "the option '???' is not an integer"),
    "stride_0": (option("stride_height", 0), "does not fit"),
    "dilation_huge": (option("dilation_width_factor", 2**31 - 1), "does not fit"),
    "padding_9": (option("padding", 9), "the option 'padding' is 9"),
    "activation_tanh": (option("fused_activation_function", 4), "'fused_activation_function' is 4"),
    "channels_negative": (option("channels_in", -33), "'channels_in' is -33"),
    "channels_other": (option("channels_in", 100), "does not fit 100 input channels"),
    "odd_zero_padding": (option("pad_values", 0), "even number of channels"),
    "filter_rank": (shape(FILTER, [40, 3, 6]), "not of rank 4"),
    "filter_transposed": (shape(FILTER, [40, 3, 2, 3]), "does not fit 33 input channels"),
    "threshold_short": (shape(THRESHOLD, [4, 10]), "not of rank 1"),
    "threshold_float": (dtype(THRESHOLD, schema.TensorType.FLOAT32), "its output threshold has the wrong type"),
    "source_int32": (dtype(SOURCE, schema.TensorType.INT32), "node 0 (LceQuantize): its input is neither"),
    "target_int64": (dtype(TARGET, schema.TensorType.INT64), "its output is neither float32, int8 nor int32"),
    "target_int8": (dtype(TARGET, schema.TensorType.INT8), "is int8 without scale and zero point"),
    "filter_variable": (not_constant(FILTER), "its filter is not a constant"),
    "no_threshold": (inputs(1, [SIGNS, FILTER, -1, -1, -1]), "no output threshold"),
    "no_filter": (inputs(1, [SIGNS, -1, -1, -1, THRESHOLD]), "tensor -1, which does not exist"),
    "four_inputs": (inputs(1, [SIGNS, FILTER, -1, THRESHOLD]), "it has 4 inputs"),
    "float_signs": (inputs(1, [SOURCE, FILTER, -1, -1, THRESHOLD]), "its input is not int32"),
    "output_is_constant": (outputs(1, [THRESHOLD]), "a constant or a variable"),
    "output_is_input": (outputs(1, [SIGNS]), "node 1 writes tensor 1, which is read before it is written"),
    "image_channels": (shape(SOURCE, [1, 5, 5, 97]), "2 words of channels"),
    "image_rank": (shape(SOURCE, [25, 33]), "not 4 axes"),
}


def test_broken_models_fail_with_a_reason(tmp_path: Path) -> None:
    cases = {name: (edited(edit), []) for name, (edit, _) in REFUSED.items()}
    cases["valid"] = (CONVOLUTION.model(), [np.ones((1, 5, 5, 33), np.float32)])
    outcomes = run_in_process(cases, tmp_path)
    assert outcomes.pop("valid").error is None
    wrong = {
        name: outcome.error
        for name, outcome in outcomes.items()
        if outcome.error is None or REFUSED[name][1] not in outcome.error or "TfkitDelegate: " not in outcome.error
    }
    assert not wrong


def test_a_resize_that_does_not_fit_fails() -> None:
    interpreter = DelegatedInterpreter(Convolution(padding="VALID").model())
    with pytest.raises(RuntimeError, match=r"node 1 \(LceBconv2d\): a window of 3 .* an input of 2 pixels"):
        interpreter.resize((1, 2, 5, 32))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "fastest"}, "kernel = 'fastest' is not accepted; use one of: .*portable, reference"),
        ({"threads": "2"}, "there is no option 'threads'; the options are num_threads, kernel and profile"),
        ({"num_threads": "0"}, "num_threads = '0' is not accepted; use an integer from 1 to 256"),
        ({"profile": "often"}, "profile = 'often' is not accepted; use 0 or 1"),
    ],
)
def test_bad_options_fail(options: dict[str, str], message: str) -> None:
    _, load_delegate = runtime("ai_edge_litert")
    with pytest.raises(ValueError, match=message):
        load_delegate(str(delegate_path()), options)


def test_kernel_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFKIT_KERNEL", "reference")
    assert set(DelegatedInterpreter(CONVOLUTION.model()).kernels().values()) == {"reference"}
    monkeypatch.setenv("TFKIT_KERNEL", "refrence")
    with pytest.raises(ValueError, match="TFKIT_KERNEL = 'refrence' is not accepted; use one of"):
        DelegatedInterpreter(CONVOLUTION.model())


def fuzz_model() -> bytes:
    """All four ops in one graph, for mutation."""
    graph = LceGraph()
    source = graph.tensor("float32", (1, 6, 6, 40))
    signs = graph.tensor("int32", (1, 6, 6, 2))
    graph.custom("LceQuantize", [source], [signs])
    convolved = Convolution(6, 6, 40, 70, output="bitpacked").append_to(graph, signs)
    pooled = graph.tensor("int32", (1, 3, 3, 3))
    options = {"padding": 1, "stride_width": 2, "stride_height": 2, "filter_width": 2, "filter_height": 2}
    graph.custom("LceBMaxPool2d", [convolved], [pooled], options)
    as_int8 = Convolution(3, 3, 70, 9, output="int8").append_to(graph, pooled)
    unpacked = graph.tensor("float32", (1, 3, 3, 70))
    graph.custom("LceDequantize", [pooled], [unpacked])
    return graph.serialize([source], [as_int8, unpacked])


def mutate(flatbuffer: bytes, random: np.random.Generator) -> bytes:
    """Change one or two things that only the delegate reads: the runtime itself does not survive arbitrary bytes."""
    model = unpack(flatbuffer)
    graph = model.subgraphs[0]
    for part in graph.operators:
        part.inputs = list(part.inputs)
        part.customOptions = None if part.customOptions is None else list(part.customOptions)
    for part in graph.tensors:
        part.shape = list(part.shape)
    for _ in range(random.integers(1, 3)):
        operator = graph.operators[random.integers(len(graph.operators))]
        tensor = graph.tensors[random.integers(1, len(graph.tensors))]
        value = int(random.choice([-1, 0, 1, 2, 3, 5, 31, 32, 33, 64, 70, 1000, 2**31 - 1]))
        kind = random.integers(6)
        if kind == 0 and operator.customOptions:
            operator.customOptions[random.integers(len(operator.customOptions))] = int(random.integers(256))
        elif kind == 1 and operator.customOptions is not None:
            operator.customOptions = operator.customOptions[: random.integers(len(operator.customOptions))]
        elif kind == 2 and tensor.buffer == 0:
            tensor.shape[random.integers(len(tensor.shape))] = value
        elif kind == 3 and tensor.buffer == 0:
            tensor.type = int(random.choice([0, 1, 2, 9]))
        elif kind == 4:
            operator.inputs[random.integers(len(operator.inputs))] = int(random.integers(-1, len(graph.tensors)))
        elif kind == 5:
            # A constant keeps its number of elements, which the runtime checks, in another shape.
            tensor.shape = [int(size) for size in random.permutation(tensor.shape)]
    return pack(model)


# One seed in the gate; the others, twenty times as many models, in `make test-all`.
SEEDS = [SEED, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 120))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["ai_edge_litert", "tflite_runtime"])
def test_mutated_models_do_not_crash(name: str, seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    valid = fuzz_model()
    image = random.standard_normal((1, 6, 6, 40)).astype(np.float32)
    cases = {f"seed_{seed}_mutation_{number}": (mutate(valid, random), [image]) for number in range(MUTATIONS)}
    outcomes = run_in_process(cases, tmp_path, name)
    refused = [outcome.error for outcome in outcomes.values() if outcome.error is not None]
    # Many mutations matter, some do not (a shape that is inferred anyway).
    assert MUTATIONS / 3 < len(refused) < MUTATIONS
    assert sum("TfkitDelegate: " in error for error in refused) > MUTATIONS / 4


def test_words_of_unused_channels_stay_clear() -> None:
    # A convolution that follows would count them.
    for convolution in (CONVOLUTION, Convolution(channels_in=64, channels_out=33, groups=1, output="bitpacked")):
        values = np.random.default_rng(SEED).standard_normal((1, 5, 5, convolution.channels_in)).astype(np.float32)
        (words,) = DelegatedInterpreter(convolution.model()).run([values])
        assert words.shape[-1] == packed_words(convolution.channels_out)
        unused = words.view(np.uint32)[..., -1] >> np.uint32(convolution.channels_out % 32)
        assert not unused.any()
