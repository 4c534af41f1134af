"""What a change asks less strictly than its base does: shown to the owner, and of no effect on this run."""

from __future__ import annotations

from ....model.report import BaseReview, ProposedBaseline
from .. import words
from .escape import inline, prose

_MOST = 20


def proposals(review: BaseReview) -> str:
    """Return what a change proposes, old against new, with reason and owner; empty where nothing."""
    lines = [
        f"- {inline(one.what, 160)}: {inline(one.was or 'nothing', 80)} -> {inline(one.now or 'nothing', 80)}"
        f" ({_reason(one.excused_by, one.not_excused)})"
        + (" **no rule of the base can make this good**" if one.what in review.listed else "")
        for one in review.proposals[:_MOST]
    ]
    if len(review.proposals) > _MOST:
        lines.append(f"- and {len(review.proposals) - _MOST} more: see the report")
    if review.baseline is not None:
        lines += _baseline(review.baseline)
    lines += [f"- {prose(note, 300)}" for note in review.notes[:5]]
    if not lines:
        return ""
    owner = f" for {inline(review.owner, 80)} to review" if review.owner else ""
    base = inline(f"{review.ref}@{review.commit[:7]}", 80)
    return f"**Proposed by this change**{owner}; {base} decides until it is merged:\n\n" + "\n".join(lines)


def _reason(excused_by: str | None, not_excused: str | None) -> str:
    if excused_by:
        return f"because: {prose(excused_by, 200)}"
    return prose(not_excused, 200) if not_excused else "no reason given"


def _baseline(one: ProposedBaseline) -> list[str]:
    file = inline(one.file, 120)
    if one.rejudged:
        return [f"- baseline {file}: the same answers, judged again", *_means(one)]
    was = (
        f"instead of that of {prose(one.was_accepted_at[:10], 20)}"
        if one.was_accepted_at
        else "the first one"
    )
    owner = f", for {inline(one.owner, 80)} to review" if one.owner else ""
    lines = [f"- baseline {file}, {was}, by {inline(one.accepted_by, 80)}{owner}: {prose(one.reason, 300)}"]
    lines += _means(one)
    for accepted in one.accepts[:10]:
        name = f"{accepted.scorer} {words.slice_name(accepted.slice)}".rstrip()
        lines.append(f"  - accepts by name: {inline(name, 80)} ({inline(accepted.ticket, 80)})")
    if not one.accepts:
        lines.append("  - accepts no regression by name, so it excuses none")
    return lines


def _means(one: ProposedBaseline) -> list[str]:
    """Return the mean of each scorer, old -> new."""
    return [
        f"  - {inline(mean.scorer, 60)}: {words.mean(mean.was, mean.scale)} -> "
        f"{words.mean(mean.now, mean.scale)} ({words.difference(mean.now - mean.was, mean.scale)}, "
        f"{words.counted(mean.cases, 'case')})"
        for mean in one.means[:10]
    ]
