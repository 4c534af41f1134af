"""One plain sentence for a person: the verdict first."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.spelling import mean, slice_name
from ..model.verdict import Coverage, Floor, Verdict


def size(value: float, *, scale: tuple[float, float]) -> str:
    """Write a difference: percentage points on 0-1, else the number."""
    return f"{100 * value:.1f} pp" if tuple(scale) == (0.0, 1.0) else f"{value:.2f}"


def place(verdict: Verdict) -> str:
    """Write where a row is: `` or ` on shape=long`."""
    if not verdict.slice:
        return ""
    return f" on {slice_name(verdict.slice)}"


def regressed(verdicts: Sequence[Verdict]) -> str:
    """Say which rows regressed, the largest drop first."""
    first, *rest = sorted(verdicts, key=_severity)
    more = f"; and {len(rest)} more row{'s' if len(rest) > 1 else ''}" if rest else ""
    if first.reason == "below_min":
        least = mean(first.min or 0.0, first.scale)
        found = mean(first.candidate or 0.0, first.scale)
        return f"{first.scorer} is below its minimum{place(first)}: {found}, at least {least} is asked{more}"
    return f"{first.scorer} dropped{place(first)}: {_moved(first)}{more}"


def undecided(verdicts: Sequence[Verdict]) -> str:
    """Say why rows are open: what weighs most first."""
    order = (
        "not_comparable",
        "errors_at_floor",
        "suspected",
        "min_undecided",
        "one_epoch",
        "nothing_to_compare",
    )
    for reason in order:
        chosen = [v for v in verdicts if v.reason == reason]
        if chosen:
            return _open(min(chosen, key=_severity))
    seen = [v for v in verdicts if v.mde is not None]
    names = {v.scorer for v in verdicts}
    if not seen:
        first = verdicts[0]
        return (
            f"no drop seen in {first.scorer}{place(first)}, but {first.n_cases} cases are too few to see one"
        )
    overall = [v for v in seen if v.slice is None] or seen
    widest = max(overall, key=lambda v: (v.mde or 0.0) / (v.scale[1] - v.scale[0]))
    where = f" in {widest.scorer}{place(widest)}" if len(names) > 1 or widest.slice else ""
    return f"no drop seen; would see {size(widest.mde or 0.0, scale=widest.scale)}{where}"


def passed(verdicts: Sequence[Verdict], *, floors: Sequence[Floor]) -> str:
    """Say what a pass rests on."""
    gating = [v for v in verdicts if v.gating and v.reason != "nothing_to_compare"]
    if gating and all(v.reason == "unchanged" for v in gating):
        return "unchanged: every output is byte-identical"
    if gating:
        return f"no regression: {len(gating)} of {len(gating)} gate row{'s' if len(gating) > 1 else ''} pass"
    if floors:
        return f"{len(floors)} must and require floor{'s' if len(floors) > 1 else ''} hold"
    return "nothing gates here"


def nothing_to_compare(verdicts: Sequence[Verdict], *, coverage: Coverage) -> str:
    """Say that this was a first run, and what it measured."""
    means = [
        f"{v.scorer} {mean(v.candidate, v.scale)}"
        for v in verdicts
        if v.slice is None and v.candidate is not None
    ]
    shown = f", {', '.join(means[:3])}" if means else ""
    return f"nothing to compare with: {coverage.judged}/{coverage.planned} samples judged{shown}"


def broken(floors: Sequence[Floor]) -> str:
    """Say which floor broke first, and how many more."""
    first = floors[0]
    more = f"; and {len(floors) - 1} more" if len(floors) > 1 else ""
    return (
        f"{first.kind} broken: {first.case}, {first.scorer} held in {first.held} of {first.epochs} epochs, "
        f"{first.needed} needed{more}"
    )


def _moved(verdict: Verdict) -> str:
    was, now = verdict.baseline or 0.0, verdict.candidate or 0.0
    return f"{mean(was, verdict.scale)} -> {mean(now, verdict.scale)}"


def _severity(verdict: Verdict) -> float:
    span = verdict.scale[1] - verdict.scale[0]
    if verdict.reason == "below_min" or verdict.difference is None:
        return ((verdict.candidate or 0.0) - (verdict.min or 0.0)) / span
    return verdict.difference / span


def _open(verdict: Verdict) -> str:
    name, where, scale = verdict.scorer, place(verdict), verdict.scale
    if verdict.reason == "not_comparable":
        return f"{name} is not comparable: the scorer differs from the baseline's; score its outputs again"
    if verdict.reason == "errors_at_floor":
        fell = verdict.p_adjusted is not None and verdict.p_adjusted <= (verdict.alpha or 0.05)
        word = "fell, but too many samples errored" if fell else "could pass only without its errors"
        return f"{name}{where} {word}: {verdict.judged}/{verdict.planned} judged"
    if verdict.reason == "suspected":
        return f"{name} {_suspicion(verdict)}"
    if verdict.reason == "min_undecided":
        least = mean(verdict.min or 0.0, scale)
        found = "no score" if verdict.candidate is None else mean(verdict.candidate, scale)
        return f"{name}{where} is not sure to reach its minimum {least}: {found} in {verdict.n_cases} cases"
    if verdict.reason == "one_epoch":
        return f"{name}{where}: one epoch cannot tell noise from change; run 3 epochs on both sides"
    return f"{name}{where} has no case in common with the baseline"


def _suspicion(verdict: Verdict) -> str:
    """Tell a drop that chance can make from one that is sure but perhaps smaller than the margin."""
    where, moved, scale = place(verdict), _moved(verdict), verdict.scale
    if verdict.margin is not None and (verdict.difference or 0.0) > -verdict.margin:
        margin = size(verdict.margin, scale=scale)
        return f"dropped a little{where}: {moved}, not surely by less than the margin {margin}"
    visible = f"; would see {size(verdict.mde, scale=scale)}" if verdict.mde is not None else ""
    return f"may have dropped{where}: {moved}, but chance can do that{visible}"
