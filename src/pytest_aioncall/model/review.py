"""What the weekly review says of a stretch of time: facts by kind, no words."""

from __future__ import annotations

from typing import Literal

from .alert import AlertKind
from .frozen import Frozen
from .history import RunRef
from .oncall import Tier


class ReviewAlert(Frozen):
    """One alert that held in the time. `days` on which a run saw it; `began` in this time, or before."""

    kind: AlertKind
    tier: Tier
    evalset: str
    title: str
    first_day: str
    last_day: str
    days: int = 1
    began: bool = True
    holds: bool = False


class ReviewIncident(Frozen):
    """One episode that was open at some moment of the time. `opened`, `closed` in it."""

    evalset: str
    owner: str = ""
    first_bad: RunRef
    recovered: RunRef | None = None
    opened: bool = False
    closed: bool = False


class ReviewModel(Frozen):
    """A model id that responses named. `first` is the first run of the history that saw it.

    is_new   it was first seen in this time, and the evalset had runs before
    is_gone  the newest run with answers does not name it any more, and it was seen in this time
    """

    evalset: str
    model: str
    first: RunRef
    last_day: str
    is_new: bool = False
    is_gone: bool = False


class ReviewChange(Frozen):
    """What else changed on a day: prompt, index, scorers, baseline."""

    evalset: str
    day: str
    what: str


class ReviewCost(Frozen):
    """US dollars of the daily runs of an evalset in this time, and in as long a time before.

    None where no run tells; `unknown` counts runs of this time whose cost nobody knows.
    """

    evalset: str
    usd: float | None = None
    runs: int = 0
    unknown: int = 0
    before_usd: float | None = None
    before_runs: int = 0


class ReviewSlice(Frozen):
    """A row that cannot see what it is there for. `mde` and `margin` in units of the scale.

    missing  it had cases and has none any more; small: too few to gate; weak: gates, and sees no margin
    """

    evalset: str
    scorer: str
    slice: dict[str, str] | None = None
    why: Literal["missing", "small", "weak"]
    n_cases: int = 0
    mde: float | None = None
    margin: float | None = None
    scale: tuple[float, float] = (0.0, 1.0)


class ReviewBaseline(Frozen):
    """A baseline that is missing (`age_days` None) or older than its limit, at the end of the time."""

    evalset: str
    age_days: float | None = None
    limit_days: int | None = None


class ReviewGap(Frozen):
    """A day on which an evalset ran and could not be judged."""

    evalset: str
    day: str
    because: str = ""


class ReviewIssue(Frozen):
    """An open issue as the tracker has it now."""

    number: int
    title: str
    evalset: str = ""
    url: str = ""
    acked_by: str | None = None
    snoozed_until: str | None = None
    breached: bool = False


class Review(Frozen):
    """All of it. Days are YYYY-MM-DD in UTC.

    history      which one was read, in words
    elsewhere    where the daily runs are that it lacks, in words; "" where nobody knows
    days         of the time, from the history's first entry on, and today only where it has run
    silent_days  those of them without any daily run
    issues       None where no tracker was asked; `issues_note` says why
    lines        what the monitor left for the review (tier 3)
    """

    format: Literal[1] = 1
    since: str
    until: str
    history: str = ""
    elsewhere: str = ""
    runs: int = 0
    days: tuple[str, ...] = ()
    judged_days: int = 0
    silent_days: tuple[str, ...] = ()
    alerts: tuple[ReviewAlert, ...] = ()
    incidents: tuple[ReviewIncident, ...] = ()
    models: tuple[ReviewModel, ...] = ()
    changes: tuple[ReviewChange, ...] = ()
    costs: tuple[ReviewCost, ...] = ()
    slices: tuple[ReviewSlice, ...] = ()
    baselines: tuple[ReviewBaseline, ...] = ()
    gaps: tuple[ReviewGap, ...] = ()
    issues: tuple[ReviewIssue, ...] | None = None
    issues_note: str = ""
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
