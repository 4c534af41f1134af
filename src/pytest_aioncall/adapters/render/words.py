"""The words of every screen: one spelling for terminal, report, comment and issue.

Numbers are spelled as `model/spelling.py` has it, for alerts as well. All text made here is ASCII; text that
others wrote is made safe by the caller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from ...model.baseline import BaselineHeader
from ...model.spelling import (
    NOTHING,
    counted,
    difference,
    distance,
    interval,
    is_rate,
    mean,
    money,
    number,
    rate,
    seconds,
    slice_name,
)
from ...model.verdict import CaseMove, Coverage, Floor, Judgement, Rounds, Sight, Verdict
from ..text import log_line

__all__ = [
    "NOTHING",
    "age",
    "baseline_name",
    "clock",
    "common_level",
    "compared_cases",
    "counted",
    "difference",
    "distance",
    "floor_held",
    "floor_scorer",
    "floor_state",
    "interval",
    "interval_name",
    "is_rate",
    "is_short",
    "judged_of",
    "left_at_red",
    "level_of",
    "mean",
    "money",
    "move",
    "needed",
    "number",
    "own_failures",
    "p_relation",
    "p_value",
    "rate",
    "rounds_told",
    "row_name",
    "seconds",
    "sight",
    "slice_name",
    "verdict_reason",
    "verdict_word",
    "would_see",
]


def own_failures(
    raised: int, refused: Mapping[str, int], *, quote: Callable[[str], str] = str, limit: int = 200
) -> str:
    """Say what ended samples that waiting does not mend, for the samples of an evalset.

    raised   samples that ended in an exception of the user's own code
    refused  samples whose target answered with something that is no output, by its message
    quote    what is put around such a message, of which at most `limit` characters are shown
    """
    said = []
    if refused:
        message = max(refused, key=lambda one: refused[one])
        some = ", for example" if len(refused) > 1 else ""
        told = quote(log_line(message, limit))
        said.append(f"{counted(sum(refused.values()), 'sample')} without an output{some}: {told}")
    if raised or not refused:
        samples = counted(raised, "sample") if raised else "samples"
        said.insert(0, f"{samples} failed in the user's own code")
    return "; ".join(said)


def interval_name(alpha: float) -> str:
    """Name the interval between two one-sided bounds at 1 - alpha each: `90 % interval` at .05."""
    level = 100 * (1 - 2 * alpha)
    # One decimal is enough for a reader, but no level is ever said to be 100 %.
    return ">99.9 % interval" if round(level, 1) >= 100 else f"{round(level, 1):g} % interval"


def level_of(verdict: Verdict, alpha: float) -> float:
    """Return the level of a row's interval; `alpha` is the judgement's, for a row without its own."""
    return alpha if verdict.alpha is None else verdict.alpha


def common_level(rows: Sequence[Verdict], alpha: float) -> float | None:
    """Return the level that the intervals of all rows have, None where they differ."""
    levels = {level_of(v, alpha) for v in rows if v.ci is not None} or {alpha}
    return levels.pop() if len(levels) == 1 else None


def p_value(p: float | None) -> str:
    """Write a p-value with two figures that matter; a tiny one as a bound."""
    if p is None or not math.isfinite(p):
        return NOTHING
    if p < 0.001:
        return "<0.001"
    return f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def p_relation(p: float) -> str:
    """Write a p with its sign, for a sentence: `= 0.22` or `< 0.001`."""
    text = p_value(p)
    return f"< {text[1:]}" if text.startswith("<") else f"= {text}"


def clock(value: float) -> str:
    """Write a time left as `0:28` or `1:02:05`."""
    minutes, rest = divmod(max(0, round(value)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def age(days: float | None) -> str:
    """Write how old something is, in the largest unit that fits: `2 hours old`, `3 days old`."""
    if days is None or not math.isfinite(days):
        return "of unknown age"
    if days < 1 / 24:
        return "less than an hour old"
    if days < 1:
        return f"{counted(int(days * 24), 'hour')} old"
    return f"{counted(int(days), 'day')} old"


_WORDS: dict[str, str] = {
    "no_drop_seen": "no drop seen",
    "suspected": "suspected",
    "min_undecided": "min undecided",
    "one_epoch": "one epoch",
    "nothing_to_compare": "no baseline",
    "too_few_cases": "too few cases",
    "too_small_to_test": "too small",
    "not_comparable": "not comparable - re-judge",
    "errors_at_floor": "errors decide",
}


def baseline_name(baseline: BaselineHeader) -> str:
    """Name a baseline by its commit, else by the day it was accepted on, else by its run."""
    day = baseline.accepted_at[:10]
    return (baseline.commit or "")[:7] or (f"of {day}" if day else baseline.run or "of no day")


def verdict_word(verdict: Verdict) -> str:
    """Return the word or two that carry a row's verdict, whatever the colour says."""
    if verdict.reason == "already_on_base":
        return "already regressed"
    if verdict.reason == "accepted":
        return f"accepted {verdict.ticket}" if verdict.ticket else "accepted"
    if verdict.status == "regressed":
        return "BELOW MIN" if verdict.reason == "below_min" else "REGRESSED"
    if verdict.status == "pass":
        return {"unchanged": "unchanged", "small_drop_within_margin": "pass, small drop"}.get(
            verdict.reason, "pass"
        )
    if verdict.reason == "nothing_to_compare" and verdict.candidate is None and not verdict.planned:
        return "not measured"
    fallback = "too small" if verdict.status == "too_small" else "undecided"
    return _WORDS.get(verdict.reason, fallback)


