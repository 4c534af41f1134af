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


def data_of(html: str) -> Any:
    return json.loads(read(html).raw["script"][0])


@pytest.mark.parametrize("state", reports.STATES)
def test_each_state_reads_as_expected(state: str) -> None:
    """Set AIONCALL_WRITE_EXPECTED=1 to write the files anew, then read their difference."""
    text = read(render_html(reports.STATES[state]())).text()
    file = EXPECTED / f"report_{state}.txt"
    if os.environ.get("AIONCALL_WRITE_EXPECTED") == "1":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("state", ALL)
def test_a_page_is_valid_utf8_has_two_scripts_one_style_and_no_address(state: str) -> None:
    html = render_html(ALL[state]())
    html.encode("utf-8")
    reader = read(html)
    assert [tag for tag, _ in reader.tags if tag in ("script", "style")] == ["style", "script", "script"]
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
    assert rules["script-src"] == hashed(reader.raw["script"][1])
    assert rules["style-src"] == hashed(reader.raw["style"][0])
    assert "unsafe" not in policy


def test_hostile_text_cannot_leave_the_data_element() -> None:
    html = render_html(reports.hostile())
    data = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert len(data) == 1
    assert data[0].isascii()
    assert not set("<>&\u2028") & set(data[0])
    found = json.loads(data[0])["cases"]
    assert found[0]["expected"]["text"] == reports.HOSTILE[0]
    assert found[1]["expected"]["text"] == "\\x1b[31mred\\x1b]0;owned\\x07\\x9b2J"
    assert found[7]["expected"] == {"text": "x" * 20_000, "cut": 180_000}


def test_template_braces_in_text_are_not_evaluated() -> None:
    text = read(render_html(reports.hostile())).text()
    assert "{{ 7*7 }}" in text
    assert " 49 " not in text


def test_cases_come_worst_first_and_equal_epochs_as_one() -> None:
    found = data_of(render_html(reports.regressed()))["cases"]
    assert [c["status"] for c in found[:5]] == ["newly_failing", "worse", "worse", "error", "failing"]
    first = found[0]
    assert first["epochs"][0]["n"] == [1, 2, 3]
    assert first["moves"][0] == ["route", "3/3", "0/3"]
    assert first["moves"][1] == ["helpfulness", "4.33", "4.00"]
    assert first["why"] == "expected 'billing', got 'other'"
    assert [e["n"] for e in found[1]["epochs"]] == [[1], [2], [3]]
    assert found[3]["epochs"][1]["error"] == "ConnectTimeout: no answer within 60 s"
    assert found[3]["epochs"][1]["kind"] == "transport"


def test_both_answers_are_whole_and_their_changed_words_marked() -> None:
    epoch = data_of(render_html(reports.regressed()))["cases"][0]["epochs"][0]
    assert "".join(text for _, text in epoch["was"]) == reports.WAS
    assert "".join(text for _, text in epoch["now"]) == reports.NOW
    assert epoch["was"][0] == [1, "billing"]
    assert epoch["now"][0] == [1, "other"]


def test_a_page_of_many_long_answers_stays_bounded() -> None:
    long = reports.epoch(0, "word " * 4_000, 1.0)
    many = tuple(reports.case(f"c-{n}").model_copy(update={"now": (long,)}) for n in range(1_500))
    html = render_html(reports.report(reports.evalset(reports.judged("pass", reports.overall()), cases=many)))
    assert len(html) < 20_000_000
    last = data_of(html)["cases"][-1]["epochs"][0]
    assert last["cut"] == 20_000 - 600


def test_more_than_forty_rows_fold() -> None:
    rows = tuple(reports.verdict(slice={"shape": f"s{n}"}) for n in range(60))
    reader = read(render_html(reports.report(reports.evalset(reports.judged("pass", rows)))))
    assert "More rows" in reader.text()
    assert sum(attrs.get("role") == "img" for _, attrs in reader.tags) == 60


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
