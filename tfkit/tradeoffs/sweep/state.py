"""What is done of a sweep: one SQLite file that a killed process leaves sound, and its power cut, too.

A rollback journal, not a write-ahead log: a finished sweep is one file, which may be read from where nothing can be
written. ``synchronous=EXTRA`` also brings the journal's end onto the disk; a step takes seconds, its row milliseconds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit.tradeoffs.points import DATABASE, SCHEMA_VERSION, SweepError
from tfkit.tradeoffs.sweep.plan import Plan

DONE, FAILED = "done", "failed"
_TABLES = """
CREATE TABLE steps (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, label TEXT NOT NULL, cost TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'failed')), reason TEXT, seconds REAL NOT NULL,
    figures TEXT NOT NULL, artifacts TEXT NOT NULL, bytes INTEGER NOT NULL, finished TEXT NOT NULL
);
CREATE TABLE points (
    place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, series TEXT NOT NULL, model TEXT NOT NULL,
    settings TEXT NOT NULL, seed INTEGER NOT NULL, device TEXT NOT NULL, steps TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Record:
    """One step that was carried out, well or not."""

    key: str
    kind: str
    cost: Mapping[str, Any]
    state: str
    reason: str | None
    seconds: float
    figures: Mapping[str, Any]
    artifacts: Mapping[str, str]
    bytes: int


class State:
    """The database of a sweep, for the process that holds its lock.

    Raises:
        SweepError: a damaged file, or one of another version.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / DATABASE
        with self._naming():
            self._connection = sqlite3.connect(self._path, timeout=30.0, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.execute("PRAGMA synchronous = EXTRA")
            with self._transaction():
                version = self._connection.execute("PRAGMA user_version").fetchone()[0]
                empty = not self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
                if version == 0 and empty:
                    for statement in _TABLES.split(";\n"):
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                elif version != SCHEMA_VERSION:
                    raise SweepError(
                        f"{self._path} has version {version}, this tfkit writes {SCHEMA_VERSION}; give another folder"
                    )

    def close(self) -> None:
        self._connection.close()

    def plan(self, plan: Plan) -> None:
        """Let the points be those of ``plan``; steps that earlier ones had are kept, for plans that have them again."""
        rows = [
            (
                place,
                point.key,
                point.series,
                point.model,
                json.dumps(dict(point.settings)),
                point.seed,
                point.device,
                json.dumps([step.key for step in point.steps]),
            )
            for place, point in enumerate(plan.points)
        ]
        with self._naming(), self._transaction():
            self._connection.execute("DELETE FROM points")
            self._connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def records(self) -> dict[str, Record]:
        """Every step that was carried out, by key."""
        with self._naming():
            rows = self._connection.execute(
                "SELECT key, kind, cost, state, reason, seconds, figures, artifacts, bytes FROM steps"
            ).fetchall()
            try:
                return {row[0]: _record(row) for row in rows}
            except ValueError as error:
                raise SweepError(f"{self._path} is damaged ({error}); restore it or give another folder") from error

    def write(self, label: str, record: Record) -> None:
        """A step was carried out; its artifacts are on the disk already."""
        row = (
            record.key,
            record.kind,
            label,
            json.dumps(dict(record.cost)),
            record.state,
            record.reason,
            record.seconds,
            json.dumps(dict(record.figures), allow_nan=False),
            json.dumps(dict(record.artifacts)),
            record.bytes,
        )
        with self._naming(), self._transaction():
            self._connection.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, datetime('now'))", row)

    def forget(self, keys: Iterable[str]) -> None:
        """Steps to be carried out again."""
        with self._naming(), self._transaction():
            self._connection.executemany("DELETE FROM steps WHERE key = ?", [(key,) for key in keys])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, also when Ctrl-C comes in between."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SweepError(f"{self._path}: {error}; restore the file, make room, or give another folder") from error


def _record(row: tuple[Any, ...]) -> Record:
    key, kind, cost, state, reason, seconds, figures, artifacts, size = row
    return Record(key, kind, json.loads(cost), state, reason, seconds, json.loads(figures), json.loads(artifacts), size)
