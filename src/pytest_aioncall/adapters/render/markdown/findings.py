"""What a reader has to know of one evalset: what fell, what could not be decided, what else is different."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ....model.report import AlreadyRegressed, CaseView, SubjectChange
from ....model.verdict import CaseMove, Floor, MetricVerdict, Verdict
from .. import words
from ..asides import metric_line, metric_name, metric_value
from ..beside_base import rule_said, short_day
from ..sight_line import power_line
from ..story import Story
from .escape import cell, inline, prose, table
from .headline import row_shown
from .place import Place
from .proposals import proposals

MOST_ROWS = 15
"""Rows of the table of what fell; the details and the artifact have the others."""
_MOST_GATES = 8
_MOST_NAMES = 12
_MOST_REMOVED = 100
_RULES = {
    "new": "New gates",
    "dropped": "Gates that this change drops and the base still asks",
    "base": "Judged by the base's rule, the stricter one",
    "head": "Judged by this change's rule, the stricter one",
}
_THIS = "this change"
_BEFORE = "before this change"
_MONEY = re.compile(r"\$[\d.,]*\d")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the table, each cell safe already."""

    what: str
    now: str = ""
    was: str = ""
    moved: str = ""
    interval: str = ""
    why: str = ""
    since: str = _THIS


def findings(story: Story, place: Place) -> list[str]:
    """Return the paragraphs on one evalset, most important first."""
    parts = [
        fallen_table(story, place),
        _newly_failing(story),
        _lines(
            [
                *_undecided(story),
                *_rules(story),
                *_coverage(story),
                *_changes(story),
                *_errors(story),
                *_asides(story),
                *_notes(story),
            ]
        ),
        proposals(story.report.review) if story.report.review is not None else "",
    ]
    return [part for part in parts if part]


def fallen_table(story: Story, place: Place) -> str:
    """Return the table of what fell, worst first: gate rows, floors, cases; empty where nothing did."""
    gates = [_gate_row(v) for v in story.rows if v.gating and v.status == "regressed"]
    gates += [_metric_row(metric) for metric in story.broken_metrics]
    rows = gates[:_MOST_GATES]
    views = {case.case: case for case in story.report.cases}
    rows += [_floor_row(floor, views.get(floor.case), story, place) for floor in story.broken]
    rows += [_already_row(one, place) for one in story.report.already]
    if story.tone in ("bad", "doubt"):
        several = len({move.scorer for move in story.worst}) > 1
        moves = [_move_row(m, views.get(m.case), story, place, several=several) for m in story.worst]
        rows += moves
    left = len(gates) - len(rows[:_MOST_GATES]) if len(gates) > _MOST_GATES else 0
    shown = rows[:MOST_ROWS]
    left += len(rows) - len(shown)
    if not shown:
        return ""
    heads = ["what", "now:", "was:", "difference:", _interval_head(story), "why"]
    lines = [[r.what, r.now, r.was, r.moved, r.interval, r.why] for r in shown]
    if story.report.already:
        heads.append("since")
        lines = [[*line, row.since] for line, row in zip(lines, shown, strict=True)]
    # A column that nothing stands in says nothing.
    filled = [at for at in range(len(heads)) if any(line[at] for line in lines)]
    text = table([heads[at] for at in filled], [[line[at] for at in filled] for line in lines])
    return f"{text}\n\n{words.counted(left, 'more row')}: see the report." if left > 0 else text


def _interval_head(story: Story) -> str:
    fallen = [v for v in story.rows if v.gating and v.status == "regressed" and v.ci is not None]
    level = words.common_level(fallen, story.alpha) if fallen else None
    return f"{words.interval_name(level) if level is not None else 'interval'}:"


def _gate_row(row: Verdict) -> _Row:
    judged = f" ({words.judged_of(row)})" if words.is_short(row) else ""
    rule = rule_said(row)
    return _Row(
        f"**{_row_cell(row)}**",
        f"**{words.mean(row.candidate, row.scale)}**{judged}",
        words.mean(row.baseline, row.scale),
        words.difference(row.difference, row.scale),
        words.interval(row.ci, row.scale),
        words.verdict_reason(row) + (f" ({rule})" if rule else ""),
    )


def _row_cell(row: Verdict | AlreadyRegressed) -> str:
    """Name a row inside a table."""
    part = words.slice_name(row.slice)
    return f"{cell(row.scorer, 80)} on {cell(part, 80)}" if part else cell(row.scorer, 80)