def verdict_reason(verdict: Verdict) -> str:
    """Return one sentence on why the row has its verdict."""
    margin = distance(verdict.margin, verdict.scale)
    low = mean(verdict.min, verdict.scale)
    sentences: dict[str, str] = {
        "unchanged": "Every answer is the same as in the baseline.",
        "within_margin": f"The interval excludes a drop of {margin} or more.",
        "small_drop_within_margin": f"There is a drop, but the interval excludes {margin} or more.",
        "above_min": f"The interval stays above the minimum of {low}.",
        "below_min": f"The interval lies below the minimum of {low}.",
        "min_undecided": f"The interval holds the minimum of {low}; more cases would decide.",
        "no_drop_seen": f"No drop was seen; {would_see(verdict)}.",
        "suspected": _suspicion(verdict),
        "dropped": _drop_told(verdict),
        "one_epoch": "With one epoch, noise cannot be told from change; run 3 epochs.",
        "nothing_to_compare": "There is nothing to compare this row with.",
        "too_few_cases": "Too few cases to judge: shown, not gating.",
        "too_small_to_test": "Too few cases that differ: no drop could reach significance here.",
        "not_comparable": "The instrument changed: judge the baseline's answers again, then compare.",
        "errors_at_floor": _errors_told(verdict),
        "already_on_base": "It was regressed on the base before this change.",
        "accepted": "The owner accepted this drop" + (f" in {verdict.ticket}." if verdict.ticket else "."),
    }
    return sentences[verdict.reason]


def falls_by_p_alone(verdict: Verdict) -> bool:
    """Tell whether a row is red though its interval reaches zero: p decides that, not the interval."""
    fell = verdict.status == "regressed" and verdict.reason != "below_min"
    return fell and verdict.ci is not None and verdict.ci[1] >= 0


def _drop_told(verdict: Verdict) -> str:
    """Say that a row fell, and why it did so beside an interval that reaches zero."""
    if not falls_by_p_alone(verdict):
        return "The drop is larger than chance explains."
    return (
        "The drop is larger than chance explains, by p: it decides what fell. The interval decides what "
        "passes, allows for more noise, and reaches zero."
    )


def _suspicion(verdict: Verdict) -> str:
    """Tell a drop that chance can make from a significant one that is perhaps smaller than the margin."""
    margin = distance(verdict.margin, verdict.scale)
    if _is_red(verdict) and (verdict.difference or 0.0) > -(verdict.margin or 0.0):
        return (
            f"The drop is significant, but smaller than the margin of {margin}, "
            "and a drop of the margin is not ruled out."
        )
    return f"The estimate is at or below the margin of {margin}, but chance is not excluded."


def _is_red(verdict: Verdict) -> bool:
    """Tell whether the row's own test rejects; a row that names no level has the usual one."""
    return verdict.p_adjusted is not None and verdict.p_adjusted <= (verdict.alpha or 0.05)


def _errors_told(verdict: Verdict) -> str:
    """Say what the samples with errors keep from being said."""
    if not verdict.judged:
        return "No sample of it has a score."
    p, alpha = verdict.p_adjusted, verdict.alpha
    red = p is not None and alpha is not None and p <= alpha
    if red and (verdict.difference or 0) < 0:
        return "The samples that were judged fell, but too many errored to call it a regression."
    return "It would pass only if the samples with errors were left out."


def row_name(row: Verdict | Sight) -> str:
    """Name a gate row: `route`, `route persona=free`."""
    return f"{row.scorer} {slice_name(row.slice)}".rstrip()


