"""A row that the base's newest daily run has red already is not this change's, unless it made it worse."""

from __future__ import annotations

import random
from datetime import date

import pytest

from pytest_aioncall.decide.compare import judge
from pytest_aioncall.decide.excused import Before
from pytest_aioncall.decide.notblamed import Blame, judged_days, rows_red_before
from pytest_aioncall.decide.sides import Side
from pytest_aioncall.flows.baserules import BaseRules
from pytest_aioncall.flows.strictly import Strictly, judged_strictly
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Evalset, Gate, ScorerSpec
from pytest_aioncall.model.history import CaseDay, EvalsetDay, HistoryEntry
from pytest_aioncall.model.verdict import Judgement

ROUTE = {"route": ScorerInfo(kind="exact", hash="h1")}
GATES = [Gate(scorer="route", slices=("persona",))]
CASES = 60


def rows(bad: set[int], *, epochs: int = 3, cases: int = CASES) -> tuple[CaseRow, ...]:
    """Cases of which `bad` are wrong in every epoch; odd ones are of persona free."""
    return tuple(
        CaseRow(
            case=f"c{n:02}",
            digest=f"d{n}",
            slices={"persona": "free" if n % 2 else "pro"},
            scores={"route": (0.0 if n in bad else 1.0,) * epochs},
        )
        for n in range(cases)
    )


def judged(bad: set[int], was: set[int] = frozenset(), **more: object) -> Judgement:  # type: ignore[assignment]
    return judge(
        Side(rows(bad), ROUTE),
        Side(rows(set(was)), ROUTE),
        evalset="demo",
        gates=GATES,
        defaults=Defaults(),
        max_error_rate=0.02,
        **more,  # type: ignore[arg-type]
    )


def entry(
    day: str, bad: set[int], *, kind: str = "daily", epochs: int = 3, cases: int = CASES, **evalset: object
) -> HistoryEntry:
    """A run of a day in which `bad` cases were wrong, judged against a baseline without a wrong one."""
    judgement = judged(bad)
    found = {
        "evalset": "demo",
        "judged": True,
        "status": judgement.status,
        "scorers": ROUTE,
        "verdicts": tuple(v for v in judgement.verdicts if v.status != "pass"),
        "cases": tuple(
            CaseDay(case=r.case, digest=r.digest, slices=r.slices, scores=r.scores)
            for r in rows(bad, epochs=epochs, cases=cases)
        ),
        **evalset,
    }
    return HistoryEntry(
        run=f"run-{day}",
        kind=kind,  # type: ignore[arg-type]
        created_at=f"{day}T05:17:00Z",
        day=day,
        url="https://example.com/1",
        evalsets=(EvalsetDay(**found),),  # type: ignore[arg-type]
    )


def blamed(bad: set[int], *entries: HistoryEntry, today: str = "2026-11-22", **more: object) -> Blame:
    return rows_red_before(
        judged(bad),
        Side(rows(bad), ROUTE),
        judged_days(entries, "demo"),
        defaults=Defaults(),
        branch="main",
        today=date.fromisoformat(today),
        most_days=3,
        **more,  # type: ignore[arg-type]
    )


TEN = set(range(1, 21, 2))
"""Ten wrong cases, all of persona free."""


def test_what_main_has_red_is_not_blamed_with_since_run_and_issue() -> None:
    """Every row that is red in both, overall and in the slice, back to the first of the days in a row."""
    found = blamed(
        TEN,
        entry("2026-11-16", TEN),
        entry("2026-11-17", set()),
        entry("2026-11-18", TEN),
        entry("2026-11-20", TEN),
        entry("2026-11-21", TEN),
        issue=(41, "https://example.com/41"),
    )
    assert [(one.scorer, one.slice) for one in found.already] == [
        ("route", None),
        ("route", {"persona": "free"}),
    ]
    one = found.already[0]
    assert (one.since, one.day, one.run) == ("2026-11-18", "2026-11-21", "run-2026-11-21")
    assert (one.issue, one.issue_url, one.branch) == (41, "https://example.com/41", "main")
    assert one.daily == one.now == pytest.approx(50 / 60)
    assert found.notes == ()


