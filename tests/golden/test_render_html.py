"""What the page says, state by state: its text in reading order, and its data."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import reports

from pytest_aioncall.adapters.render.html import render_html
from pytest_aioncall.model.report import CaseView

EXPECTED = Path(__file__).parent / "expected"
ALL = {**reports.STATES, "hostile": reports.hostile}
BLOCKS = {"h1", "h2", "h3", "p", "tr", "div", "li", "summary", "caption", "section", "details", "pre"}


class Reader(HTMLParser):
    """Reads a page as a person does: text by blocks, without style and script; keeps each script's text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.raw:
            self._inside = tag
            self.raw[tag].append("")
        if tag in BLOCKS:
            self.lines.append("")
        if tag in ("td", "th", "dd", "small", "code") and self.lines[-1].strip():
            self.lines[-1] += " | " if tag in ("td", "th") else " "
        if label := dict(attrs).get("aria-label"):
            self.lines[-1] += f"[{label}]"

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[self._inside][-1] += data
        else:
            self.lines[-1] += re.sub(r"\s+", " ", data)

    def text(self) -> str:
        return "\n".join(line.strip() for line in self.lines if line.strip()) + "\n"


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def index_of(html: str) -> Any:
    return json.loads(read(html).raw["script"][0])


def details_of(html: str) -> list[Any]:
    """Return what the page says of each case that it carries in full, worst first."""
    return [detail for chunk in read(html).raw["script"][1:-1] for detail in json.loads(chunk)]


@pytest.mark.parametrize("state", reports.STATES)
def test_each_state_reads_as_expected(state: str) -> None:
    """Set AIONCALL_WRITE_EXPECTED=1 to write the files anew, then read their difference."""
    text = read(render_html(reports.STATES[state]())).text()
    file = EXPECTED / f"report_{state}.txt"
    if os.environ.get("AIONCALL_WRITE_EXPECTED") == "1":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("state", ALL)
def test_a_page_is_valid_utf8_has_one_script_that_runs_one_style_and_no_address(state: str) -> None:
    html = render_html(ALL[state]())
    html.encode("utf-8")
    reader = read(html)
    scripts = [attrs.get("type") for tag, attrs in reader.tags if tag == "script"]
    assert scripts[-1] is None
    assert set(scripts[:-1]) == {"application/json"}
    assert sum(tag == "style" for tag, _ in reader.tags) == 1
    for tag, attrs in reader.tags:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form", "audio", "video", "source")
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "srcset", "style")]
        assert (attrs.get("href") or "#").startswith(("#", "data:,"))


