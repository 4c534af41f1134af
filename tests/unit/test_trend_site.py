"""The trend site: one page an evalset, a line a scorer with its reference, alarms and changes as marks."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import trend_days
from hostile_corpus import HOSTILE
from pytest_aioncall.adapters.render.trend import render_site
from pytest_aioncall.decide.trend import amounts_by_day, changes_by_day
from pytest_aioncall.model.history import EvalsetDay, HistoryEntry


class Seen(HTMLParser):
    """What a browser would make of a page: its elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def site(text: str = "") -> dict[str, str]:
    return dict(render_site(trend_days.alerts(text), changes=trend_days.changes(text)))


def test_there_is_one_page_an_evalset_and_an_index_that_names_the_worst_first() -> None:
    pages = site()
    assert set(pages) == {"index.html", "ticket-triage.html", "handbook.html", "summarizer.html"}
    index = pages["index.html"]
    assert "1 of 3 evalsets REGRESSED" in index
    order = [index.index(f'href="{name}.html"') for name in ("ticket-triage", "summarizer", "handbook")]
    assert order == sorted(order)


def test_a_page_says_verdict_alert_incidents_and_changes() -> None:
    text = "".join(Seen(site()["ticket-triage.html"]).text)
    assert "REGRESSED" in text
    assert "92.2 % -> 87.2 %" in text
    assert trend_days.day(55) in text
    assert "answering model: gpt-x-1 -> gpt-x-2" in text
    assert "358 of 360 samples judged" in text


def test_every_point_is_in_the_picture_and_in_the_numbers_below_it() -> None:
    page = site()["ticket-triage.html"]
    figure = page[page.index("<figure>") : page.index("</figure>")]
    svg = ElementTree.fromstring(figure[figure.index("<svg") : figure.index("</svg>") + 6])
    said = [one.text for one in svg.iter("title")]
    series = trend_days.alerts().evalsets[1].series[0]
    for point in series.points:
        assert sum((one or "").startswith(f"{point.day}, ") for one in said) == 1
    alarmed = [point.day for point in series.points if point.alarmed]
    assert alarmed and all(
        any(day in (one or "") and "alarm" in (one or "") for one in said) for day in alarmed
    )
    numbers = page[page.index('class="numbers"') :]
    assert numbers[: numbers.index("</table>")].count("<tr>") == len(series.points) + 1


def test_days_without_a_run_break_the_line() -> None:
    page = site()["ticket-triage.html"]
    line = re.search(r'class="line" d="([^"]+)"', page)
    assert line and line[1].count("M") == 2


def test_calm_slices_are_folded_and_overall_rows_are_not() -> None:
    page = site()["ticket-triage.html"]
    assert page.index("helpfulness") < page.index("1 calm slice") < page.index("shape=long")


def test_a_reference_that_is_being_learned_is_said_and_has_no_alarm_line() -> None:
    page = site()["handbook.html"]
    assert "learning its reference: 5 days so far" in page
    assert 'class="limit"' not in page


def test_a_run_that_could_not_judge_is_neither_good_nor_bad() -> None:
    text = "".join(Seen(site()["summarizer.html"]).text)
    assert "NOT JUDGED" in text
    assert "12 % of samples errored" in text
    assert "REGRESSED" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text(name: str) -> None:
    """No element and no attribute is there that a harmless site does not have; nothing unseen is left."""
    harmless = [Seen(page) for page in site().values()]
    tags = set().union(*(one.tags for one in harmless))
    attributes = set().union(*(one.attributes for one in harmless))
    for page in site(HOSTILE[name][:20_000]).values():
        seen = Seen(page)
        assert seen.tags <= tags
        assert seen.attributes <= attributes
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", page)


def test_a_page_runs_and_loads_nothing() -> None:
    for page in site().values():
        seen = Seen(page)
        assert not seen.tags & {"script", "iframe", "img", "object", "embed", "form"}
        assert "default-src 'none'" in unescape(page)
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_names_that_would_be_one_file_are_told_apart() -> None:
    alerts = trend_days.alerts()
    twins = tuple(
        one.model_copy(update={"evalset": name})
        for one, name in zip(alerts.evalsets, ("a b", "a/b", "index"), strict=True)
    )
    names = [name for name, _ in render_site(alerts.model_copy(update={"evalsets": twins}), changes={})]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"[a-z0-9_.-]+\.html", name) for name in names)


def entry(number: int, **keys: object) -> HistoryEntry:
    day = EvalsetDay(evalset="e", judged=True, **keys)  # type: ignore[arg-type]
    return HistoryEntry(
        run=f"r{number}",
        created_at=f"{trend_days.day(number)}T04:00:00Z",
        day=trend_days.day(number),
        evalsets=(day,),
    )


def test_what_changed_between_two_days_is_told_on_the_second() -> None:
    entries = [
        entry(0, models={"m-1": 9}, subject={"files": {"p.md": {"sha256": "1" * 64}}}),
        entry(1, models={"m-1": 9}, subject={"files": {"p.md": {"sha256": "1" * 64}}}),
        entry(2, models={"m-2": 9}, subject={"files": {"p.md": {"sha256": "2" * 64}}}),
    ]
    found = changes_by_day(entries, "e")
    assert [day for day, _ in found] == [trend_days.day(2)]
    assert "p.md" in found[0][1] and "m-1 -> m-2" in found[0][1]


def test_a_run_without_an_answer_changes_no_model() -> None:
    entries = [entry(0, models={"m-1": 9}), entry(1, models={}), entry(2, models={"m-1": 9})]
    assert changes_by_day(entries, "e") == ()


def test_runs_of_pull_requests_and_from_recordings_change_nothing() -> None:
    other = entry(1, models={"m-9": 1})
    entries = [
        entry(0, models={"m-1": 9}),
        other.model_copy(update={"kind": "other"}),
        other.model_copy(update={"replayed": True}),
        entry(2, models={"m-1": 9}),
    ]
    assert changes_by_day(entries, "e") == ()


def test_what_a_day_took_comes_from_the_last_run_of_the_day_and_never_from_a_recording() -> None:
    told = {"planned": 10, "errors": 1, "cost_usd": 0.5, "amounts": {"latency_p95_s": 1.5, "latency_n": 9}}
    again = entry(1, **told | {"cost_usd": 0.7}).model_copy(update={"run": "again"})
    entries = [entry(0, **told), entry(1, **told), again, again.model_copy(update={"replayed": True})]
    found = {one.name: [(p.day, p.value, p.n) for p in one.points] for one in amounts_by_day(entries, "e")}
    first, second = trend_days.day(0), trend_days.day(1)
    assert found == {
        "latency_p95_s": [(first, 1.5, 9), (second, 1.5, 9)],
        "cost_usd": [(first, 0.5, 10), (second, 0.7, 10)],
        "error_rate": [(first, 0.1, 10), (second, 0.1, 10)],
    }


def test_what_nobody_told_has_no_picture() -> None:
    """A target that tells no price has no cost of zero."""
    assert [one.name for one in amounts_by_day([entry(0, planned=3)], "e")] == ["error_rate"]
