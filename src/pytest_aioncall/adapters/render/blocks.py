"""The parts of a terminal summary: each a few lines with a rank, so that the least needed give way first."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...model.report import SubjectChange
from ...model.run import Totals
from ...model.verdict import Floor, Sight, Verdict
from . import words
from .asides import metric_line, metric_sentence, metric_value
from .beside_base import base_lines
from .failures import OWN
from .pen import Pen, columns
from .sight_line import power_line
from .states import State, row_weight
from .story import Story
from .table import Line, Style, table_lines

# What gives way first when the screen is full; what is not named here stays longest.
_GIVES_WAY = (
    "diff",
    "notes",
    "sees",
    "held",
    "coverage",
    "folded",
    "base",
    "errors",
    "changes",
    "table",
    "worst",
)


_MOST_OF_BASE = 8
"""Lines on what stands beside the verdict of a branch."""

# States whose reason stands in no row of the table.
_SAID_IN_WORDS: frozenset[State] = frozenset(
    ("not_recorded", "cannot_judge", "not_comparable", "user_error", "no_baseline", "nothing_shared")
)


@dataclass(slots=True)
class Block:
    """Some lines of one topic. `least` of them stay as long as any other block can still give;
    `whole` lines are never cut to the width."""

    name: str
    lines: list[Line]
    least: int = 0
    whole: bool = False


def fit(blocks: list[Block], room: int) -> list[Block]:
    """Return the blocks with lines taken away, the least needed first, until they fit `room` lines."""
    for floor in (True, False):
        for name in _GIVES_WAY:
            for block in blocks:
                while block.name == name and sum(len(b.lines) for b in blocks) > room:
                    if len(block.lines) <= (block.least if floor else 0):
                        break
                    block.lines.pop()
    while sum(len(b.lines) for b in blocks) > room:
        next(b for b in reversed(blocks) if b.lines).lines.pop()
    return [block for block in blocks if block.lines]


def details_of(story: Story, pen: Pen, *, totals: Totals, room: int, named: bool) -> list[Block]:
    """Return everything there is to say of one evalset, in reading order."""
    rows_shown = 8 if room >= 18 else max(2, room // 3)
    table, folded = _table(story, pen, most=rows_shown, title=pen.safe(story.name, 30) if named else "")
    blocks = [
        _why(story, pen),
        table,
        _broken(story, pen),
        _beside_base(story, pen),
        _held(story, pen),
        Block("folded", folded, least=min(1, len(folded))),
        _worst(story, pen),
        _errors(story, pen),
        *_changes(story, pen),
        _coverage(story, pen),
        _standing(story, pen),
    ]
    if not named:
        blocks.append(_counts(story, totals, pen))
        blocks.append(Block("replay", replay_line([story], pen, totals=totals)))
    blocks += [_sees(story, pen), _notes(story, pen)]
    return [block for block in blocks if block.lines]


def _why(story: Story, pen: Pen) -> Block:
    """Say the reason in words where no row of the table does."""
    lines: list[Line] = []
    if story.state in _SAID_IN_WORDS:
        lines += [(text, "") for text in textwrap.wrap(pen.safe(story.sentence, 200), pen.width)[:2]]
    if story.why_it_fails:
        lines.append((story.why_it_fails, "yellow"))
    lines += [(pen.safe(metric_sentence(m), 200), "red") for m in story.broken_metrics]
    return Block("why", lines, least=len(lines))


def _table(story: Story, pen: Pen, *, most: int, title: str) -> tuple[Block, list[Line]]:
    """Split the rows into those that are shown and those that fold into a line."""
    told = [v for v in story.rows if v.slice is None or row_weight(v) <= 4]
    shown, unshown = told[:most], told[most:]
    rest = [v for v in story.rows if v not in told]
    lines = table_lines(shown, alpha=story.alpha, width=pen.width, safe=pen.safe, title=title)
    folded: list[Line] = []
    if any(words.falls_by_p_alone(v) for v in shown):
        folded.append(("p decides what fell, the interval what passes: here it reaches zero", ""))
    if unshown:
        bad = sum(v.status == "regressed" for v in unshown)
        note = f", {bad} of them REGRESSED" if bad else ""
        folded.append((f"{words.counted(len(unshown), 'more row')}{note}: see report", ""))
    weak = [v for v in rest if v.reason == "no_drop_seen"]
    if weak:
        first = max(weak, key=lambda v: v.mde or 0.0)
        more = f" and {len(weak) - 1} more" if len(weak) > 1 else ""
        name = pen.safe(_short_name(first, story), 40)
        about = f"({words.counted(first.n_cases, 'case')}: {words.would_see(first)})"
        folded.append((f"no drop seen, weakly: {name} {about}{more}", ""))
    small = [v for v in rest if v.status == "too_small" or v.reason == "too_few_cases"]
    if small:
        names = [f"{pen.safe(_short_name(v, story), 40)} ({words.counted(v.n_cases, 'case')})" for v in small]
        folded.append((pen.listing("too small to test: ", names), ""))
    passing = [v for v in rest if v.status == "pass"]
    if passing:
        names = [pen.safe(_short_name(v, story), 40) for v in passing]
        folded.append((pen.listing(f"{words.counted(len(passing), 'slice')} pass: ", names), ""))
    return Block("table", lines, least=min(len(lines), 4)), folded


def _short_name(verdict: Verdict, story: Story) -> str:
    """Name a slice, with its scorer only where the evalset has several."""
    part = words.slice_name(verdict.slice)
    return part if part and len(story.report.planned.scorers) <= 1 else f"{verdict.scorer} {part}".rstrip()


def _broken(story: Story, pen: Pen) -> Block:
    lines: list[Line] = []
    for floor in story.broken[:4]:
        why = f": {floor.reason}" if floor.reason else ""
        text = (
            f"{floor.kind} BROKEN  {floor.case}: {words.floor_scorer(floor)} {words.floor_held(floor)}{why}"
        )
        lines.append((pen.safe(text, 300), "red"))
    if len(story.broken) > 4:
        lines.append((pen.listing("also broken: ", [pen.safe(f.case, 40) for f in story.broken[4:]]), "red"))
    return Block("broken", lines, least=len(lines))


def _beside_base(story: Story, pen: Pen) -> Block:
    """Say what was red before this change, whose rules decided, and what the branch proposes."""
    lines: list[Line] = [(pen.safe(line, 400), "yellow") for line in base_lines(story.report)]
    if len(lines) > _MOST_OF_BASE:
        lines[_MOST_OF_BASE - 1 :] = [(f"... {len(lines) - _MOST_OF_BASE + 1} more lines, see report", "dim")]
    return Block("base", lines, least=min(2, len(lines)))


def _held(story: Story, pen: Pen) -> Block:
    """Count the floors that held, and those that nobody could decide."""
    judgement = story.report.judgement
    floors: tuple[Floor, ...] = judgement.floors if judgement else ()
    all_of = Counter((f.kind, words.floor_scorer(f)) for f in floors)
    held = Counter((f.kind, words.floor_scorer(f)) for f in floors if f.ok and not f.undecided)
    lines: list[Line] = []
    for kind in ("must", "require"):
        names = [f"{pen.safe(s, 30)} {held[k, s]}/{n}" for (k, s), n in all_of.items() if k == kind]
        if names:
            ending = " cases in every epoch" if kind == "must" else " cases"
            lines.append((pen.listing(f"{kind}: ", names, ending), ""))
    open_ones = [pen.safe(f.case, 40) for f in floors if f.undecided]
    if open_ones:
        lines.append((pen.listing("undecided because of errors: ", open_ones), "yellow"))
    return Block("held", lines, least=min(1, len(lines)))


def _worst(story: Story, pen: Pen) -> Block:
    moves = story.worst
    if not moves or story.tone == "good":
        return Block("worst", [])
    several = len({m.scorer for m in moves}) > 1
    # A case that fell on three scorers is one case to look at.
    first = {m.case: m for m in reversed(moves)}
    items = [
        f"{pen.safe(m.case, 40)} {words.move(m)}" + (f" ({pen.safe(m.scorer, 20)})" if several else "")
        for m in moves
        if first[m.case] is m
    ]
    lines: list[Line] = [(pen.listing("worst: ", items), "")]
    judgement = story.report.judgement
    if judgement and judgement.newly_failing and judgement.newly_failing_expected is not None:
        cases, scores = len(judgement.newly_failing), judgement.newly_failing_scores
        on = f" on {words.counted(scores, 'score')}" if scores != cases else ""
        expected = words.number(judgement.newly_failing_expected, 1)
        lines.append(
            (f"newly failing: {words.counted(cases, 'case')}{on}, {expected} expected by chance", "")
        )
    return Block("worst", lines, least=1)


def _errors(story: Story, pen: Pen) -> Block:
    lines: list[Line] = []
    shown, rest = story.failures.commonest(2)
    for (kind, message), n in shown:
        style: Style = "red" if kind in OWN else "yellow"
        # One or two cases can be looked up at once; more of them have a cause in common.
        cases = story.failures.cases_with(kind, message)
        where = f" in {', '.join(pen.safe(case, 40) for case in cases)}" if 0 < len(cases) <= 2 else ""
        text = pen.safe(f"{words.counted(n, 'error')} ({kind}){where}: {message}", 500)
        what, found, advice = text.rpartition("; ")
        if found and columns(text) > pen.width:
            # What to do stands last in a message, and would be cut off.
            lines += [(what, style), (f"  {advice}", style)]
        else:
            lines.append((text, style))
    if rest:
        lines.append((f"{words.counted(rest, 'more error')} of other kinds, see report", "yellow"))
    return Block("errors", lines, least=min(2, len(lines)))


def _changes(story: Story, pen: Pen) -> list[Block]:
    """Name what differs from the baseline; where something is wrong, show how the first text changed."""
    changes = story.report.changes
    if not changes or story.report.baseline is None:
        return []
    names = [change_text(change, pen) for change in changes]
    blocks = [Block("changes", [(pen.listing("changed since the baseline: ", names), "")], least=1)]
    shown = next((c for c in changes if c.diff), None)
    if shown and shown.diff and story.tone in ("bad", "doubt"):
        body = [
            line
            for line in shown.diff.splitlines()
            if line[:1] in "+-" and not line.startswith(("+++", "---")) and line[1:].strip()
        ]
        cut = (
            body[:6]
            if len(body) <= 6
            else [*body[:5], f"  ... {len(body) - 5} more changed lines, see report"]
        )
        blocks.append(Block("diff", [(f"  {pen.safe(line, pen.width - 2)}", "dim") for line in cut]))
    return blocks


def change_text(change: SubjectChange, pen: Pen) -> str:
    """Name one change: `prompts/triage.md (+4 -9)`, `index: kb-1 -> kb-2`."""
    name = pen.safe(change.name, 60)
    if change.added or change.removed:
        return f"{name} (+{change.added} -{change.removed})"
    was, now = change.was, change.now
    if was is None and now is None:
        return name
    # What is longer than a version or a model id (a digest, a mapping) says nothing on a line.
    if max(len(was or ""), len(now or "")) > 32:
        return f"{change.kind} {name}"
    return f"{name}: {pen.safe(was or 'none', 30)} -> {pen.safe(now or 'none', 30)}"


def _coverage(story: Story, pen: Pen) -> Block:
    judgement = story.report.judgement
    if judgement is None or story.report.baseline is None:
        return Block("coverage", [])
    coverage = judgement.coverage
    parts = (("removed", coverage.removed), ("changed", coverage.changed), ("new", coverage.new))
    lines: list[Line] = []
    compared = words.compared_cases(coverage)
    for word, ids in parts:
        if ids:
            # Said once, with the first kind of case that was not compared.
            head = f"{compared}; " if compared and not lines else ""
            prefix = f"{head}{word} {words.counted(len(ids), 'case')}: "
            style: Style = "yellow" if word == "removed" else ""
            lines.append((pen.listing(prefix, [pen.safe(i, 40) for i in ids]), style))
    return Block("coverage", lines, least=min(1, len(lines)))


def _standing(story: Story, pen: Pen) -> Block:
    """Say what is to be known of the baseline itself: that it is old, or that its answers are not its own."""
    lines: list[Line] = []
    for note in story.report.baseline_notes[:3]:
        lines += [(text, "yellow") for text in textwrap.wrap(pen.safe(note, 400), pen.width)]
    return Block("standing", lines, least=len(lines))


def _counts(story: Story, totals: Totals, pen: Pen) -> Block:
    """Count what was judged, with latency, cost and wall time; a metric that rose has a line of its own."""
    judgement = story.report.judgement
    counted = judgement.coverage if judgement else totals
    judged, total, errors = counted.judged, counted.planned, counted.errors
    parts = [f"{judged}/{total} judged", *words.failed_of(errors, not_recorded=story.report.not_recorded)]
    metrics = {m.metric: m for m in judgement.metrics} if judgement else {}
    p95, cost = metrics.get("latency_p95_s"), metrics.get("cost_usd")
    if p95 and p95.candidate is not None:
        was = f" (was {metric_value(p95, p95.baseline)})" if p95.baseline is not None else ""
        parts.append(f"p95 {metric_value(p95, p95.candidate)}{was}")
    spent = words.money(totals.cost_usd)
    if totals.cost_usd is None:
        spent += ": add prices to aioncall.yaml"
    elif cost and cost.ratio is not None:
        moved = words.number((cost.ratio - 1) * 100, 0, signed=True)
        spent += f" ({moved} %)" if moved != "0" else " (as before)"
    parts += [spent, words.seconds(totals.wall_s)]
    lines: list[Line] = [(text, "") for text in pen.wrapped(parts)]
    if judgement and judgement.rounds:
        lines.append((words.rounds_told(judgement.rounds), ""))
        if left := words.left_at_red(judgement):
            lines.append((left, "yellow"))
    told = {"errors"} if story.state in ("not_recorded", "cannot_judge") else set()  # by the first line
    lines += [
        (metric_line(m), "yellow")
        for m in metrics.values()
        if m.status == "regressed" and not m.gating and m.metric not in told
    ]
    return Block("counts", lines, least=len(lines))


def replay_line(told: Sequence[Story], pen: Pen, *, totals: Totals | None = None) -> list[Line]:
    """Say that answers are recordings, and of which days; nothing where none are.

    With `totals` one evalset is the whole run: its count covers the cases that the report leaves out, too.
    """
    lines: list[Line] = []
    for story in told[:2]:
        answers, days = story.replayed
        if answers:
            name = "" if totals else f"{pen.safe(story.name, 40)}: "
            answers = max(answers, totals.replayed if totals else 0)
            text = (
                f"{name}replayed from recordings of {pen.safe(days, 40)} ({words.counted(answers, 'answer')})"
            )
            lines.append((text, "yellow"))
    return lines


def _sees(story: Story, pen: Pen) -> Block:
    """Say how small a drop would be found, so that a pass is not read as more than it is."""
    seeing = [one for one in story.sights if one.mde is not None]
    blind = [one for one in story.sights if one.mde is None]
    items = [f"{words.distance(s.mde, s.scale)} in {pen.safe(_sight_name(s, story), 40)}" for s in seeing]
    lines: list[Line] = []
    judgement = story.report.judgement
    sees = power_line(judgement.powers) if judgement else ""
    if sees:
        lines.append((pen.plain(sees), "dim"))
    # Under a red verdict one line on what else would be seen is enough; the diff needs the room.
    if items and not (sees and story.tone == "bad"):
        lines.append((pen.listing("this suite would see a drop of ", items), "dim"))
    if blind and not seeing:
        lines.append((f"{pen.safe(words.row_name(blind[0]), 40)} {words.sight(blind[0])}", "yellow"))
    elif blind:
        names = [pen.safe(_sight_name(s, story), 40) for s in blind]
        lines.append((pen.listing("no drop would be seen in ", names), "dim"))
    still = [v for v in story.rows if v.gating and v.status == "inconclusive" and words.needed(v)]
    if still:
        row = min(still, key=lambda v: v.slice is not None)
        named = f" {pen.safe(_short_name(row, story), 40)}" if row.slice is not None else ""
        lines.append((f"to decide{named}: {words.needed(row)}", ""))
    return Block("sees", lines)


def _sight_name(sight: Sight, story: Story) -> str:
    """Name a row; a slice without its scorer where the evalset has one scorer only."""
    part = words.slice_name(sight.slice)
    return part if part and len(story.report.planned.scorers) <= 1 else words.row_name(sight)


def _notes(story: Story, pen: Pen) -> Block:
    notes = story.report.judgement.notes if story.report.judgement else ()
    return Block("notes", [(f"note: {pen.safe(note, 300)}", "dim") for note in notes[:2]])
