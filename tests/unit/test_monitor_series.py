"""Daily series: what their reference is made of, when a small lasting drop pages, what a day is."""

from __future__ import annotations

import re

import pytest

from monitored import (
    BASELINE,
    CALM,
    alerts_after,
    calm,
    day_name,
    entry,
    evalset_day,
    red,
    row,
    standing,
    unjudged,
)
from pytest_aioncall.model.alert import EvalsetCondition, Series
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.history import CaseDay, EvalsetDay, HistoryEntry
from pytest_aioncall.model.oncall import Monitors


def overall(after: EvalsetCondition) -> Series:
    return next(one for one in after.series if one.slice is None)


def low(first: int, days: int, mean: float = 4.05, **given: object) -> list[HistoryEntry]:
    """Return days on which the gate sees nothing, and the mean is lower."""
    return [entry(at, evalset_day(mean + CALM[at % 11] - 4.21, **given)) for at in range(first, first + days)]


def test_fourteen_days_are_learned_before_anything_is_said() -> None:
    before, after = overall(standing(calm(14))), overall(standing(calm(15)))
    assert before.learning and before.mu is None and before.points[-1].z is None
    assert not after.learning and after.reference_days == 14
    assert after.points[-1].z is not None and after.points[-1].cusum is not None
    assert [point.in_reference for point in after.points] == [True] * 14 + [False]


def test_learning_is_a_state_only_without_a_baseline() -> None:
    without = [entry(at, evalset_day(CALM[at], baseline={})) for at in range(10)]
    assert standing(without).state == "learning"
    assert standing(calm(10)).state == "good"
    assert any("learning its reference, 9 of 14 days" in line for line in _review(without))


def _review(history: list[HistoryEntry]) -> tuple[str, ...]:
    return alerts_after(history).review


def test_the_reference_is_frozen_at_thirty_days() -> None:
    at_31, at_50 = overall(standing(calm(31))), overall(standing(calm(50)))
    assert at_31.reference_days == at_50.reference_days == 30
    assert (at_31.mu, at_31.sigma) == (at_50.mu, at_50.sigma)
    assert sum(point.in_reference for point in at_50.points) == 30


def test_a_drop_that_no_gate_sees_pages_within_days_and_says_so() -> None:
    history = calm(30)
    for days in range(1, 6):
        after = standing([*history, *low(30, days)])
        if after.is_open:
            break
    assert after.is_open and days <= 3
    (alert,) = after.alerts
    assert (alert.kind, alert.tier, alert.scorer) == ("eval_regression", 1, "helpfulness")
    change = r"delta -0\.\d\d, n=200, CI -0\.\d\d\.\.-0\.\d\d"
    told = rf"summarizer\.daily\.helpfulness 24h: 4\.2\d -> [\d.]+ \({change}\)"
    assert re.fullmatch(told, alert.title)
    assert {one.name for one in alert.evidence} == {"reference", "CUSUM"}
    series = overall(after)
    assert series.points[-1].alarmed and series.h == pytest.approx(3.41, abs=0.01)


def test_lower_for_ever_stays_open_for_ever() -> None:
    """A rolling comparison forgets within a week; the frozen reference does not."""
    after = standing([*calm(30), *low(30, 300)])
    assert after.is_open and after.episode is not None and after.earlier == ()
    assert after.episode.first_bad.day <= day_name(33)
    assert overall(after).reference_days == 30


def test_the_days_of_an_episode_enter_no_reference() -> None:
    history = [*calm(16), *(entry(at, evalset_day(3.5, verdicts=(red(),))) for at in range(16, 20))]
    history += [entry(at, evalset_day(4.22)) for at in range(20, 40)]
    series = overall(standing(history))
    used = [point.day for point in series.points if point.in_reference]
    assert not set(used) & {day_name(at) for at in range(16, 23)}
    assert series.mu == pytest.approx(4.21, abs=0.02)


def test_after_the_recovery_the_sum_begins_at_zero() -> None:
    history = [*calm(30), *low(30, 10, mean=3.8), *(entry(at, evalset_day(4.23)) for at in range(40, 44))]
    after = standing(history)
    assert not after.is_open
    series = overall(after)
    assert series.points[-1].cusum == 0 and not series.points[-1].alarmed
    assert max(point.cusum or 0 for point in series.points) > 10


def test_a_double_run_is_one_day_of_the_series() -> None:
    """Two looks at one low day are no two low days."""
    weak = 4.21 - 0.07
    once = standing([*calm(30), entry(30, evalset_day(weak))])
    many = standing([*calm(30), *(entry(30, evalset_day(weak), hour=hour) for hour in range(3, 20))])
    assert overall(many).points[-1].cusum == pytest.approx(overall(once).points[-1].cusum)
    assert len(overall(many).points) == len(overall(once).points)


