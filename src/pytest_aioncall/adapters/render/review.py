"""The weekly review as text and as Markdown: the verdict first, then what to talk about, then the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...model.review import (
    Review,
    ReviewAlert,
    ReviewBaseline,
    ReviewCost,
    ReviewIncident,
    ReviewIssue,
    ReviewModel,
    ReviewSlice,
)
from ..text import log_line
from . import words
from .markdown.escape import capped, prose

_MOST = 20
"""Lines of one section on a screen."""
_Shown = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Section:
    """A title and its lines; `empty` is said where there are none, and "" leaves the section out."""

    title: str
    lines: tuple[str, ...]
    empty: str = ""


def review_lines(review: Review) -> list[str]:
    """Return what a terminal shows; the first line is the answer."""
    lines = [headline(review)]
    for section in _sections(review, lambda text: log_line(text, 200)):
        if not section.lines and not section.empty:
            continue
        lines += ["", section.title]
        lines += [f"  {line}" for line in _some(section.lines) or [section.empty]]
    return lines


def review_markdown(review: Review) -> str:
    """Return the same for an issue, a page or a summary; other people's text does nothing there."""
    parts = [f"### {headline(review)}"]
    for section in _sections(review, lambda text: prose(text, 200)):
        if section.lines or section.empty:
            items = [f"- {line}" for line in _some(section.lines)] or [section.empty]
            parts.append("\n".join([f"**{section.title}**", "", *items]))
    parts.append(
        f"*From {_minute(review.since)} to {_minute(review.until)} UTC, by the history of daily runs.*"
    )
    return capped(parts)


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def headline(review: Review) -> str:
    """Say the week in one line: incidents, alerts, judged days, cost."""
    span = f"{review.since[:10]} .. {review.until[:10]}"
    if not review.runs:
        return f"review {span}: no daily run in the history"
    still = sum(not one.closed for one in review.incidents)
    closed = sum(one.closed for one in review.incidents)
    pages = sum(one.tier == 1 and one.began for one in review.alerts)
    tickets = sum(one.tier == 2 and one.began for one in review.alerts)
    parts = [
        f"{words.counted(still, 'incident')} open, {closed} closed",
        f"{words.counted(pages, 'page')}, {words.counted(tickets, 'ticket')}",
        f"{review.judged_days} of {words.counted(len(review.days), 'day')} judged",
        _total(review.costs),
    ]
    return f"review {span}: {'; '.join(parts)}"


def _total(costs: Sequence[ReviewCost]) -> str:
    known = [one.usd for one in costs if one.usd is not None]
    return words.money(sum(known) if known else None)


