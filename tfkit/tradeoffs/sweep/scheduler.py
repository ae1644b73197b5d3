"""Carries out what is left of a plan: first all that only computes, side by side; then, alone, all that measures.

Nothing is measured while anything else runs. As no step waits for a measurement, two phases cost no time, and before
the second one begins the processes of the first are gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pathlib import Path
from typing import Any

from tfkit.tradeoffs.sweep.plan import Plan, Planned
from tfkit.tradeoffs.sweep.pool import Pool
from tfkit.tradeoffs.sweep.progress import Progress
from tfkit.tradeoffs.sweep.state import DONE, FAILED, Record, State
from tfkit.tradeoffs.sweep.steps import BENCH, Outcome, Step
from tfkit.tradeoffs.sweep.store import Scratch, Store

# (kind, settings, inputs, scratch folder or None) -> outcome; a failure is an outcome, too
Carry = Callable[[str, Mapping[str, Any], Mapping[str, bytes], str | None], Outcome]
# (settings, the flatbuffer, scratch folder) -> outcome
Measure = Callable[[Mapping[str, Any], Path, Path], Outcome]

DIED = "its process died, as after a crash of native code or for lack of memory; try again with fewer --jobs"


class Scheduler:
    """One plan being carried out."""

    def __init__(self, plan: Plan, state: State, store: Store, scratch: Scratch, progress: Progress) -> None:
        self._plan, self._state, self._store, self._scratch = plan, state, store, scratch
        self._progress = progress
        self.records: dict[str, Record] = state.records()
        self._points: dict[str, list[Planned]] = defaultdict(list)  # those that a step is for
        for point in plan.points:
            for step in point.steps:
                self._points[step.key].append(point)

    def compute(self, pool: Pool, carry: Carry) -> None:
        """Carry out all steps but measurements, as many at a time as the pool has places."""
        running: dict[Future[Outcome], Step] = {}
        suspects: list[Step] = []  # ran when a process died: one of them is to blame, so each is tried alone
        try:
            while True:
                self._start(pool, carry, running, suspects)
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                died = []
                for future in done:
                    step = running.pop(future)
                    try:
                        outcome = future.result()
                    except BrokenExecutor:
                        died.append(step)
                    else:
                        self._keep(step, outcome)
                if died:
                    died += running.values()
                    running.clear()
                    pool.renew()
                    if len(died) == 1:
                        self._keep(died[0], Outcome(reason=DIED))
                    else:
                        suspects += died
        finally:
            pool.stop()

    def _start(self, pool: Pool, carry: Carry, running: dict[Future[Outcome], Step], suspects: list[Step]) -> None:
        if suspects:
            if not running:
                step = suspects.pop(0)
                running[self._submit(pool, carry, step)] = step
            return
        busy = {step.key for step in running.values()}
        for step in self._ready(measuring=False):
            if len(running) >= pool.places:
                return
            if step.key not in busy:
                running[self._submit(pool, carry, step)] = step

    def _submit(self, pool: Pool, carry: Carry, step: Step) -> Future[Outcome]:
        inputs = {name: self._store.get(self._artifact(step, name)) for name in step.inputs}
        scratch = str(self._scratch.of(step.key)) if pool.on_this_host else None
        try:
            return pool.submit(carry, step.kind, dict(step.settings), inputs, scratch)
        except BrokenExecutor:  # an idle process died
            pool.renew()
            return pool.submit(carry, step.kind, dict(step.settings), inputs, scratch)

    def measure(self, measure: Measure) -> None:
        """Carry out the measurements, one after the other, in this process."""
        for step in list(self._ready(measuring=True)):
            flatbuffer = self._store.path(self._artifact(step, "tflite"))
            self._keep(step, measure(dict(step.settings), flatbuffer, self._scratch.of(step.key)))

    def _ready(self, measuring: bool) -> Iterator[Step]:
        """Steps that wait for nothing and are for a point that can still be had, in the order of the points."""
        for step in self._plan.steps:
            if (step.kind == BENCH) == measuring and step.key not in self.records and self._fed(step):
                yield step

    def _fed(self, step: Step) -> bool:
        records = [self.records.get(source.key) for source in step.inputs.values()]
        return all(record is not None and record.state == DONE for record in records) and self._wanted(step)

    def _wanted(self, step: Step) -> bool:
        return any(failure(point, self.records) is None for point in self._points[step.key])

    def _artifact(self, step: Step, name: str) -> str:
        return self.records[step.inputs[name].key].artifacts[name]

    def _keep(self, step: Step, outcome: Outcome) -> None:
        """Files first, then the row that says they are there."""
        if outcome.reason is None:
            names = {name: self._store.put(content, suffix) for name, (suffix, content) in outcome.files.items()}
            size = sum(len(content) for _, content in outcome.files.values())
            record = Record(
                step.key, step.kind, step.cost, DONE, None, outcome.seconds, dict(outcome.figures), names, size
            )
        else:
            reason = f"{step.kind} {step.label}: {outcome.reason}"
            record = Record(step.key, step.kind, step.cost, FAILED, reason, outcome.seconds, {}, {}, 0)
        self._state.write(step.label, record)
        open_ = [point for point in self._points[step.key] if not is_settled(point, self.records)]
        self.records[step.key] = record
        if record.state == DONE or step.kind != BENCH:  # a device that was lost may be back for what is left
            self._scratch.clear(step.key)
        settled = [point for point in open_ if is_settled(point, self.records)]
        waiting = [each for each in self._plan.steps if each.key not in self.records and self._wanted(each)]
        self._progress.step(step, record, settled, waiting, self.records)


def failure(point: Planned, records: Mapping[str, Record]) -> str | None:
    """Why a point failed; None for one that has not."""
    for step in point.steps:
        record = records.get(step.key)
        if record is not None and record.state == FAILED:
            return record.reason
    return None


def is_settled(point: Planned, records: Mapping[str, Record]) -> bool:
    """Whether a point is done or failed."""
    return failure(point, records) is not None or all(step.key in records for step in point.steps)
