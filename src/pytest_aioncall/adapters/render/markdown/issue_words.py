"""Words that the body of an issue and its comments share."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from ....model.history import RunRef
from ....model.oncall import Tier
from . import escape

_PERSON: Final = re.compile(r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")
_BARS: Final = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_RUN_PAGE: Final = re.compile(r"/actions/runs/\d+(?:/attempts/\d+)?\Z")
_SHA: Final = re.compile(r"[0-9a-f]{7,64}")


def mention(person: str) -> str:
    """Return a login or team as a mention; anything else as text that mentions nobody."""
    return person if _PERSON.fullmatch(person) else escape.inline(person, 80)


def run_link(run: RunRef | None) -> str:
    """Name a run, as a link where it has an address."""
    if run is None:
        return "an unknown run"
    # Only what is a run's page: an address of somebody's choice is no link of ours.
    url = run.url if run.url and _RUN_PAGE.search(run.url) else None
    return escape.link(f"run {escape.inline(run.run, 80)}", url)


def run_of_day(run: RunRef | None) -> str:
    """Name a run with its day."""
    return run_link(run) if run is None else f"{run_link(run)} ({escape.prose(run.day, 20)})"


def commit_of(run: RunRef | None) -> str | None:
    """Return a commit's id, None where there is none."""
    found = run.commit if run is not None else None
    return found if found and _SHA.fullmatch(found) else None


def days_told(first: str, last: str | None) -> str:
    """Say how long something lasted from day to day: `1 day`, `4 days`; both ends count."""
    try:
        days = (date.fromisoformat(last or "") - date.fromisoformat(first)).days + 1
    except ValueError:
        return "an unknown time"
    return "1 day" if days == 1 else f"{max(1, days)} days"


def tier_word(tier: Tier) -> str:
    """Say what a tier means."""
    return {1: "page (tier 1)", 2: "ticket (tier 2)", 3: "weekly review (tier 3)"}[tier]


def spark(values: list[float | None], *, low: float, high: float) -> str:
    """Return one bar a value between `low` and `high`; a dot where there is none."""
    span = high - low
    bars = []
    for value in values:
        if value is None:
            bars.append("\u00b7")
            continue
        share = (value - low) / span if span > 0 else 0.5
        bars.append(_BARS[max(0, min(len(_BARS) - 1, int(share * len(_BARS))))])
    return "".join(bars)
