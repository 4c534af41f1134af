"""The states that an evalset and its rows can be in: their words, their colours, and which is worse."""

from __future__ import annotations

from typing import Literal

from ...model.verdict import Verdict

State = Literal[
    "regressed", "floor_broken", "user_error", "not_recorded", "cannot_judge", "not_comparable",
    "suspected", "already", "undecided", "not_run", "interrupted", "partial", "nothing_shared", "no_baseline",
    "no_drop_seen", "accepted", "pass", "unaffected",
]  # fmt: skip
Tone = Literal["bad", "doubt", "good", "none"]

# Worst first: the order in which evalsets and rows are shown.
WORST_FIRST: tuple[State, ...] = (
    "regressed", "floor_broken", "user_error", "not_recorded", "cannot_judge", "not_comparable",
    "suspected", "already", "undecided", "not_run", "interrupted", "partial", "nothing_shared", "no_baseline",
    "no_drop_seen", "accepted", "pass", "unaffected",
)  # fmt: skip
WORD: dict[State, str] = {
    "regressed": "REGRESSED",
    "floor_broken": "REGRESSED",
    "user_error": "FAILED",
    "not_recorded": "CANNOT JUDGE",
    "cannot_judge": "CANNOT JUDGE",
    "not_comparable": "NOT COMPARABLE",
    "suspected": "SUSPECTED",
    "already": "REGRESSED BEFORE",
    "undecided": "UNDECIDED",
    "not_run": "NOT RUN",
    "interrupted": "not judged",
    "partial": "not judged",
    "nothing_shared": "NOTHING TO COMPARE",
    "no_baseline": "no baseline yet",
    "no_drop_seen": "no drop seen",
    "accepted": "accepted",
    "pass": "pass",
    "unaffected": "unaffected",
}
TONE: dict[State, Tone] = {
    "regressed": "bad",
    "floor_broken": "bad",
    "user_error": "bad",
    "not_recorded": "doubt",
    "cannot_judge": "doubt",
    "not_comparable": "doubt",
    "suspected": "doubt",
    "already": "doubt",
    "undecided": "doubt",
    "not_run": "none",
    "interrupted": "none",
    "partial": "none",
    "nothing_shared": "doubt",
    "no_baseline": "none",
    "no_drop_seen": "none",
    "accepted": "good",
    "pass": "good",
    "unaffected": "none",
}


def row_weight(verdict: Verdict) -> int:
    """Return how bad a row is, 0 the worst."""
    if verdict.status == "regressed":
        return 0 if verdict.gating else 1
    if verdict.status == "inconclusive":
        return {"suspected": 2, "not_comparable": 3, "min_undecided": 4, "errors_at_floor": 4}.get(
            verdict.reason, 5
        )
    return 7 if verdict.status == "pass" else 6


def row_tone(verdict: Verdict) -> Tone:
    """Return the colour family of a row."""
    if verdict.status == "regressed":
        return "bad"
    if verdict.status == "pass":
        return "good"
    if verdict.status == "too_small" or verdict.reason in (
        "no_drop_seen",
        "nothing_to_compare",
        "too_few_cases",
    ):
        return "none"
    return "doubt"
