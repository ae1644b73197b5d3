from __future__ import annotations

import json

from tfkit._json import json_text


def test_every_reader_takes_it() -> None:
    document = {"a": [1.5, float("nan"), (float("inf"), -float("inf"))], "b": {"c": True, "d": None, "e": "NaN"}}

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    read = json.loads(json_text(document), parse_constant=refuse)
    assert read == {"a": [1.5, None, [None, None]], "b": {"c": True, "d": None, "e": "NaN"}}
