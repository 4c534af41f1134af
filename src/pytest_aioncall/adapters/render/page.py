"""What the page shows, gathered from a report: plain values, ready for a template that decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...model.report import EvalsetReport, Report, SubjectChange
from ...model.run import Totals
from ...model.verdict import Floor, Rounds
from . import words
from .asides import left_elsewhere, metric_name, metric_sentence, metric_value
from .beside_base import base_lines, review_lines
from .figures import Panel, Shape, interval_plot
from .heatmap import HeatMap, heat_map
from .nextstep import next_advice, next_command
from .powers import PowerTable, power_table
from .states import Tone
from .story import Story, stories

_MOST_NAMES = 200
_MOST_FLOORS = 100
_MOST_OF_BASE = 40


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what was compared; `when` is set where the text is a time to show in the reader's zone."""

    name: str
    text: str
    note: str = ""
    when: bool = False


@dataclass(frozen=True, slots=True)
class FloorLine:
    kind: str
    case: str
    scorer: str
    held: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    kind: str
    was: str
    now: str
    counts: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One evalset on the page."""

    anchor: str
    name: str
    description: str
    word: str
    tone: Tone
    shape: Shape
    count: str
    sentence: str
    advice: str
    command: str
    judged: bool
    facts: tuple[Fact, ...]
    notes: tuple[str, ...]
    errors: tuple[tuple[str, str, str], ...]
    errors_first: bool
    panels: tuple[Panel, ...]
    heat: HeatMap
    power: PowerTable
    coverage: tuple[tuple[str, tuple[str, ...], int], ...]
    coverage_differs: bool
    changes: tuple[Change, ...]
    floors: tuple[FloorLine, ...]
    floors_held: tuple[str, ...]
    floors_more: int
    instrument: tuple[tuple[str, str], ...]
    subject: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    title: str
    word: str
    tone: Tone
    shape: Shape
    headline: str
    why_it_fails: str
    run: str
    commit: str
    dirty: bool
    created_at: str
    generated_at: str
    versions: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


_SHAPES: dict[Tone, Shape] = {"bad": "diamond", "doubt": "triangle", "good": "circle", "none": "ring"}


def page_of(report: Report) -> Page:
    """Gather the page, the worst evalset first."""
    told = stories(report)
    sections = tuple(_section(story, report, nth, alone=len(told) == 1) for nth, story in enumerate(told))
    worst = told[0] if told else None
    run = report.run
    return Page(
        title=f"{_spoken(worst.word)}: {worst.name}" if worst else "Nothing was run",
        word=_spoken(worst.word) if worst else "Nothing was run",
        tone=worst.tone if worst else "none",
        shape=_SHAPES[worst.tone] if worst else "ring",
        headline=_headline(told),
        why_it_fails=told[0].why_it_fails if len(told) == 1 else "",
        run=run.id,
        commit=(run.commit or "")[:7],
        dirty=run.dirty,
        created_at=run.created_at,
        generated_at=report.generated_at,
        versions=tuple(sorted(run.versions.items())),
        sections=sections,
    )


def _spoken(word: str) -> str:
    """Write a verdict word as a headline is written."""
    return word[:1].upper() + word[1:].lower()


def _headline(told: Sequence[Story]) -> str:
    if not told:
        return "No evalset was run."
    if len(told) == 1:
        return told[0].sentence
    alike = Counter(story.word for story in told)
    parts = [f"{n} {_spoken(word).lower()}" for word, n in alike.items()]
    return f"{words.counted(len(told), 'evalset')}: {', '.join(parts)}."


def _notes(story: Story, report: Report, *, is_first: bool) -> Iterator[str]:
    """Yield what a reader has to know beside the numbers; of the configuration once, with the worst."""
    if is_first and (left := left_elsewhere(report)):
        yield left
    yield from base_lines(story.report)[:_MOST_OF_BASE]
    if report.review is not None and is_first:
        yield from review_lines(report.review)[:_MOST_OF_BASE]
    yield from story.report.baseline_notes
    yield from story.report.judgement.notes[:20] if story.report.judgement else ()


def _section(story: Story, report: Report, nth: int, *, alone: bool) -> Section:
    judgement = story.report.judgement
    rows = list(story.rows)
    floors, held, more = _floors(judgement.floors if judgement else ())
    prints = story.report.planned.fingerprint
    return Section(
        anchor=f"evalset-{nth}",
        name=story.name,
        description=story.report.description,
        word=_spoken(story.word),
        tone=story.tone,
        shape=_SHAPES[story.tone],
        count=story.count_said[:1].upper() + story.count_said[1:],
        sentence=story.sentence,
        advice=next_advice(story),
        command=next_command(story),
        judged=judgement is not None,
        facts=tuple(_facts(story, report.run.totals if alone else None)),
        notes=tuple(_notes(story, report, is_first=nth == 0)),
        errors=tuple(
            (words.counted(n, "sample"), k, m[:400]) for (k, m), n in story.failures.commonest(12)[0]
        ),
        errors_first=story.state in ("not_recorded", "cannot_judge", "user_error"),
        panels=tuple(interval_plot(rows, alpha=story.alpha)),
        heat=heat_map(rows, evalset="" if alone else story.name),
        power=power_table(story),
        coverage=_coverage(story.report),
        coverage_differs=any(names for _, names, _ in _coverage(story.report)),
        changes=tuple(_change(change) for change in story.report.changes),
        floors=floors,
        floors_held=held,
        floors_more=more,
        instrument=tuple((k, _print(v)) for k, v in sorted(prints.instrument.items())),
        subject=tuple((k, _print(v)) for k, v in sorted(prints.subject.items())),
    )


def _print(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_print(item)}" for key, item in value.items())[:400]
    return str(value)[:400]


def _facts(story: Story, totals: Totals | None) -> list[Fact]:
    report, judgement = story.report, story.report.judgement
    facts: list[Fact] = []
    if report.baseline is not None:
        base = report.baseline
        name = (base.commit or "")[:7] or base.run or "baseline"
        # A result file that `aioncall gate` compared with was accepted by nobody.
        accepted = bool(base.accepted_at)
        note = words.age(report.baseline_age_days) if accepted else ""
        facts.append(Fact("Baseline", name[:60], note=note))
        # "Name <address>" as git writes it: the name is enough here, the baseline file has the rest.
        who = base.accepted_by.partition(" <")[0].strip() or base.accepted_by
        facts += [Fact("Accepted by", who[:120], note=base.reason[:300])] if accepted else []
    else:
        facts.append(Fact("Baseline", "none yet"))
    facts.append(Fact("Cases", f"{story.size} epochs"))
    if judgement is not None:
        coverage = judgement.coverage
        if judgement.rounds is not None:
            facts.append(_rounds(judgement.rounds))
        facts.append(Fact("Judged", f"{coverage.judged} of {coverage.planned} samples"))
        if coverage.compared is not None:
            facts.append(Fact("Compared", f"{coverage.compared} of {words.counted(coverage.cases, 'case')}"))
        limit = words.rate(report.planned.max_error_rate)
        missing = min(report.not_recorded, coverage.errors)
        if missing:
            facts.append(Fact("Not recorded", str(missing)))
        facts.append(Fact("Errors", str(coverage.errors - missing), note=f"limit {limit} of samples"))
        for metric in judgement.metrics:
            if metric.candidate is None or metric.metric == "errors":
                continue
            name = metric_name(metric).capitalize()
            note = f"was {metric_value(metric, metric.baseline)}" if metric.baseline is not None else ""
            if metric.status == "regressed":
                note = f"REGRESSED: {metric_sentence(metric)}"
            facts.append(Fact(name, metric_value(metric, metric.candidate), note))
    if totals is not None:
        if judgement is None:
            facts.append(Fact("Judged", f"{totals.judged} of {totals.planned} samples"))
            facts.append(Fact("Errors", str(totals.errors)))
        if report.planned.owner or totals.cost_usd is not None:
            facts.append(Fact("Cost of the run", words.money(totals.cost_usd)))
        if report.planned.owner or totals.wall_s:
            facts.append(Fact("Wall time", words.seconds(totals.wall_s)))
    answers, days = story.replayed
    if answers:
        facts.append(
            Fact("Replayed", f"{words.counted(answers, 'answer')}", f"from recordings of {days[:60]}")
        )
    return [*facts, Fact("Owner", report.planned.owner[:120])] if report.planned.owner else facts


def _rounds(rounds: Rounds) -> Fact:
    """Say how far adaptive epochs went and why they ended."""
    saved, _, why = words.rounds_told(rounds).partition(": ")
    return Fact("Epochs drawn", why[:1].upper() + why[1:], note=saved)


def _coverage(report: EvalsetReport) -> tuple[tuple[str, tuple[str, ...], int], ...]:
    """Return (word, names shown, how many more) for the cases that only one side has or that changed."""
    if report.judgement is None or report.baseline is None:
        return ()
    coverage = report.judgement.coverage
    parts = (("Removed", coverage.removed), ("Changed", coverage.changed), ("New", coverage.new))
    return tuple(
        (word, tuple(name[:200] for name in names[:_MOST_NAMES]), max(0, len(names) - _MOST_NAMES))
        for word, names in parts
    )


def _change(change: SubjectChange) -> Change:
    counts = f"+{change.added} -{change.removed}" if change.added or change.removed else ""
    return Change(
        name=change.name[:400],
        kind=change.kind,
        was=(change.was or "none")[:400],
        now=(change.now or "none")[:400],
        counts=counts,
        lines=tuple(_diff_line(line[:2000]) for line in (change.diff or "")[:40_000].splitlines()[:400]),
    )


def _diff_line(line: str) -> DiffLine:
    if line.startswith(("+++", "---")):
        return DiffLine("file", line)
    kinds = {"+": "added", "-": "removed", "@": "hunk"}
    return DiffLine(kinds.get(line[:1], "kept"), line)


def _floors(floors: Sequence[Floor]) -> tuple[tuple[FloorLine, ...], tuple[str, ...], int]:
    """Return the floors that did not hold, and one line a kind and scorer for those that did."""
    open_ones = sorted((f for f in floors if not f.ok or f.undecided), key=lambda f: f.undecided)
    totals = Counter((f.kind, words.floor_scorer(f)) for f in floors)
    held = Counter((f.kind, words.floor_scorer(f)) for f in floors if f.ok and not f.undecided)
    lines = tuple(
        FloorLine(
            kind=f.kind,
            case=f.case,
            scorer=words.floor_scorer(f)[:200],
            held=words.floor_held(f),
            state=words.floor_state(f),
            reason=(f.reason or "")[:400],
        )
        for f in open_ones[:_MOST_FLOORS]
    )
    summary = tuple(
        f"{kind} {scorer[:200]}: held in {held[kind, scorer]} of {words.counted(n, 'case')}"
        for (kind, scorer), n in totals.items()
    )
    return lines, summary, max(0, len(open_ones) - _MOST_FLOORS)
