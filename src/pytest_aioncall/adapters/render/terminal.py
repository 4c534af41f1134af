"""The end of a run on a terminal: verdict first, then why, then the next command; at most 25 lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...model.report import Report
from ..text import one_line
from . import words
from .asides import left_elsewhere
from .beside_base import review_lines
from .blocks import Block, details_of, fit, replay_line
from .nextstep import next_advice, next_command
from .pen import Pen
from .states import Tone
from .story import Story, stories
from .table import Line, Style

MOST_LINES = 25
_MOST_HEADS = 12
_STYLE: dict[Tone, Style] = {"bad": "red", "doubt": "yellow", "good": "green", "none": "bold"}


@dataclass(frozen=True, slots=True)
class StyledLine:
    """One line of text and the one style it is printed in; the words alone say everything."""

    text: str
    style: Style = field(default="")


def summary_lines(
    report: Report, *, width: int = 80, ascii_only: bool = False, report_path: str | None = None
) -> list[StyledLine]:
    """Return what is printed after a run, worst evalset first, without the banner.

    Never more than 25 lines. Text of cases and models is escaped to one line each; with `ascii_only` the
    output is ASCII throughout. Commands are never cut, so that they can be copied; all else fits `width`.
    """
    pen = Pen(width=max(40, width), ascii_only=ascii_only)
    told = stories(report)
    if not told:
        return [StyledLine("no evalset was run", "yellow")]
    blocks = [_heads(told, pen)]
    tail = [_totals(report, told, pen), _elsewhere(report), _tail(told, pen, report_path)]
    left = MOST_LINES - len(blocks[0].lines) - sum(len(block.lines) for block in tail)
    # A single evalset has the screen for itself; of several, the worst are told first and in full.
    detailed = [s for s in told if len(told) == 1 or s.tone in ("bad", "doubt")]
    for nth, story in enumerate(detailed):
        share = max(left // (len(detailed) - nth), min(left, 8))
        if share < 2:
            break
        inner = fit(details_of(story, pen, totals=report.run.totals, room=share, named=len(told) > 1), share)
        blocks += inner
        left -= sum(len(block.lines) for block in inner)
    blocks += tail
    if report.review is not None:
        lines = review_lines(report.review)[: max(0, MOST_LINES - sum(len(block.lines) for block in blocks))]
        blocks.insert(-1, Block("review", [(pen.safe(line, 400), "yellow") for line in lines]))
    return [
        StyledLine(text if block.whole else pen.cut(text), style)
        for block in blocks
        for text, style in block.lines
    ]


def _heads(told: Sequence[Story], pen: Pen) -> Block:
    lines: list[Line] = []
    for story in told[:_MOST_HEADS]:
        lines.append((_head(story, pen, named=len(told) > 1), _STYLE[story.tone]))
    if len(told) > _MOST_HEADS:
        rest = told[_MOST_HEADS:]
        kinds = ", ".join(dict.fromkeys(story.word for story in rest))
        lines.append((f"and {words.counted(len(rest), 'evalset')} more: {kinds}", ""))
    return Block("heads", lines, least=len(lines), whole=True)


def _head(story: Story, pen: Pen, *, named: bool) -> str:
    name = f"{pen.safe(story.name, 40)}: " if named else ""
    if story.state in ("partial", "interrupted"):
        because = pen.safe(story.count, 200)
        word = "interrupted" if story.state == "interrupted" else "partial run"
        text = because if because.lower().startswith((word, "shard ")) else f"{word}: {because}"
        return f"gate not judged  {name}{text}"
    if story.state == "unaffected":
        return f"gate {story.word}  {name}{story.count}"
    part = f", {story.compared_part}" if story.compared_part else ""
    head = f"gate {story.word}  {name}{story.count}{part}"
    return f"{head} ({_about(story, pen, room=pen.width + 17 - len(head))})"


def _about(story: Story, pen: Pen, *, room: int) -> str:
    """Name the baseline and the size of the run; the baseline in short where there is no room."""
    long = f"{pen.safe(story.compared_with, 60)}, {story.size}"
    return long if len(long) <= room else f"{pen.safe(story.compared_with_briefly, 40)}, {story.size}"


def _totals(report: Report, told: Sequence[Story], pen: Pen) -> Block:
    """Return the counts of a run of several evalsets; a single one has its own."""
    lines: list[Line] = []
    if len(told) > 1:
        totals = report.run.totals
        missing = sum(story.report.not_recorded for story in told)
        parts = [f"{totals.judged}/{totals.planned} judged"]
        parts += words.failed_of(totals.errors, not_recorded=missing)
        parts += [words.money(totals.cost_usd), words.seconds(totals.wall_s)]
        lines.append((", ".join(parts), ""))
        lines += replay_line([story for story in told if story.replayed[0]], pen)
    return Block("totals", lines, least=len(lines))


def _elsewhere(report: Report) -> Block:
    """Return what the run lacks beside what is told of here; whole, for a command stands in it."""
    left = left_elsewhere(report)
    lines: list[Line] = [(left, "yellow")] if left else []
    return Block("elsewhere", lines, least=len(lines), whole=True)


def _tail(told: Sequence[Story], pen: Pen, report_path: str | None) -> Block:
    """Return the lines that close every summary: the next command and the report, never cut."""
    lines: list[Line] = []
    if story := next((s for s in told if next_command(s)), None):
        advice = f"{pen.safe(next_advice(story), 200)} " if next_advice(story) else ""
        lines.append((f"next:   {advice}{pen.safe(next_command(story), 1000)}", "bold"))
    if report_path:
        lines.append((f"report: {pen.safe(report_path, 400)}", "dim"))
    return Block("tail", lines, least=len(lines), whole=True)


def progress_line(
    *,
    done: int,
    total: int,
    rate: float,
    cost_usd: float | None,
    cost_unknown: bool,
    retries: int,
    errors: int,
    eta_s: float | None,
    waiting: str | None = None,
) -> str:
    """Return the one line shown while samples run; `rate` in samples a second, `eta_s` in seconds.

    cost_usd      None where nothing told a cost: then there is none to show
    cost_unknown  a model answered without a price, so that no sum is the whole
    waiting       what everybody waits for (`openai 429, 12 s`), said instead of the time left
    """
    cost = "" if cost_usd is None else f"{words.money(cost_usd)}  "
    if cost_unknown:
        cost = f"{words.money(None)}  "
    eta = f"eta {words.clock(eta_s) if eta_s is not None else '-:--'}"
    end = eta if waiting is None else f"waiting: {one_line(waiting, 60)}"
    plural = "retry" if retries == 1 else "retries"
    return (
        f"aioncall {done}/{total}  {rate:.1f}/s  {cost}"
        f"{retries} {plural}, {words.counted(errors, 'error')}  {end}"
    )
