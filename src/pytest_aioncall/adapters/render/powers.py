"""What a run like this one would see: how often each gating row finds a drop, and what would settle it."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.verdict import Power, Verdict
from . import words
from .sight_line import percent
from .story import Story


@dataclass(frozen=True, slots=True)
class PowerRow:
    """How well one row sees. Shares of runs as text, `-` where nothing is known."""

    name: str
    cases: str
    claim: str
    margin: str
    at_margin: str
    at_twice: str
    alarm: str
    undecided: str
    sees: str
    needed: str


@dataclass(frozen=True, slots=True)
class PowerTable:
    """Every gating row; `known` tells whether shares were reckoned, `simulated` whether they were drawn."""

    rows: tuple[PowerRow, ...]
    known: bool
    simulated: bool

    @property
    def says_needs(self) -> bool:
        return any(row.needed for row in self.rows)


def power_table(story: Story) -> PowerTable:
    """Gather what is known of each row's power, overall rows first, in the order judged."""
    judgement = story.report.judgement
    powers = judgement.powers if judgement else ()
    rows = []
    for verdict in sorted(judgement.verdicts if judgement else (), key=lambda v: v.slice is not None):
        power = next((p for p in powers if (p.scorer, p.slice) == (verdict.scorer, verdict.slice)), None)
        if power or (verdict.gating and story.sight(verdict)) or verdict.status == "too_small":
            rows.append(_row(verdict, power, story))
    known = any(p.at_margin is not None for p in powers)
    return PowerTable(tuple(rows), known=known, simulated=any(p.simulated for p in powers))


def _row(verdict: Verdict, power: Power | None, story: Story) -> PowerRow:
    sight = story.sight(verdict)
    margin = power.margin if power else verdict.margin
    cases = power.n_cases if power else sight.n_cases if sight else verdict.n_cases
    return PowerRow(
        name=words.row_name(verdict),
        cases=words.counted(cases, "case"),
        claim=(sight.claim if sight else verdict.claim).replace("-", " "),
        margin=words.distance(margin, verdict.scale) if margin is not None else "",
        at_margin=percent(power.at_margin if power else None),
        at_twice=percent(power.at_twice if power else None),
        alarm=percent(power.alarm if power else None),
        undecided=percent(power.inconclusive if power else None),
        sees=_smallest(verdict, story),
        needed=words.needed(verdict),
    )


def _smallest(verdict: Verdict, story: Story) -> str:
    """Say the smallest drop that turns the row red four times in five, or why there is none."""
    sight = story.sight(verdict)
    if sight is None:
        return "none: too small to test" if verdict.status == "too_small" else ""
    if sight.mde is None:
        return words.sight(sight).removeprefix("sees ").replace("no drop", "none", 1)
    return words.distance(sight.mde, sight.scale)