@pytest.mark.parametrize(
    ("recovery_days", "since"), [(1, "2026-11-20"), (2, "2026-11-17"), (3, "2026-11-14")]
)
def test_a_good_day_that_ends_no_incident_begins_no_new_count(recovery_days: int, since: str) -> None:
    """Bad on 14, good on 15 and 16, bad on 17 and 18, good on 19, bad on 20: as the issue tells it."""
    days = {14: TEN, 15: set(), 16: set(), 17: TEN, 18: TEN, 19: set(), 20: TEN}
    found = blamed(TEN, *(entry(f"2026-11-{n}", bad) for n, bad in days.items()), recovery_days=recovery_days)
    assert {one.since for one in found.already} == {since}


def test_a_day_with_a_bad_run_is_no_good_one() -> None:
    """A second run of the day that found nothing does not make it good."""
    days = [entry("2026-11-18", TEN), entry("2026-11-20", TEN), entry("2026-11-20", set())]
    found = blamed(TEN, *days, entry("2026-11-21", TEN))
    assert {one.since for one in found.already} == {"2026-11-18"}


def test_the_row_keeps_its_status_and_gates_no_more() -> None:
    """The judgement then passes, and the row still says that it regressed."""
    found = blamed(TEN, entry("2026-11-21", TEN))
    again = judged(TEN, already=found.rows)
    red = [v for v in again.verdicts if v.status == "regressed"]
    assert {(v.gating, v.reason) for v in red} == {(False, "already_on_base")}
    assert (again.status, again.exit_code) == ("inconclusive", 0), "persona pro alone is too small to pass"


def test_a_change_that_makes_it_worse_is_red() -> None:
    """Ten wrong cases on main and eleven more here: the rows are this change's, by so much."""
    worse = TEN | set(range(21, 43, 2))
    found = blamed(worse, entry("2026-11-21", TEN))
    assert found.already == ()
    assert "regressed on main, too, since 2026-11-21; this change is worse than that by" in found.notes[0]


def test_another_drop_of_the_same_size_elsewhere_is_this_changes() -> None:
    """Main lost persona free; this change mended that and lost persona pro: nothing of that is main's."""
    pro = {n + 1 for n in TEN}
    found = blamed(pro, entry("2026-11-21", TEN))
    names = {(one.scorer, str(one.slice)) for one in found.already}
    assert ("route", str({"persona": "pro"})) not in names


def test_a_row_that_is_red_only_here_is_red() -> None:
    """Main is green, or red in something else."""
    assert blamed(TEN, entry("2026-11-21", set())) == Blame()
    assert blamed(TEN, entry("2026-11-21", set(), evalset="other")) == Blame()


def test_only_judged_daily_runs_speak_for_the_base() -> None:
    """Neither a pull request's run, nor recordings, nor a run that could not judge; the one before counts."""
    red = entry("2026-11-20", TEN)
    others = [
        entry("2026-11-21", set(), kind="other"),
        entry("2026-11-21", set()).model_copy(update={"replayed": True, "run": "r"}),
        entry("2026-11-21", set(), judged=False, because="judge out of reach"),
    ]
    found = blamed(TEN, red, *others)
    assert [one.day for one in found.already] == ["2026-11-20", "2026-11-20"]
    assert blamed(TEN, red, entry("2026-11-21", set())) == Blame()


def test_an_old_run_excuses_nothing() -> None:
    """What main was last week says nothing of it today."""
    found = blamed(TEN, entry("2026-11-17", TEN))
    assert found.already == ()
    assert "its newest daily run is 5 days old" in found.notes[0]


@pytest.mark.parametrize(
    "how",
    [
        {"scorers": {"route": ScorerInfo(kind="exact", hash="h2")}},
        {"cases": 0},
        {"epochs": 1, "cases": 20},
    ],
    ids=["another instrument", "no cases", "a part of the cases"],
)
def test_where_it_cannot_be_compared_it_stays_red(how: dict[str, object]) -> None:
    """A daily run that was measured otherwise or holds too few of the cases excuses nothing: that is said."""
    found = blamed(TEN, entry("2026-11-21", TEN, **how))  # type: ignore[arg-type]
    assert found.already == () and len(found.notes) == 2


