"""What is not there: runs, judged runs, a judge, a fresh baseline. None of it speaks of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ...model import spelling
from ...model.alert import Alert, Evidence
from ...model.oncall import Monitors
from . import titles
from .amounts import error_texts
from .looks import Look, days_between

JUDGE_LIMIT = 0.02
"""Share of judge calls without a score above which an unjudged run is the judge's doing."""
USUAL_GAPS = 10


def judge_is_out(look: Look) -> bool:
    """Tell whether a run could not be judged because the judge gave no scores."""
    share = look.evalset.judge_errors
    return not look.evalset.judged and share is not None and share > JUDGE_LIMIT


def judge_alert(look: Look) -> Alert | None:
    """Return the alert of a judge out of reach: the run is neither green nor red."""
    share = look.evalset.judge_errors
    if share is None or not judge_is_out(look):
        return None
    told = f"no scores for {spelling.rate(share)} of the judge's calls"
    names = ", ".join(titles.plain(name, 40) for name in sorted(look.evalset.judges)[:4])
    return Alert(
        kind="judge_unavailable",
        tier=1,
        evalset=look.evalset.evalset,
        title=titles.about(look.evalset.evalset, "judge", f"unavailable ({told})"),
        summary="The judge is out of reach, so nothing is known of the answers: neither good nor bad.",
        evidence=(
            Evidence(
                name="judge errors", value=f"{spelling.rate(share)}, limit {spelling.rate(JUDGE_LIMIT)}"
            ),
            *([Evidence(name="judges", value=names)] if names else []),
            *_because(look),
            *error_texts(look),
        ),
        quality=False,
    )


def _because(look: Look) -> list[Evidence]:
    told = look.evalset.because
    return [Evidence(name="because", value=titles.plain(told, 300))] if told else []


def stale_alert(look: Look) -> Alert | None:
    """Return the alert of a baseline beyond its age: what is compared with is not what was agreed on."""
    age, limit = look.evalset.baseline_age_days, look.evalset.baseline_limit_days
    if age is None or limit is None or age <= limit:
        return None
    told = f"{spelling.counted(int(age), 'day')} old, limit {limit}"
    name = look.evalset.evalset
    accepted = str(look.evalset.baseline.get("accepted_at", "?"))
    return Alert(
        kind="stale_baseline",
        tier=1,
        evalset=name,
        title=titles.about(name, "baseline", told),
        summary="The accepted baseline is older than its limit; accept a fresh one.",
        evidence=(
            Evidence(name="baseline", value=told),
            Evidence(name="accepted", value=titles.plain(accepted, 40)),
            Evidence(name="run", value=f'aioncall baseline accept {titles.plain(name, 80)} --reason "..."'),
        ),
        quality=False,
    )


def usual_gap(days: Sequence[str]) -> int:
    """Return after how many days the next run is usually there: 1 where runs are daily."""
    distinct = sorted(set(days))[-(USUAL_GAPS + 1) :]
    gaps = [days_between(first, second) for first, second in pairwise(distinct)]
    return max(1, round(median(gaps))) if gaps else 1


def no_data_alert(
    look: Look,
    *,
    judged: Look | None,
    first_day: str,
    days: Sequence[str],
    today: str,
    monitors: Monitors,
    left_out: bool = False,
) -> Alert | None:
    """Return the alert where a run is missing, or where none could be judged for `no_data_days`.

    judged     newest judged look; None where there never was one
    first_day  day of the first run of all, from which an evalset that was never judged counts
    days       days that have a run
    left_out   there are later runs, and it is in none of them: a ticket, for the job itself goes on
    Missing: today is later than a whole usual gap after the day on which the next run was due.
    """
    name = look.evalset.evalset
    silent = days_between(look.day, today)
    usual = usual_gap(days)
    since_judged = days_between(judged.day if judged is not None else first_day, today)
    evidence = [
        Evidence(name="newest run", value=f"{titles.plain(look.entry.run, 80)}, {look.day}"),
        Evidence(name="newest judged run", value=_run_told(judged)),
    ]
    if left_out and silent > usual:
        told = f"left out of the runs since {look.day}"
        summary = (
            "The daily runs go on without it, and its file is there. Was it deselected, ignored or moved?"
        )
    elif silent > usual:
        told = f"no run since {look.day} ({spelling.counted(silent, 'day')})"
        summary = "An expected run is missing. Was the schedule disabled, or did the job fail before it ran?"
        evidence.append(Evidence(name="usual gap", value=spelling.counted(usual, "day")))
    elif since_judged >= max(monitors.no_data_days, usual + 1) and judged is not look:
        told = f"no judged run for {spelling.counted(since_judged, 'day')}"
        summary = "Runs are made, but none could be judged: nothing is known of the answers."
        evidence += _because(look)
    else:
        return None
    return Alert(
        kind="no_data",
        tier=2 if left_out and silent > usual else 1,
        evalset=name,
        title=titles.about(name, "runs", told),
        summary=summary,
        evidence=tuple(evidence),
        quality=False,
    )


def _run_told(look: Look | None) -> str:
    return "never" if look is None else f"{titles.plain(look.entry.run, 80)}, {look.day}"
