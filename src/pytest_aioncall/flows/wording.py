"""Words for the doors: the plugin and the CLI say the same about the same verdict."""

from __future__ import annotations

from collections.abc import Sequence

from ..adapters.render import words
from ..adapters.render.asides import metric_line, metric_name
from ..adapters.render.beside_base import already_line, beside_base, unaffected_line
from ..adapters.render.sight_line import floor_chance_line, power_line
from ..adapters.render.story import Story
from ..adapters.render.terminal import progress_line, summary_lines
from ..adapters.text import log_line
from ..model.report import AlreadyRegressed, BaseReview, EvalsetReport, Report
from ..model.run import Run
from ..model.selfcheck import FloorChances
from ..model.verdict import Judgement, Power, Sight, Verdict

__all__ = ["log_line", "progress_text", "summary_block", "verdict_sentence"]

progress_text = progress_line


def verdict_sentence(verdict: Verdict, *, alpha: float) -> str:
    """Say one verdict in one line: row, word, was and now, difference with its interval, reason.

    `alpha` is the judgement's; it names the interval of a row that has no level of its own.
    """
    parts = [f"{words.row_name(verdict)}: {words.verdict_word(verdict)}"]
    if verdict.baseline is not None:
        parts.append(
            f"{words.mean(verdict.baseline, verdict.scale)} -> {words.mean(verdict.candidate, verdict.scale)}"
        )
    elif verdict.candidate is not None:
        parts.append(words.mean(verdict.candidate, verdict.scale))
    if verdict.difference is not None:
        name = words.interval_name(words.level_of(verdict, alpha))
        ends = f", {name} {words.interval(verdict.ci, verdict.scale)}" if verdict.ci else ""
        parts.append(f"({words.difference(verdict.difference, verdict.scale)}{ends})")
    reason = words.verdict_reason(verdict)
    if reason:
        parts.append(f"- {reason}")
    need = words.needed(verdict)
    if need:
        parts.append(f"To decide: {need}.")
    return log_line(" ".join(parts), 400)


def row_shown(verdict: Verdict) -> str:
    """Name a gate row in a node id: the scorer, and the slice as nobody takes it for a command."""
    return log_line(words.row_name(verdict), 200)


def case_shown(case: str) -> str:
    """Name a case on a line of the terminal."""
    return log_line(case, 80)


def why_not_judged(report: EvalsetReport) -> str:
    """Say in one line why an evalset cannot be judged: its errors, or recordings that are missing."""
    story = Story(report)
    if story.state == "not_run":
        return f"live evals not run: no credentials ({report.without_key} is not set)"
    if story.state == "not_recorded":
        return f"cannot judge: {story.count}. {log_line(story.sentence, 300)}"
    return report.judgement.summary if report.judgement else story.count


def summary_block(
    report: Report, *, width: int, ascii_only: bool, report_path: str | None
) -> list[tuple[str, str]]:
    """Return the end-of-run block as (text, style) pairs."""
    lines = summary_lines(report, width=width, ascii_only=ascii_only, report_path=report_path)
    return [(line.text, line.style) for line in lines]


def left_out_line(run: Run) -> str:
    """Say which evalsets a change cannot affect; empty where there are none."""
    return log_line(unaffected_line(run), 400)


def already_shown(row: AlreadyRegressed) -> str:
    """Name a row that was red before in a node id."""
    return log_line(f"{row.scorer} {words.slice_name(row.slice)}".rstrip(), 200)


def already_sentence(row: AlreadyRegressed) -> str:
    """Say since when a row is red on the base, in which issue, and both means."""
    return log_line(already_line(row), 400)


def beside_base_lines(
    judgement: Judgement, *, already: Sequence[AlreadyRegressed] = (), review: BaseReview | None = None
) -> list[str]:
    """Say what was red before, whose rules decided, and what the branch proposes."""
    return [log_line(line, 400) for line in beside_base(judgement, already=already, review=review)]


def judgement_word(judgement: Judgement) -> str:
    """Return the status as a word; without anything to compare with, `not compared`."""
    undecided = judgement.status in ("pass", "inconclusive")
    if judgement.verdicts and undecided and all(v.reason == "nothing_to_compare" for v in judgement.verdicts):
        return "not compared"
    return judgement.status.replace("_", " ")


def judgement_lines(judgement: Judgement) -> list[str]:
    """Say a judgement without its run: status, each row, floors, coverage; for `aioncall gate`."""
    lines = [f"gate {judgement_word(judgement).upper()}   {log_line(judgement.summary, 300)}"]
    lines += [f"  {verdict_sentence(v, alpha=judgement.alpha)}" for v in judgement.verdicts]
    if judgement.rounds is not None:
        lines.append(f"  {words.rounds_told(judgement.rounds)}")
        lines += [f"  {left}" for left in [words.left_at_red(judgement)] if left]
    for floor in judgement.floors:
        if not floor.ok:
            why = f" - {log_line(floor.reason, 200)}" if floor.reason else ""
            lines.append(
                f"  {floor.kind} {floor.scorer} broken in {log_line(floor.case)}: "
                f"{floor.held}/{floor.epochs} epochs{why}"
            )
    for metric in judgement.metrics:
        if metric.status == "regressed":
            lines.append(f"  {metric_line(metric)}")
        if metric.note and metric.status != "not_compared":
            lines.append(f"  {metric_name(metric)}: {metric.note}")
    coverage = judgement.coverage
    lines.append(f"  {coverage.judged}/{coverage.planned} judged, {words.counted(coverage.errors, 'error')}")
    lines += [f"  {line}" for line in coverage_lines(judgement)]
    if sees := power_line(judgement.powers):
        lines.append(f"  {sees}")
    return [*lines, *(f"  {log_line(note, 300)}" for note in judgement.notes)]


def coverage_lines(judgement: Judgement) -> list[str]:
    """Say how many cases were compared, and name those that were not; the removed ones every single one."""
    coverage = judgement.coverage
    compared = words.compared_cases(coverage)
    lines = [compared] if compared else []
    for word, cases in (("new", coverage.new), ("changed", coverage.changed), ("removed", coverage.removed)):
        if cases:
            limit = 300 if word != "removed" else sum(len(case) + 20 for case in cases)
            lines.append(f"{word} cases: {log_line(', '.join(cases), limit)}")
    return lines


def trust_lines(powers: Sequence[Power], floors: FloorChances | None) -> list[str]:
    """Say how often a suite sees its margins, and how often its floors would ring by chance."""
    lines = [power_line(powers)] if powers else []
    return [line for line in [*lines, floor_chance_line(floors) if floors else ""] if line]


def sight_lines(sights: Sequence[Sight]) -> list[str]:
    """Say what an accepted baseline can see, so that an underpowered suite is accepted knowingly."""
    return [log_line(f"{words.row_name(one)}: {words.sight(one)}", 200) for one in sights]