def test_an_accepted_drop_of_the_base_is_no_excuse() -> None:
    """What main accepted is its level; its baseline has it soon."""
    red = entry("2026-11-21", TEN)
    (day,) = red.evalsets
    accepted = tuple(v.model_copy(update={"reason": "accepted", "gating": False}) for v in day.verdicts)
    found = blamed(TEN, red.model_copy(update={"evalsets": (day.model_copy(update={"verdicts": accepted}),)}))
    assert found == Blame()


def test_a_minimum_that_main_misses_already_is_not_blamed() -> None:
    """Below the minimum there and here, and no worse here."""
    gates = [Gate(scorer="route", min=0.95, margin=0.5)]
    judgement = judge(
        Side(rows(TEN), ROUTE), None, evalset="demo", gates=gates, defaults=Defaults(), max_error_rate=0.02
    )
    assert [v.reason for v in judgement.verdicts] == ["below_min"]
    day = entry("2026-11-21", TEN, verdicts=judgement.verdicts)
    found = rows_red_before(
        judgement,
        Side(rows(TEN), ROUTE),
        judged_days([day], "demo"),
        defaults=Defaults(min=0.95),
        branch="main",
        today=date(2026, 11, 22),
        most_days=3,
    )
    assert [one.scorer for one in found.already] == ["route"]


class Days:
    """The base's daily runs, as `flows.daily.Daily` asks them."""

    def __init__(self, *entries: HistoryEntry) -> None:
        self.entries = entries

    def blame(self, judgement: Judgement, candidate: Side, *, evalset: str, defaults: Defaults) -> Blame:
        return rows_red_before(
            judgement,
            candidate,
            judged_days(self.entries, evalset),
            defaults=defaults,
            branch="main",
            today=date(2026, 11, 22),
            most_days=3,
        )


def in_a_pull_request(
    bad: set[int], *, asks: Gate, base: Gate | None = None, defaults: Defaults | None = None, main: set[int]
) -> Strictly:
    """Judge `bad` by what a branch `asks` and by what its base does, while main has `main` wrong."""
    theirs = base or Gate(scorer="route")
    evalset = Evalset.model_construct(
        evalset="demo", gates=(theirs,), scorers=(ScorerSpec(name="route", kind="exact"),), cases=()
    )

    def judging(side: Side, gates: object, defaults: Defaults, before: Before) -> Judgement:
        return judge(
            side,
            Side(rows(set()), ROUTE),
            evalset="demo",
            gates=gates,  # type: ignore[arg-type]
            defaults=defaults,
            max_error_rate=0.02,
            already=before.rows,
            failed_before=before.cases,
        )

    return judged_strictly(
        Side(rows(bad), ROUTE),
        BaseRules(ref="main", commit="a" * 40, defaults=Defaults(), evalset=evalset),
        evalset="demo",
        gates=(asks,),
        defaults=defaults or Defaults(),
        baseline_required=True,
        judging=judging,
        daily=Days(entry("2026-11-21", main)),  # type: ignore[arg-type]
    )


LOOSER = {
    "margin": Gate(scorer="route", margin=0.5),
    "margin, fails open": Gate(scorer="route", margin=0.17, claim="these-cases", on_inconclusive="fail"),
    "claim": Gate(scorer="route", claim="cases-like-these", margin=0.5),
}


@pytest.mark.parametrize("asks", LOOSER.values(), ids=LOOSER.keys())
def test_a_row_that_is_not_blamed_is_shown_by_the_bases_rule(asks: Gate) -> None:
    """A branch that asks less while main is red: its looser rule neither decides the row nor holds it up."""
    found = in_a_pull_request(TEN, asks=asks, main=TEN)
    (row,) = found.judgement.verdicts
    assert (row.status, row.reason, row.rule) == ("regressed", "already_on_base", "base")
    assert not row.gating and row.margin == 0.05
    assert found.judgement.exit_code == 0
    assert [one.scorer for one in found.already] == ["route"]


