"""The report page in a real browser: it loads nothing, breaks nowhere, and hostile text stays text."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_aioncall.adapters.render.html import render_html
from pytest_aioncall.model.report import Report


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
reports = _module("golden_reports", HERE.parent / "golden" / "reports.py")
driver = _module("browser_driver", HERE / "browser.py")

CHROMIUM = driver.find_browser()
pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine: the report page was not opened"
    ),
    pytest.mark.skipif(sys.platform == "win32", reason="the debugging pipe needs file descriptors 3 and 4"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with driver.running_browser(CHROMIUM) as running:
        running.resize(1280, 900)
        yield running


def written(folder: Path, report: Report, change: Any = lambda html: html) -> Path:
    page = folder / "report.html"
    page.write_text(change(render_html(report)), encoding="utf-8")
    return page


ALL = {**reports.STATES, "hostile": reports.hostile}
SHOWN = "[...document.querySelectorAll('#list > .case')].map(c => c.querySelector('.id').textContent)"


@pytest.mark.parametrize("state", ALL)
def test_a_page_opens_without_a_complaint_and_without_a_request(
    browser: Any, tmp_path: Path, state: str
) -> None:
    page = written(tmp_path, ALL[state]())
    browser.open(page)
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.value("new Promise(done => setTimeout(done, 50))")
    assert browser.problems == []
    assert [url for url in browser.requests if url != page.as_uri() and not url.startswith("data:")] == []


@pytest.mark.parametrize("state", ALL)
def test_a_page_never_scrolls_sideways(browser: Any, tmp_path: Path, state: str) -> None:
    browser.open(written(tmp_path, ALL[state]()))
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.value("new Promise(done => setTimeout(done, 50))")
    try:
        for width in (400, 800, 1280):
            browser.resize(width, 900)
            assert browser.value("document.documentElement.scrollWidth") <= width
    finally:
        browser.resize(1280, 900)


def test_hostile_text_stays_text(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.hostile()))
    title = browser.value("document.title")
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.value("new Promise(done => setTimeout(done, 50))")
    assert browser.value("document.title") == title != "owned"
    assert browser.value("document.querySelectorAll('script').length") == 2
    assert browser.value("document.querySelectorAll('img, iframe, object, embed, base, form').length") == 0
    handlers = (
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => /^on/.test(a.name))"
    )
    assert browser.value(f"{handlers}.length") == 0
    links = browser.value("[...document.querySelectorAll('[href]')].map(e => e.getAttribute('href'))")
    assert [link for link in links if not link.startswith(("#", "data:,"))] == []
    text = browser.value("document.body.innerText")
    assert "<script>document.title='owned'</script>" in text
    assert "{{ 7*7 }} {% raw %}" in text
    for unseen in ("\x1b", "\u202e", "\u2066", "\u200b", "\u2028", "\x00"):
        assert unseen not in text
    assert "\\u202egnp.exe" in text


def test_the_policy_stops_a_script_that_escaping_would_have_missed(browser: Any, tmp_path: Path) -> None:
    attack = (
        "<script>document.title='owned'</script>"
        "<img src='http://127.0.0.1:9/x' onerror=\"document.title='owned'\">"
        "<style>h1{display:none}</style><p id=styled style='display:none'>x</p>"
    )
    page = written(tmp_path, reports.regressed(), lambda html: html.replace("</main>", f"{attack}</main>"))
    browser.open(page)
    browser.value("new Promise(done => setTimeout(done, 50))")
    assert browser.value("document.title") == "Regressed: ticket-triage - aioncall"
    assert browser.value("getComputedStyle(document.querySelector('h1')).display") != "none"
    assert browser.value("getComputedStyle(document.getElementById('styled')).display") != "none"
    assert browser.problems, "the browser has to report what it blocked"
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        browser.value("document.body.innerHTML = '<b>x</b>'")


def test_the_filter_finds_by_text_status_and_slice(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    everything = browser.value(SHOWN)
    assert len(everything) == 16
    assert everything[0] == "q-017"

    def choose(name: str, wanted: str, event: str = "change") -> list[str]:
        browser.value(
            f"(() => {{ const e = document.getElementById('filter-{name}'); e.value = {wanted!r}; "
            f"e.dispatchEvent(new Event('{event}')); }})()"
        )
        browser.value("new Promise(done => setTimeout(done, 250))")
        found: list[str] = browser.value(SHOWN)
        return found

    assert choose("status", "worse") == ["q-054", "q-101"]
    assert choose("slice", "persona=expert") == ["q-101"]
    assert browser.value("document.getElementById('shown').textContent") == "1 of 1 cases, filtered from 16"
    assert choose("status", "") == ["q-101"]
    choose("slice", "")
    assert choose("text", "CONNECTTIMEOUT", "input") == ["q-033"]
    assert choose("text", "2026-10-04-1", "input") == ["q-017"]
    assert choose("text", "nothing has this", "input") == []
    assert browser.value("document.getElementById('shown').textContent") == "No case fits the filter."
    assert choose("text", "", "input") == everything


def test_a_case_is_built_when_it_is_opened_and_shows_both_answers(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    case = "[...document.querySelectorAll('.case')].find(c => c.querySelector('.id').textContent === 'q-054')"
    assert browser.value(f"{case}.childElementCount") == 1
    browser.value(f"{case}.open = true")
    browser.value("new Promise(done => setTimeout(done, 50))")
    marks = browser.value(
        f"[...{case}.querySelectorAll('del, ins')].map(e => e.tagName + ' ' + e.textContent).slice(0, 5)"
    )
    assert marks[0] == "DEL billing"
    assert "INS other" in marks
    assert "expected 'billing', got 'other'" in browser.value(f"{case}.textContent")


def test_a_link_to_a_case_opens_it(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()), "#case=q-101")
    browser.value("new Promise(done => setTimeout(done, 50))")
    assert browser.value("[...document.querySelectorAll('.case[open] .id')].map(e => e.textContent)") == [
        "q-101"
    ]


def test_ten_thousand_cases_show_two_hundred_and_more_on_demand(browser: Any, tmp_path: Path) -> None:
    many = tuple(reports.case(f"c-{n:05d}") for n in range(10_000))
    report = reports.report(reports.evalset(reports.judged("pass", reports.overall()), cases=many))
    browser.open(written(tmp_path, report))
    assert browser.value("document.querySelectorAll('.case').length") == 200
    assert browser.value("document.getElementById('shown').textContent") == "200 of 10,000 cases"
    browser.value("document.getElementById('more').click()")
    assert browser.value("document.querySelectorAll('.case').length") == 400
    assert browser.value("document.activeElement.querySelector('.id').textContent") == "c-00200"


def test_all_controls_and_pictures_have_names_and_headings_have_an_order(
    browser: Any, tmp_path: Path
) -> None:
    browser.open(written(tmp_path, reports.several()))
    unlabelled = "[...document.querySelectorAll('input, select')].filter(e => !e.labels.length).length"
    assert browser.value(unlabelled) == 0
    unnamed = (
        "[...document.querySelectorAll('svg')].filter(e => !e.closest('[aria-hidden=true]') "
        "&& !e.getAttribute('aria-label')).length"
    )
    assert browser.value(unnamed) == 0
    levels = browser.value("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_on_its_ground(browser: Any, tmp_path: Path, scheme: str) -> None:
    """WCAG AA: 4.5 to 1 for every colour that text is set in."""
    browser.prefer(scheme)
    browser.open(written(tmp_path, reports.regressed()))
    colours = browser.value(
        """(() => { const s = getComputedStyle(document.documentElement);
        const names = ['paper','card','ink','soft','accent','bad','bad-wash','doubt','doubt-wash',
          'good','good-wash','none','none-wash','code'];
        return Object.fromEntries(names.map(k => [k, s.getPropertyValue('--' + k).trim()])); })()"""
    )
    for text, ground in (
        ("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("accent", "paper"),
        ("bad", "paper"),
        ("bad", "bad-wash"), ("soft", "bad-wash"), ("doubt", "paper"), ("doubt", "doubt-wash"),
        ("soft", "doubt-wash"), ("good", "paper"), ("good", "good-wash"), ("soft", "good-wash"),
        ("none", "none-wash"), ("ink", "code"),
    ):  # fmt: skip
        assert _contrast(colours[text], colours[ground]) >= 4.5, f"{text} on {ground} ({scheme})"


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_page_has_content_where_a_picture_of_it_is_taken(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    assert browser.picture().startswith(b"\x89PNG")
