"""What a pull request shows, state by state, word for word; and that it agrees with the terminal."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pull_request_reports
import pytest
import reports

from hostile_corpus import HOSTILE
from pytest_aioncall.adapters.render.html import html_parts
from pytest_aioncall.adapters.render.markdown import Place, comment, headline, plain, resolved, summary
from pytest_aioncall.adapters.render.markdown.escape import COMMENT_LIMIT
from pytest_aioncall.adapters.render.markdown.headline import SAID
from pytest_aioncall.adapters.render.states import WORD
from pytest_aioncall.adapters.render.story import stories
from pytest_aioncall.adapters.render.terminal import summary_lines
from pytest_aioncall.model.report import Report
from rendered_markdown import HOSTILE_MARKDOWN, assert_shown_and_nothing_else, html_of

EXPECTED = Path(__file__).parent / "expected"
STATES = pull_request_reports.STATES
HOME = "https://github.com/acme/app/"
PLACE = Place(
    updated=datetime(2026, 11, 21, 14, 2, tzinfo=UTC),
    version="0.4.0",
    repository="https://github.com/acme/app",
    base="main",
    commit="9f3c2e1b0a9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b",
    run_name="4242",
    run_url="https://github.com/acme/app/actions/runs/4242",
)
MARKER = "<!-- aioncall:comment key= state=red run=4242 attempt=1 -->"


def expected(name: str, text: str) -> str:
    """Return what is expected; write it anew with AIONCALL_WRITE_EXPECTED=1, then read the difference."""
    file = EXPECTED / f"markdown_{name}.md"
    if os.environ.get("AIONCALL_WRITE_EXPECTED") == "1":
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("state", STATES)
def test_each_state_reads_as_expected(state: str) -> None:
    text = summary(STATES[state](), PLACE)
    assert text == expected(state, text)


def test_after_red_all_is_well_again() -> None:
    for name, report in (
        ("resolved", reports.passing()),
        ("resolved_several", pull_request_reports.partly_affected()),
    ):
        text = resolved(report, PLACE, marker=MARKER)
        assert text == expected(name, text)


@pytest.mark.parametrize("state", STATES)
def test_summary_and_comment_are_one_text(state: str) -> None:
    """Fewer cases are folded into a comment; everything above the folds is the same."""
    report = STATES[state]()
    said = comment(report, PLACE, marker=MARKER)
    assert said.startswith(f"{MARKER}\n### aioncall: ")
    above = said.removeprefix(f"{MARKER}\n").split("<details>")[0].rsplit("\n\n*", 1)[0]
    assert summary(report, PLACE).startswith(above[:200])
    assert above in summary(report, PLACE)


@pytest.mark.parametrize("state", STATES)
def test_the_verdict_comes_first_and_the_place_last(state: str) -> None:
    report = STATES[state]()
    lines = summary(report, PLACE).rstrip("\n").split("\n")
    told = stories(report)
    assert lines[0] == f"### {headline(report, told)}"
    assert SAID[told[0].state] in lines[0]
    assert lines[-1] == (
        f"*[run `4242`]({HOME}actions/runs/4242) attempt 1, commit `9f3c2e1`, aioncall 0.4.0, "
        "updated 2026-11-21 14:02 UTC*"
    )


@pytest.mark.parametrize("state", STATES)
def test_it_is_markdown_that_does_what_it_should(state: str) -> None:
    """Every fold and table is closed, and nothing but our own links and tags comes out."""
    text = summary(STATES[state](), PLACE)
    assert_shown_and_nothing_else(text, links=(HOME,), dollars=True)
    html = html_of(text)
    assert html.count("<details>") == html.count("</details>")
    for paragraph in text.split("\n\n"):
        # Two dollar signs in a paragraph are a formula to GitHub.
        plain_part = re.sub(r"`[^`]*`", "", paragraph)
        assert paragraph.startswith(("|", "`")) or plain_part.count("$") <= 1, paragraph


@pytest.mark.parametrize("state", STATES)
def test_terminal_and_markdown_say_the_same(state: str) -> None:
    """One word for the verdict, one next command, one sentence."""
    report = STATES[state]()
    terminal = [line.text for line in summary_lines(report, width=400, report_path="r.html")]
    text = summary(report, PLACE)
    told = stories(report)
    words = {WORD[story.state].lower() for story in told}
    shown = " ".join(terminal).lower()
    assert all(word in shown for word in words)
    command = next((line.split("  ", 1)[1].strip() for line in terminal if line.startswith("next:")), "")
    if command and told[0].tone in ("bad", "doubt"):
        assert command.split(", then ")[-1] in text
    for story in told:
        if story.tone == "bad":
            assert story.sentence.replace("_", "\\_").split(" went from ")[-1] in text


@pytest.mark.parametrize("state", sorted(set(STATES) - set(reports.STATES)))
def test_the_page_knows_what_only_a_pull_request_meets(state: str) -> None:
    page = "".join(html_parts(STATES[state]()))
    for story in stories(STATES[state]()):
        assert story.word.capitalize() in page


@pytest.mark.parametrize("state", STATES)
def test_a_headline_without_markdown_is_one_plain_line(state: str) -> None:
    report = STATES[state]()
    line = headline(report, stories(report), quote=plain)
    assert "`" not in line and "\n" not in line and len(line) < 400


def test_at_most_fifteen_rows_fell_and_the_rest_is_counted() -> None:
    many = reports.regressed().evalsets[0]
    assert many.judgement is not None
    moves = tuple(reports.MOVES[0].model_copy(update={"case": f"q-{n:03d}"}) for n in range(40))
    rows = tuple(
        reports.slices(bad=True)[0].model_copy(update={"slice": {"shape": f"s{n}"}}) for n in range(12)
    )
    judgement = many.judgement.model_copy(update={"worst": moves, "verdicts": rows})
    text = summary(reports.report(many.model_copy(update={"judgement": judgement})), PLACE)
    table = text.split("| what |")[1].split("\n\n")
    assert table[0].count("\n") == 1 + 15
    assert table[1] == "37 more rows: see the report."


def test_every_removed_case_is_named() -> None:
    found = reports.passing().evalsets[0]
    assert found.judgement is not None
    gone = tuple(f"old {n}" for n in range(60))
    coverage = found.judgement.coverage.model_copy(update={"removed": gone})
    judgement = found.judgement.model_copy(update={"coverage": coverage})
    text = summary(reports.report(found.model_copy(update={"judgement": judgement})), PLACE)
    assert all(f"`{name}`" in text for name in gone)


# -- hostile text, and too much of it


@pytest.mark.parametrize("parser", ["cmarkgfm", "comrak"])
def test_a_report_in_which_all_text_is_hostile_does_nothing(parser: str) -> None:
    report = reports.hostile()
    for text in (
        summary(report, PLACE),
        comment(report, PLACE, marker=MARKER),
        resolved(report, PLACE, marker=MARKER),
    ):
        assert_shown_and_nothing_else(text, parser=parser, links=(HOME,), dollars=True)
        assert text.replace(MARKER, "").count("<!-") == 0


CORPUS = {**HOSTILE, **HOSTILE_MARKDOWN}


@pytest.mark.parametrize("part", range(4))
def test_each_text_of_the_corpus_does_nothing_in_a_whole_comment_and_summary(
    monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """As name, question, answer, reason, diff and label of one case: all that others write in a report."""
    assert len(HOSTILE) >= 40
    for name in sorted(CORPUS)[part::4]:
        # A lone surrogate cannot be sent to GitHub at all; no text is no answer.
        text = CORPUS[name].encode("utf-8", "replace").decode() or "x"
        monkeypatch.setattr(reports, "HOSTILE", (text, text))
        report = reports.hostile()
        shown = {
            "summary": summary(report, PLACE),
            "comment": comment(report, PLACE, marker=MARKER),
            "resolved": resolved(report, PLACE, marker=MARKER),
        }
        assert shown["comment"].startswith(MARKER), name
        for what, said in shown.items():
            assert said.replace(MARKER, "").count("<!-") == 0, (name, what)
            for parser in ("cmarkgfm", "comrak"):
                try:
                    assert_shown_and_nothing_else(said, parser=parser, links=(HOME,), dollars=True)
                except AssertionError as error:
                    raise AssertionError(f"{name} in {what} by {parser}: {error}") from error


def huge() -> Report:
    one = reports.hostile().evalsets[0]
    case = one.cases[0].model_copy(
        update={"input": {"x": "y" * 2_000_000}, "expected": "\U0001f600" * 100_000}
    )
    cases = tuple(case.model_copy(update={"case": f"c {n}"}) for n in range(300))
    return reports.report(*[one.model_copy(update={"cases": cases})] * 1)


def test_a_comment_is_never_longer_than_github_takes() -> None:
    said = comment(huge(), PLACE, marker=MARKER)
    assert len(said.encode("utf-16-le")) // 2 <= COMMENT_LIMIT
    assert said.startswith(f"{MARKER}\n### aioncall: regressed")
    assert "*Cut here: the rest stands in the report, an artifact of this run.*" in said
    assert said.rstrip().endswith("updated 2026-11-21 14:02 UTC*")
    html = html_of(said)
    assert html.count("<details>") == html.count("</details>")


def test_a_summary_is_never_larger_than_github_shows() -> None:
    assert len(summary(huge(), PLACE).encode()) <= 1_000_000
    small = summary(huge(), PLACE, room=5_000)
    assert len(small.encode()) <= 5_000
    assert small.startswith("### aioncall: regressed")
    assert "Cut here" in small


def test_many_evalsets_are_told_by_the_worst() -> None:
    bad = [
        one.model_copy(update={"planned": one.planned.model_copy(update={"evalset": f"set-{n}"})})
        for n, one in enumerate([reports.regressed().evalsets[0]] * 60)
    ]
    said = comment(reports.report(*bad), PLACE, marker=MARKER)
    assert len(said) <= COMMENT_LIMIT
    assert "and 20 evalsets more: see the report." in said
    assert said.count("#### ") == 8