def _some(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _MOST:
        return list(lines)
    return [*lines[:_MOST], f"and {len(lines) - _MOST} more: aioncall review --json"]


def _sections(review: Review, shown: _Shown) -> list[Section]:
    if not review.runs:
        todo = "run the evals each day and enter them: pytest --aioncall, then aioncall monitor"
        return [
            Section("To do", (), shown(review.elsewhere) if review.elsewhere else todo),
            Section("History", (shown(review.history),) if review.history else ()),
            Section("Notes", tuple(shown(line) for line in review.notes)),
        ]
    return [
        Section("Incidents", tuple(_incident(one, shown) for one in review.incidents), "none"),
        _issues(review, shown),
        Section("Alerts", tuple(_alert(one, shown) for one in review.alerts if one.tier < 3), "none"),
        Section("Models that answered", tuple(_model_lines(review.models, shown))),
        Section(
            "What changed",
            tuple(f"{one.day} {shown(one.evalset)}: {shown(one.what)}" for one in review.changes),
            "nothing that a run records",
        ),
        Section("Cost", tuple(_cost(one, shown) for one in review.costs)),
        Section("Cannot see", tuple(_slice(one, shown) for one in review.slices)),
        Section("Baselines", tuple(_baseline(one, shown) for one in review.baselines)),
        Section("Not judged", tuple(_unjudged(review, shown))),
        Section("For the review", tuple(shown(line) for line in review.lines)),
        Section("Notes", tuple(shown(line) for line in review.notes)),
    ]


def _incident(one: ReviewIncident, shown: _Shown) -> str:
    owner = f", owner {shown(one.owner)}" if one.owner else ""
    if one.recovered is None:
        return f"{shown(one.evalset)}: open since {one.first_bad.day}{owner}"
    return f"{shown(one.evalset)}: {one.first_bad.day} .. {one.recovered.day}, closed{owner}"


def _issues(review: Review, shown: _Shown) -> Section:
    if review.issues is None:
        return Section("Issues", (), review.issues_note)
    return Section("Issues", tuple(_issue(one, shown) for one in review.issues), "none open")


def _issue(one: ReviewIssue, shown: _Shown) -> str:
    said = [f"taken by {shown(one.acked_by)}" if one.acked_by else "nobody has taken it"]
    said += ["not in time"] if one.breached else []
    said += [f"snoozed until {one.snoozed_until}"] if one.snoozed_until else []
    return f"no. {one.number} {shown(one.title)} ({', '.join(said)})"


def _alert(one: ReviewAlert, shown: _Shown) -> str:
    tier = {1: "page", 2: "ticket", 3: "review"}[one.tier]
    span = one.first_day if one.first_day == one.last_day else f"{one.first_day} .. {one.last_day}"
    return f"{tier}, {span}{', holds' if one.holds else ''}: {shown(one.title)}"


def _model_lines(models: Sequence[ReviewModel], shown: _Shown) -> list[str]:
    lines = []
    for name in dict.fromkeys(one.evalset for one in models):
        mine = [one for one in models if one.evalset == name]
        changed = [one for one in mine if one.is_new or one.is_gone]
        if not changed:
            told = ", ".join(f"{shown(one.model)} since {one.first.day}" for one in mine)
            lines.append(f"{shown(name)}: {told}; no change")
        for one in changed:
            lines.append(f"{shown(name)}: {_model(one, shown)}")
    return lines


def _model(one: ReviewModel, shown: _Shown) -> str:
    told = f"{shown(one.model)} first seen {one.first.day} (run {shown(one.first.run)})" if one.is_new else ""
    if one.is_gone:
        gone = f"last seen {one.last_day}"
        return f"{told}, {gone}" if told else f"{shown(one.model)} {gone}, before that since {one.first.day}"
    return f"NEW {told}"


def _cost(one: ReviewCost, shown: _Shown) -> str:
    line = f"{shown(one.evalset)}: {words.money(one.usd)} in {words.counted(one.runs, 'run')}"
    if one.unknown and one.usd is not None:
        line += f" ({one.unknown} of unknown cost)"
    if one.before_usd is None or one.usd is None:
        return line
    line += f", before {words.money(one.before_usd)} in {one.before_runs}"
    now, then = one.usd / (one.runs - one.unknown), one.before_usd / one.before_runs
    return f"{line} ({words.number((now / then - 1) * 100, 0, signed=True)} % a run)" if then > 0 else line


def _slice(one: ReviewSlice, shown: _Shown) -> str:
    row = f"{shown(one.evalset)} {shown(one.scorer)}"
    if one.slice:
        row += f" {shown(words.slice_name(one.slice))}"
    if one.why == "missing":
        return f"{row}: has no case any more"
    if one.why == "small":
        return f"{row}: {words.counted(one.n_cases, 'case')}, too few to gate"
    return (
        f"{row}: would see a drop of {words.distance(one.mde, one.scale)}, "
        f"the margin is {words.distance(one.margin, one.scale)}"
    )


def _baseline(one: ReviewBaseline, shown: _Shown) -> str:
    if one.age_days is None:
        return f"{shown(one.evalset)}: none; aioncall baseline accept"
    return f"{shown(one.evalset)}: {words.age(one.age_days)}, limit {one.limit_days}"


def _unjudged(review: Review, shown: _Shown) -> list[str]:
    lines = [f"{day}: no daily run" for day in review.silent_days]
    for one in review.gaps:
        because = f" ({shown(one.because)})" if one.because else ""
        lines.append(f"{one.day}: {shown(one.evalset)}{because}")
    return sorted(lines)
