"""Single ops and chains against LCE's own interpreter with its reference convolution, bit for bit."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers.lce_graph import ACTIVATIONS, Convolution, LceGraph, packed_words
from helpers.lce_runtimes import DelegatedInterpreter, assert_same_bits, lce_reference
from helpers.lce_worker import run_in_process

SEED = 311
OUTPUTS = ("float32", "int8", "bitpacked")
# Kernel name to the CPU flag that it needs and the ops that have it; other ops keep their default.
EVERY_OP = ("LceQuantize", "LceDequantize", "LceBconv2d", "LceBMaxPool2d")
KERNELS = {
    "reference": (None, EVERY_OP),
    "portable": (None, EVERY_OP),
    "popcnt": ("popcnt", ("LceBconv2d",)),
    "avx2": ("avx2", EVERY_OP),
    "avx2_lut": ("avx2", ("LceBconv2d",)),
    "avx512bw": ("avx512bw", ("LceQuantize", "LceDequantize")),
    "avx512vpopcntdq": ("avx512_vpopcntdq", ("LceBconv2d",)),
}


def float_input(shape: tuple[int, ...], seed: int = SEED) -> np.ndarray:
    """Random values with zeros of both signs among them."""
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    values.flat[::7] = 0.0
    values.flat[3::7] = -0.0
    return values


@functools.cache
def kernels_here() -> tuple[str, ...]:
    """The kernels that this CPU can run."""
    text = Path("/proc/cpuinfo").read_text()
    flags = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    return tuple(name for name, (flag, _) in KERNELS.items() if flag is None or flag in flags)


def check(flatbuffer: bytes, inputs: list[np.ndarray], runtime: str = "ai_edge_litert", what: str = "") -> None:
    """Every kernel against LCE; and it was that kernel that ran."""
    expected = lce_reference(flatbuffer, inputs)
    defaults = DelegatedInterpreter(flatbuffer, runtime).kernels()
    for kernel in kernels_here():
        ops = KERNELS[kernel][1]
        if not defaults.keys() & set(ops):
            continue
        try:
            interpreter = DelegatedInterpreter(flatbuffer, runtime, {"kernel": kernel})
        except RuntimeError as error:
            # Groups whose channels do not fill words, and sums beyond 16 bits; the native tests hold it to those.
            if kernel == "avx2_lut" and "cannot run this shape" in str(error):
                continue
            raise
        for index, (want, got) in enumerate(zip(expected, interpreter.run(inputs), strict=True)):
            assert_same_bits(want, got, f"{what} output {index}, kernel {kernel}, runtime {runtime}, seed {SEED}")
        ran = interpreter.kernels()
        assert ran == {op: kernel if op in ops else defaults[op] for op in ran}


def paddings() -> Iterator[tuple[str, int]]:
    yield from (("SAME", 1), ("SAME", 0), ("VALID", 1))


CONVOLUTIONS = [
    *(
        Convolution(padding=padding, pad_values=pad_values, activation=activation, output=output, seed=seed)
        for seed, (padding, pad_values) in enumerate(paddings())
        for activation in ACTIVATIONS
        for output in OUTPUTS
    ),
    *(
        Convolution(channels_in=channels_in, channels_out=channels_out, output=output, seed=channels_in)
        for channels_in in (1, 3, 31, 33, 64, 65, 100)
        for channels_out in (1, 5, 33)
        for output in OUTPUTS
    ),
    *(
        Convolution(
            height=9, width=8, stride=stride, dilation=dilation, padding=padding, pad_values=pad_values, output=output
        )
        for stride in ((1, 1), (2, 2), (1, 3))
        for dilation in ((1, 1), (2, 2), (3, 1))
        for padding, pad_values in paddings()
        for output in OUTPUTS
    ),
    *(
        Convolution(
            channels_in=64 * groups,
            channels_out=6 * groups,
            groups=groups,
            padding=padding,
            pad_values=pad_values,
            output=output,
        )
        for groups in (2, 3, 4)
        for padding, pad_values in paddings()
        for output in OUTPUTS
    ),
    *(
        Convolution(height=1, width=width, kernel=kernel, output=output)
        for width in (1, 2, 3, 7)
        for kernel in ((1, 1), (1, 2), (5, 5))
        for output in OUTPUTS
    ),
    # Sums that reach beyond 16 bits.
    *(Convolution(height=3, width=3, channels_in=8192, channels_out=4, output=output) for output in OUTPUTS),
]


@pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=str)
def test_convolution_equals_lce(convolution: Convolution) -> None:
    check(convolution.model(), [float_input((1, convolution.height, convolution.width, convolution.channels_in))])


def random_convolution(seed: int) -> Convolution:
    """A convolution that LCE's reference kernel accepts."""
    random = np.random.default_rng([SEED, seed])

    def pick(*choices: int) -> int:
        return int(random.choice(choices))

    groups = pick(1, 1, 2, 3)
    padding, pad_values = list(paddings())[pick(0, 1, 2)]
    channels = pick(*range(2, 130, 2)) if groups == 1 else 32 * groups * pick(1, 2)
    return Convolution(
        height=pick(*range(10, 16)),
        width=pick(*range(10, 16)),
        channels_in=channels,
        channels_out=groups * pick(*range(1, 40)),
        groups=groups,
        kernel=(pick(1, 2, 3, 4), pick(1, 2, 3, 4)),
        stride=(pick(1, 2, 3), pick(1, 2, 3)),
        dilation=(pick(1, 2, 3), pick(1, 2, 3)),
        padding=padding,
        pad_values=pad_values,
        activation=list(ACTIVATIONS)[pick(0, 1, 2, 3)],
        output=OUTPUTS[pick(0, 1, 2)],
        seed=seed,
    )


