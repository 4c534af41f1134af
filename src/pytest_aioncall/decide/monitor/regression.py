"""Quality: rows of the gate that are red, series in alarm, floors that broke."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...model import spelling
from ...model.alert import Alert, Evidence
from ...model.oncall import Tier
from ...model.verdict import Floor, Verdict
from ...stats.special import ndtri
from . import titles
from .episodes import RuleKey, is_back
from .looks import Look
from .watch import Reading, SeriesKey, Watch, series_key

_LEVEL = 0.95
_NAMED = 8


@dataclass(slots=True)
class Quality:
    """What one judged look says of quality: alerts, and the series that they are about.

    asked  fixed rules that had what they need, so that their silence says something
    """

    alerts: list[Alert] = field(default_factory=list)
    affected: set[SeriesKey] = field(default_factory=set)
    asked: set[RuleKey] = field(default_factory=set)


def quality_of(
    look: Look,
    *,
    watches: Mapping[SeriesKey, Watch],
    gate_share: float,
    red_before: frozenset[SeriesKey],
) -> Quality:
    """Return the alerts of quality that one judged look gives.

    gate_share  share of a row's own level that one red day has to reach to page by itself
    red_before  rows that were red on an earlier day of the episode, while nothing else could confirm them
    A series in alarm that is back below its allowance gives no alert; it is in alarm until it has recovered.
    """
    found = Quality()
    red = {series_key(v.scorer, v.slice): v for v in red_rows(look.evalset.verdicts)}
    alarmed = {key: watch for key, watch in watches.items() if _rings(watch)}
    for key in dict.fromkeys((*red, *alarmed)):
        watch = watches.get(key)
        verdict, ringing = red.get(key), alarmed.get(key)
        if verdict is not None:
            tier = _tier(
                verdict, watch, ringing=ringing is not None, share=gate_share, again=key in red_before
            )
            found.alerts.append(_of_gate(look, verdict, watch=watch, ringing=ringing is not None, tier=tier))
        elif ringing is not None and ringing.reading is not None:
            found.alerts.append(_of_series(look, ringing, ringing.reading))
        found.affected.add(key)
    if not red and look.evalset.status == "regressed" and not broken(look.evalset.floors):
        found.alerts.append(_unnamed(look))
    found.alerts += floor_alerts(look)
    return found


def red_rows(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the rows of the gate that are red."""
    return [v for v in verdicts if v.gating and v.status == "regressed"]


def broken(floors: Iterable[Floor]) -> list[Floor]:
    """Return the floors that broke; what errors keep from being told is no break."""
    return [floor for floor in floors if not floor.ok and not floor.undecided]


def _rings(watch: Watch) -> bool:
    """Tell whether a series in alarm is still low; it can only have come into alarm on a day that is."""
    return watch.latched and not is_back(watch)


def _tier(verdict: Verdict, watch: Watch | None, *, ringing: bool, share: float, again: bool) -> Tier:
    """Return 1 where a red row pages: chance is out of the question for a whole year of days, or confirmed.

    A gate of a pull request may be red by chance in one run of twenty; day by day that would be a false page
    every other week. So a red row that is no more certain than that is a ticket, until the CUSUM of its
    series confirms it. Where there is no CUSUM yet, a second red day does.
    """
    level = verdict.alpha if verdict.alpha is not None else 0.05
    certain = verdict.p_adjusted is None or verdict.p_adjusted <= share * level + 1e-12
    alone = watch is None or watch.is_learning
    return 1 if certain or ringing or (alone and again) else 2


def _of_gate(look: Look, verdict: Verdict, *, watch: Watch | None, ringing: bool, tier: Tier) -> Alert:
    subject = verdict.scorer + titles.where(verdict.slice)
    scale = verdict.scale
    if verdict.baseline is None or verdict.reason == "below_min":
        now, least = (spelling.mean(value, scale) for value in (verdict.candidate, verdict.min))
        told = f"{now}, at least {least} is asked"
        title = titles.about(look.evalset.evalset, subject, f"{told} (n={verdict.n_cases})")
    else:
        title = titles.moved(
            look.evalset.evalset,
            subject,
            was=verdict.baseline,
            now=verdict.candidate,
            scale=scale,
            cases=verdict.n_cases,
            ci=verdict.ci,
        )
    evidence = [Evidence(name="gate", value=_gate_told(verdict))]
    if watch is not None and watch.reading is not None:
        evidence += cusum_evidence(watch, watch.reading)
    if tier == 2:
        evidence.append(
            Evidence(
                name="ticket, not a page",
                value="one red day in twenty is chance; it pages when CUSUM confirms it"
                if watch is not None and not watch.is_learning
                else "one red day in twenty is chance; it pages on a second red day",
            )
        )
    why = "the gate against the accepted baseline is red" + (
        ", and so is the daily series" if ringing else ""
    )
    return Alert(
        kind="eval_regression",
        tier=tier,
        evalset=look.evalset.evalset,
        scorer=verdict.scorer,
        slice=verdict.slice,
        title=title,
        summary=f"{subject}: {why}.",
        evidence=tuple(evidence),
    )