BLIND = {
    "alpha of the gate": (Gate(scorer="route", alpha=1e-12, margin=0.04), Defaults()),
    "alpha of all": (Gate(scorer="route", margin=0.04), Defaults(alpha=1e-12)),
    "margin": (Gate(scorer="route", margin=0.5), Defaults()),
}


@pytest.mark.parametrize(("asks", "defaults"), BLIND.values(), ids=BLIND.keys())
def test_a_branch_cannot_have_nothing_count_as_worse(asks: Gate, defaults: Defaults) -> None:
    """Whether it is worse than main is told by the base's rule, too, whatever the branch's rule sees."""
    worse = TEN | set(range(21, 43, 2))
    found = in_a_pull_request(worse, asks=asks, defaults=defaults, main=TEN)
    assert found.already == () and found.judgement.exit_code == 1
    assert any("this change is worse than that by" in note for note in found.judgement.notes)


def test_a_tighter_gate_of_the_branch_does_not_excuse_what_the_base_holds_open() -> None:
    """The base's rule suspects and fails on it; the branch's finds the row red, like main: still open."""
    base = Gate(scorer="route", margin=0.17, claim="these-cases", on_inconclusive="fail")
    found = in_a_pull_request(TEN, asks=Gate(scorer="route"), base=base, main=TEN)
    (row,) = found.judgement.verdicts
    assert row.gating and row.rule == "base"
    assert (found.judgement.status, found.judgement.exit_code) == ("inconclusive", 7)


def test_no_rule_of_a_branch_makes_green_what_the_bases_rule_has_red() -> None:
    """Whatever margin, alpha, claim, minimum and defaults the branch asks, on whatever main has red."""
    draw = random.Random(20261122)
    red = 0
    for _ in range(16):
        main = set(draw.sample(range(CASES), draw.randint(4, 14)))
        more = set(draw.sample(sorted(set(range(CASES)) - main), draw.randint(0, 20)))
        bad = main | more
        asks = Gate(
            scorer="route",
            margin=draw.choice([None, 0.0, 0.01, 0.04, 0.2, 0.5, 1.0]),
            alpha=draw.choice([None, 1e-12, 0.001, 0.2]),
            claim=draw.choice([None, "these-cases", "cases-like-these"]),
            min=draw.choice([None, 0.0, 0.7, 0.99]),
        )
        defaults = draw.choice([Defaults(), Defaults(alpha=1e-12), Defaults(margin=0.9, min=0.5)])
        honest = in_a_pull_request(bad, asks=Gate(scorer="route"), main=main)
        found = in_a_pull_request(bad, asks=asks, defaults=defaults, main=main)
        if honest.judgement.exit_code == 1:
            red += 1
            assert found.judgement.exit_code == 1, asks
            assert not found.already, asks
    assert red >= 5, "else nothing is shown"


def test_cases_that_fail_on_main_are_not_newly_failing_here() -> None:
    """Nine cases fail on main and here, one only here: that one is this change's, and stands first."""
    there = TEN - {19}
    found = in_a_pull_request(TEN, asks=Gate(scorer="route"), main=there)
    assert [one.scorer for one in found.already] == ["route"]
    judgement = found.judgement
    assert judgement.newly_failing == ("c19",) and judgement.newly_failing_scores == 1
    first, *others = judgement.worst
    assert (first.case, first.newly_failing, first.already) == ("c19", True, False)
    assert all(move.already for move in others)
    assert {move.case for move in judgement.worst if move.already} == {f"c{n:02}" for n in there}


def test_cases_of_a_row_that_is_blamed_are_this_changes() -> None:
    """Where the row is worse than main's, nothing is taken off its list of cases."""
    worse = TEN | set(range(21, 43, 2))
    judgement = in_a_pull_request(worse, asks=Gate(scorer="route"), main=TEN).judgement
    assert len(judgement.newly_failing) == len(worse)
    assert not any(move.already for move in judgement.worst)
