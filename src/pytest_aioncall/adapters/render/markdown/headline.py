"""What stands first: the verdict in one line, then what was compared with what."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ....model.report import AlreadyRegressed, Report
from ....model.verdict import Verdict
from .. import words
from ..asides import metric_name
from ..states import State, Tone
from ..story import Story
from .escape import inline, prose
from .place import Place

SAID: dict[State, str] = {
    "regressed": "regressed",
    "floor_broken": "regressed",
    "user_error": "failed",
    "not_recorded": "cannot judge",
    "cannot_judge": "cannot judge",
    "not_comparable": "not comparable",
    "suspected": "suspected drop",
    "already": "regressed before this change",
    "undecided": "undecided",
    "not_run": "not run",
    "interrupted": "not judged",
    "partial": "not judged",
    "nothing_shared": "nothing to compare",
    "no_baseline": "no baseline yet",
    "no_drop_seen": "no drop seen",
    "accepted": "accepted",
    "pass": "pass",
    "unaffected": "unaffected",
}
_MOST_NAMED = 4
Quote = Callable[[str], str]


def headline(report: Report, told: Sequence[Story], *, quote: Quote = inline) -> str:
    """Return the verdict of a run in one line, without heading marks: `aioncall: regressed - ...`.

    `quote` is put around names; `plain` where no Markdown is read.
    """
    if not told:
        nothing = "nothing that this change touches can affect an eval, $0"
        unaffected = report.status == "unaffected"
        return f"aioncall: unaffected - {nothing}" if unaffected else "aioncall: no evalset was run"
    worst = told[0]
    said = SAID[worst.state]
    if len(told) == 1:
        return f"aioncall: {said} - {quote(worst.name)}: {_about(worst, quote)}"
    if worst.state in ("pass", "unaffected"):
        states = ", ".join(
            f"{sum(s.state == state for s in told)} {SAID[state]}"
            for state in dict.fromkeys(story.state for story in told)
        )
        return f"aioncall: {said} - {words.counted(len(told), 'evalset')} ({states})"
    alike = [story for story in told if SAID[story.state] == said]
    names = ", ".join(quote(story.name) for story in alike[:_MOST_NAMED])
    more = f" and {len(alike) - _MOST_NAMED} more" if len(alike) > _MOST_NAMED else ""
    return f"aioncall: {said} - {len(alike)} of {words.counted(len(told), 'evalset')}: {names}{more}"


def resolved_headline(told: Sequence[Story]) -> str:
    """Return the verdict of a run that is good again after one that was not."""
    names = ", ".join(inline(story.name) for story in told[:_MOST_NAMED])
    return f"aioncall: resolved - {SAID[told[0].state]}: {names}" if told else "aioncall: resolved"


def tone_of(told: Sequence[Story]) -> Tone:
    """Return the worst colour family among evalsets."""
    return min((story.tone for story in told), key=("bad", "doubt", "none", "good").index, default="none")


def row_shown(row: Verdict | AlreadyRegressed, quote: Quote = inline) -> str:
    """Name a gate row: `route` on `shape=long`."""
    part = words.slice_name(row.slice)
    return f"{quote(row.scorer)} on {quote(part)}" if part else quote(row.scorer)


def _about(story: Story, quote: Quote) -> str:
    """Say what carries the verdict: the row that fell, the case that broke, or a count."""
    if story.state in ("regressed", "suspected"):
        reason = "regressed" if story.state == "regressed" else "inconclusive"
        rows = [v for v in story.rows if v.gating and v.status == reason]
        rows = [v for v in rows if reason == "regressed" or v.reason == "suspected"]
        named = [row_shown(row, quote) for row in rows] + [metric_name(m) for m in story.broken_metrics]
        if named:
            return named[0] + (f" and {words.counted(len(named) - 1, 'more row')}" if named[1:] else "")
    if story.state == "floor_broken":
        cases = list(dict.fromkeys(floor.case for floor in story.broken))
        more = f" and {len(cases) - 1} more" if len(cases) > 1 else ""
        kinds = " and ".join(sorted({floor.kind for floor in story.broken}))
        return f"{kinds} broken in {quote(cases[0])}{more}"
    if story.state == "already":
        before = [row_shown(row, quote) for row in story.report.already]
        return before[0] + (f" and {words.counted(len(before) - 1, 'more row')}" if before[1:] else "")
    if story.state == "not_run":
        return "live evals not run: no credentials"
    return story.count_said


def counts(story: Story, place: Place, *, money: str = "") -> str:
    """Return the line of counts: cases, samples, was and now, the baseline and its age, models, cost."""
    planned = story.report.planned
    judgement = story.report.judgement
    if story.state == "unaffected":
        return f"{words.counted(planned.cases, 'case')} left out, {money or words.money(0.0)}."
    parts = [words.counted(planned.cases, "case")]
    if judgement is not None:
        coverage = judgement.coverage
        parts.append(f"{coverage.judged:,} of {words.counted(coverage.planned, 'sample')} judged")
        if coverage.errors:
            parts += words.failed_of(coverage.errors, not_recorded=story.report.not_recorded)
    elif planned.planned_samples:
        parts.append(f"{words.counted(planned.planned_samples, 'sample')} planned")
    leading = _leading(story)
    if leading is not None:
        parts.append(f"{inline(leading.scorer)} {moved(leading)}")
    line = ", ".join(parts) + f" {_against(story, place)}"
    told = [line, *_models(story), *([money] if money else [])]
    return ", ".join(told) + "."


def moved(row: Verdict) -> str:
    """Write was and now of a row: `92.2 % -> 91.4 % (-0.8 pp)`; only now where nothing was compared."""
    now = words.mean(row.candidate, row.scale)
    if row.baseline is None:
        return now
    moved = f" ({words.difference(row.difference, row.scale)})" if row.difference is not None else ""
    return f"{words.mean(row.baseline, row.scale)} -> {now}{moved}"


def _leading(story: Story) -> Verdict | None:
    """Return the overall row of the scorer that leads the verdict."""
    overall = [row for row in story.rows if row.slice is None and row.candidate is not None]
    if not overall:
        return None
    scorer = story.rows[0].scorer
    return next((row for row in overall if row.scorer == scorer), overall[0])


def _against(story: Story, place: Place) -> str:
    baseline = story.report.baseline
    if baseline is None:
        return "without a baseline"
    name = words.baseline_name(baseline)
    base = f"{place.base}@" if place.base and baseline.commit else ""
    return f"against {inline(base + name, 80)} ({words.age(story.report.baseline_age_days)})"


def _models(story: Story) -> list[str]:
    target = story.report.planned.fingerprint.subject.get("target")
    model = target.get("model") if isinstance(target, dict) else None
    parts = [f"model {inline(model, 80)}"] if isinstance(model, str) and model else []
    judges = sorted(
        {
            info.parts["model"]
            for info in story.report.planned.scorers.values()
            if info.kind == "judge" and info.parts.get("model")
        }
    )
    return [*parts, *(f"judge {inline(judge, 80)}" for judge in judges[:2])]


def sentence(story: Story) -> str:
    """Return the plain sentence that the verdict rests on, and what fails the run besides."""
    said = story.sentence
    if story.state == "not_run":
        said = f"{prose(story.report.without_key or '')} is not set in this run. {said}"
    return f"{said} {story.why_it_fails}".strip()
