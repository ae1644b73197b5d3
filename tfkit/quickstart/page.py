"""The quickstart's result as one self-contained HTML page: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from tfkit.quickstart.result import HEADINGS, Result, Row

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --bar: #4a7bd0; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff7b72; --bar: #7aa5f0; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
td { font-variant-numeric: tabular-nums; }
.ok { color: var(--good); } .failed { color: var(--bad); font-weight: 700; }
.bar { background: var(--bar); height: .8rem; border-radius: 2px; min-width: 1px; }
.bars td:last-child { width: 60%; white-space: normal; }
pre { white-space: pre-wrap; border-left: 3px solid var(--line); padding-left: 1rem; }
footer { color: gray; margin-top: 2rem; }
"""


def to_html(result: Result) -> str:
    """Render ``result``; every text in it is escaped."""
    verdict = "Every check agreed." if result.ok else "At least one check failed; see the table."
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>tfkit quickstart</title><style>{_STYLE}</style></head><body>",
        "<h1>tfkit quickstart</h1>",
        f"<p>Four twins of one small network, trained on scikit-learn's handwritten digits ({result.test_images} test "
        f"images), converted, compared with Keras, timed on <b>{escape(result.device)}</b> with one thread and run on "
        f"<b>{escape(result.arm_device)}</b>. <b>{verdict}</b></p>",
        _table(result.rows),
        "<h2>Size</h2>",
        _bars((row.name, row.size_bytes, row.cells()[4]) for row in result.rows),
        "<h2>Median latency on this machine</h2>",
        _bars((row.name, row.p50_s or 0.0, row.cells()[5]) for row in result.rows),
        "<h2>What each check saw</h2>",
        *(_details(row) for row in result.rows),
        "<h2>How to read this</h2><ul>",
        "<li>Parity compares the flatbuffer with the Keras model on seeded and on real data, in the runtime that "
        "ships.</li>",
        "<li>The Arm column is a run under emulation: the output is compared, times there mean nothing and are not "
        "shown. Nothing on this page was measured on Arm hardware.</li>",
        "<li>Pruned weights are stored sparsely, which shrinks the file; the stock runtime unpacks these "
        "convolutions and runs them dense, so pruning alone makes nothing faster here.</li>",
        "<li>The network is tiny, so fixed cost dominates its latency, which says nothing about larger networks.</li>",
        f"</ul><footer>{escape(_machine(result))}</footer></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(rows: Iterable[Row]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    body = "".join("<tr>" + "".join(map(_cell, row.cells())) + "</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(text: str) -> str:
    style = {"ok": " class='ok'", "FAILED": " class='failed'"}.get(text, "")
    return f"<td{style}>{escape(text)}</td>"


def _bars(entries: Iterable[tuple[str, float, str]]) -> str:
    entries = list(entries)
    longest = max(value for _, value, _ in entries) or 1.0
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(label)}</td>"
        f"<td><div class='bar' style='width:{100 * value / longest:.1f}%'></div></td></tr>"
        for name, value, label in entries
    )
    return f"<table class='bars'>{rows}</table>"


def _details(row: Row) -> str:
    lines = [row.parity, f"Arm: {row.arm}", f"timed: {row.samples} runs", *row.ledger]
    return f"<h3>{escape(row.name)}</h3><pre>{escape(chr(10).join(lines))}</pre>"


def _machine(result: Result) -> str:
    facts = ", ".join(
        f"{key}: {value}" for key, value in result.machine.items() if isinstance(value, str | int | float)
    )
    return f"{facts}. Took {result.seconds:.0f} s."