def _gate_told(verdict: Verdict) -> str:
    told = f"regressed: {verdict.reason.replace('_', ' ')}"
    if verdict.p_adjusted is not None:
        told += f", p {verdict.p_adjusted:.2g}"
    if verdict.margin is not None:
        told += f", margin {spelling.difference(verdict.margin, verdict.scale).lstrip('+')}"
    return f"{told}, {verdict.judged}/{verdict.planned} judged"


def _of_series(look: Look, watch: Watch, reading: Reading) -> Alert:
    """Tell a series in alarm that the gate does not see: a drop that is small and lasts."""
    subject = watch.scorer + titles.where(watch.slice)
    title = titles.moved(
        look.evalset.evalset,
        subject,
        was=reading.mu,
        now=reading.value,
        scale=watch.scale,
        cases=reading.cases,
        ci=_interval(watch, reading),
    )
    days = spelling.counted(reading.since, "day")
    return Alert(
        kind="eval_regression",
        tier=1,
        evalset=look.evalset.evalset,
        scorer=watch.scorer,
        slice=watch.slice,
        title=title,
        summary=f"{subject}: lower than its reference for {days}, each day by more than chance adds up to.",
        evidence=tuple(cusum_evidence(watch, reading)),
    )


def _interval(watch: Watch, reading: Reading) -> tuple[float, float] | None:
    """Return the 95 % interval of a day's difference to the reference, by the reference's own days."""
    level = watch.reference.level
    if level is None or reading.mu is None:
        return None
    spread = float(ndtri((1 + _LEVEL) / 2)) * level.sigma * (1 + 1 / level.days) ** 0.5
    change = reading.value - reading.mu
    return change - spread, change + spread


def cusum_evidence(watch: Watch, reading: Reading) -> list[Evidence]:
    """Return the numbers of the CUSUM as lines of evidence; none while the reference is learned."""
    level = watch.reference.level
    if level is None or reading.z is None or reading.cusum is None or reading.h is None or reading.k is None:
        return []
    spread = spelling.difference(level.sigma, watch.scale).lstrip("+")
    days = spelling.counted(level.days, "day")
    reference = f"{spelling.mean(level.mu, watch.scale)}, sd of a day {spread}, {days}"
    told = f"S {reading.cusum:.2f}, limit {reading.h:.2f}"
    return [
        Evidence(name="reference", value=reference),
        Evidence(name="CUSUM", value=f"{told}; z {reading.z:.2f}, allowance {reading.k:.2f}"),
    ]


def _unnamed(look: Look) -> Alert:
    told = "the gate is red, and the history does not tell which row"
    return Alert(
        kind="eval_regression",
        tier=1,
        evalset=look.evalset.evalset,
        title=titles.about(look.evalset.evalset, "gate", "regressed"),
        summary=told[0].upper() + told[1:] + ".",
    )


def floor_alerts(look: Look) -> list[Alert]:
    """Return an alert for the `must` and one for the `require` that broke.

    A broken `must` pages: a deterministic scorer saw it. A `require` may ask a judge: it is a ticket. What an
    answer broke is broken, whatever else the run lacks. Where there was no answer in a run that could not be
    judged, as with a wrong key, the alert speaks of none.
    """
    alerts = []
    missing = {case.case: case.errors for case in look.evalset.cases}
    for kind, tier in (("must", 1), ("require", 2)):
        chosen = [floor for floor in broken(look.evalset.floors) if floor.kind == kind]
        answered = [floor for floor in chosen if floor.held + missing.get(floor.case, 0) < floor.needed]
        quality = look.evalset.judged or bool(answered)
        if chosen:
            told = chosen if look.evalset.judged else answered or chosen
            alerts.append(_of_floors(look, told, tier=1 if tier == 1 else 2, quality=quality))
    return alerts


def _of_floors(look: Look, floors: Sequence[Floor], *, tier: Tier, quality: bool) -> Alert:
    kind = floors[0].kind
    cases = sorted({floor.case for floor in floors})
    named = ", ".join(cases[:3]) + (f" and {len(cases) - 3} more" if len(cases) > 3 else "")
    told = f"{spelling.counted(len(cases), 'case')} broke a `{kind}`: {titles.plain(named, 100)}"
    return Alert(
        kind="policy_floor",
        tier=tier,
        evalset=look.evalset.evalset,
        scorer=None if kind == "must" else "require",
        title=titles.about(look.evalset.evalset, kind, told.replace("`", "")),
        summary=f"{told}.",
        evidence=tuple(
            Evidence(
                name=titles.plain(floor.case, 80),
                value=titles.plain(
                    f"{floor.scorer}: held in {floor.held} of {floor.epochs} epochs"
                    + (f", {floor.needed} needed" if floor.needed != floor.epochs else "")
                    + (f"; {floor.reason}" if floor.reason else ""),
                    300,
                ),
            )
            for floor in sorted(floors, key=lambda one: (one.case, one.scorer))[:_NAMED]
        ),
        quality=quality,
    )