def sight(one: Sight) -> str:
    """Say what one row would see in a new run: `would see a drop of 12 pp`, or why it sees none."""
    if one.mde is not None:
        return f"would see a drop of {distance(one.mde, one.scale)}"
    if one.why_not == "one_epoch":
        return "sees no drop: with one epoch noise cannot be told from change; run 3 epochs"
    return f"sees no drop: {counted(one.n_cases, 'case')} x {one.epochs} are too few"


def would_see(verdict: Verdict) -> str:
    """Say the smallest drop that this row would find."""
    if verdict.mde is None:
        return "what it would see is not known"
    return f"would see {distance(verdict.mde, verdict.scale)}"


def needed(verdict: Verdict) -> str:
    """Say what would settle the row, empty where nothing is known."""
    need = verdict.needed
    if need is None or (need.cases is None and need.epochs is None):
        return ""
    if need.epochs is None:
        why = "more epochs cannot help, only more cases"
        if need.epochs_unknown:
            why = "run 3 epochs to see whether more of them would help"
        return f"{counted(need.cases or 0, 'case')} ({why})"
    epochs = counted(need.epochs, "epoch") + (" of the baseline and of the run" if need.both_sides else "")
    return epochs if need.cases is None else f"{counted(need.cases, 'case')} or {epochs}"


def compared_cases(coverage: Coverage) -> str:
    """Say on how many cases a comparison stands: `compared 118 of 120 cases`; empty without a baseline."""
    if coverage.compared is None:
        return ""
    return f"compared {coverage.compared} of {counted(coverage.cases, 'case')}"


def judged_of(verdict: Verdict) -> str:
    """Write n judged / n planned."""
    return f"{verdict.judged}/{verdict.planned}"


def failed_of(errors: int, *, not_recorded: int) -> list[str]:
    """Count the samples that have no score: what was never asked is `not recorded` and no error."""
    missing = min(not_recorded, errors)
    told = [f"{missing:,} not recorded"] if missing else []
    return [*told, counted(errors - missing, "error")] if errors > missing or not missing else told


def is_short(verdict: Verdict) -> bool:
    """Tell whether a mean of this row rests on fewer samples than planned."""
    return verdict.judged != verdict.planned


_MUST = re.compile(r"^(?:must|require)\[\d+\]:")


def floor_scorer(floor: Floor) -> str:
    """Return the scorer of a floor without the prefix that keeps it unique inside a sample."""
    return _MUST.sub("", floor.scorer) or floor.scorer


def floor_held(floor: Floor) -> str:
    """Say how often a floor held: `held in 1 of 3 epochs, 3 needed`."""
    text = f"held in {floor.held} of {counted(floor.epochs, 'epoch')}"
    return text if floor.needed == floor.epochs else f"{text}, {floor.needed} needed"


def floor_state(floor: Floor) -> str:
    """Return `held`, `BROKEN` or `undecided`."""
    return "undecided" if floor.undecided else "held" if floor.ok else "BROKEN"


def move(step: CaseMove) -> str:
    """Write how a case moved: `3/3 -> 0/3`, or the difference of its mean where the count stood still."""
    now = f"{step.now[0]}/{step.now[1]}"
    if step.was is None:
        return f"now {now}"
    if step.was != step.now or step.difference is None:
        return f"{step.was[0]}/{step.was[1]} -> {now}"
    return number(step.difference, 2, signed=True)


_WHY_STOPPED = {
    "decided": "every gate clear at epoch {0} of {1}",
    "red": "a gate red at epoch {0} of {1}",
    "max": "all {1} epochs drawn where a gate was open",
    "no_use": "after {0} of {1} epochs no further one would settle it",
    "cost_cap": "the cost cap ended the rounds at epoch {0} of {1}",
    "open": "stopped at epoch {0} of {1} before a verdict",
}


def rounds_told(rounds: Rounds) -> str:
    """Say how many calls of the target adaptive epochs saved, and where and why they stopped."""
    share = rounds.saved / rounds.samples_at_max if rounds.samples_at_max else 0.0
    saved = f"saved {rounds.saved} of {counted(rounds.samples_at_max, 'call')} ({round(share * 100)} %)"
    why = _WHY_STOPPED[rounds.stopped].format(rounds.epochs, rounds.max)
    return f"{saved if rounds.saved else 'no call saved'}: {why}"


def left_at_red(judgement: Judgement) -> str:
    """Say how many gating rows adaptive epochs left open when another row turned red; empty where none."""
    if judgement.rounds is None or judgement.rounds.stopped != "red":
        return ""
    left = sum(v.gating and v.status == "inconclusive" for v in judgement.verdicts)
    return f"{counted(left, 'row')} not decided: the run ended at red" if left else ""
