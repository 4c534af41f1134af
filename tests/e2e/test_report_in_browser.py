"""The report page in a real browser: it loads nothing, breaks nowhere, and hostile text stays text."""

from __future__ import annotations

import importlib.util
import itertools
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import pytest

from pytest_aioncall.adapters.render.html import render_html
from pytest_aioncall.model.report import CaseView, Report


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
reports = _module("golden_reports", HERE.parent / "golden" / "reports.py")
driver = _module("chromium_driver", HERE.parents[1] / "scripts" / "chromium.py")

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
SHOWN = "[...document.querySelectorAll('#list .case')].map(c => c.querySelector('.id').textContent)"
FOCUSED = "(document.activeElement.querySelector('.id') || document.activeElement).textContent"


def settle(browser: Any, ms: int = 50) -> None:
    """Let the page's queued events (toggles, the pause before a search) run."""
    browser.value(f"new Promise(done => setTimeout(done, {ms}))")


def case_box(name: str) -> str:
    cases = "[...document.querySelectorAll('.case')]"
    return f"{cases}.find(c => c.querySelector('.id').textContent === {name!r})"


@pytest.mark.parametrize("state", ALL)
def test_a_page_opens_without_a_complaint_and_without_a_request(
    browser: Any, tmp_path: Path, state: str
) -> None:
    page = written(tmp_path, ALL[state]())
    browser.open(page)
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    settle(browser)
    assert browser.problems == []
    assert [url for url in browser.requests if url != page.as_uri() and not url.startswith("data:")] == []


@pytest.mark.parametrize("state", ALL)
def test_a_page_never_scrolls_sideways(browser: Any, tmp_path: Path, state: str) -> None:
    browser.open(written(tmp_path, ALL[state]()))
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    settle(browser)
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
    settle(browser)
    assert browser.value("document.title") == title != "owned"
    running = "[...document.querySelectorAll('script')].filter(s => s.type !== 'application/json').length"
    assert browser.value(running) == 1
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
    settle(browser)
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
    assert browser.value("document.getElementById('shown').textContent") == "1 of 1 case, filtered from 16"
    assert choose("status", "") == ["q-101"]
    choose("slice", "")
    assert choose("text", "CONNECTTIMEOUT", "input") == ["q-033"]
    assert choose("text", "2026-10-04-1", "input") == ["q-017"]
    assert choose("text", "nothing has this", "input") == []
    assert browser.value("document.getElementById('shown').textContent") == "No case fits the filter."
    assert choose("text", "", "input") == everything


def test_a_case_is_built_when_it_is_opened_and_shows_both_answers(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    case = case_box("q-054")
    assert browser.value(f"{case}.childElementCount") == 1
    browser.value(f"{case}.open = true")
    settle(browser)
    marks = browser.value(
        f"[...{case}.querySelectorAll('del, ins')].map(e => e.tagName + ' ' + e.textContent).slice(0, 5)"
    )
    assert marks[0] == "DEL billing"
    assert "INS other" in marks
    assert "expected 'billing', got 'other'" in browser.value(f"{case}.textContent")
    lines = f"getComputedStyle({case}.querySelector('%s')).textDecorationLine"
    assert browser.value(lines % "del") == "line-through"
    assert browser.value(lines % "ins") == "underline"


def test_a_link_to_a_case_opens_it(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()), "#case=q-101")
    settle(browser)
    opened = "[...document.querySelectorAll('.case[open] .id')].map(e => e.textContent)"
    assert browser.value(opened) == ["q-101"]
    assert browser.value(FOCUSED) == "q-101"


def test_a_link_to_a_case_that_its_filter_hides_shows_it_all_the_same(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()), "#status=worse&case=q-017")
    settle(browser)
    assert browser.value(FOCUSED) == "q-017"