def _metric_row(metric: MetricVerdict) -> _Row:
    times = f"x{metric.ratio:.2f}" if metric.ratio is not None else ""
    limit = f"The limit is x{metric.limit:g}." if metric.limit is not None else ""
    was, now = metric_value(metric, metric.baseline), metric_value(metric, metric.candidate)
    return _Row(f"**{metric_name(metric)}**", f"**{now}**", was, times, "", limit)


def _floor_row(floor: Floor, view: CaseView | None, story: Story, place: Place) -> _Row:
    needed = f", {floor.needed} needed" if floor.needed != floor.epochs else ""
    why = cell(floor.reason, 160) if floor.reason else ""
    if view is not None and view.incident:
        why = f"{why + ' ' if why else ''}Incident {cell(view.incident, 60)} is back."
    return _Row(
        f"{_case_cell(floor.case, view, story, place)} {floor.kind} {cell(words.floor_scorer(floor), 60)}",
        f"{floor.held}/{floor.epochs}{needed}",
        why=why,
    )


def _move_row(move: CaseMove, view: CaseView | None, story: Story, place: Place, *, several: bool) -> _Row:
    scorer = f" {cell(move.scorer, 60)}" if several else ""
    was = f"{move.was[0]}/{move.was[1]}" if move.was is not None else "-"
    moved = "" if move.difference is None else words.number(move.difference, 2, signed=True)
    return _Row(
        f"{_case_cell(move.case, view, story, place)}{scorer}",
        f"{move.now[0]}/{move.now[1]}",
        was,
        moved,
        why=cell(move.why, 160) if move.why else "",
        since=_BEFORE if move.already else _THIS,
    )


def _case_cell(case: str, view: CaseView | None, story: Story, place: Place) -> str:
    label = cell(case, 80)
    if view is None:
        return label
    return place.line_of(label, view.file or story.report.planned.file, view.line)


def _already_row(one: AlreadyRegressed, place: Place) -> _Row:
    since = f"{cell(one.branch, 40)} since {cell(short_day(one.since, beside=one.day), 40)}"
    issue = place.issue(one.issue, one.issue_url)
    return _Row(
        _row_cell(one),
        words.mean(one.now, one.scale),
        f"{words.mean(one.daily, one.scale)} on {cell(one.branch, 40)}",
        why="Red before this change; it does not count against it.",
        since=f"{since} ({issue})" if issue else since,
    )


def _newly_failing(story: Story) -> str:
    judgement = story.report.judgement
    if judgement is None or not judgement.newly_failing:
        return ""
    chance = ""
    if judgement.newly_failing_expected is not None:
        expected = words.number(judgement.newly_failing_expected, 1)
        chance = f" ({expected} expected by chance)"
    names = listed([inline(case, 80) for case in judgement.newly_failing])
    return f"**Newly failing:** {names}{chance}."


def _undecided(story: Story) -> Iterable[str]:
    """Say which gates could not be decided, apart from those that fell, and what would decide them."""
    suspected = [v for v in story.rows if v.gating and v.reason == "suspected"]
    if suspected:
        said = [f"{row_shown(v)} {_moved(v)}" for v in suspected]
        yield f"**Suspected, chance not excluded:** {listed(said)}."
    open_ones = [
        v
        for v in story.rows
        if v.gating and v.status == "inconclusive" and v.reason not in ("suspected", "nothing_to_compare")
    ]
    if open_ones and story.state not in ("not_comparable", "not_recorded", "not_run"):
        said = [f"{row_shown(v)} ({_why_open(v)})" for v in open_ones]
        yield f"**Could not decide:** {listed(said)}."
    accepted = [v for v in story.rows if v.reason == "accepted"]
    if accepted:
        said = [f"{row_shown(v)} {_moved(v)} ({inline(v.ticket or 'no ticket', 60)})" for v in accepted]
        yield f"**Accepted by name:** {listed(said)}."
    floors = story.report.judgement.floors if story.report.judgement else ()
    undecided = [inline(floor.case, 80) for floor in floors if floor.undecided]
    if undecided:
        yield f"**Floors undecided because of errors:** {listed(undecided)}."


def _moved(row: Verdict) -> str:
    return f"{words.mean(row.baseline, row.scale)} -> {words.mean(row.candidate, row.scale)}"


