from __future__ import annotations

from collections import Counter

from helpers.sweeps import SPEC, planned
from tfkit.tradeoffs.sweep.origins import Origins
from tfkit.tradeoffs.sweep.plan import Plan, plan
from tfkit.tradeoffs.sweep.reader import Reader
from tfkit.tradeoffs.sweep.spec import parse_spec
from tfkit.tradeoffs.sweep.steps import digest


def kinds(found: Plan) -> dict[str, int]:
    return dict(Counter(step.kind for step in found.steps))


def keys(found: Plan, kind: str) -> set[str]:
    return {step.key for step in found.steps if step.kind == kind}


def test_what_points_share_is_done_once() -> None:
    # For each of 2 widths and 2 seeds: a float and a binary network are trained; the float one is converted three
    # times, fine-tuned, and pruned and fine-tuned.
    found = planned()
    assert len(found.points) == 2 * 2 * 6 * 2
    assert kinds(found) == {"train": 4 * 2, "prune": 4, "tune": 4 * 2, "convert": 4 * 6, "verify": 4 * 6, "bench": 48}
    seen: set[str] = set()
    for step in found.steps:
        assert all(source.key in seen for source in step.inputs.values())
        seen.add(step.key)


def test_a_key_changes_with_all_that_its_outcome_depends_on_and_nothing_else() -> None:
    before = planned()
    more = planned(SPEC.replace("seeds = [0, 1]", "seeds = [1, 0, 2]"))
    assert {step.key for step in before.steps} < {step.key for step in more.steps}

    epochs = planned(SPEC.replace("epochs = 3", "epochs = 4"))
    assert not {step.key for step in before.steps} & {step.key for step in epochs.steps}

    tuning = planned(SPEC.replace("epochs = 3", "epochs = 3\ntuning_epochs = 9"))
    assert keys(before, "train") == keys(tuning, "train")
    assert not keys(before, "tune") & keys(tuning, "tune")

    preset = planned(SPEC.replace("quick", "standard"))
    assert keys(before, "verify") == keys(preset, "verify")
    assert not keys(before, "bench") & keys(preset, "bench")

    data = plan(parse_spec(Reader(SPEC)), Origins("other data"))
    assert not {step.key for step in before.steps} & {step.key for step in data.steps}


def test_a_key_is_that_of_all_settings_and_inputs() -> None:
    converted = next(step for step in planned().steps if step.kind == "convert")
    (source,) = converted.inputs.values()
    written_out = {
        "kind": "convert",
        "settings": {"format": "float32", "strict": True},
        "inputs": {"keras": source.key},
        "origin": dict(converted.origin),
    }
    assert converted.key == digest(written_out)


def test_points_that_are_the_same_are_one() -> None:
    text = SPEC + '[[compression]]\nname = "float32"\nformat = "float32"\n'
    assert [point.key for point in planned(text).points] == [point.key for point in planned().points]