def test_runs_of_one_day_are_put_together_by_what_they_judged() -> None:
    runs = [
        entry(30, evalset_day(rows=(row(4.0, judged=300),)), hour=3),
        entry(30, evalset_day(rows=(row(4.2, judged=100),)), hour=9),
    ]
    assert overall(standing([*calm(30), *runs])).points[-1].value == pytest.approx(4.05)


def test_a_day_that_was_not_judged_has_no_point_and_moves_no_sum() -> None:
    history = [*calm(30), entry(30, evalset_day(4.12))]
    out = [entry(at, unjudged()) for at in range(31, 35)]
    assert overall(standing([*history, *out])).points == overall(standing(history)).points


def test_missing_days_are_no_days() -> None:
    gap = [*calm(20), *(entry(at, evalset_day(CALM[at])) for at in range(27, 37))]
    after = standing(gap)
    assert overall(after).reference_days == 29 and after.history_gap == 0
    assert standing(gap[:21]).history_gap == 7


def test_a_series_that_never_moves_does_not_page_for_one_sample() -> None:
    """Thirty perfect days have no deviation; one sample of 150 is still not a page."""

    def perfect(at: int, failed: int) -> HistoryEntry:
        cases = tuple(
            CaseDay(case=f"c{n}", digest="d", scores={"route": (0.0 if n < failed else 1.0, 1.0, 1.0)})
            for n in range(50)
        )
        mean = 1 - failed / 150
        one = row(mean, scorer="route", scale=(0.0, 1.0), n_cases=50, judged=150, planned=150)
        return entry(at, evalset_day(rows=(one,), cases=cases))

    steady = [perfect(at, 0) for at in range(30)]
    assert overall(standing(steady)).sigma == pytest.approx(0.125 / 150**0.5)
    assert not standing([*steady, perfect(30, 1)]).is_open
    assert not standing([*steady, *(perfect(at, 1) for at in range(30, 34))]).is_open
    assert standing([*steady, *(perfect(at, 8) for at in range(30, 32))]).is_open


def cases_of(hard: int, *, at: int, easy: int = 40) -> tuple[CaseDay, ...]:
    """Return cases of which the hard ones score 1, the easy ones 5; one wobbles from day to day."""
    scores = {f"easy-{n}": 5.0 for n in range(easy)} | {f"hard-{n}": 1.0 for n in range(hard)}
    scores["easy-0"] = 5.0 - at % 3
    return tuple(
        CaseDay(case=name, digest="d", scores={"helpfulness": (score,)}) for name, score in scores.items()
    )


def with_cases(at: int, cases: tuple[CaseDay, ...]) -> HistoryEntry:
    mean = sum(score or 0 for case in cases for score in case.scores["helpfulness"]) / len(cases)
    one = row(mean, n_cases=len(cases), judged=len(cases), planned=len(cases))
    return entry(at, evalset_day(rows=(one,), cases=cases))


def test_new_hard_cases_are_no_regression() -> None:
    """Twenty incident cases are added and fail: the mean falls, the answers to the old ones do not."""
    history = [with_cases(at, cases_of(0, at=at)) for at in range(30)]
    grown = [with_cases(at, cases_of(20, at=at)) for at in range(30, 40)]
    after = standing([*history, *grown])
    assert not after.is_open
    assert overall(after).points[-1].value == pytest.approx(5, abs=0.1)
    lower = {"scores": {"helpfulness": (3.0,)}}
    fallen = [
        with_cases(at, tuple(case.model_copy(update=lower) for case in cases_of(20, at=at)))
        for at in range(40, 43)
    ]
    assert standing([*history, *grown, *fallen]).is_open


def test_another_suite_begins_another_reference() -> None:
    history = [with_cases(at, cases_of(0, at=at)) for at in range(30)]
    other = tuple(c.model_copy(update={"digest": "new"}) for c in cases_of(30, at=1))
    after = standing([*history, *(with_cases(at, other) for at in range(30, 35))])
    assert not after.is_open and overall(after).learning and overall(after).reference_days == 4


OTHER = {**BASELINE, "commit": "b2b2b2b", "accepted_at": "2026-10-10T08:00:00Z"}
NEW_PROMPT = {"target": {"model": "openai/m-2026-08-01", "prompt": "v2"}}


def lower_after(baseline: dict[str, str], subject: dict[str, object], days: int = 10) -> list[HistoryEntry]:
    return low(30, days, baseline=baseline, subject=subject)


