"""Latency, cost and errors: fixed rules of the on-call page, with what else a sample took beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

import numpy as np

from ...model import spelling
from ...model.alert import Alert, Evidence
from ...model.oncall import Monitors
from ...stats.proportions import above_limit, higher_than
from . import titles
from .calm import CalmDay, CalmDays
from .looks import Look

FEWEST_DAYS = 7
"""Days that a latency is compared with at least: a ratio against fewer is a ratio against noise."""
FEWEST_COST_DAYS = 3
ALPHA = 0.01
LEAST_LATENCIES = 5
LEAST_LOG_SD = 0.1
"""The least deviation of a log p95 to reckon with: seven equal days do not mean that a tenth more is news."""
# As beside the gate: nobody feels less.
LATENCY_RISE_S = 0.05
COST_RISE_USD = 0.01
ERRORS_ALPHA = 0.05

Pick = Callable[[Look], float | None]


def is_enough(look: Look) -> bool:
    """Tell whether what the answers of a run took says something of all: in one that was judged it does.

    In another one half of the samples have to be answered, so that a run of three cases makes no noise. What
    the cost cap kept from being asked is none of them: that few were paid for is the news.
    """
    day = look.evalset
    return day.judged or 2 * _answered(look) >= max(1, day.planned - day.cancelled)


def latency_alert(look: Look, calm: CalmDays, *, monitors: Monitors) -> Alert | None:
    """Return the alert where p95 is above its ratio to the reference days and beyond their scatter.

    p95 above `latency_p95_ratio` times the geometric mean of the reference days' p95, by 50 ms at least, and
    one-sided p <= .01 for a new day of theirs (Student's t on the logarithms). Live answers only.
    """
    amounts = look.evalset.amounts
    now, known = latency_of(look), [one for one in calm.values(_p95) if one > 0]
    if now is None or len(known) < FEWEST_DAYS:
        return None
    logs = np.log(np.array(known))
    was = math.exp(float(logs.mean()))
    ratio, p = now / was, higher_than(math.log(now), logs, least_sd=LEAST_LOG_SD)
    if ratio <= monitors.latency_p95_ratio or now - was < LATENCY_RISE_S or p > ALPHA:
        return None
    told = f"{spelling.seconds(was)} -> {spelling.seconds(now)}"
    return Alert(
        kind="latency",
        tier=1,
        evalset=look.evalset.evalset,
        title=titles.about(
            look.evalset.evalset, "latency_p95", f"{told} ({titles.times(ratio)}, n={amounts.latency_n})"
        ),
        summary=f"The slowest twentieth of the answers takes {titles.times(ratio)} as long as before.",
        evidence=(
            Evidence(
                name="p95 latency",
                value=f"{told} ({titles.times(ratio)}, limit {monitors.latency_p95_ratio:g} x, p {p:.2g}, "
                f"{spelling.counted(len(known), 'reference day')})",
            ),
            Evidence(name="p50 latency", value=spelling.seconds(amounts.latency_p50_s)),
            *sample_evidence(look, calm.reference),
        ),
    )


def latency_of(look: Look) -> float | None:
    """Return p95 of the live answers; None where there are too few for one."""
    amounts = look.evalset.amounts
    p95 = amounts.latency_p95_s
    return p95 if p95 is not None and p95 > 0 and amounts.latency_n >= LEAST_LATENCIES else None


def _p95(look: Look) -> float | None:
    return look.evalset.amounts.latency_p95_s


def run_cost(look: Look) -> float | None:
    """Return what a whole run of this size costs: one that was cut short is projected to its end.

    Judges are paid, too, so the evalset's own sum goes before the target's cost a sample.
    """
    day = look.evalset
    if day.planned <= 0:
        return None
    if day.cost_usd is not None:
        answered = _answered(look)
        return day.cost_usd * day.planned / answered if answered else None
    each = day.amounts.cost_usd
    return None if each is None else each * day.planned


def _sample_cost(look: Look) -> float | None:
    cost = run_cost(look)
    return None if cost is None else cost / look.evalset.planned


def cost_alert(look: Look, calm: CalmDays, *, monitors: Monitors) -> Alert | None:
    """Return the alert where the run costs more than `cost_ratio` times the mean of the seven days before.

    Days of an incident are none of the seven. Both sides are at today's number of samples, so that more cases
    are no spike; the rise has to be a cent at least. A run that its cost cap stopped is told whatever a
    sample cost; where that is as before, it speaks of no answer.
    """
    before = calm.trailing(look.day)
    known = [value for one in before if (value := one.mean(_sample_cost)) is not None]
    mean = fmean(known) if len(known) >= FEWEST_COST_DAYS else None
    now = run_cost(look) if is_enough(look) else None
    capped = _cap_evidence(look, was=mean, now=now)
    was = (mean or 0.0) * look.evalset.planned
    if now is None or was <= 0 or now / was <= monitors.cost_ratio or now - was < COST_RISE_USD:
        return _stopped_alert(look, [*capped, *sample_evidence(look, before)]) if capped else None
    ratio = now / was
    told = f"{spelling.money(was)} -> {spelling.money(now)}"
    return Alert(
        kind="cost",
        tier=1,
        evalset=look.evalset.evalset,
        title=titles.about(
            look.evalset.evalset, "cost", f"{told} ({titles.times(ratio)}, n={look.evalset.planned})"
        ),
        summary=f"The run {'would cost' if capped else 'costs'} {titles.times(ratio)} what the days before "
        f"cost{', had its cost cap not stopped it' if capped else ''}.",
        evidence=(
            Evidence(
                name="cost of a run",
                value=f"{told} ({titles.times(ratio)}, limit {monitors.cost_ratio:g} x the mean of "
                f"{spelling.counted(len(known), 'day')} without an incident)",
            ),
            *capped,
            *sample_evidence(look, before),
        ),
    )


def _cap_evidence(look: Look, *, was: float | None, now: float | None) -> list[Evidence]:
    """Return what a run that its cost cap stopped tells of that; nothing for another one.

    was, now  what a sample cost on the days before, and what the whole run would have cost
    """
    day = look.evalset
    if not day.cancelled:
        return []
    each = None if now is None else now / day.planned
    old, new = ("unknown" if one is None else spelling.money(one) for one in (was, each))
    return [
        Evidence(name="stopped", value=titles.plain(day.because, 300)),
        Evidence(name="not asked", value=f"{day.cancelled} of {spelling.counted(day.planned, 'sample')}"),
        Evidence(name="cost of a sample", value=f"{old} -> {new}"),
    ]


def _stopped_alert(look: Look, evidence: Sequence[Evidence]) -> Alert:
    name, day = look.evalset.evalset, look.evalset
    told = f"{day.cancelled} of {spelling.counted(day.planned, 'sample')} not asked"
    return Alert(
        kind="cost",
        tier=1,
        evalset=name,
        title=titles.about(name, "cost", f"the cost cap stopped the run ({told})"),
        summary="The run reached its cost cap, so it could not be judged; no rise of its own cost is seen.",
        evidence=tuple(evidence),
        quality=False,
    )


def sample_evidence(look: Look, before: Sequence[CalmDay]) -> list[Evidence]:
    """Return what else a sample took, now and before: a slow or dear answer is most often a longer one."""
    picks: tuple[tuple[str, Pick], ...] = (
        ("tokens in a sample", lambda one: one.evalset.amounts.tokens_in),
        ("tokens out a sample", lambda one: one.evalset.amounts.tokens_out),
        ("retrieved a sample", lambda one: one.evalset.amounts.retrieved),
        ("attempts a sample", lambda one: one.evalset.amounts.attempts),
    )
    found = []
    for name, pick in picks:
        known = [value for one in before if (value := one.mean(pick)) is not None]
        was, now = fmean(known) if known else None, pick(look)
        told = f"{titles.amount(was)} -> {titles.amount(now)}"
        if was and now is not None:
            told += f" ({titles.times(now / was)})"
        found.append(Evidence(name=name, value="unknown" if was is None and now is None else told))
    return found


def errors_alert(
    look: Look, calm: CalmDays, *, before: Look | None, monitors: Monitors, judge_out: bool
) -> Alert | None:
    """Return the alert where the target's share of errored samples is above `error_rate`.

    One day has to be beyond chance (one-sided mid-p <= .05 against the limit); the second day in a row above
    the limit is evidence by itself. It speaks of no answer, so it makes no regression.
    judge_out  the judge is out of reach: what it did not score is none of the target's errors
    """
    bad, samples = _errored(look, judge_out=judge_out), look.evalset.planned - look.evalset.cancelled
    if not bad or samples <= 0 or bad / samples <= monitors.error_rate:
        return None
    p = above_limit(bad, samples, limit=monitors.error_rate)
    again = before is not None and before.day != look.day and _is_above(before, monitors.error_rate)
    if p > ERRORS_ALPHA and not again:
        return None
    rate, limit = spelling.rate(bad / samples), spelling.rate(monitors.error_rate)
    why = "the second day above it" if p > ERRORS_ALPHA else f"p {p:.2g}"
    return Alert(
        kind="errors",
        tier=1,
        evalset=look.evalset.evalset,
        title=titles.about(
            look.evalset.evalset, "errors", f"{rate} ({bad} of {samples} samples, limit {limit})"
        ),
        summary=f"{rate} of the samples have no answer; that says nothing about the answers' quality.",
        evidence=(
            Evidence(name="error rate", value=f"{rate}: {bad} of {samples} samples, limit {limit}, {why}"),
            *error_texts(look),
            *sample_evidence(look, calm.reference),
        ),
        quality=False,
    )


SHOWN_TEXTS = 3
"""Kinds of errors that the alert of an outage names."""


def error_texts(look: Look) -> list[Evidence]:
    """Return the most frequent error texts as evidence."""
    return [
        Evidence(
            name="error",
            value=f"{titles.plain(one.template, 200)} "
            f"({spelling.counted(one.samples, 'sample')}, {spelling.counted(one.cases, 'case')})",
        )
        for one in look.evalset.error_texts[:SHOWN_TEXTS]
    ]


def _is_above(look: Look, limit: float) -> bool:
    asked = look.evalset.planned - look.evalset.cancelled
    return asked > 0 and _errored(look) / asked > limit


def _errored(look: Look, *, judge_out: bool = False) -> int:
    """Return the samples that were asked and have no answer.

    By case where that is told, else those without their scores.
    """
    day = look.evalset
    if day.cases:
        return max(0, sum(case.errors for case in day.cases) - day.cancelled)
    return 0 if judge_out else max(0, day.errors - day.cancelled)


def _answered(look: Look) -> int:
    """Return the samples that have an answer."""
    day = look.evalset
    asked = day.asked if day.asked is not None else day.planned - day.cancelled
    return max(0, asked - _errored(look))
