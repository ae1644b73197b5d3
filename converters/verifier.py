"""Structural verification of any flatbuffer against a table of its schema, over untrusted bytes.

Nothing here knows TFLite; the schema comes as data. Every offset, vector, string and vtable is checked before it is
followed, each table is visited once per type, and the total work is bounded by the size of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from tfkit._errors import ModelError

MAX_TABLES = 1_000_000  # as in flatbuffers' C++ verifier
MAX_DEPTH = 32
OPAQUE = "a table without offsets"


@dataclass(frozen=True)
class Scalar:
    """A number of ``size`` bytes inside the table."""

    size: int


@dataclass(frozen=True)
class Vector:
    """A vector of numbers of ``size`` bytes."""

    size: int


@dataclass(frozen=True)
class Text:
    """A string, zero-terminated in the file."""


@dataclass(frozen=True)
class Table:
    """A table of the named type."""

    type: str


@dataclass(frozen=True)
class Tables:
    """A vector of tables of the named type."""

    type: str


@dataclass(frozen=True)
class Choice:
    """A union whose type number stands in the slot before; numbers not in ``types`` are tables without offsets."""

    types: Mapping[int, str]


Field = Scalar | Vector | Text | Table | Tables | Choice
Schema = Mapping[str, Mapping[int, Field]]  # table type -> slot -> field


class Verifier:
    """Walks one buffer; ``run`` raises ``ModelError`` at the first thing that is not sound."""

    def __init__(self, data: bytes, schema: Schema) -> None:
        self._data = data
        self._schema = schema
        self._visited: set[tuple[int, str]] = set()
        self._elements = 0

    def run(self, root_type: str) -> None:
        """Verify everything reachable from the root table.

        Raises:
            ModelError: names the table and the position where the structure breaks.
        """
        self._table(self._offset(0, "root"), root_type, 0)

    def _fail(self, what: str, position: int) -> None:
        raise ModelError(f"the flatbuffer is damaged: {what} at byte {position} of {len(self._data)}")

    def _need(self, position: int, size: int, what: str) -> None:
        if position < 0 or position + size > len(self._data):
            self._fail(f"{what} reaches outside the file", position)

    def _number(self, code: str, position: int, what: str) -> int:
        self._need(position, struct.calcsize(code), what)
        return int(struct.unpack_from(code, self._data, position)[0])

    def _offset(self, position: int, what: str) -> int:
        distance = self._number("<I", position, what)
        if distance == 0:
            self._fail(f"{what} has an offset of zero", position)
        self._need(position + distance, 4, what)
        return position + distance

    def _vector(self, position: int, size: int, what: str) -> int:
        """Check a vector and return its length."""
        length = self._number("<I", position, what)
        self._need(position + 4, length * size, what)
        return length

    def _table(self, position: int, kind: str, depth: int) -> None:
        if (position, kind) in self._visited:
            return
        if len(self._visited) >= MAX_TABLES:
            self._fail(f"more than {MAX_TABLES} tables", position)
        if depth > MAX_DEPTH:
            self._fail(f"{kind} nested deeper than {MAX_DEPTH}", position)
        self._visited.add((position, kind))
        slots, inline_size = self._vtable(position, kind)
        fields = self._schema.get(kind, {})
        for slot, field in fields.items():
            where = slots[slot] if slot < len(slots) else 0
            if where:
                width = field.size if isinstance(field, Scalar) else 4
                if where + width > inline_size:
                    self._fail(f"{kind} field {slot} lies outside its table", position)
                self._field(position, where, slot, field, slots, kind, depth)

    def _vtable(self, position: int, kind: str) -> tuple[tuple[int, ...], int]:
        """Field offsets by slot, and the size of the table's inline part."""
        vtable = position - self._number("<i", position, kind)
        size = self._number("<H", vtable, f"vtable of {kind}")
        inline_size = self._number("<H", vtable + 2, f"vtable of {kind}")
        if size < 4 or size % 2 or inline_size < 4:
            self._fail(f"vtable of {kind} has impossible sizes", vtable)
        self._need(vtable, size, f"vtable of {kind}")
        self._need(position, inline_size, kind)
        slots = struct.unpack_from(f"<{size // 2 - 2}H", self._data, vtable + 4)
        # Readers take scalars of tables that the schema here leaves opaque from these places too.
        if any(0 < where < 4 or where >= inline_size for where in slots):
            self._fail(f"a field of {kind} lies outside its table", position)
        return slots, inline_size

    def _field(
        self, table: int, where: int, slot: int, field: Field, slots: tuple[int, ...], kind: str, depth: int
    ) -> None:
        if isinstance(field, Scalar):
            return
        what = f"{kind} field {slot}"
        position = self._offset(table + where, what)
        if isinstance(field, Vector):
            self._vector(position, field.size, what)
        elif isinstance(field, Text):
            self._text(position, what)
        elif isinstance(field, Table):
            self._table(position, field.type, depth + 1)
        elif isinstance(field, Tables):
            for element in self._elements_of(position, what):
                self._table(self._offset(element, what), field.type, depth + 1)
        else:
            type_at = slots[slot - 1]
            number = self._data[table + type_at] if type_at else 0
            self._table(position, field.types.get(number, OPAQUE), depth + 1)

    def _text(self, position: int, what: str) -> None:
        length = self._vector(position, 1, what)
        end = position + 4 + length
        self._need(end, 1, what)
        if self._data[end] != 0:
            self._fail(f"{what}: a string without its terminating zero", position)

    def _elements_of(self, position: int, what: str) -> range:
        length = self._vector(position, 4, what)
        # Overlapping vectors could make a small file cost quadratic time; no honest one has more elements than bytes.
        self._elements += length
        if self._elements > len(self._data):
            self._fail(f"{what}: more elements than the file has room for", position)
        return range(position + 4, position + 4 + 4 * length, 4)