@pytest.mark.parametrize("block", range(10))
def test_random_convolutions_equal_lce(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        convolution = random_convolution(seed)
        shape = (1, convolution.height, convolution.width, convolution.channels_in)
        check(convolution.model(), [float_input(shape, seed)], what=str(convolution))


@pytest.mark.parametrize("channels", [1, 31, 32, 33, 64, 97])
def test_quantize_float_equals_lce(channels: int) -> None:
    graph = LceGraph()
    source = graph.tensor("float32", (1, 6, channels))
    signs = graph.tensor("int32", (1, 6, packed_words(channels)))
    graph.custom("LceQuantize", [source], [signs])
    values = float_input((1, 6, channels))
    check(graph.serialize([source], [signs]), [values])


@pytest.mark.parametrize("zero_point", [-128, -1, 0, 7, 127])
def test_quantize_int8_equals_lce(zero_point: int) -> None:
    graph = LceGraph()
    source = graph.tensor("int8", (1, 8, 37), scale=0.1, zero_point=zero_point)
    signs = graph.tensor("int32", (1, 8, 2))
    graph.custom("LceQuantize", [source], [signs])
    values = np.resize(np.arange(-128, 128, dtype=np.int8), (1, 8, 37))
    check(graph.serialize([source], [signs]), [values])


@pytest.mark.parametrize(
    ("dtype", "quantization"),
    [
        ("float32", {}),
        *(
            ("int8", {"scale": scale, "zero_point": zero_point})
            for scale in (1.0, 0.5, 0.4, 0.01, 3.0)
            for zero_point in (-128, -100, 0, 3, 100, 127)
        ),
    ],
    ids=str,
)
def test_dequantize_equals_lce(dtype: str, quantization: dict[str, float]) -> None:
    graph = LceGraph()
    source = graph.tensor("int32", (1, 4, 2))
    target = graph.tensor(dtype, (1, 4, 50), **quantization)
    graph.custom("LceDequantize", [source], [target])
    words = np.random.default_rng(SEED).integers(-(2**31), 2**31, (1, 4, 2), dtype=np.int32)
    words[..., 1] &= (1 << 18) - 1
    check(graph.serialize([source], [target]), [words])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("window", [(1, 1), (2, 2), (3, 2), (3, 3)], ids=str)
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (2, 3)], ids=str)
def test_maxpool_equals_lce(padding: str, window: tuple[int, int], stride: tuple[int, int]) -> None:
    size = Convolution(height=7, width=6, kernel=window, stride=stride, padding=padding).output_size
    graph = LceGraph()
    source = graph.tensor("int32", (1, 7, 6, 3))
    target = graph.tensor("int32", (1, *size, 3))
    options = {
        "padding": 0 if padding == "SAME" else 1,
        "stride_width": stride[1],
        "stride_height": stride[0],
        "filter_width": window[1],
        "filter_height": window[0],
    }
    graph.custom("LceBMaxPool2d", [source], [target], options)
    random = np.random.default_rng(SEED)
    # Mostly set bits, or nearly every maximum would be +1.
    words = (random.integers(-(2**31), 2**31, (1, 7, 6, 3)) | random.integers(-(2**31), 2**31, (1, 7, 6, 3))).astype(
        np.int32
    )
    check(graph.serialize([source], [target]), [words])