def _why_open(row: Verdict) -> str:
    cases = words.counted(row.n_cases, "case")
    if row.reason == "no_drop_seen":
        return f"{cases}: {words.would_see(row)}"
    why = words.verdict_reason(row).rstrip(".")
    return f"{cases}: {why[:1].lower()}{why[1:]}"


def _rules(story: Story) -> Iterable[str]:
    """Say whose rule each row was judged by, where base and branch ask differently, and why it ran at all."""
    rows = story.report.judgement.verdicts if story.report.judgement else ()
    for rule, said in _RULES.items():
        names = [row_shown(row) for row in rows if row.rule == rule]
        if names:
            yield f"**{said}:** {listed(names)}."
    if story.report.affected_by:
        causes = [prose(cause, 160) for cause in story.report.affected_by]
        yield f"**Ran because of:** {listed(causes, 3)}."


def _coverage(story: Story) -> Iterable[str]:
    judgement = story.report.judgement
    if judgement is None or story.report.baseline is None:
        return
    coverage = judgement.coverage
    if coverage.removed:
        # A removed case asks nothing any more: all of them are named, as far as a page can hold them.
        names = listed([inline(case, 80) for case in coverage.removed], _MOST_REMOVED)
        yield f"**Removed cases:** {names}."
    for word, cases in (("Changed", coverage.changed), ("New", coverage.new)):
        if cases:
            yield f"**{word} cases:** {listed([inline(case, 80) for case in cases])}."
    if story.compared_part:
        yield f"**Compared:** only {story.compared_part.removesuffix(' compared')}."


def _changes(story: Story) -> Iterable[str]:
    if story.report.baseline is None:
        return
    instrument = [change_said(c) for c in story.report.changes if c.kind == "instrument"]
    subject = [change_said(c) for c in story.report.changes if c.kind != "instrument"]
    if subject:
        yield f"**Changed since the baseline:** {listed(subject)}."
    if instrument:
        yield f"**Instrument changed:** {listed(instrument)}."


def change_said(change: SubjectChange) -> str:
    """Name one change: `prompts/triage.md` (+4 -9), `index`: `kb-1` -> `kb-2`."""
    name = inline(change.name, 80)
    if change.added or change.removed:
        return f"{name} (+{change.added} -{change.removed})"
    if change.was is None and change.now is None:
        return name
    if max(len(change.was or ""), len(change.now or "")) > 48:
        return f"{name} ({change.kind})"
    return f"{name}: {inline(change.was or 'none', 48)} -> {inline(change.now or 'none', 48)}"


def _errors(story: Story) -> Iterable[str]:
    shown, rest = story.failures.commonest(3)
    for (kind, message), count in shown:
        cases = story.failures.cases_with(kind, message)
        where = f" in {listed([inline(case, 60) for case in cases], 3)}" if cases else ""
        what = f"{words.counted(count, 'error')} ({prose(kind, 40)}){where}"
        yield f"**Errors:** {what}: {inline(message, 300)}"
    if rest:
        yield f"{words.counted(rest, 'more error')} of other kinds: see the report."


def _asides(story: Story) -> Iterable[str]:
    """Say what rose beside the scores, what was replayed, and what this suite can see at all."""
    judgement = story.report.judgement
    for metric in judgement.metrics if judgement else ():
        if metric.status == "regressed" and not metric.gating:
            # Two dollar signs in a paragraph are a formula to GitHub; in code they are money.
            yield _MONEY.sub(r"`\g<0>`", metric_line(metric))
    answers, days = story.replayed
    if answers:
        yield f"Replayed from recordings of {prose(days, 40)} ({words.counted(answers, 'answer')})."
    if judgement is not None and judgement.rounds is not None:
        left = words.left_at_red(judgement)
        yield prose(words.rounds_told(judgement.rounds), 300) + (f"; {left}" if left else "")
    if judgement is not None and judgement.powers:
        yield prose(power_line(judgement.powers), 400)


def _notes(story: Story) -> Iterable[str]:
    for note in story.report.baseline_notes[:3]:
        yield prose(note, 400)
    for note in (story.report.judgement.notes if story.report.judgement else ())[:3]:
        yield prose(note, 400)


def listed(names: Sequence[str], most: int = _MOST_NAMES) -> str:
    """Join names by commas, with the count of those that are left out."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
