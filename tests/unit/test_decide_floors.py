"""Floors: what breaks a `must` or a `require`, and what an outage can and cannot do to one."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aioncall.decide.floors import case_floors
from pytest_aioncall.model.evalset import Case, Require, ScorerSpec
from pytest_aioncall.model.sample import ErrorKind, Output, Sample, SampleError, Score
from pytest_aioncall.model.verdict import Floor

MUST = Case(id="a", input="x", must=(ScorerSpec(kind="not_contains", name="not_contains"),))
NAME = "must[0]:not_contains"


def require(**values: Any) -> Case:
    return Case(id="a", input="x", require=(Require.model_validate({"scorer": "help", **values}),))


def sample(epoch: int, *, error: ErrorKind | None = None, **scores: Any) -> Sample:
    """Make one epoch; `error` is the kind of an error that left no output."""
    return Sample(
        evalset="e",
        case="a",
        digest="d",
        epoch=epoch,
        output=None if error else Output(text="t"),
        error=SampleError(kind=error, type="Boom", message="it broke") if error else None,
        scores=tuple(Score(scorer=name, **value) for name, value in scores.items()),
    )


def must_sample(epoch: int, *, passed: bool) -> Sample:
    return sample(epoch, **{NAME: {"value": float(passed), "passed": passed, "reason": "said so"}})


def only(case: Case, samples: list[Sample]) -> Floor:
    (floor,) = case_floors(case, samples)
    return floor


class TestMust:
    """In every epoch."""

    def test_it_holds_when_every_epoch_passes(self) -> None:
        floor = only(MUST, [must_sample(e, passed=True) for e in range(3)])
        assert floor == Floor(kind="must", case="a", scorer=NAME, ok=True, held=3, epochs=3, needed=3)

    def test_one_failing_epoch_breaks_it_and_gives_the_reason(self) -> None:
        floor = only(MUST, [must_sample(e, passed=e != 1) for e in range(3)])
        assert (floor.ok, floor.undecided, floor.held, floor.reason) == (False, False, 2, "said so")

    @pytest.mark.parametrize("kind", ["transport", "cassette_miss", "cancelled"])
    def test_an_outage_leaves_it_undecided(self, kind: ErrorKind) -> None:
        floor = only(MUST, [must_sample(0, passed=True), sample(1, error=kind)])
        assert (floor.ok, floor.undecided, floor.held) == (True, True, 1)
        assert floor.reason == "Boom: it broke"

    def test_a_failing_epoch_breaks_it_whatever_the_others_met(self) -> None:
        floor = only(MUST, [must_sample(0, passed=False), sample(1, error="transport")])
        assert (floor.ok, floor.undecided) == (False, False)

    @pytest.mark.parametrize("kind", ["user", "target"])
    def test_an_exception_of_the_users_own_or_no_output_is_no_outage(self, kind: ErrorKind) -> None:
        floor = only(MUST, [must_sample(0, passed=True), sample(1, error=kind)])
        assert (floor.ok, floor.reason) == (False, "Boom: it broke")

    def test_a_scorer_that_could_not_score_leaves_it_undecided(self) -> None:
        floor = only(MUST, [must_sample(0, passed=True), sample(1, **{NAME: {"error": "no regex"}})])
        assert (floor.ok, floor.undecided, floor.reason) == (True, True, "no regex")

    def test_a_score_that_is_missing_is_never_taken_for_held(self) -> None:
        floor = only(MUST, [must_sample(0, passed=True), sample(1)])
        assert (floor.ok, floor.undecided) == (True, True)
        assert floor.reason == f"epoch 1 has no score of {NAME}"

    def test_without_a_sample_nothing_is_decided(self) -> None:
        floor = only(MUST, [])
        assert (floor.ok, floor.undecided, floor.epochs, floor.reason) == (
            True,
            True,
            0,
            "no sample was drawn",
        )

    def test_each_must_has_a_name_of_its_own(self) -> None:
        spec = ScorerSpec(kind="regex", name="regex")
        case = Case(id="a", input="x", must=(spec, spec))
        samples = [
            sample(
                0,
                **{
                    "must[0]:regex": {"value": 1.0, "passed": True},
                    "must[1]:regex": {"value": 0.0, "passed": False},
                },
            )
        ]
        assert [(f.scorer, f.ok) for f in case_floors(case, samples)] == [
            ("must[0]:regex", True),
            ("must[1]:regex", False),
        ]


class TestRequire:
    """In a share of the epochs."""

    @staticmethod
    def samples(*values: float | None) -> list[Sample]:
        made = []
        for epoch, value in enumerate(values):
            if value is None:
                made.append(sample(epoch, error="transport"))
            else:
                made.append(sample(epoch, help={"value": value, "scale": (1, 5), "passed": value >= 3}))
        return made

    @pytest.mark.parametrize(
        ("values", "ok", "undecided", "held"),
        [
            ((4, 5, 1), True, False, 2),
            ((4, 3.9, 1), False, False, 1),
            ((4, 4, None), True, False, 2),
            ((4, 1, None), True, True, 1),
            ((1, 1, None), False, False, 0),
            ((None, None, None), True, True, 0),
        ],
    )
    def test_two_of_three_reach_four(
        self, values: tuple[float | None, ...], ok: bool, undecided: bool, held: int
    ) -> None:
        floor = only(require(at_least=4, **{"in": "2/3"}), self.samples(*values))
        assert (floor.kind, floor.scorer, floor.needed) == ("require", "help", 2)
        assert (floor.ok, floor.undecided, floor.held) == (ok, undecided, held)

    @pytest.mark.parametrize(("epochs", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4)])
    def test_the_share_is_rounded_up(self, epochs: int, needed: int) -> None:
        assert only(require(**{"in": "2/3"}), self.samples(*[5.0] * epochs)).needed == needed

    def test_without_at_least_the_scorers_own_word_counts(self) -> None:
        assert only(require(), self.samples(3, 3)).ok
        assert not only(require(), self.samples(3, 2)).ok

    def test_a_score_without_a_verdict_of_its_own_does_not_hold(self) -> None:
        samples = [sample(0, help={"value": 5.0, "scale": (1, 5)})]
        assert not only(require(), samples).ok
        assert only(require(at_least=5), samples).ok

    def test_samples_come_in_any_order(self) -> None:
        samples = self.samples(1, 2, 5)
        case = require(at_least=4)
        assert only(case, samples[::-1]) == only(case, samples)

    def test_a_case_without_floors_has_none(self) -> None:
        assert case_floors(Case(id="a", input="x"), self.samples(1)) == []
