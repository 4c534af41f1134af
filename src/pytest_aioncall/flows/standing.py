"""How a baseline itself stands: its age, whether its outputs are its own, who judged it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..adapters.baseline_store import Baseline
from ..adapters.render import words
from ..adapters.text import log_line
from ..model.baseline import BaselineHeader

_CLOCK_SLACK_DAYS = 1.0
"""Clocks of two machines differ; a baseline of the near future is a fresh one."""


@dataclass(frozen=True, slots=True)
class Age:
    """How old a baseline is, in days, and whether that can be right; `limit` in days."""

    days: float | None
    limit: int
    state: Literal["fresh", "old", "future", "unknown"]

    @property
    def told(self) -> str:
        """Say the age: `3 days old`."""
        if self.state == "future":
            return "accepted in the future"
        return words.age(self.days)


def age_of(header: BaselineHeader, now: datetime, *, limit: int) -> Age:
    """Return the age of a baseline at `now`, by its acceptance: judging it again makes it no younger."""
    try:
        days = (now - datetime.fromisoformat(header.accepted_at)).total_seconds() / 86400
    except (ValueError, TypeError):
        return Age(None, limit, "unknown")
    if days < -_CLOCK_SLACK_DAYS:
        return Age(0.0, limit, "future")
    return Age(max(0.0, days), limit, "old" if days > limit else "fresh")


def standing_notes(baseline: Baseline, now: datetime, *, limit: int) -> list[str]:
    """Say what is to be known of a baseline, one line each, with the command that mends it.

    None of it decides a verdict: an old baseline is still the one that was agreed on.
    """
    header = baseline.header
    name = shlex.quote(header.evalset)
    age = age_of(header, now, limit=limit)
    notes = []
    if age.state == "old":
        notes.append(
            f"the baseline is {age.told}, limit {limit}: pytest --aioncall, then "
            f'aioncall baseline accept {name} --reason "..."'
        )
    elif age.state == "future":
        notes.append(
            f"the baseline says that it was accepted at {log_line(header.accepted_at, 40)}, which is in the "
            "future: check the clock of this machine, or accept it anew"
        )
    elif age.state == "unknown":
        notes.append(
            f"the baseline's accepted_at {log_line(header.accepted_at, 40)!r} is no time (RFC 3339), so its "
            "age is not known: accept it anew"
        )
    if baseline.mismatch:
        notes.append(
            f"{baseline.mismatch}, so no answer can be told to be unchanged: restore both files from one "
            f'commit, or aioncall baseline accept {name} --reason "..."'
        )
    return notes


def baseline_lines(baseline: Baseline, now: datetime, *, limit: int) -> list[str]:
    """Say which baseline a comparison is with: whose, how old, judged again by whom, and what is wrong with
    it."""
    header = baseline.header
    age = age_of(header, now, limit=limit)
    lines = [f"baseline: {origin_of(header)}, {age.told}, accepted by {log_line(header.accepted_by, 120)}"]
    again = rejudged_line(header)
    return [*lines, *([again] if again else []), *standing_notes(baseline, now, limit=limit)]


def origin_of(header: BaselineHeader) -> str:
    """Name the run behind a baseline: `commit a1b2c3d`, with what its commit does not tell."""
    commit = f"commit {(header.commit or 'unknown')[:7]}"
    return f"{commit} with uncommitted changes" if header.dirty else commit


def rejudged_line(header: BaselineHeader) -> str | None:
    """Say who had the outputs of a baseline judged again, and why; None where nobody had."""
    if not header.rejudged:
        return None
    last = header.rejudged[-1]
    before = f", {len(header.rejudged)} times in all" if len(header.rejudged) > 1 else ""
    return (
        f"judged again at {log_line(last.at[:10], 20)} by {log_line(last.by, 80)} "
        f"({log_line(', '.join(last.scorers), 120)}{before}): {log_line(last.reason, 200)}"
    )
