"""One report as Markdown: the summary of a step and the comment of a pull request are the same text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ....model.report import Report
from .. import words
from ..asides import left_elsewhere
from ..beside_base import unaffected_line
from ..nextstep import next_advice, next_command
from ..story import Story, stories
from .details import details
from .escape import COMMENT_LIMIT, SUMMARY_LIMIT, capped, cell, folded, inline, prose, table
from .findings import findings
from .headline import SAID, counts, headline, resolved_headline, sentence
from .place import Place
from .proposals import proposals

_POINTER = "*Cut here: the rest stands in the report, an artifact of this run.*"
_MOST_EVALSETS = 40
_MOST_SECTIONS = 8
_DETAILS_OF_A_COMMENT, _DETAILS_OF_A_SUMMARY = 20, 60
_CALM = frozenset({"pass", "unaffected", "no_drop_seen", "no_baseline", "accepted"})


def summary(report: Report, place: Place, *, room: int = SUMMARY_LIMIT) -> str:
    """Return what stands in the summary of a step, at most `room` bytes of UTF-8."""
    parts = _parts(report, place, folds=_DETAILS_OF_A_SUMMARY)
    return capped(parts, room, _POINTER, in_bytes=True)


def comment(report: Report, place: Place, *, marker: str) -> str:
    """Return the body of a comment; `marker` is its first line."""
    first, *rest = _parts(report, place, folds=_DETAILS_OF_A_COMMENT)
    return capped([f"{marker}\n{first}", *rest], COMMENT_LIMIT, _POINTER)


def resolved(report: Report, place: Place, *, marker: str) -> str:
    """Return what a comment becomes when a run is good again."""
    told = stories(report, quote=prose)
    why = "What stood here is gone, judged by a newer run."
    if all(story.report.unaffected for story in told):
        why = "What stood here is gone: nothing that this change touches now can affect an eval."
    said = [f"{marker}\n{_headed(resolved_headline(told), place)}", why]
    said += [_table(told)] if len(told) > 1 else [counts(story, place) for story in told]
    return capped([*said, place.footer], COMMENT_LIMIT, _POINTER)


def _parts(report: Report, place: Place, *, folds: int) -> list[str]:
    """Return the whole text in parts, the most important first, the footer last."""
    told = stories(report, quote=prose)
    parts = [_headed(headline(report, told), place)]
    if len(told) == 1:
        parts += [sentence(told[0]), counts(told[0], place, money=_cost(report)), *findings(told[0], place)]
    elif told:
        parts += [_table(told), _totals(report)]
        for story in _worth_a_section(told):
            parts.append(f"#### {inline(story.name, 80)}: {SAID[story.state]}")
            parts += [sentence(story), counts(story, place), *findings(story, place)]
    parts += [left_elsewhere(report, code=inline), _left_out(report, told)]
    if report.review is not None:
        parts.append(proposals(report.review))
    parts += _folds(told, most=folds)
    return [*(part for part in parts if part), _last(told, place)]


def _headed(headline: str, place: Place) -> str:
    """Return the headline, and below it whose word it is, so that no cut takes the two apart."""
    return f"### {headline}\n\n{place.doubt}" if place.doubt else f"### {headline}"


def _worth_a_section(told: Sequence[Story]) -> list[Story]:
    """Return the evalsets that need more words than a line: those that are not calm, worst first."""
    return [
        story
        for story in told
        if story.state not in _CALM
        or story.tone in ("bad", "doubt")
        or story.report.review is not None
        or (story.report.judgement is not None and story.report.judgement.coverage.removed)
    ][:_MOST_SECTIONS]


def _table(told: Sequence[Story]) -> str:
    """Return one line for each evalset, worst first."""
    rows = []
    for story in told[:_MOST_EVALSETS]:
        coverage = story.report.judgement.coverage if story.report.judgement else None
        judged = f"{coverage.judged}/{coverage.planned}" if coverage is not None else "-"
        word = SAID[story.state]
        rows.append(
            [
                cell(story.name, 80),
                f"**{word}**" if story.tone == "bad" else word,
                _in_cell(story.count_said),
                judged,
            ]
        )
    text = table(["evalset", "verdict", "what", "judged:"], rows)
    left = len(told) - _MOST_EVALSETS
    return f"{text}\n\nand {words.counted(left, 'evalset')} more: see the report." if left > 0 else text


def _in_cell(safe: str) -> str:
    """Return safe Markdown for a cell: what others wrote in it stands in code, and may hold pipes."""
    return safe.replace("\\|", "\\\u00a6").replace("|", "\\|")


def _totals(report: Report) -> str:
    totals = report.run.totals
    parts = [f"{totals.judged:,} of {words.counted(totals.planned, 'sample')} judged"]
    parts += words.failed_of(totals.errors, not_recorded=sum(one.not_recorded for one in report.evalsets))
    return f"{', '.join([*parts, _cost(report), words.seconds(totals.wall_s)])}."


def _cost(report: Report) -> str:
    """Say what the run cost. One dollar sign a paragraph: two of them are a formula to GitHub."""
    return words.money(report.run.totals.cost_usd)


def _left_out(report: Report, told: Sequence[Story]) -> str:
    """Name the evalsets that a change cannot affect, where no line of the table does."""
    change = report.run.change
    if change is None or not change.unaffected:
        return ""
    listed = {story.name for story in told if story.report.unaffected}
    if listed >= {one.evalset for one in change.unaffected}:
        return ""
    return prose(unaffected_line(report.run), 600)


def _folds(told: Sequence[Story], *, most: int) -> list[str]:
    """Return the folded parts; of several evalsets each under its own name."""
    parts: list[str] = []
    for story in told:
        if (story.state in _CALM and story.tone != "doubt") or story.state == "not_run":
            continue
        inner = list(islice(details(story), most - len(parts)))
        if len(told) > 1:
            inner = [folded(f"{story.name}: details", "\n\n".join(inner[:8]))] if inner else []
        parts += inner
        if len(parts) >= most:
            break
    return parts


def _last(told: Sequence[Story], place: Place) -> str:
    """Return what stands last and is never cut: the next command, and where all of this comes from."""
    story = next((s for s in told if next_command(s)), None)
    if story is None or (story.state in ("pass", "no_drop_seen", "no_baseline", "not_run") and len(told) > 1):
        return place.footer
    command = inline(next_command(story), 1000)
    advice = next_advice(story)
    if story.state in ("regressed", "floor_broken", "user_error") and not advice:
        return f"Reproduce: {command}\n\n{place.footer}"
    return f"Next: {advice + ' ' if advice else ''}{command}\n\n{place.footer}"