def test_an_accepted_level_of_a_new_subject_begins_another_reference() -> None:
    after = standing([*calm(30), *lower_after(OTHER, NEW_PROMPT)])
    assert not after.is_open and overall(after).learning and overall(after).reference_days == 9


def test_accepting_anew_what_did_not_change_renews_the_age_only() -> None:
    """Else every monthly acceptance would blind the monitor for two weeks."""
    same = evalset_day().subject
    assert standing([*calm(30), *lower_after(OTHER, same)]).is_open
    assert not overall(standing([*calm(30), *lower_after(OTHER, same, days=1)])).learning


def test_accepting_the_lower_level_during_an_incident_ends_it_after_three_good_runs() -> None:
    same = evalset_day().subject
    history = [*calm(30), *low(30, 5)]
    assert standing(history).is_open
    accepted = low(35, 3, baseline=OTHER, subject=same)
    assert standing([*history, *accepted[:2]]).is_open
    after = standing([*history, *accepted])
    assert not after.is_open and overall(after).learning


def test_a_level_is_that_of_the_subject_it_was_accepted_with() -> None:
    """The prompt changes, and only days later its level is accepted: the old reference is not its own."""
    history = [*calm(30), *low(30, 1, mean=4.19, subject=NEW_PROMPT)]
    after = standing([*history, *low(31, 9, baseline=OTHER, subject=NEW_PROMPT)])
    assert not after.is_open and overall(after).learning


def test_the_first_baseline_for_what_is_watched_already_keeps_the_reference() -> None:
    before = calm(30, baseline={})
    assert standing([*before, *low(30, 5)]).is_open


def test_a_run_that_finds_no_baseline_restarts_nothing() -> None:
    lost = entry(30, evalset_day(4.22, baseline={}))
    history = [*calm(30), lost, entry(31, evalset_day(4.22, subject=NEW_PROMPT))]
    series = overall(standing(history))
    assert not series.learning and series.reference_days == 30


def test_a_change_of_the_subject_alone_is_what_is_watched() -> None:
    assert standing([*calm(30), *lower_after(BASELINE, NEW_PROMPT)]).is_open


@pytest.mark.parametrize(("digest", "opens"), [("same", True), ("another", False)])
def test_a_changed_judge_begins_another_reference(digest: str, opens: bool) -> None:
    before = {"helpfulness": ScorerInfo(kind="judge", scale=(1, 5), hash="same")}
    now = {"helpfulness": ScorerInfo(kind="judge", scale=(1, 5), hash=digest)}
    after = standing([*calm(30, scorers=before), *low(30, 8, scorers=now)])
    assert after.is_open is opens


def test_slices_are_watched_and_have_half_of_the_pages() -> None:
    def sliced(at: int, mean: float, free: float) -> HistoryEntry:
        part = row(free, slice={"persona": "free"}, n_cases=60, judged=60, planned=60)
        return entry(at, evalset_day(rows=(row(mean), part)))

    history = [sliced(at, CALM[at], CALM[at + 3]) for at in range(30)]
    after = standing([*history, *(sliced(at, CALM[at % 11], 3.6) for at in range(30, 34))])
    (alert,) = after.alerts
    assert alert.slice == {"persona": "free"}
    assert alert.title.startswith("summarizer.daily.helpfulness persona=free 24h: 4.2")
    first, second = after.series
    assert (second.name, second.slice) == ("helpfulness persona=free", {"persona": "free"})
    assert first.h == second.h == pytest.approx(4.08, abs=0.01)


def test_rows_that_do_not_gate_do_not_page() -> None:
    def report_only(at: int, mean: float) -> HistoryEntry:
        return entry(at, evalset_day(rows=(row(mean, gating=False),)))

    history = [report_only(at, CALM[at]) for at in range(30)]
    assert not standing([*history, *(report_only(at, 2.0) for at in range(30, 40))]).is_open


def test_a_day_with_fewer_samples_weighs_less() -> None:
    whole = standing([*calm(30), entry(30, evalset_day(4.0))])
    part = standing([*calm(30), entry(30, evalset_day(rows=(row(4.0, judged=50),)))])
    z = [overall(after).points[-1].z or 0.0 for after in (whole, part)]
    assert z[1] == pytest.approx(z[0] / 2, abs=1e-5)


def test_an_old_alarm_is_not_rewritten_by_a_new_evalset() -> None:
    """The pages are shared among the series there are; those of yesterday were fewer."""
    other = EvalsetDay(evalset="other", owner="@bo", judged=True, status="pass", rows=(row(4.2),))
    history = [*calm(30), *low(30, 3)]
    assert standing(history).is_open
    later = [entry(at, evalset_day(4.05), *_many(other)) for at in range(33, 36)]
    found = next(one for one in alerts_after([*history, *later]).evalsets if one.evalset == "summarizer")
    assert found.episode is not None and found.episode.first_bad == standing(history).episode.first_bad  # type: ignore[union-attr]
    assert overall(found).h == pytest.approx(5.6, abs=0.1)


