"""What a click opens: every gate, the changed texts, each bad case, and how a drop is accepted."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from ....model.report import CaseView, EpochView
from .. import words
from ..casedata import STATUS_WORDS, score_moves
from ..story import Story
from .escape import cell, fenced, folded, inline, prose, table
from .findings import change_said, listed

_SHOWN = frozenset({"newly_failing", "worse", "error", "failing"})
_MOST_EPOCHS = 3
_TEXT = 1500


def details(story: Story) -> Iterator[str]:
    """Yield the folded parts of one evalset, those that explain most first."""
    yield from _changed_texts(story)
    yield from _cases(story)
    if gates := _gates(story):
        yield gates
    if story.state in ("regressed", "floor_broken"):
        yield _acceptance(story)


def _acceptance(story: Story) -> str:
    """Say how a drop that is meant to stay is accepted, by whom, and that nothing else makes it green."""
    owner = inline(story.report.planned.owner, 80)
    name = shlex.quote(story.name)
    if story.state == "floor_broken":
        body = (
            "A `must` or a `require` cannot be accepted: mend it, or change the case in a commit of its own "
            f"that {owner} reviews."
        )
    else:
        file = f" {shlex.quote(story.report.planned.file)}" if story.report.planned.file else ""
        accept = f'aioncall baseline accept {name} --accept-regression TICKET --reason "why this may stay"'
        body = (
            f"Only {owner} accepts a drop that is meant to stay: by name, in a commit that is reviewed. "
            "A new baseline that does not name it changes nothing about this verdict.\n\n"
            + fenced(f"pytest --aioncall{file}\n{accept}", language="sh")
        )
    return folded("How to accept this on purpose (for the owner)", body)


def _changed_texts(story: Story) -> Iterator[str]:
    if story.report.baseline is None:
        return
    for change in story.report.changes[:5]:
        if change.diff and story.tone in ("bad", "doubt"):
            title = f"{change.name} (+{change.added} -{change.removed})"
            yield folded(f"changed: {title}", fenced(change.diff, 6000, language="diff"))


def _cases(story: Story) -> Iterator[str]:
    broken = {floor.case for floor in story.broken}
    why = {move.case: move.why for move in reversed(story.worst) if move.why}
    for view in story.report.cases:
        if (view.status in _SHOWN or view.case in broken) and not view.brief:
            yield _case(story, view, why.get(view.case))


def _case(story: Story, view: CaseView, why: str | None) -> str:
    moves = [m for m in score_moves(story, view) if m[2] or m[1]]
    told = "; ".join(f"{name} {was or '-'} -> {now or 'no score'}" for name, was, now, *_ in moves[:3])
    title = f"{view.case}: {STATUS_WORDS[view.status]}" + (f" ({told})" if told else "")
    parts = [_facts(story, view)]
    if why:
        parts.append(f"Why: {prose(why, 400)}")
    if view.input is not None:
        parts += ["Input:", fenced(_as_text(view.input), _TEXT)]
    if view.expected is not None:
        parts += ["Expected:", fenced(_as_text(view.expected), _TEXT)]
    parts += _epochs(view)
    return folded(title, "\n\n".join(part for part in parts if part))


def _facts(story: Story, view: CaseView) -> str:
    file = view.file or story.report.planned.file
    facts = [inline(f"{file}:{view.line}", 200)] if file and view.line else []
    facts += [f"slice {inline(f'{key}={value}', 80)}" for key, value in list(view.slices.items())[:6]]
    if view.cluster:
        facts.append(f"cluster {inline(view.cluster, 80)}")
    if view.incident:
        facts.append(f"incident {inline(view.incident, 80)}")
    return ", ".join(facts)


def _epochs(view: CaseView) -> Iterator[str]:
    """Yield what was answered then and now, equal epochs once."""
    groups: list[tuple[EpochView, str | None, list[int]]] = []
    for nth, epoch in enumerate(view.now):
        was = view.was_text[nth] if nth < len(view.was_text) else None
        known = next(
            (g for g in groups if (g[0].text, g[0].error, g[1]) == (epoch.text, epoch.error, was)), None
        )
        if known is not None:
            known[2].append(epoch.epoch)
        else:
            groups.append((epoch, was, [epoch.epoch]))
    for epoch, was, numbers in groups[:_MOST_EPOCHS]:
        said = f"epoch {', '.join(map(str, numbers))}" if len(numbers) == 1 else f"epochs {_joined(numbers)}"
        if was is not None:
            yield f"Baseline, {said}:"
            yield fenced(was, _TEXT)
        if epoch.text is not None:
            yield f"Now, {said}:"
            yield fenced(epoch.text, _TEXT)
        if epoch.error is not None:
            kind = prose(epoch.error_kind or "transport", 40)
            yield f"Now, {said}: no answer ({kind}): {inline(epoch.error, 400)}"
        if scores := _scores(epoch):
            yield scores
    if len(groups) > _MOST_EPOCHS:
        yield f"{words.counted(len(groups) - _MOST_EPOCHS, 'more answer')}: see the report."


def _joined(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _scores(epoch: EpochView) -> str:
    lines = []
    for score in epoch.scores[:10]:
        value = "no score" if score.value is None else words.mean(score.value, score.scale)
        if score.value is not None and score.passed is not None and score.scale == (0.0, 1.0):
            value = "pass" if score.passed else "miss"
        why = score.error or score.reason or score.label
        lines.append(f"- {inline(score.scorer, 60)} {value}" + (f": {prose(why, 300)}" if why else ""))
    return "\n".join(lines)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value and all(isinstance(part, str) for part in value.values()):
        return "\n\n".join(f"{key}:\n{text}" for key, text in value.items())
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _gates(story: Story) -> str:
    """Return the table of every gate row, as the terminal prints it."""
    rows = story.rows[:60]
    if not rows:
        return ""
    level = words.common_level(rows, story.alpha)
    heads = ["gate", "now:", "judged:", "was:", "difference:"]
    heads += [f"{words.interval_name(level) if level is not None else 'interval'}:", "p (adj):", "verdict"]
    lines = []
    for row in rows:
        part = words.slice_name(row.slice)
        name = f"{cell(row.scorer, 80)} on {cell(part, 80)}" if part else cell(row.scorer, 80)
        lines.append(
            [
                name,
                words.mean(row.candidate, row.scale),
                words.judged_of(row),
                words.mean(row.baseline, row.scale),
                words.difference(row.difference, row.scale),
                words.interval(row.ci, row.scale),
                words.p_value(row.p_adjusted if row.p_adjusted is not None else row.p),
                cell(words.verdict_word(row), 80) + ("" if row.gating else " (not gating)"),
            ]
        )
    more = len(story.rows) - len(rows)
    rest = f"\n\n{words.counted(more, 'more row')}: see the report." if more > 0 else ""
    changes = [change_said(c) for c in story.report.changes[:20]]
    told = f"\n\nChanged since the baseline: {listed(changes, 20)}." if len(changes) > 12 else ""
    return folded(f"every gate of {story.name}", table(heads, lines) + rest + told)
