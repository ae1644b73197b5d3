"""Read pickles that hold data and nothing else, without running anything: every object is a stand-in of ours."""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

import numpy as np

# What plain containers, numbers, texts and a reconstructed array are written with, in protocols 0 to 5.
# fmt: off
_OPCODES = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "DUP",
    "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET",
    "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
})
# fmt: on
_ARRAY = frozenset({"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"})
_NAMES = _ARRAY | {"numpy.ndarray", "numpy.dtype", "_codecs.encode"}


class _Object:
    """What calling an admitted name gives: its arguments, and the state that follows."""

    __slots__ = ("arguments", "name", "state")

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Name:
    """An admitted name; calling it does nothing, except for the encoding of bytes in old protocols."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *arguments: Any) -> Any:
        if self.name == "_codecs.encode":
            text, encoding = arguments
            if not isinstance(text, str) or encoding != "latin1":
                raise pickle.UnpicklingError("bytes in another encoding than latin1")
            return text.encode("latin1")
        return _Object(self.name, arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError(f"a state for {self.name}")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in _NAMES:
            raise pickle.UnpicklingError(f"it names {full!r}, which is no data")
        return _Name(full)


def read_plain(content: bytes) -> Any:
    """The dicts, lists, numbers, texts and uint8 arrays of a pickle; texts of Python 2 are bytes.

    Raises:
        ValueError: anything else in it, by name, or damage.
    """
    try:
        _check_opcodes(content)
        return _Plain(len(content)).of(_Unpickler(io.BytesIO(content), encoding="bytes").load())
    except MemoryError as error:
        raise ValueError("it asks for more memory than there is") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
        raise ValueError(str(error) or type(error).__name__) from error


def _check_opcodes(content: bytes) -> None:
    """Only data, and no memo numbers beyond the file: the unpickler would allocate a table up to the largest."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if opcode.name not in _OPCODES:
            raise ValueError(f"it uses the pickle instruction {opcode.name}, which data does not need")
        if "PUT" in opcode.name and int(argument or 0) > count:
            raise ValueError("its memo numbers are absurd")


class _Plain:
    """Copies what an unpickler gave into plain data.

    Every value takes a byte of the file or more. A list in a list that repeats itself takes few, and would become
    more values than any memory holds: ``values`` says how many there may be.
    """

    def __init__(self, values: int) -> None:
        self._left = values

    def of(self, node: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError("it repeats its own parts")
        if depth > 4:
            raise ValueError("it is nested too deeply")
        if isinstance(node, dict):
            return {_key(key): self.of(value, depth + 1) for key, value in node.items()}
        if isinstance(node, (list, tuple)):
            return [self.of(value, depth + 1) for value in node]
        if isinstance(node, _Object):
            return _array(node)
        if node is None or isinstance(node, (int, float, bytes, str)):
            return node
        raise ValueError(f"it holds a {type(node).__name__}, which is no data")


def _key(key: Any) -> str:
    if isinstance(key, bytes):
        return key.decode("latin1")
    if isinstance(key, str):
        return key
    raise ValueError(f"it has a key of type {type(key).__name__}")


def _array(node: _Object) -> np.ndarray:
    """From NumPy's state (version, shape, dtype, Fortran order, bytes), checked here and not by NumPy."""
    try:
        _, shape, kind, fortran, content = node.state
        dtype = kind.arguments[0]
        is_bytes = kind.name == "numpy.dtype" and dtype in ("u1", b"u1")
        sizes = [int(size) for size in shape]
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError("its array is damaged") from error
    if node.name not in _ARRAY or not is_bytes:
        raise ValueError("its array is not of type uint8")
    if not isinstance(content, bytes) or min(sizes, default=0) < 0 or _product(sizes) != len(content):
        raise ValueError("the shape of its array does not fit its bytes")
    return np.frombuffer(content, np.uint8).reshape(sizes, order="F" if fortran else "C")


def _product(sizes: list[int]) -> int:
    found = 1
    for size in sizes:
        found *= size
    return found
