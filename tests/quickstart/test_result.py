"""The table, the JSON and the page say the same, and a failure shows in each."""

from __future__ import annotations

import json
from dataclasses import replace

from tfkit.quickstart.page import to_html
from tfkit.quickstart.result import HEADINGS, SCHEMA_VERSION, Result, Row

ROW = Row(
    "binary", "lce", 0.9911, 0.99, 30 * 1024, 27.2e-6, None, 64, True, "0 LSB", True, "as the host's reference", ()
)
RESULT = Result("local", "qemu:cortex-a72", 450, 60.0, {"cpu": "<b>x</b>"}, (ROW, replace(ROW, name="float32")))


def test_table_lines_up() -> None:
    lines = RESULT.table().splitlines()
    assert lines[0].split("  ")[0] == HEADINGS[0]
    assert lines[1].startswith("binary ")
    assert "99.11%" in lines[1]
    assert "30.0 KiB" in lines[1]
    assert "27.2 us" in lines[1]
    assert len({line.index("lce") for line in lines[1:]}) == 1


def test_json_is_versioned_and_complete() -> None:
    document = json.loads(json.dumps(RESULT.to_json()))
    assert document["schema_version"] == SCHEMA_VERSION
    assert document["ok"] is True
    assert document["rows"][0]["p90_s"] is None


def test_a_failed_check_is_seen_everywhere() -> None:
    for failed in (replace(ROW, parity_ok=False), replace(ROW, arm_ok=False)):
        result = replace(RESULT, rows=(failed,))
        assert not result.ok
        assert "FAILED" in result.table()
        assert "class='failed'>FAILED" in to_html(result)
        assert "At least one check failed" in to_html(result)
    assert "Every check agreed" in to_html(RESULT)


def test_no_latency_is_shown_without_one() -> None:
    assert " -  " in replace(RESULT, rows=(replace(ROW, p50_s=None),)).table()


def test_page_escapes_and_loads_nothing() -> None:
    page = to_html(replace(RESULT, rows=(replace(ROW, name="<script>alert(1)</script>"),)))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>x</b>" not in page
    assert "http" not in page