def test_an_address_from_nowhere_changes_nothing(browser: Any, tmp_path: Path) -> None:
    for fragment in (
        "#case=none",
        "#case=%E0%A4%A",
        "#slice=no%3Dsuch&scorer=none",
        "#=",
        "#evalset-0-gates",
    ):
        browser.open(written(tmp_path, reports.regressed()), fragment)
        assert len(browser.value(SHOWN)) == 16, fragment
        assert browser.problems == []


def test_the_address_keeps_filter_and_case_so_that_it_can_be_sent(browser: Any, tmp_path: Path) -> None:
    page = written(tmp_path, reports.regressed())
    browser.open(page)
    browser.press("/")
    for letter in "q-10":
        browser.press(letter)
    settle(browser, 250)
    assert browser.value("location.hash") == "#text=q-10"
    browser.press("Escape")
    browser.press("Escape")
    browser.press("j")
    browser.press("Enter")
    settle(browser)
    address = browser.value("location.hash")
    assert address == "#case=q-054"
    browser.open(page, "#scorer=route&slice=shape%3Dlong&case=q-101")
    settle(browser)
    assert browser.value("[...document.querySelectorAll('select')].map(s => s.value)") == [
        "",
        "route",
        "shape=long",
    ]
    assert browser.value(FOCUSED) == "q-101"


def test_a_cell_of_the_map_leads_to_its_cases_the_furthest_fallen_first(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    browser.value(
        "[...document.querySelectorAll('.heat a')].find(a => a.textContent.includes('-18.7')).focus()"
    )
    browser.press("Enter")
    settle(browser)
    found = browser.value(SHOWN)
    assert found[:3] == ["q-017", "q-101", "q-054"]
    assert "q-070" not in found, "it is not of this slice"
    assert browser.value("document.querySelector('.case .moves').textContent") == "route 3/3 \u2192 0/3"
    assert "filtered from 16" in browser.value("document.getElementById('shown').textContent")
    assert browser.value("document.activeElement.id") == "cases-title"


def test_every_cell_of_the_map_finds_cases_where_the_report_has_them(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.several()))
    links = browser.value("[...document.querySelectorAll('.heat a')].map(a => a.getAttribute('href'))")
    assert len(links) >= 14
    for link in links:
        browser.value(f"location.hash = {link!r}")
        settle(browser, 0)
        chosen = browser.value(
            "['scorer', 'slice', 'set'].map(n => document.getElementById('filter-' + n).value)"
        )
        parts = parse_qs(link.lstrip("#"))
        assert chosen[0] == parts["scorer"][0]
        assert chosen[2] == parts["evalset"][0]


