from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from helpers.pruning import convolutional, shake
from tfkit._errors import ModelError, UsageError
from tfkit.pruning.compression import compress, decompress, restore, share_weights
from tfkit.pruning.compression.sparse_code import decode_tensor, encode_tensor

SEED = 47


def sparse(shape: tuple[int, ...], share: float, values: int, seed: int = SEED) -> np.ndarray:
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=values).astype(np.float32)
    return np.where(rng.uniform(size=shape) < share, 0, rng.choice(levels, shape)).astype(np.float32)


@pytest.mark.parametrize("gap_bits", [1, 3, 5, 8])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95, 1.0])
def test_tensors_come_back_to_the_last_bit(share: float, gap_bits: int) -> None:
    values = sparse((7, 5, 11), share, 31)
    code = encode_tensor(values, gap_bits)
    back = decode_tensor(code)
    assert back.tobytes() == values.tobytes(), f"seed {SEED}"
    assert code.codebook[0] == 0


def test_a_zero_has_no_sign() -> None:
    values = sparse((7, 5, 11), 0.9, 31)
    signed = np.where(values == 0, np.float32(-0.0), values)
    code = encode_tensor(signed, 5)
    assert code.entries == encode_tensor(values, 5).entries
    assert decode_tensor(code).tobytes() == values.tobytes()


@pytest.mark.parametrize("zeros", range(12))
def test_runs_of_zeros_of_every_length(zeros: int) -> None:
    """Gaps have two bits: runs of 3 and more need fillers."""
    for values in ([1.0] + [0.0] * zeros, [0.0] * zeros + [2.0], [3.0] + [0.0] * zeros + [4.0]):
        array = np.array(values, np.float32)
        np.testing.assert_array_equal(decode_tensor(encode_tensor(array, 2)), array)


def test_gaps_are_coded_as_the_paper_does() -> None:
    """Figure 2: with 3 bits a distance of 16 takes two steps, the first one to a filler of 8."""
    array = np.zeros(17, np.float32)
    array[[1, 4, 16]] = [3.4, 0.9, 1.7]
    code = encode_tensor(array, 3)
    assert code.entries == 4  # three values and one filler
    np.testing.assert_array_equal(decode_tensor(code), array)


def test_a_model_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    model = shake(convolutional(SEED), SEED)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.numpy()
            layer.kernel.assign(np.where(np.abs(kernel) < np.quantile(np.abs(kernel), 0.8), 0, kernel))
    shared = share_weights(model, bits=5)
    compressed = compress(shared)
    path = tmp_path / "m.tfkdc"
    compressed.save(path)
    assert path.stat().st_size == len(compressed.data)
    again = restore(convolutional(SEED + 1), path)
    for a, b in zip(shared.get_weights(), again.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    assert compressed.ratio == pytest.approx(sum(4 * w.size for w in shared.get_weights()) / len(compressed.data))
    assert compressed.ratio > 5
    assert sum(compressed.parts.values()) < len(compressed.data)


def test_layers_without_names_fit_again() -> None:
    def network(seed: int) -> Any:
        return shake(keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)]), seed)

    first, second = network(SEED), network(SEED + 1)
    assert first.weights[0].name != second.weights[0].name
    restore(second, compress(first).data)
    np.testing.assert_array_equal(second.get_weights()[0], first.get_weights()[0])


def test_sharing_keeps_zeros_and_takes_the_nearest_centroid() -> None:
    model = shake(convolutional(SEED), SEED)
    kernel = model.get_layer("second").kernel
    kernel.assign(np.where(np.abs(kernel.numpy()) < 1, 0, kernel.numpy()))
    before = kernel.numpy()
    after = share_weights(model, bits=3).get_layer("second").kernel.numpy()
    np.testing.assert_array_equal(after == 0, before == 0)
    centroids = np.unique(after[after != 0])
    assert len(centroids) <= 7
    for centroid in centroids:
        members = before[after == centroid]
        assert np.mean(members, dtype=np.float64) == pytest.approx(centroid, abs=1e-5), (
            "a centroid is the mean of its members"
        )
    nearest = np.abs(before[..., np.newaxis] - centroids).min(-1)
    np.testing.assert_allclose(np.abs(before - after)[before != 0], nearest[before != 0], atol=1e-6)


def test_the_wrong_model_is_refused() -> None:
    data = compress(convolutional(SEED)).data
    with pytest.raises(ModelError, match="holds other weights than 'convolutional' has"):
        restore(convolutional(SEED, classes=4), data)
    with pytest.raises(ModelError, match=r"cannot read .*nope: No such file"):
        decompress("/nope")
    with pytest.raises(UsageError, match="gap_bits is 1 to 12; got 13"):
        compress(convolutional(SEED), gap_bits=13)
    with pytest.raises(UsageError, match="bits from 1 to 12; got 0"):
        share_weights(convolutional(SEED), bits=0)


def sealed(body: bytes) -> bytes:
    """With the checksum that makes damage look whole."""
    return body + struct.pack("<I", zlib.crc32(body))


def with_header(data: bytes, change: Any) -> bytes:
    length = struct.unpack("<I", data[8:12])[0]
    header = json.loads(data[12 : 12 + length])
    change(header["weights"])
    text = json.dumps(header).encode()
    return sealed(data[:8] + struct.pack("<I", len(text)) + text + data[12 + length : -4])


def test_every_flipped_byte_and_every_cut_is_noticed() -> None:
    data = compress({"k": sparse((6, 5), 0.7, 4), "b": np.ones(3)}).data
    for place in range(len(data)):
        with pytest.raises(ModelError, match="cannot be decompressed"):
            decompress(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        with pytest.raises(ModelError, match="cannot be decompressed"):
            decompress(data[:place])


def test_damage_behind_a_right_checksum_does_no_harm() -> None:
    original = {"k": sparse((6, 5), 0.7, 4), "b": np.ones(3)}
    data = compress(original).data
    rng = np.random.default_rng(SEED)
    for _ in range(400):
        body = bytearray(data[:-4])
        for place in rng.integers(8, len(body), rng.integers(1, 4)):
            body[place] = rng.integers(256)
        try:
            found = decompress(sealed(bytes(body)))
        except ModelError:
            continue
        assert all(values.size <= 2000 * len(data) for values in found.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[0].__setitem__(1, [100_000, 100_000]), "more than 2000 times its size"),
        (lambda w: w[0].__setitem__(1, [-1, 5]), "has the shape"),
        (lambda w: w[0].__setitem__(1, [6, 6]), "do not end where a tensor"),
        (lambda w: w[0].__setitem__(1, [60, 50]), "do not fill a tensor"),
        (lambda w: w[0].__setitem__(2, 13), "contradicts itself"),
        (lambda w: w[0].__setitem__(2, 6), "a table of code lengths has another size"),
        (lambda w: w[0].__setitem__(3, 10**9), "contradicts itself"),
        (lambda w: w[0][4].__setitem__(0, 10**9), "longer than the file"),
        (lambda w: w[1].__setitem__(0, w[0][0]), "is there twice"),
        (lambda w: w.pop(), "more in it than its header says"),
        (lambda w: w[0].pop(), "is damaged or no compressed model"),
        (lambda w: w[0].__setitem__(1, "ab"), "has the shape"),
    ],
)
def test_headers_that_lie(change: Any, message: str) -> None:
    data = compress({"k": sparse((6, 5), 0.7, 4), "b": np.ones(3)}).data
    with pytest.raises(ModelError, match=message):
        decompress(with_header(data, change))
