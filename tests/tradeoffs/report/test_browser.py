"""The page in a browser: filters, sorting, opening points by mouse and by keyboard, saving, light and dark, small."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.sweep_points import EVIL, point, study_points
from tfkit.tradeoffs.report.page import to_html
from tfkit.tradeoffs.report.study import Study

pytestmark = pytest.mark.slow

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
MISSING = "these tests click on a page: apt-get install chromium && pip install playwright (no browser of its own)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; that it is missing is an error, because skipping would look like passing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail(MISSING)
    if program is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


class Tab:
    """A page that was opened, with what it asked for and complained about."""

    def __init__(self, browser: Any, path: Path, **settings: Any) -> None:
        self.page = browser.new_page(**settings)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(path.as_uri())

    def rows(self) -> list[list[str]]:
        """Cells of the rows that are shown."""
        rows = self.page.locator("#rows tr:visible").all()
        return [row.locator("td").all_inner_texts() for row in rows]

    def marks(self) -> int:
        """How many points the charts show."""
        return int(self.page.locator("g.mark:visible").count())


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "documents").mkdir()
    path = folder / "report.html"
    path.write_text(to_html(Study.of("Digits on two devices", study_points(folder / "documents"))), encoding="utf-8")
    return path


@pytest.fixture
def tab(browser: Any, report: Path) -> Iterator[Tab]:
    tab = Tab(browser, report, viewport={"width": 1200, "height": 900})
    yield tab
    tab.page.close()
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_everything_is_shown_at_first(tab: Tab) -> None:
    assert len(tab.rows()) == tab.marks() == 32
    assert tab.page.locator("#count").inner_text() == "32 of 32 shown"
    accuracies = [float(row[3].rstrip("%")) for row in tab.rows()]
    assert accuracies == sorted(accuracies, reverse=True)
    assert tab.page.locator(".plot .front").count() == 2


def test_a_budget_finds_the_model(tab: Tab) -> None:
    tab.page.get_by_label("latency, at most (ms)").fill("1")
    best = tab.page.locator("#best").inner_text()
    rows = tab.rows()
    assert rows
    assert all("ms" in row[4] or "us" in row[4] for row in rows)
    assert all(float(row[4].split()[0]) <= 1 for row in rows if row[4].endswith("ms"))
    assert best.startswith(f"Most accurate of these: {rows[0][0].strip()}, ")
    tab.page.get_by_label("accuracy, at least (%)").fill("99.9")
    assert tab.rows() == []
    assert tab.page.locator("#best").inner_text() == "No measured point keeps these limits."
    tab.page.get_by_role("button", name="Show all").click()
    tab.page.wait_for_function("document.getElementById('count').textContent === '32 of 32 shown'")


def test_filters_narrow_charts_and_table_alike(tab: Tab) -> None:
    tab.page.get_by_label("search", exact=True).fill("INT8 width=0.5")
    assert len(tab.rows()) == tab.marks() == 2
    tab.page.get_by_label("search", exact=True).fill("")
    tab.page.locator("select[name=device]").select_option(label="local")
    assert len(tab.rows()) == tab.marks() == 20
    assert tab.page.locator("figure.panel:visible").count() == 1
    tab.page.get_by_label("trusted only").check()
    assert len(tab.rows()) == tab.marks() == 19
    tab.page.locator(".legend button", has_text="float32").click()
    assert len(tab.rows()) == tab.marks() == 15
    assert tab.page.locator("#bars li").count() == 15


def test_columns_sort_both_ways(tab: Tab) -> None:
    head = tab.page.locator("th", has_text="parameters")
    values = []
    for expected in ("ascending", "descending"):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == expected
        values.append([row[11] for row in tab.rows()])
    sizes = [float(text.split()[0]) * {"K": 1e3, "M": 1e6}[text.split()[1]] for text in values[0]]
    assert sizes == sorted(sizes)
    assert values[1] != values[0]
    head = tab.page.locator("th", has_text="latency")
    for _ in range(2):
        head.get_by_role("button").click()
        assert [row[4] for row in tab.rows()][-12:] == ["-"] * 12, "what is not known comes last, whichever way"


def test_a_point_opens_by_mouse_and_shows_its_documents(tab: Tab) -> None:
    tab.page.locator("#rows tr", has_text="binary").first.get_by_role("button").click()
    dialog = tab.page.get_by_role("dialog")
    assert dialog.get_by_role("heading").inner_text().startswith("binary, small_cnn")
    dialog.get_by_text("Seed 1", exact=True).click()
    dialog.get_by_text("Op ledger").locator("visible=true").click()
    assert dialog.get_by_text("LceBconv2d").locator("visible=true").count() == 5
    dialog.get_by_text("Measurement and trust").locator("visible=true").click()
    assert dialog.get_by_text("starts differ by 12 %").locator("visible=true").count() == 1
    tab.page.get_by_role("button", name="Close").click()
    assert not dialog.is_visible()
    tab.page.locator("g.mark").first.click()
    assert dialog.is_visible()


def test_the_keyboard_reaches_every_point(tab: Tab) -> None:
    first = tab.page.locator("g.mark[tabindex='0']").first
    first.focus()
    names = [first.get_attribute("aria-label")]
    for _ in range(20):
        tab.page.keyboard.press("ArrowRight")
        names.append(tab.page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert len(set(names)) == 20
    assert names[20] == names[0], "from the last to the first"
    for key in ("Enter", " "):
        tab.page.keyboard.press(key)
        assert tab.page.get_by_role("dialog").is_visible()
        tab.page.keyboard.press("Escape")
        assert not tab.page.get_by_role("dialog").is_visible()
        assert tab.page.evaluate("document.activeElement.getAttribute('aria-label')") == names[0]


def test_the_axis_switches_to_latency(tab: Tab) -> None:
    title = tab.page.locator("figure").first.locator("text.title")
    assert "throughput" in title.text_content()
    places = tab.page.locator("figure").first.locator("g.mark")
    before = [places.nth(n).bounding_box()["x"] for n in (0, 3)]
    tab.page.get_by_label("latency", exact=True).check()
    assert "latency in ms" in title.text_content()
    after = [places.nth(n).bounding_box()["x"] for n in (0, 3)]
    assert (before[0] > before[1]) != (after[0] > after[1])
    assert "instructions" in tab.page.locator("figure").nth(1).locator("text.title").text_content()


def test_bars_follow_the_choice(tab: Tab) -> None:
    assert "KiB" in tab.page.locator("#bars .value").first.inner_text()
    tab.page.get_by_label("MACs", exact=True).check()
    assert tab.page.locator("#bars .value").first.inner_text() == "1.88 M"
    tab.page.get_by_label("peak memory", exact=True).check()
    assert "local" in tab.page.locator("#bars button").first.inner_text()


def test_what_is_shown_is_saved(tab: Tab) -> None:
    tab.page.get_by_label("search", exact=True).fill("binary width=2.0")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [(row["series"], row["device"], row["seed"]) for row in rows] == [
        ("binary", device, seed) for device in ("local", "qemu:cortex-a76") for seed in "012"
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_sticks_out(browser: Any, report: Path, scheme: str, width: int, tmp_path: Path) -> None:
    tab = Tab(browser, report, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    background = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
    tab.page.locator("g.mark").first.dispatch_event("click")
    box = tab.page.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    tab.page.close()


def test_hostile_names_run_nothing(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "evil.html"
    points = [point(EVIL, model=EVIL, device=EVIL, settings={EVIL: n}, accuracy=0.9 + n / 100) for n in range(3)]
    path.write_text(to_html(Study.of(EVIL, points)), encoding="utf-8")
    tab = Tab(browser, path)
    tab.page.locator("g.mark").first.click()
    assert tab.page.get_by_role("dialog").is_visible()
    assert tab.page.locator("img").count() == 0
    assert tab.complaints == []
    tab.page.close()


def test_without_script_the_tables_are_there(browser: Any, report: Path) -> None:
    tab = Tab(browser, report, java_script_enabled=False)
    assert len(tab.rows()) == 32
    assert tab.page.get_by_text("need JavaScript").is_visible()
    tab.page.close()
