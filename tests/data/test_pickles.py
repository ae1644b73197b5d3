"""The restricted unpickler: data comes back, everything else is named and nothing of it is run."""

from __future__ import annotations

import contextlib
import pickle
import struct
import tracemalloc

import numpy as np
import pytest

from tfkit.data._pickles import read_plain


@pytest.mark.parametrize("protocol", range(5))
def test_data_comes_back(protocol: int) -> None:
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for value in (array, np.asfortranarray(array)):
        found = read_plain(
            pickle.dumps({"a": [1, -2, 1 << 70, 2.5, None, True], "b": (b"x\xff", "é"), "c": value}, protocol)
        )
        assert found["a"] == [1, -2, 1 << 70, 2.5, None, True]
        assert found["b"] == [b"x\xff", "é"]
        np.testing.assert_array_equal(found["c"], array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "names 'os.system'"),
        (b"cbuiltins\neval\n(S'1'\ntR.", "names 'builtins.eval'"),
        (b"cnumpy\nload\n(S'x'\ntR.", "names 'numpy.load'"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0bndarray.tos\x93.", "names 'numpy.ndarray.tos'"),
        (b"(S'true'\nios\nsystem\n.", "instruction INST"),
        (b"Pid\n.", "instruction PERSID"),
        (b"\x82\x01.", "instruction EXT1"),
        (b"\x80\x02c_codecs\nencode\n)\x81.", "instruction NEWOBJ"),
        (b"\x80\x02cnumpy\nndarray\n.", "holds a _Name"),
        (b"c_codecs\nencode\n}S'__code__'\nNsb.", "a state for _codecs.encode"),
        (b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.", "another encoding than latin1"),
        (b"cnumpy.core.multiarray\n_reconstruct\n)R.", "its array is damaged"),
        (b"", "pickle"),
        (b".", "pickle|empty|stack"),
        (b"(lp0\n0a.", "stack|list"),
        (b"(" * 100_000 + b".", "MARK"),
    ],
)
def test_everything_else_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_plain(content)


def test_shapes_are_checked_before_numpy_sees_them() -> None:
    whole = pickle.dumps(np.zeros((2, 3), np.uint8), 2)
    for size in (b"\x04", b"\xff"):
        with pytest.raises(ValueError, match="does not fit its bytes"):
            read_plain(whole.replace(b"K\x02K\x03\x86", b"K\x02K" + size + b"\x86"))


def test_absurd_numbers_allocate_nothing() -> None:
    tracemalloc.start()
    with pytest.raises(ValueError, match="memo numbers are absurd"):
        read_plain(b"\x80\x02Nr" + struct.pack("<I", 0xFFFFFFF0) + b".")
    with pytest.raises(ValueError, match=r"expected 4294967280 bytes|pickle"):
        read_plain(b"\x80\x02B" + struct.pack("<I", 0xFFFFFFF0) + b".")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_nesting_is_bounded() -> None:
    value: list[object] = []
    for _ in range(400):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        read_plain(pickle.dumps(value))


def test_what_repeats_itself_is_not_copied_out() -> None:
    value: list[object] = [0] * 1000
    for _ in range(3):
        value = [value] * 1000  # one list, named a thousand times
    with pytest.raises(ValueError, match="repeats its own parts"):
        read_plain(pickle.dumps(value, 2))


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")  # in texts of protocol 0
def test_any_cut_and_any_flipped_byte_gives_data_or_one_error() -> None:
    whole = pickle.dumps({"labels": [1, 2], "data": np.zeros((2, 3), np.uint8), "names": ["a" * 300, b"b"]}, 2)
    rng = np.random.default_rng(0)
    for place in range(len(whole)):
        with pytest.raises(ValueError, match=r"."):
            read_plain(whole[:place])
        for flip in rng.integers(1, 256, 8):
            damaged = bytearray(whole)
            damaged[place] ^= int(flip)
            with contextlib.suppress(ValueError):  # the only exception there may be
                read_plain(bytes(damaged))
