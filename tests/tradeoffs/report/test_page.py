"""The page is one file that loads nothing and runs nothing but its own script, whatever the names in a sweep say."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from helpers.sweep_points import EVIL, point, study_points
from tfkit.tradeoffs.report.markup import embedded
from tfkit.tradeoffs.report.page import to_html
from tfkit.tradeoffs.report.spreadsheet import HEADINGS
from tfkit.tradeoffs.report.study import Study

VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """The page as a browser's parser sees it: elements with their attributes and texts; tags have to match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def inside(self, tag: str) -> list[str]:
        return [text for parent, text in self.texts if parent == tag]

    def content(self) -> Any:
        (block,) = [text for text in self.inside("script") if text.startswith('{"series"')]
        return json.loads(block)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study.of("study", study_points(tmp_path_factory.mktemp("study"), seeds=2))


@pytest.fixture(scope="module")
def text(study: Study) -> str:
    return to_html(study)


def test_every_id_is_unique_and_every_reference_leads_somewhere(text: str) -> None:
    page = Page(text)
    ids = [attributes["id"] for tag, attributes in page.elements if "id" in attributes]
    unique = [name for name in ids if name != "details-title"]  # one in each template, of which one is shown
    assert len(set(unique)) == len(unique)
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "data-part"):
            assert attributes.get(name) is None or attributes[name] in ids
        for name in ("data-open", "data-point"):
            assert attributes.get(name) is None or f"point-{attributes[name]}" in ids


def test_nothing_is_loaded_from_anywhere(text: str) -> None:
    page = Page(text)
    for tag, attributes in page.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "audio", "video", "source")
        for name in ("src", "srcset", "action", "formaction", "style", "xlink:href"):
            assert name not in attributes, (tag, name)
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert attributes.get("href", "data:,") == "data:,"
    urls = set(re.findall(r"https?://[^\s\"'`]+", text))
    assert urls == {"http://www.w3.org/2000/svg"}, "the name of SVG's elements, which nothing fetches"
    for word in ("@import", "url(", "fetch(", "XMLHttpRequest", "eval(", "innerHTML", "document.write", "Function("):
        assert word not in text


def test_the_policy_lets_only_this_style_and_script_in(text: str) -> None:
    page = Page(text)
    (policy,) = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    (script,) = [block for block in page.inside("script") if block.startswith('"use strict"')]
    (style,) = page.inside("style")
    for kind, block in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy


def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    evil, harmless = (_poisoned(word, tmp_path) for word in (EVIL, "harmless"))
    assert [tag for tag, _ in evil.elements].count("script") == 2
    assert [tag for tag, _ in evil.elements] == [tag for tag, _ in harmless.elements]
    assert evil.content()["series"][0]["name"] == EVIL
    assert EVIL in evil.inside("h1")
    assert EVIL in evil.inside("td")


def _poisoned(word: str, folder: Path) -> Page:
    """The page of a sweep in which everything that is text, and much that should not be, is ``word``."""
    artifacts = {name: folder / name for name in ("ledger", "parity", "bench")}
    for name, path in artifacts.items():
        path.write_text(json.dumps(_document(name, word)))
    settings = {word: word, "nested": {"x": word}}
    points = [
        point(word, model=word, device=word, settings=settings, artifacts=artifacts),
        point(f"binary {word}", device=word, settings=settings, seed=1),
        point(word, state="failed", reason=word, device=word, settings=settings),
    ]
    return Page(to_html(Study.of(word, points)))


def _document(name: str, word: str) -> Any:
    if name == "ledger":
        keys = ("layer", "type", "declared", "op", "precision", "bytes", "status", "reason", "fix", "rewritten")
        return {"entries": [dict.fromkeys(keys, word)], "notes": [word]}
    if name == "parity":
        one = dict.fromkeys(("name", "data", "samples", "unit", "difference", "bound", "top1", "layer", "op"), word)
        return {"ok": word, "summary": word, "outputs": [one], "layers": [one], "failures": [word], word: word}
    row = dict.fromkeys(("layer", "op", "runs_in", "kernel", "seconds", "share", "macs", "gops"), word)
    result = {
        "model": {word: word},
        "gate": {"level": word, "reasons": [{"level": word, "text": word}]},
        "golden": {"summary": word},
        "latency": {"median_s": word, "interval_s": [word, word]},
        "profile": {"rows": [row], "notes": [word]},
        "memory": {"stages": [{"stage": word, "vm_hwm": word}]},
    }
    return {"created": word, "device": {word: word}, "results": [result]}


def test_json_cannot_end_its_block() -> None:
    value = {EVIL: [EVIL, "<!--", "]]>", "\u2028", "\u0000"]}
    written = embedded(value)
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == value


def test_the_script_gets_what_the_tables_show(study: Study, text: str) -> None:
    content = Page(text).content()
    assert [series["name"] for series in content["series"]] == list(study.series)
    assert len(content["points"]) == len(study.averages) == 32
    assert tuple(content["csv"]["headings"]) == HEADINGS
    assert len(content["csv"]["lines"]) == 64
    for place, *cells in content["csv"]["lines"]:
        assert content["series"][content["points"][place]["series"]]["name"] == cells[0]
    front = {one.mean.key for one, shown in zip(study.averages, content["points"], strict=True) if shown["front"]}
    assert front == {key for device in study.devices for key in device.front}


def test_one_row_and_one_template_for_each_point(study: Study, text: str) -> None:
    page = Page(text)
    places = [str(place) for place in range(len(study.averages))]
    assert [a["data-point"] for tag, a in page.elements if tag == "tr" and "data-point" in a] == places
    templates = [a["id"] for tag, a in page.elements if tag == "template"]
    assert [name for name in templates if name and name.startswith("point-")] == [f"point-{n}" for n in places]
    assert "starts differ by 12 %" in text
    assert "LceBconv2d" in text
    assert "Convolution (NHWC, F32)" in text


def test_equal_documents_are_on_the_page_once(study: Study, text: str) -> None:
    ledgers = [a["id"] for tag, a in Page(text).elements if tag == "template" and "part-" in str(a["id"])]
    assert len(ledgers) < 5 * 64
    assert text.count("No layer is declared binary") == 1


def test_warnings_failures_and_baselines_are_told(study: Study, text: str) -> None:
    assert "qemu:cortex-a76 has binary or few-bit points and no int8 baseline" in text
    assert "lower the learning rate" in text
    assert "int8 is at least as good in both" in text


def test_a_sweep_without_finished_points_has_a_page() -> None:
    text = to_html(Study.of("young", [point(state="waiting"), point(state="failed", reason="no room on the disk")]))
    assert Page(text).content()["points"] == []
    assert "No point is finished yet" in text
    assert "no room on the disk" in text


def test_points_without_figures_do_not_break_the_page() -> None:
    bare = dict.fromkeys(("accuracy", "keras_accuracy", "size_bytes", "peak_memory_bytes", "macs", "parameters"))
    text = to_html(Study.of("bare", [point(latency_ms=None, trusted=None, **bare), point("int8", instructions=0)]))
    assert len(Page(text).content()["points"]) == 2


def test_the_same_sweep_gives_the_same_page(study: Study, text: str) -> None:
    assert to_html(study) == text
