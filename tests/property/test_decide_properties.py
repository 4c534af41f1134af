"""What holds for every pair of sides, whatever the scores."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.verdict import Judgement

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

INFO = {"s": ScorerInfo(kind="exact")}
values = st.one_of(
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    st.floats(0, 1, allow_nan=False).map(lambda x: round(x, 3)),
)
rows = st.builds(
    lambda case, scores, cluster, part: CaseRow(
        case=f"c{case:02d}", scores={"s": tuple(scores)}, cluster=cluster, slices={"p": part}
    ),
    case=st.integers(0, 30),
    scores=st.lists(st.one_of(st.none(), values), min_size=1, max_size=4),
    cluster=st.sampled_from([None, None, "x", "y"]),
    part=st.sampled_from("ab"),
)
sides = st.lists(rows, max_size=25, unique_by=lambda row: row.case).map(lambda made: Side(tuple(made), INFO))
claims = st.sampled_from(["auto", "these-cases", "cases-like-these"])


def said(
    now: Side, was: Side | None, claim: str = "auto", *, rate: float = 1.0, sliced: bool = True
) -> Judgement:
    slices = ("p",) if sliced and now.rows else ()
    gates = (Gate.model_validate({"scorer": "s", "claim": claim, "slices": slices}),)
    return judge(now, was, evalset="e", gates=gates, defaults=Defaults(), max_error_rate=rate)


@given(sides, st.none() | sides, claims)
@quick
def test_every_input_has_an_answer_and_it_is_consistent(now: Side, was: Side | None, claim: str) -> None:
    found = said(now, was, claim)
    assert Judgement.model_validate_json(found.model_dump_json()) == found
    assert found.summary
    assert (found.status == "regressed") == (found.exit_code == 1)
    assert found.coverage.planned == found.coverage.judged + found.coverage.errors
    for verdict in found.verdicts:
        assert 0 <= verdict.judged <= verdict.planned
        if verdict.status == "regressed":
            assert verdict.difference is not None
            assert verdict.difference < 0
        if verdict.ci is not None and verdict.margin is not None and verdict.reason == "within_margin":
            assert verdict.ci[0] > -verdict.margin


@given(sides, sides, claims, st.randoms())
@quick
def test_the_order_of_rows_and_epochs_decides_nothing(
    now: Side, was: Side, claim: str, random: object
) -> None:
    def shuffled(side: Side) -> Side:
        made = []
        for row in side.rows:
            scores = list(row.scores["s"])
            random.shuffle(scores)  # type: ignore[attr-defined]
            made.append(row.model_copy(update={"scores": {"s": tuple(scores)}}))
        random.shuffle(made)  # type: ignore[attr-defined]
        return Side(tuple(made), INFO)

    first, second = said(now, was, claim), said(shuffled(now), shuffled(was), claim)
    assert [(v.status, v.reason) for v in first.verdicts] == [
        (v.status, v.reason) for v in second.verdicts
    ] or any(
        # Drawn nulls draw signs by place; close to the level another order may tip them.
        v.p_adjusted is not None and 0.03 < v.p_adjusted < 0.08
        for v in first.verdicts
    )


@given(sides, claims)
@quick
def test_a_side_against_itself_is_never_red(side: Side, claim: str) -> None:
    found = said(side, side, claim)
    assert found.exit_code in (0, 7)
    assert all(v.difference in (None, 0.0) for v in found.verdicts)


@given(sides, sides, claims, st.integers(1, 6))
@quick
def test_cases_of_one_side_only_change_no_comparison(now: Side, was: Side, claim: str, extra: int) -> None:
    more = tuple(CaseRow(case=f"new{i}", scores={"s": (0.0, 0.0)}, slices={"p": "a"}) for i in range(extra))
    grown = said(Side(now.rows + more, INFO), was, claim, sliced=False)
    plain = said(now, was, claim, sliced=False)
    assert set(plain.coverage.new) | {row.case for row in more} == set(grown.coverage.new)
    if plain.coverage.judged:
        assert grown.verdicts[0].difference == plain.verdicts[0].difference
        assert grown.verdicts[0].p == plain.verdicts[0].p


@given(sides, sides, claims, st.data())
@quick
def test_losing_samples_never_turns_an_open_row_into_a_pass_of_a_worse_suite(
    now: Side, was: Side, claim: str, data: st.DataObject
) -> None:
    """A row that passes with errors passes as well when each of them scored the floor of the scale."""
    found = said(now, was, claim, sliced=False)
    if not found.verdicts or found.verdicts[0].status != "pass":
        return
    floored = Side(
        tuple(
            row.model_copy(update={"scores": {"s": tuple(0.0 if v is None else v for v in row.scores["s"])}})
            for row in now.rows
        ),
        INFO,
    )
    verdict = said(floored, was, claim, sliced=False).verdicts[0]
    if verdict.claim == found.verdicts[0].claim:
        assert verdict.status == "pass"


@given(sides, sides)
@quick
def test_above_the_error_limit_nothing_is_red_and_nothing_is_green(now: Side, was: Side) -> None:
    found = said(now, was, rate=0.0)
    if found.coverage.errors or not found.coverage.judged:
        assert (found.status, found.exit_code) == ("cannot_judge", 7)
        assert not any(v.status == "regressed" for v in found.verdicts)
