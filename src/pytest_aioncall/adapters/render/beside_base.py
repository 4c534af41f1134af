"""What a change is told beside its verdict: rows that were red before it, and what it asks less strictly.

All text made here is ASCII; names and reasons that others wrote are made safe by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...model.report import AlreadyRegressed, BaseReview, EvalsetReport, ProposedBaseline
from ...model.run import Run
from ...model.verdict import Judgement, Verdict
from ...model.weakening import Weakening
from . import words

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
RULE_WORD = {
    "new": "new",
    "dropped": "dropped by this branch",
    "base": "by the base's rule",
    "head": "by the branch's rule",
}


def short_day(day: str, *, beside: str = "") -> str:
    """Write a day as `18 Nov`; with its year where that is not the year of `beside`."""
    year, _, rest = day.partition("-")
    month, _, number = rest.partition("-")
    if not (month.isdigit() and number.isdigit() and 1 <= int(month) <= 12):
        return day
    told = f"{int(number)} {_MONTHS[int(month) - 1]}"
    return f"{told} {year}" if beside and not beside.startswith(year) else told


def already_said(one: AlreadyRegressed) -> str:
    """Say that a row was red before: `already regressed on main since 18 Nov (#41), not by this change`."""
    issue = f" (#{one.issue})" if one.issue is not None else ""
    return (
        f"already regressed on {one.branch} since {short_day(one.since, beside=one.day)}{issue}, "
        "not by this change"
    )


def already_line(one: AlreadyRegressed) -> str:
    """Say it with the row's name and both means: `route: ... (88.0 % there, 87.5 % here)`."""
    row = f"{one.scorer} {words.slice_name(one.slice)}".rstrip()
    means = ""
    if one.daily is not None and one.now is not None:
        means = f" ({words.mean(one.daily, one.scale)} there, {words.mean(one.now, one.scale)} here)"
    return f"{row}: {already_said(one)}{means}"


def rule_said(verdict: Verdict) -> str:
    """Say whose rule a row was judged by; empty where base and branch ask alike."""
    return RULE_WORD.get(verdict.rule or "", "")


def proposal_line(one: Weakening) -> str:
    """Say what the branch asks less strictly, old against new, and its reason."""
    reason = f"because: {one.excused_by}" if one.excused_by else one.not_excused or "no reason given"
    return f"{one.what}: {one.was} -> {one.now} ({reason})"


def unaffected_line(run: Run) -> str:
    """Say which evalsets a change cannot affect: `2 evalsets unaffected by this change, $0: a, b`."""
    if run.change is None or not run.change.unaffected:
        return ""
    names = ", ".join(one.evalset for one in run.change.unaffected)
    count = words.counted(len(run.change.unaffected), "evalset")
    return f"{count} unaffected by this change (since {run.change.ref}@{run.change.commit[:7]}), $0: {names}"


def baseline_lines(one: ProposedBaseline) -> list[str]:
    """Say what a changed baseline proposes: by whom and why, old against new, and what it accepts."""
    if one.rejudged:
        return [f"baseline {one.file}: the same answers, judged again", *_mean_lines(one)]
    was = f", now that of {one.was_accepted_at[:10]}" if one.was_accepted_at else ", now none"
    owner = f"; for {one.owner} to review" if one.owner else ""
    lines = [f"proposed baseline {one.file} by {one.accepted_by}{was}: {one.reason}{owner}"]
    lines += _mean_lines(one)
    if one.accepts:
        named = ", ".join(
            f"{a.scorer} {words.slice_name(a.slice)}".rstrip() + f" ({a.ticket})" for a in one.accepts
        )
        lines.append(f"  accepts by name: {named}")
    else:
        lines.append("  accepts no regression by name, so it excuses none")
    return lines


def _mean_lines(one: ProposedBaseline) -> list[str]:
    return [
        f"  {mean.scorer}: {words.mean(mean.was, mean.scale)} -> {words.mean(mean.now, mean.scale)} "
        f"({words.difference(mean.now - mean.was, mean.scale)}, {words.counted(mean.cases, 'case')})"
        for mean in one.means
    ]


def review_lines(review: BaseReview) -> list[str]:
    """Say what a change proposes: one line a weakening, then its baseline."""
    lines = []
    owner = f", for {review.owner}" if review.owner else ""
    if review.proposals:
        count = words.counted(len(review.proposals), "proposal")
        lines.append(
            f"{count}{owner}: asked less strictly than at {review.ref}@{review.commit[:7]}, which decides"
        )
        for one in review.proposals:
            listed = "not made good: " if one.what in review.listed else ""
            lines.append(f"  {listed}{proposal_line(one)}")
    if review.baseline is not None:
        lines += baseline_lines(review.baseline)
    return lines


def beside_base(
    judgement: Judgement | None,
    *,
    already: Sequence[AlreadyRegressed] = (),
    review: BaseReview | None = None,
) -> list[str]:
    """Return all of it for one evalset: what was red before, whose rule decided, what is proposed."""
    lines = [already_line(one) for one in already]
    for rule, said in RULE_WORD.items():
        rows = [words.row_name(v) for v in judgement.verdicts if v.rule == rule] if judgement else []
        if rows:
            lines.append(f"{said}: {', '.join(rows)}")
    return [*lines, *(review_lines(review) if review is not None else [])]


def base_lines(report: EvalsetReport) -> list[str]:
    """Return `beside_base` of an evalset's report."""
    return beside_base(report.judgement, already=report.already, review=report.review)