def test_the_keyboard_alone_searches_walks_opens_and_closes(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    settle(browser)
    browser.press("j")
    assert browser.value(FOCUSED) == "q-017"
    browser.press("j")
    assert browser.value(FOCUSED) == "q-054"
    browser.press("ArrowDown")
    assert browser.value(FOCUSED) == "q-101"
    browser.press("k")
    browser.press("ArrowUp")
    assert browser.value(FOCUSED) == "q-017"
    browser.press("k")
    assert browser.value(FOCUSED) == "q-017", "the first case has none before it"
    browser.press("j")
    browser.press("Enter")
    settle(browser)
    assert browser.value(f"{case_box('q-054')}.open")
    browser.press("Escape")
    assert not browser.value(f"{case_box('q-054')}.open")
    assert browser.value(FOCUSED) == "q-054"
    browser.press("/")
    assert browser.value("document.activeElement.id") == "filter-text"
    for letter in "jk/":
        browser.press(letter)
    assert browser.value("document.activeElement.value") == "jk/", "in a field a key is a letter"


def test_single_keys_can_be_switched_off(browser: Any, tmp_path: Path) -> None:
    """WCAG 2.1.4: who dictates must be able to stop single letters from doing things."""
    browser.open(written(tmp_path, reports.regressed()))
    browser.value("document.getElementById('single-keys').click()")
    for key in ("j", "/"):
        browser.press(key)
    assert browser.value("document.activeElement.tagName") == "BODY"


def test_tab_reaches_everything_and_is_never_trapped(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    settle(browser)
    expected = browser.value(
        "[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.checkVisibility() && e.tabIndex >= 0).length"
    )
    seen = 0
    for _ in range(expected + 5):
        browser.press("Tab")
        if browser.value("document.activeElement === document.body"):
            break
        seen += 1
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        assert browser.value(ring) != "none", browser.value("document.activeElement.outerHTML.slice(0, 80)")
    assert seen >= expected


def test_the_command_is_copied_from_a_file(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    settle(browser)
    button = "document.querySelector('.next .copy')"
    browser.value(f"{button}.focus()")
    browser.press("Enter")
    settle(browser, 100)
    assert browser.value(f"{button}.textContent") == "Copied"
    assert browser.value("document.getElementById('said').textContent") == "Copied"
    browser.press("/")
    browser.value("document.execCommand('paste')")
    command = browser.value("document.querySelector('.next code').textContent")
    assert command.startswith("pytest --aioncall ")


def test_how_many_cases_are_shown_is_announced(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    assert browser.value("document.getElementById('shown').getAttribute('role')") == "status"


DIFFS = [
    ("the red fox runs", "the blue fox ran", ["-red", "-runs", "+blue", "+ran"]),
    ("a b c d e f g h", "a b c d e f g h i", ["+ i"]),
    ("kept words here and there, gone now", "kept words here and there", ["-, gone now"]),
    ("one two three four five six", "one 2 3 four five six", ["-two three", "+2 3"]),
    # Chinese and Japanese write no spaces: a changed word is marked, not the whole sentence.
    ("客户要求退款，因为灯坏了。", "客户要求换货，因为灯坏了。", ["-退款", "+换货"]),
    ("昨日ランプが届きました。", "今日ランプが届きました。", ["-昨日", "+今日"]),
    ("naïve café costs 5 €", "naïve café costs 6 €", ["-5", "+6"]),
    ("", "something", ["+something"]),
]


@pytest.mark.parametrize(("was", "now", "marks"), DIFFS)
def test_changed_words_are_marked_and_no_others(
    browser: Any, tmp_path: Path, was: str, now: str, marks: list[str]
) -> None:
    opened(browser, tmp_path, was=was, now=now)
    shown = "[...document.querySelectorAll('.case del, .case ins')]"
    found = browser.value(f"{shown}.map(e => (e.tagName === 'DEL' ? '-' : '+') + e.textContent)")
    assert found == marks


def opened(browser: Any, folder: Path, *, was: str, now: str) -> list[str]:
    """Open a page with one case of these answers; return what its two sides spell."""
    one = reports.case("q-1", "worse").model_copy(
        update={"now": (reports.epoch(0, now, 0.0),), "was_text": (was,)}
    )
    report = reports.report(reports.evalset(reports.judged("pass", reports.overall()), cases=(one,)))
    browser.open(written(folder, report), "#case=q-1")
    settle(browser)
    sides: list[str] = browser.value(
        "[...document.querySelectorAll('.epoch .pair pre')].map(p => p.textContent)"
    )
    return sides


def drawn_pairs(count: int) -> list[tuple[str, str]]:
    """Draw pairs of answers, the second an edit of the first; the seed is fixed."""
    draw = random.Random(20261122)
    words = ["a", "bb", "ccc", "退款", "x-1", "\n", ", "]
    pairs = []
    for _ in range(count):
        was = [draw.choice(words) for _ in range(draw.randrange(1, 60))]
        now = [word for word in was if draw.random() > 0.2]
        for _ in range(draw.randrange(8)):
            now.insert(draw.randrange(len(now) + 1), draw.choice(words))
        pairs.append((" ".join(was), " ".join(now) or "-"))
    return pairs


def test_both_sides_of_any_pair_of_answers_spell_the_whole_text(browser: Any, tmp_path: Path) -> None:
    """What is marked on one side is what the other does not have: the rest is the same on both."""
    pairs = drawn_pairs(40)
    cases = tuple(
        reports.case(f"d-{n}", "worse").model_copy(
            update={"now": (reports.epoch(0, now, 0.0),), "was_text": (was,)}
        )
        for n, (was, now) in enumerate(pairs)
    )
    report = reports.report(reports.evalset(reports.judged("pass", reports.overall()), cases=cases))
    browser.open(written(tmp_path, report))
    browser.value("document.querySelectorAll('.case').forEach(one => { one.open = true; })")
    settle(browser)
    found = browser.value(
        "[...document.querySelectorAll('.case')].map(one => [...one.querySelectorAll('.epoch .pair pre')]"
        ".map(p => [p.textContent, [...p.childNodes].filter(n => n.nodeType === 3)"
        ".map(n => n.textContent).join('')]))"
    )
    assert len(found) == len(pairs)
    for (was, now), sides in zip(pairs, found, strict=True):
        assert [text for text, _ in sides] == ([was] if was == now else [was, now])
        assert len({kept for _, kept in sides}) == 1


def test_long_and_wholly_different_answers_are_shown_without_marks_and_soon(
    browser: Any, tmp_path: Path
) -> None:
    was = " ".join(f"old{n}" for n in range(2_500))
    now = " ".join(f"new{n}" for n in range(2_500))
    assert opened(browser, tmp_path, was=was, now=now) == [was, now]
    assert browser.value("document.querySelectorAll('.case del, .case ins').length") == 0
    assert "rewritten" in browser.value("document.querySelector('.epoch').textContent")


def test_a_long_answer_with_one_changed_word_marks_that_word(browser: Any, tmp_path: Path) -> None:
    words = [f"w{n}" for n in range(3_000)]
    opened(browser, tmp_path, was=" ".join(words), now=" ".join([*words[:1500], "here", *words[1501:]]))
    found = browser.value("[...document.querySelectorAll('.case del, .case ins')].map(e => e.textContent)")
    assert found == ["w1500", "here"]


def large(count: int) -> Report:
    """A report of a large suite as runs write it: 500 cases in full, the others listed."""
    brief = tuple(
        CaseView(
            case=f"c-{n:05d}",
            status="holding",
            input=f"question {n}",
            slices={"region": f"r{n % 11}"},
            was_scores={"route": (1.0, 1.0, 1.0)},
            now_scores={"route": (1.0, 1.0, 1.0)},
            brief=True,
        )
        for n in range(500, count)
    )
    full = tuple(reports.case(f"c-{n:05d}", "worse", now=(0, 1, 1)) for n in range(500))
    planned = reports.planned(cases=count)
    judgement = reports.judged("pass", reports.overall())
    return reports.report(reports.evalset(judgement, planned=planned, cases=(*full, *brief)))


def test_ten_thousand_cases_build_a_hundred_and_parse_none_but_the_open_one(
    browser: Any, tmp_path: Path
) -> None:
    browser.open(written(tmp_path, large(10_000)))
    settle(browser)
    assert browser.value("document.querySelectorAll('.case').length") == 100
    assert browser.value("document.querySelectorAll('*').length") < 3_000
    assert browser.value("document.getElementById('shown').textContent") == "100 of 10,000 cases"
    browser.value("document.getElementById('more').click()")
    assert browser.value("document.querySelectorAll('.case').length") == 200
    assert browser.value(FOCUSED) == "c-00100"
    browser.open(tmp_path / "report.html", "#case=c-09999")
    settle(browser)
    assert browser.value(FOCUSED) == "c-09999"
    text = browser.value("document.activeElement.parentElement.textContent")
    assert "question 9999" in text
    assert "evalsets/ticket-triage.eval.yaml::c-09999" in text
    assert "samples.jsonl" in text


def test_the_search_finds_what_only_an_unopened_case_says(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, large(2_000)), "#text=question+1777")
    assert browser.value(SHOWN) == ["c-01777"]
    browser.open(written(tmp_path, large(600)), "#text=SECOND+PAYMENT")
    assert browser.value("document.getElementById('shown').textContent").startswith("100 of 500 cases")


def test_a_case_of_a_score_file_shows_its_scores_and_no_empty_question(browser: Any, tmp_path: Path) -> None:
    bare = CaseView(
        case="s-1", status="worse", was_scores={"route": (1.0, 1.0)}, now_scores={"route": (0.0, 1.0)}
    )
    listed = bare.model_copy(update={"case": "s-2", "brief": True})
    judgement = reports.judged("pass", reports.overall())
    browser.open(written(tmp_path, reports.report(reports.evalset(judgement, cases=(bare, listed)))))
    browser.value("document.querySelectorAll('.case').forEach(one => { one.open = true; })")
    settle(browser)
    for name in ("s-1", "s-2"):
        text = browser.value(f"{case_box(name)}.textContent")
        assert "route 2/2 \u2192 1/2" in text
        assert "null" not in text
        assert "Input" not in text
    browser.value("location.hash = '#text=s-2'")
    settle(browser)
    assert browser.value(SHOWN) == ["s-2"]
    assert browser.problems == []


def test_many_rows_stay_readable_and_the_folded_ones_open(browser: Any, tmp_path: Path) -> None:
    bad = {"status": "regressed", "reason": "dropped", "was": 0.9, "now": 0.6, "ci": (-0.4, -0.2)}
    rows = (
        *reports.overall(),
        *(reports.verdict(slice={"team": f"red-{n}"}, **bad) for n in range(20)),
        *(reports.verdict(slice={"team": f"green-{n}"}) for n in range(180)),
    )
    browser.open(written(tmp_path, reports.report(reports.evalset(reports.judged("regressed", rows)))))
    visible = "[...document.querySelectorAll('.forest tbody tr th')].filter(e => e.checkVisibility()).length"
    assert browser.value(visible) == 22
    browser.value("document.querySelector('.fold > summary').click()")
    assert browser.value(visible) == 202


def test_paper_has_no_controls_and_nothing_folded(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    settle(browser)
    browser.prefer("light", media="print")
    try:
        browser.value("dispatchEvent(new Event('beforeprint'))")
        hidden = "['.filters', '#more', '.jump', '.copy', '.keys', '.skip']"
        assert browser.value(f"{hidden}.every(s => !document.querySelector(s).checkVisibility())")
        folded = "document.querySelectorAll('main details:not(.case, .keys):not([open])').length"
        assert browser.value(folded) == 0
        assert browser.value("document.querySelector('.forest thead').checkVisibility()")
        assert browser.pdf().startswith(b"%PDF-")
    finally:
        browser.prefer("light")


def test_paper_is_white_for_who_prefers_dark(browser: Any, tmp_path: Path) -> None:
    browser.open(written(tmp_path, reports.regressed()))
    browser.prefer("dark", media="print")
    try:
        ground = browser.value("getComputedStyle(document.body).backgroundColor")
        ink = browser.value("getComputedStyle(document.body).color")
    finally:
        browser.prefer("light")
    assert ground == "rgb(255, 255, 255)"
    assert ink == "rgb(28, 32, 40)"


def test_all_controls_and_pictures_have_names_and_headings_have_an_order(
    browser: Any, tmp_path: Path
) -> None:
    browser.open(written(tmp_path, reports.several()))
    unlabelled = "[...document.querySelectorAll('input, select')].filter(e => !e.labels.length).length"
    assert browser.value(unlabelled) == 0
    unnamed = (
        "[...document.querySelectorAll('svg')].filter(e => !e.closest('[aria-hidden=true]') "
        "&& !e.querySelector(':scope > title').textContent).length"
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
