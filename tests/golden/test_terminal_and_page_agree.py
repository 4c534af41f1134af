"""One judgement, two screens: what the terminal says of a row, the page says too, word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
import reports
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.render.html import render_html
from pytest_aioncall.adapters.render.table import table_lines
from pytest_aioncall.adapters.render.terminal import summary_lines
from pytest_aioncall.adapters.text import one_line
from pytest_aioncall.model.report import Report
from pytest_aioncall.model.verdict import Verdict


@dataclass
class Row:
    """A row as read from a screen: texts only, as they stand there."""

    name: str
    now: str
    was: str
    difference: str
    interval: str
    verdict: str


class Gates(HTMLParser):
    """Reads the rows of the gates' tables out of a page, cell by cell, small texts apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[Row] = []
        self._table = self._small = self._svg = False
        self._cells: list[str] = []
        self._notes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split()
        if tag == "table":
            self._table = "forest" in names
        elif tag == "tr":
            self._cells, self._notes = [], []
        elif tag in ("td", "th"):
            self._cells.append("")
            self._notes.append("")
        self._small = self._small or tag == "small"
        self._svg = self._svg or tag == "svg"

    def handle_endtag(self, tag: str) -> None:
        if tag == "small":
            self._small = False
        elif tag == "svg":
            self._svg = False
        elif tag == "table":
            self._table = False
        elif tag == "tr" and self._table and len(self._cells) == 6 and self._cells[0].strip() != "Gate":
            name, now, was, _, difference, verdict = (" ".join(cell.split()) for cell in self._cells)
            self.rows.append(Row(name, now, was, difference, " ".join(self._notes[4].split()), verdict))

    def handle_data(self, data: str) -> None:
        if self._table and self._cells and not self._svg:
            (self._notes if self._small else self._cells)[-1] += data


def page_rows(report: Report) -> list[Row]:
    gates = Gates()
    gates.feed(render_html(report))
    return gates.rows


def terminal_rows(verdicts: tuple[Verdict, ...], alpha: float) -> dict[str, list[str]]:
    """Read the terminal's table: its cells by the row's name."""
    lines = table_lines(verdicts, alpha=alpha, width=400, safe=one_line)
    found = {}
    for text, _ in lines[1:]:
        name, *cells = re.split(r"\s{2,}", text.strip())
        if "=" in cells[0]:
            name = f"{name} {cells.pop(0)}"
        found[name] = cells
    assert len(found) == len(verdicts)
    return found


def bare(text: str) -> str:
    return text.removesuffix(" pp")


def level_and_ends(text: str) -> tuple[str, str]:
    """Split an interval with its level in front, as either screen writes it; the level may be missing."""
    found = re.fullmatch(r"(?:(>?[\d.]+ %)(?: interval|: ))?(.*)", text)
    assert found
    return found[1] or "", bare(found[2])


def assert_same(report: Report) -> None:
    for evalset in report.evalsets:
        judgement = evalset.judgement
        if judgement is None:
            continue
        alone = report.model_copy(update={"evalsets": (evalset,)})
        page = {row.name: row for row in page_rows(alone)}
        terminal = terminal_rows(judgement.verdicts, judgement.alpha)
        assert page.keys() == terminal.keys()
        short = any(v.judged != v.planned for v in judgement.verdicts)
        for name, cells in terminal.items():
            row = page[name]
            if short:
                cells.pop(1)
            if len(cells) == 2:
                assert (row.now, row.verdict) == tuple(cells)
                continue
            now, was, difference, interval, _, verdict = cells
            assert (row.now, row.was, row.verdict) == (now, was, verdict)
            assert bare(row.difference) == difference
            (level, ends), (told, shown) = level_and_ends(row.interval or "-"), level_and_ends(interval)
            assert ends == shown
            # A panel of the page has rows of one scale only, so that its caption may name the level of all.
            assert level in ("", told)


@pytest.mark.parametrize("state", reports.STATES)
def test_both_screens_say_the_same_of_every_row(state: str) -> None:
    assert_same(reports.STATES[state]())


@pytest.mark.parametrize("state", reports.STATES)
def test_both_screens_open_with_the_same_word(state: str) -> None:
    report = reports.STATES[state]()
    first = summary_lines(report, width=200)[0].text
    heading = re.search(r"<h1[^>]*>.*?</svg>([^<]+?)\s*(?:<|$)", render_html(report), re.DOTALL)
    assert heading
    assert first.lower().startswith(f"gate {heading[1].strip().lower()}")


STATUSES = {
    "regressed": "dropped",
    "pass": "within_margin",
    "inconclusive": "no_drop_seen",
    "too_small": "too_small_to_test",
}
numbers = st.floats(-1, 1, allow_nan=False)


@st.composite
def judged_rows(draw: st.DrawFn) -> tuple[Verdict, ...]:
    rows = []
    for n in range(draw(st.integers(1, 12))):
        status = draw(st.sampled_from(sorted(STATUSES)))
        scale = draw(st.sampled_from([(0.0, 1.0), (1.0, 5.0), (0.0, 100.0)]))
        span = scale[1] - scale[0]
        was, now = (scale[0] + span * abs(draw(numbers)) for _ in range(2))
        ends = sorted((draw(numbers), draw(numbers)))
        rows.append(
            reports.verdict(
                f"scorer{n % 3}-{scale[1]:g}",
                was=was,
                now=now,
                ci=(span * ends[0], span * ends[1]),
                status=status,
                reason=STATUSES[status],
                slice=None if n < 3 else {"s": str(n)},
                scale=scale,
                alpha=draw(st.sampled_from([None, 0.05, 0.01])),
                gating=draw(st.booleans()),
            )
        )
    unique = {(row.scorer, str(row.slice)): row for row in rows}
    return tuple(unique.values())


@settings(max_examples=15, deadline=None)
@given(judged_rows())
def test_both_screens_say_the_same_of_any_judgement(rows: tuple[Verdict, ...]) -> None:
    """Levels of rows differ here, so that each interval names its own where they do."""
    judgement = reports.judged("regressed", rows)
    same_level = [row.model_copy(update={"alpha": None}) for row in rows]
    assert_same(reports.report(reports.evalset(judgement.model_copy(update={"verdicts": tuple(same_level)}))))
    page = page_rows(reports.report(reports.evalset(judgement)))
    words = {f"{v.scorer} {'s=' + v.slice['s'] if v.slice else ''}".strip(): v for v in rows}
    assert {row.name for row in page} == words.keys()