@pytest.mark.parametrize("state", ["regressed", "hostile"])
def test_the_policy_names_the_hashes_of_this_style_and_this_script_and_nothing_else(state: str) -> None:
    reader = read(render_html(ALL[state]()))
    policy = next(
        attrs["content"] for _, attrs in reader.tags if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == hashed(reader.raw["script"][-1])
    assert rules["style-src"] == hashed(reader.raw["style"][0])
    assert "unsafe" not in policy


def test_hostile_text_cannot_leave_the_data_elements() -> None:
    html = render_html(reports.hostile())
    data = re.findall(r'<script type="application/json" id="[\w-]+">(.*?)</script>', html, re.DOTALL)
    assert len(data) == 2
    for text in data:
        assert text.isascii()
        assert not set("<>&\u2028") & set(text)
    found = json.loads(data[1])
    assert found[0]["expected"]["text"] == reports.HOSTILE[0]
    assert found[1]["expected"]["text"] == "\\x1b[31mred\\x1b]0;owned\\x07\\x9b2J"
    assert found[7]["expected"] == {"text": "x" * 20_000, "cut": 180_000}


def test_template_braces_in_text_are_not_evaluated() -> None:
    text = read(render_html(reports.hostile())).text()
    assert "{{ 7*7 }}" in text
    assert " 49 " not in text


def test_cases_come_worst_first_and_equal_epochs_as_one() -> None:
    html = render_html(reports.regressed())
    index, details = index_of(html), details_of(html)
    names = {"id": 0, "status": 2, "moves": 4, "detail": 5}
    cases = [{name: row[at] for name, at in names.items()} for row in index["cases"]]
    assert [index["words"][c["status"]] for c in cases[:5]] == [
        "newly failing",
        "worse",
        "worse",
        "error",
        "failing",
    ]
    assert [c["detail"] for c in cases] == list(range(16))
    route, helpful = cases[0]["moves"]
    assert [index["scorers"][route[0]], *route[1:]] == ["route", "3/3", "0/3", -1.0, 0.0]
    assert [index["scorers"][helpful[0]], *helpful[1:]] == ["helpfulness", "4.33", "4.00", -0.0833, 0.75]
    assert details[0]["why"] == "expected 'billing', got 'other'"
    # As samples.jsonl, recordings, `-vv` and messages number them.
    assert [e["n"] for e in details[0]["epochs"]] == [[0, 1], [2]], "the baseline's third epoch scored more"
    assert [e["n"] for e in details[1]["epochs"]] == [[0], [1], [2]]
    assert details[3]["epochs"][1]["error"] == "ConnectTimeout: no answer within 60 s"
    assert details[3]["epochs"][1]["kind"] == "transport"


def test_both_answers_are_whole_and_each_is_written_once() -> None:
    detail = details_of(render_html(reports.regressed()))[0]
    assert detail["texts"] == [reports.WAS, reports.NOW]
    assert [(e["was"], e["now"]) for e in detail["epochs"]] == [(0, 1), (0, 1)]


def test_each_epoch_says_what_it_scored_then_and_now() -> None:
    first, last = details_of(render_html(reports.regressed()))[0]["epochs"]
    assert [(s["scorer"], s["was"], s["word"]) for s in first["scores"]] == [
        ("route", "pass", "miss"),
        ("helpfulness", "4.00", "4.00"),
    ]
    assert last["scores"][1]["was"] == "5.00"


def test_a_page_of_many_long_answers_stays_bounded() -> None:
    long = reports.epoch(0, "word " * 4_000, 1.0)
    many = tuple(reports.case(f"c-{n}").model_copy(update={"now": (long,)}) for n in range(1_500))
    html = render_html(reports.report(reports.evalset(reports.judged("pass", reports.overall()), cases=many)))
    assert len(html) < 20_000_000
    last = details_of(html)[-1]
    assert last["cut"][last["epochs"][0]["now"]] == 20_000 - 600


def test_a_page_of_many_long_answers_in_another_script_stays_bounded_too() -> None:
    """What is not ASCII takes six characters a letter in the page, and counts as such."""
    many = tuple(
        reports.case(f"c-{n}").model_copy(
            update={"now": (reports.epoch(0, "退款政策" * 4_000 + str(n), 1.0),)}
        )
        for n in range(1_000)
    )
    html = render_html(reports.report(reports.evalset(reports.judged("pass", reports.overall()), cases=many)))
    assert len(html) < 20_000_000


def test_cases_that_are_listed_only_say_their_scores_and_that_the_rest_is_elsewhere() -> None:
    brief = CaseView(
        case="q-900",
        status="holding",
        input="Where is",
        slices={"shape": "long"},
        was_scores={"route": (1.0, 1.0)},
        now_scores={"route": (1.0, 0.0), "helpfulness": (3.0, 4.0)},
        brief=True,
    )
    judgement = reports.judged("pass", reports.overall())
    html = render_html(reports.report(reports.evalset(judgement, cases=(reports.case("q-001"), brief))))
    index = index_of(html)
    assert index["cases"][1][5] == "Where is"
    assert [move[1:] for move in index["cases"][1][4]] == [
        ["2/2", "1/2", -0.5, 0.5],
        ["", "3.50", None, 0.625],
    ]
    assert len(details_of(html)) == 1
    said = "1 of 120 cases are in this page in full, the worst first; of 1 more it has the scores"
    assert said in read(html).text()


def many_rows(*, bad: int, calm: int) -> tuple[Any, ...]:
    drop = {"was": 0.9, "now": 0.6, "ci": (-0.4, -0.2), "status": "regressed", "reason": "dropped"}
    return (
        *reports.overall(),
        *(reports.verdict(slice={"shape": f"bad-{n}"}, **drop) for n in range(bad)),
        *(reports.verdict(slice={"shape": f"calm-{n}"}) for n in range(calm)),
    )


def test_a_long_plot_folds_calm_slices_and_never_a_bad_or_an_overall_row() -> None:
    rows = many_rows(bad=60, calm=140)
    text = read(render_html(reports.report(reports.evalset(reports.judged("regressed", rows))))).text()
    before, fold, after = text.partition("140 more rows: 140 pass")
    assert fold
    assert all(f"shape=bad-{n} " in before for n in range(60))
    assert "calm" not in before.partition("Gates")[2]
    assert all(f"shape=calm-{n} " in after for n in range(140))
    assert "120 cases, 360/360 judged" in before


def test_a_plot_that_is_not_long_folds_nothing() -> None:
    html = render_html(
        reports.report(reports.evalset(reports.judged("regressed", many_rows(bad=3, calm=20))))
    )
    assert "more rows" not in read(html).text()


def test_every_row_of_the_plot_has_a_picture_with_a_name_and_the_same_in_numbers() -> None:
    html = render_html(reports.regressed())
    assert html.count('role="img"') == 8
    assert (
        "<title>route shape=long: REGRESSED, -18.7 pp, 90 % interval -29.4 to -8.1 pp, margin 5 pp</title>"
        in html
    )
    lines = read(html).text().splitlines()
    row = next(line for line in lines if line.startswith("route shape=long 32 cases"))
    for number in ("71.9 %", "90.6 %", "-18.7 pp", "-29.4 .. -8.1 pp", "REGRESSED"):
        assert number in row


def test_the_power_of_each_row_is_told_with_what_would_settle_it() -> None:
    text = read(render_html(reports.powered())).text()
    assert "How often a new run like this one would turn a row red, reckoned from this run's noise" in text
    row = next(line for line in text.splitlines() if "93 %" in line)
    assert (
        "route 120 cases | cases like these | 93 % a drop of 5 pp | >99 % | 4 % undecided 11 % | 3.4 pp |"
        in row
    )
    weak = next(line for line in text.splitlines() if "persona=expert 9 cases | these cases" in line)
    assert "| 8 % a drop of 5 pp | 17 % | <1 % undecided 92 % | 24 pp | 140 cases or 9 epochs" in weak


def test_the_page_names_the_interval_by_the_level_of_the_tests() -> None:
    found = reports.regressed().evalsets[0]
    assert found.judgement is not None
    strict = found.model_copy(update={"judgement": found.judgement.model_copy(update={"alpha": 0.01})})
    text = read(render_html(reports.report(strict))).text()
    assert "with its 98 % interval" in text
    assert "(-18.7 pp, 98 % interval -29.4 .. -8.1 pp)" in text
    assert "90 % interval" not in text


def test_the_same_report_gives_the_same_page() -> None:
    assert render_html(reports.several()) == render_html(reports.several())


def test_rows_of_several_levels_name_each_on_a_line_of_its_own() -> None:
    html = render_html(reports.rounds())
    assert "<small>93.7 % interval</small><small>-7.5 .. +3.6 pp</small>" in html
    assert "<small>96.8 % interval</small><small>-6.0 .. +5.0 pp</small>" in html


def test_the_page_tells_why_adaptive_epochs_ended() -> None:
    text = read(render_html(reports.rounds())).text()
    assert "Epochs drawn The cost cap ended the rounds at epoch 3 of 5 saved 288 of 600 calls (48 %)" in text


def test_cases_that_fell_are_listed_by_the_fall_of_their_mean() -> None:
    found = reports.regressed().evalsets[0]
    half = reports.case("half", "worse", was=(1, 1, 1, 1, 0), now=(0, 1))
    wholly = reports.case("wholly", "worse", was=(1, 1, 1, 1, 1), now=(0, 0))
    html = render_html(reports.report(found.model_copy(update={"cases": (half, wholly)})))
    assert [row[0] for row in index_of(html)["cases"]] == ["wholly", "half"]


def test_a_run_without_a_drop_seen_wears_neither_the_colour_nor_the_shape_of_a_pass() -> None:
    html = render_html(reports.no_drop_seen())
    hero = html[html.index('<section class="hero') : html.index("</h1>")]
    assert '<section class="hero tone-none"' in hero
    assert '<circle r="5" class="open"/>' in hero