def chain(*, keep_inner: bool = False, batch: int = 1) -> bytes:
    """Quantize, two convolutions through a bitpacked tensor, pool, an int8 and a float end; all in one partition."""
    graph = LceGraph()
    source = graph.tensor("float32", (batch, 8, 8, 40), signature=(-1, 8, 8, 40))
    signs = graph.tensor("int32", (batch, 8, 8, 2))
    graph.custom("LceQuantize", [source], [signs])
    first = Convolution(8, 8, 40, 70, output="bitpacked", seed=1).append_to(graph, signs, batch=batch)
    pooled = graph.tensor("int32", (batch, 4, 4, 3))
    options = {"padding": 1, "stride_width": 2, "stride_height": 2, "filter_width": 2, "filter_height": 2}
    graph.custom("LceBMaxPool2d", [first], [pooled], options)
    as_int8 = Convolution(4, 4, 70, 9, output="int8", seed=2).append_to(graph, pooled, batch=batch)
    as_float = Convolution(4, 4, 70, 9, pad_values=0, seed=3).append_to(graph, pooled, batch=batch)
    unpacked = graph.tensor("float32", (batch, 4, 4, 70))
    graph.custom("LceDequantize", [pooled], [unpacked])
    outputs = [as_int8, as_float, unpacked] + ([signs, first, pooled] if keep_inner else [])
    return graph.serialize([source], outputs)


@pytest.mark.parametrize("runtime", ["ai_edge_litert", "tensorflow"])
@pytest.mark.parametrize("keep_inner", [False, True])
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_chain_equals_lce(runtime: str, keep_inner: bool) -> None:
    check(chain(keep_inner=keep_inner), [float_input((1, 8, 8, 40))], runtime)


@pytest.mark.parametrize("runtime", ["ai_edge_litert", "tensorflow"])
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_resized_batch_equals_single_runs(runtime: str) -> None:
    values = float_input((3, 8, 8, 40))
    interpreter = DelegatedInterpreter(chain(), runtime)
    single = [interpreter.run([values[i : i + 1]]) for i in range(3)]
    for batch in (3, 1, 2):
        interpreter.resize((batch, 8, 8, 40))
        for position, got in enumerate(interpreter.run([values[:batch]])):
            want = np.concatenate([outputs[position] for outputs in single[:batch]])
            assert_same_bits(want, got, f"output {position}, batch {batch}, seed {SEED}")


def test_tflite_runtime_equals_lce(tmp_path: Path) -> None:
    values = float_input((3, 8, 8, 40))
    cases = {"chain": (chain(), [values[:1]]), "inner": (chain(keep_inner=True), [values[:1]])}
    for number, convolution in enumerate(CONVOLUTIONS[::5]):
        shape = (1, convolution.height, convolution.width, convolution.channels_in)
        cases[f"convolution_{number}"] = (convolution.model(), [float_input(shape)])
    expected = {name: lce_reference(*case) for name, case in cases.items()}
    singles = [lce_reference(chain(), [values[i : i + 1]]) for i in range(3)]
    cases["resized"] = (chain(), [values])
    expected["resized"] = [np.concatenate(outputs) for outputs in zip(*singles, strict=True)]
    for name, outcome in run_in_process(cases, tmp_path, "tflite_runtime").items():
        assert outcome.error is None, name
        for want, got in zip(expected[name], outcome.outputs, strict=True):
            assert_same_bits(want, got, f"{name}, seed {SEED}")


def test_profile_counts_invocations() -> None:
    values = [float_input((1, 8, 8, 40))]
    interpreter = DelegatedInterpreter(chain(), options={"profile": "1"})
    for _ in range(3):
        interpreter.run(values)
    report = interpreter.report()
    assert [node["node"] for node in report] == list(range(6))
    assert {node["invocations"] for node in report} == {3}
    assert all(node["nanoseconds"] > 0 for node in report)
    silent = DelegatedInterpreter(chain())
    silent.run(values)
    assert {node["invocations"] for node in silent.report()} == {0}
