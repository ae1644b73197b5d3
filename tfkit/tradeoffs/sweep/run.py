"""``sweep``: carry out a spec in a folder, or go on where an earlier run ended, however it ended."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tfkit._errors import TfkitError, UsageError
from tfkit.devices import connect
from tfkit.tradeoffs.points import DATABASE, Point, read_points
from tfkit.tradeoffs.sweep.estimate import Estimates
from tfkit.tradeoffs.sweep.lock import locked
from tfkit.tradeoffs.sweep.origins import Origins, data_digest, open_data
from tfkit.tradeoffs.sweep.plan import Plan, plan
from tfkit.tradeoffs.sweep.pool import LocalPool, Pool
from tfkit.tradeoffs.sweep.progress import Progress, Say
from tfkit.tradeoffs.sweep.scheduler import Carry, Measure, Scheduler, is_settled
from tfkit.tradeoffs.sweep.spec import Spec, read_spec
from tfkit.tradeoffs.sweep.state import FAILED, Record, State
from tfkit.tradeoffs.sweep.steps import BENCH
from tfkit.tradeoffs.sweep.store import Scratch, Store
from tfkit.tradeoffs.sweep.work import carry, measure

MAX_JOBS = 256


def sweep(
    spec: str | os.PathLike[str] | Spec,
    folder: str | os.PathLike[str],
    *,
    jobs: int = 1,
    cluster: str | None = None,
    retry: bool = False,
    say: Say | None = None,
) -> tuple[Point, ...]:
    """Train, compress, convert, verify and measure every point of a spec, and return them.

    Everything that is done stays in ``folder``; with the same one, or a changed spec, only what is missing is done.
    Training, conversion and verification run side by side; nothing else runs while something is measured. A step that
    fails is the reason of the points that need it, and no error here.

    Args:
        spec: a TOML file, or what ``read_spec`` gave.
        folder: made if need be.
        jobs: how many steps compute at a time on this machine.
        cluster: address of a dask scheduler whose workers compute instead; measuring stays here.
        retry: carry out once more all that failed in an earlier run; measurements are in any case.
        say: called with a line for each finished step and point.

    Raises:
        SpecError, UsageError: what is asked for makes no sense.
        SweepError: another process sweeps into ``folder``, or what is in it is damaged.
        InputError, DataError: no such spec or data; nothing can be written.
        MissingToolError: ``cluster`` without the package that it takes.
    """
    if not 1 <= jobs <= MAX_JOBS:
        raise UsageError(f"jobs is {jobs}; give a number from 1 to {MAX_JOBS}")
    chosen = spec if isinstance(spec, Spec) else read_spec(spec)
    dataset = open_data(chosen.data)
    planned = plan(chosen, Origins(data_digest(dataset)))
    tell = say or (lambda line: None)

    def pool() -> Pool:
        if cluster is None:
            return LocalPool(jobs)
        from tfkit.tradeoffs.sweep.cluster import ClusterPool

        return ClusterPool(cluster, dataset if dataset.in_memory else None)

    for device in dict.fromkeys(device.name for device in chosen.devices):
        _warn_of(device, tell)
    work = functools.partial(carry, data=chosen.data)
    carry_out(planned, Path(folder), pool, work, measure, retry=retry, say=tell, images=dataset.size("train"))
    return read_points(folder)


def _warn_of(device: str, say: Say) -> None:
    """Before hours of training: a phone may still be plugged in until they are over."""
    try:
        connect(device).close()
    except TfkitError as error:
        say(f"warning: {device} cannot be used now, so its points will fail: {error}")


def carry_out(
    planned: Plan,
    folder: Path,
    pool: Callable[[], Pool],
    carry: Carry,
    measure: Measure,
    *,
    retry: bool = False,
    say: Say = lambda line: None,
    images: int = 0,
) -> None:
    """Carry out a plan in ``folder`` by the functions given. Raises as ``sweep``."""
    with locked(folder), _opened(folder) as state:
        store = Store(folder)
        store.clean()
        state.plan(planned)
        state.forget(_to_do_again(state.records(), store, retry))
        records = state.records()
        settled = sum(is_settled(point, records) for point in planned.points)
        opened = None
        try:
            if any(step.key not in records and step.kind != BENCH for step in planned.steps):
                opened = pool()
            places = 1 if opened is None else opened.places
            progress = Progress(say, Estimates(records.values(), images), len(planned.points), settled, places)
            scheduler = Scheduler(planned, state, store, Scratch(folder), progress)
            if opened is not None:
                scheduler.compute(opened, carry)
        finally:
            if opened is not None:
                opened.stop()
        scheduler.measure(measure)


def known(folder: Path) -> dict[str, Record]:
    """What was carried out in ``folder``, without changing anything; nothing where there is no sweep."""
    if not (folder / DATABASE).is_file():
        return {}
    with _opened(folder) as state:
        return state.records()


@contextmanager
def _opened(folder: Path) -> Iterator[State]:
    state = State(folder)
    try:
        yield state
    finally:
        state.close()


def _to_do_again(records: Mapping[str, Record], store: Store, retry: bool) -> list[str]:
    """Steps whose files are gone; measurements that failed, as a device may be back; with ``retry`` all that did."""
    lost = [record.key for record in records.values() if not all(map(store.has, record.artifacts.values()))]
    failed = [record.key for record in records.values() if record.state == FAILED and (retry or record.kind == BENCH)]
    return [*lost, *failed]