def _many(day: EvalsetDay) -> list[EvalsetDay]:
    return [day.model_copy(update={"evalset": f"other-{at}"}) for at in range(9)]


def test_a_small_shift_needs_more_than_three_good_days() -> None:
    """Two deviations lower: three days that look good may be chance; six are not."""
    shifted = 4.21 - 2 * 0.047
    history = [*calm(30), *(entry(at, evalset_day(shifted)) for at in range(30, 38))]
    assert standing(history).is_open
    back = [entry(at, evalset_day(4.20)) for at in range(38, 46)]
    closed = [day for day in range(1, 9) if not standing([*history, *back[:day]]).is_open]
    assert closed and 4 <= closed[0] <= 7


def test_monitors_set_the_days_of_the_reference() -> None:
    quick = Monitors(reference_days=14, reference_days_min=7)
    series = overall(standing(calm(20), monitors=quick))
    assert series.reference_days == 14 and not overall(standing(calm(8), monitors=quick)).learning


def weakly_red(at: int, mean: float) -> HistoryEntry:
    return entry(at, evalset_day(mean, verdicts=(red(p=0.04, p_adjusted=0.04),)))


def test_an_episode_that_was_chance_leaves_no_hole_in_the_reference() -> None:
    """Left out, the lowest days of good times would make the level too high and its deviation too small."""
    chance = [*calm(15), weakly_red(15, 4.12), *(entry(at, evalset_day(4.22)) for at in (16, 17, 18))]
    chance += [entry(at, evalset_day(CALM[at % 11])) for at in range(19, 25)]
    after = standing(chance)
    assert not after.is_open and after.episode is not None
    used = [point.day for point in overall(after).points if point.in_reference]
    assert used == [day_name(at) for at in range(24)]


def test_an_episode_that_paged_leaves_its_days_out_even_those_before_the_page() -> None:
    history = [*calm(15), weakly_red(15, 4.12), entry(16, evalset_day(3.5, verdicts=(red(),)))]
    history += [entry(at, evalset_day(4.22)) for at in range(17, 25)]
    used = {point.day for point in overall(standing(history)).points if point.in_reference}
    assert not used & {day_name(at) for at in range(15, 20)}


def test_no_mean_is_taken_for_steadier_than_its_cases() -> None:
    """Fourteen means may lie close together by luck; forty cases that wobble do not lie."""

    def wobbling(at: int) -> tuple[CaseDay, ...]:
        # Half of the cases go up where the other half goes down: the mean never moves.
        signs = [(1 if (n + at) % 2 else -1) for n in range(40)]
        return tuple(
            CaseDay(case=f"c{n}", digest="d", scores={"helpfulness": (3.0 + sign,)})
            for n, sign in enumerate(signs)
        )

    series = overall(standing([with_cases(at, wobbling(at)) for at in range(15)]))
    of_cases = (14 / 13) ** 0.5 / 40**0.5
    assert series.mu == pytest.approx(3.0) and series.sigma == pytest.approx(of_cases)


def test_a_series_whose_scorer_is_gone_leaves_after_a_month() -> None:
    both = [entry(at, evalset_day(rows=(row(CALM[at]), row(4.0, scorer="old")))) for at in range(20)]
    later = [entry(at, evalset_day(CALM[at % 11])) for at in range(20, 55)]
    assert {one.name for one in standing([*both, *later[:20]]).series} == {"helpfulness", "old"}
    assert {one.name for one in standing([*both, *later]).series} == {"helpfulness"}


def test_an_incident_of_a_scorer_that_is_gone_ends_when_that_is_agreed_on() -> None:
    history = [entry(at, evalset_day(rows=(row(CALM[at], scorer="old"), row(4.2)))) for at in range(20)]
    history.append(entry(20, evalset_day(rows=(row(2.0, scorer="old"), row(4.2)))))
    assert standing(history).is_open
    history += [entry(at, evalset_day(rows=(row(4.2),))) for at in (21, 22, 23)]
    assert standing(history).is_open, "nobody has measured that it is back"
    accepted = {"baseline": {**BASELINE, "run": "again"}}
    history += [entry(at, evalset_day(rows=(row(4.2),), **accepted)) for at in (24, 25, 26)]
    after = standing(history)
    assert not after.is_open and after.state == "good"
