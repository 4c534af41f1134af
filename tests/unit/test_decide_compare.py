"""The gate's verdicts: what is red, what is green, and what is said when nothing can be said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.errors import UsageError
from pytest_aioncall.model.baseline import Acceptance, CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.verdict import Floor, Judgement, Verdict

Scores = Sequence[Sequence[float | None]]
ROUTE = ScorerInfo(kind="exact", hash="h1")
GOOD: Scores = [[1, 1, 1]] * 10


def side(
    scores: Scores | Mapping[str, Scores],
    *,
    info: ScorerInfo | Mapping[str, ScorerInfo] = ROUTE,
    digest: str = "d",
    slices: Sequence[Mapping[str, str]] = (),
    clusters: Sequence[str | None] = (),
    names: Sequence[str] = (),
    outputs: str | None = None,
    **rows: Any,
) -> Side:
    """Lay scores (cases x epochs) out as one side; `outputs` gives every sample an output of that prefix."""
    table = scores if isinstance(scores, Mapping) else {"route": scores}
    count = max(len(one) for one in table.values()) if table else 0
    ids = list(names) or [f"c{i:03d}" for i in range(count)]
    made = tuple(
        CaseRow(
            case=ids[i],
            digest=digest,
            slices=dict(slices[i]) if slices else {},
            cluster=clusters[i] if clusters else None,
            scores={name: tuple(one[i]) for name, one in table.items() if i < len(one)},
            **rows,
        )
        for i in range(count)
    )
    infos = info if isinstance(info, Mapping) else dict.fromkeys(table, info)
    hashes: dict[str, tuple[str | None, ...]] = {}
    if outputs is not None:
        hashes = {row.case: tuple(f"{outputs}{row.case}{e}" for e in range(3)) for row in made}
    return Side(rows=made, scorers=infos, output_hashes=hashes)


def gate(candidate: Side, baseline: Side | None, **asked: Any) -> Judgement:
    """Judge with the defaults; no slack for errors unless asked."""
    rules = {"evalset": "e", "gates": (), "defaults": Defaults(), "max_error_rate": 0.02}
    return judge(candidate, baseline, **(rules | asked))


def row(found: Judgement, **slice_: str) -> Verdict:
    """Return the verdict on one slice, or the overall one."""
    return next(v for v in found.verdicts if v.slice == (slice_ or None))


def lost(number: int, *, of: int = 10, epochs: int = 3) -> list[list[float | None]]:
    """Return a perfect suite in which the first `number` cases fail every epoch."""
    return [[0.0 if i < number else 1.0] * epochs for i in range(of)]


def test_a_judgement_carries_the_level_that_its_intervals_have() -> None:
    """Two one-sided bounds at 1 - alpha are wider at a smaller alpha, and a reader has to be told which."""
    now, was = side(lost(3)), side(GOOD)
    usual, strict = gate(now, was), gate(now, was, defaults=Defaults(alpha=0.01))
    assert (usual.alpha, strict.alpha) == (0.05, 0.01)
    narrow, wide = row(usual).ci, row(strict).ci
    assert narrow is not None and wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert (wide[1] - wide[0]) / (narrow[1] - narrow[0]) == pytest.approx(2.3263 / 1.6449, rel=1e-3)


class TestSmallSuites:
    """Where people start: ten golden cases, three epochs."""

    def test_three_of_ten_broken_cases_are_red_and_named(self) -> None:
        found = gate(side(lost(3)), side(GOOD))
        assert (found.status, found.exit_code) == ("regressed", 1)
        assert [(m.case, m.was, m.now, m.newly_failing) for m in found.worst] == [
            (f"c00{i}", (3, 3), (0, 3), True) for i in range(3)
        ]
        assert found.summary == "route dropped: 100.0 % -> 70.0 %"
        assert (row(found).reason, row(found).claim) == ("dropped", "these-cases")
        assert found.newly_failing_expected is not None
        assert found.newly_failing_expected < 0.05

    def test_unchanged_outputs_pass_and_say_so(self) -> None:
        found = gate(side(GOOD, outputs="a"), side(GOOD, outputs="a"))
        assert (found.status, found.exit_code, row(found).reason) == ("pass", 0, "unchanged")
        assert found.summary == "unchanged: every output is byte-identical"

    def test_new_wording_with_the_same_scores_is_green_with_a_word_of_its_own(self) -> None:
        found = gate(side(GOOD, outputs="b"), side(GOOD, outputs="a"))
        verdict = row(found)
        assert (found.status, found.exit_code, verdict.reason) == ("inconclusive", 0, "no_drop_seen")
        assert verdict.mde is not None
        assert found.summary == f"no drop seen; would see {100 * verdict.mde:.1f} pp"
        assert verdict.needed is not None
        assert verdict.needed.cases is not None
        assert verdict.needed.cases > 79

    @pytest.mark.parametrize("asked", [{"strict": True}, {"defaults": Defaults(on_inconclusive="fail")}])
    def test_inconclusive_fails_when_asked_to(self, asked: dict[str, Any]) -> None:
        assert gate(side(GOOD), side(GOOD), **asked).exit_code == 7

    def test_one_epoch_cannot_tell_noise_from_change_and_asks_for_three(self) -> None:
        found = gate(side([[1]] * 10), side([[1]] * 10))
        assert row(found).reason == "one_epoch"
        assert row(found).needed is not None
        assert row(found).needed.epochs == 3  # type: ignore[union-attr]
        assert "run 3 epochs" in found.summary
        assert found.exit_code == 0

    def test_one_epoch_with_identical_outputs_is_unchanged(self) -> None:
        hashes: dict[str, tuple[str | None, ...]] = {f"c{i:03d}": ("x",) for i in range(10)}
        made = side([[1]] * 10)
        same = Side(rows=made.rows, scorers=made.scorers, output_hashes=hashes)
        assert gate(same, same).summary.startswith("unchanged")

    def test_an_unknown_output_is_not_an_unchanged_one(self) -> None:
        was = side(GOOD, outputs="a")
        for value in ((None, "ac0001", "ac0002"), ()):
            hashes = {**was.output_hashes, "c000": value}
            now = Side(rows=was.rows, scorers=was.scorers, output_hashes=hashes)
            assert row(gate(now, was)).reason == "no_drop_seen"

    def test_identical_outputs_with_other_scores_accuse_the_instrument(self) -> None:
        found = gate(side(lost(4), outputs="a"), side(GOOD, outputs="a"))
        assert (found.status, row(found).reason) == ("pass", "unchanged")
        assert any("the instrument moved" in note for note in found.notes)

    def test_a_drop_that_chance_can_make_is_suspected(self) -> None:
        found = gate(side([[0, 1, 1]] + [[1, 1, 1]] * 4), side([[1, 1, 1]] * 5))
        assert (row(found).reason, found.exit_code) == ("suspected", 0)
        assert "may have dropped" in found.summary

    def test_a_sure_but_tiny_drop_never_fails_these_cases(self) -> None:
        """Regressed needs a drop of the margin as well as significance."""
        was = [[1.0] * 20] * 30
        now = [[0.0] + [1.0] * 19] * 30
        for margin, status, reason in (
            (0.04, "regressed", "dropped"),
            (0.06, "inconclusive", "suspected"),
            (0.10, "pass", "small_drop_within_margin"),
        ):
            rules = (Gate(scorer="route", margin=margin, claim="these-cases"),)
            found = gate(side(now), side(was), gates=rules)
            assert (row(found).status, row(found).reason) == (status, reason)
            if reason == "suspected":
                assert "not surely by less than the margin 6.0 pp" in found.summary

    @pytest.mark.parametrize(("cases", "claim"), [(49, "these-cases"), (50, "cases-like-these")])
    def test_auto_turns_to_cases_like_these_at_fifty(self, cases: int, claim: str) -> None:
        scores = [[1, 1, 1]] * cases
        assert row(gate(side(scores), side(scores))).claim == claim

    def test_auto_speaks_about_these_cases_under_eight_clusters(self) -> None:
        scores: Scores = [[1, 1, 1]] * 70
        for count, claim in ((7, "these-cases"), (8, "cases-like-these")):
            made = side(scores, clusters=[f"doc-{i % count}" for i in range(70)])
            verdict = row(gate(made, made))
            assert (verdict.claim, verdict.n_clusters) == (claim, count)

    def test_the_claim_can_be_asked_for(self) -> None:
        found = gate(side(GOOD), side(GOOD), gates=(Gate(scorer="route", claim="cases-like-these"),))
        assert row(found).claim == "cases-like-these"


class TestLargeSuites:
    """Cases like these."""

    def test_identical_runs_of_a_large_suite_pass(self) -> None:
        """A superiority test would reject them all."""
        made = side([[1, 1, 1]] * 180 + [[0, 0, 0]] * 20)
        found = gate(made, made)
        assert (found.status, found.exit_code, row(found).reason) == ("pass", 0, "within_margin")
        assert found.summary == "no regression: 1 of 1 gate row pass"

    def test_an_underpowered_run_does_not_pass(self) -> None:
        made = side([[1]] * 30)
        found = gate(made, made, gates=(Gate(scorer="route", claim="cases-like-these"),))
        assert (found.status, row(found).reason) == ("inconclusive", "no_drop_seen")

    def test_a_small_but_sure_drop_inside_the_margin_passes_with_a_note(self) -> None:
        now = [[0.0 if i < 8 else 1.0] * 3 for i in range(1000)]
        verdict = row(gate(side(now), side([[1, 1, 1]] * 1000)))
        assert (verdict.status, verdict.reason) == ("pass", "small_drop_within_margin")

    def test_a_drop_fails_and_the_interval_lies_beyond_zero(self) -> None:
        found = gate(side(lost(20, of=200)), side([[1, 1, 1]] * 200))
        verdict = row(found)
        assert (verdict.status, verdict.reason, found.exit_code) == ("regressed", "dropped", 1)
        assert verdict.ci is not None
        assert verdict.ci[0] < verdict.ci[1] < 0
        assert (verdict.baseline, verdict.candidate) == (1.0, 0.9)
        assert verdict.difference == pytest.approx(-0.1)

    def test_cases_of_one_document_count_as_one(self) -> None:
        """Twelve lost cases of one document are one loss; twelve of twelve documents are twelve."""
        was, now = [[1, 1, 1]] * 100, lost(12, of=100)
        together = [f"doc-{max(i, 11)}" for i in range(100)]
        apart = side(now)
        clustered = side(now, clusters=together)
        assert row(gate(apart, side(was))).status == "regressed"
        verdict = row(gate(clustered, side(was, clusters=together)))
        assert (verdict.status, verdict.n_cases, verdict.n_clusters) == ("inconclusive", 100, 89)

    def test_the_baselines_cluster_counts_where_the_candidate_names_none(self) -> None:
        together = [f"doc-{i // 10}" for i in range(100)]
        found = gate(side([[1]] * 100), side([[1]] * 100, clusters=together))
        assert row(found).n_clusters == 10

    def test_epochs_are_averaged_within_a_case_not_pooled(self) -> None:
        """Five failing epochs of one case are one unit."""
        now = [[0.0] * 5] + [[1.0] * 5] * 99
        found = gate(side(now), side([[1.0] * 5] * 100))
        assert row(found).status != "regressed"
        assert row(found).p == 0.25


class TestPairing:
    """By id and digest, never by position."""

    def test_order_is_of_no_account(self) -> None:
        was = side(lost(3))
        now = Side(rows=tuple(reversed(was.rows)), scorers=was.scorers)
        assert row(gate(now, was)).difference == 0.0

    def test_new_removed_and_changed_cases_are_named_and_not_compared(self) -> None:
        was = side([[1, 1, 1]] * 5)
        rows = list(side(lost(1, of=5)).rows)
        rows[1] = rows[1].model_copy(update={"digest": "other", "scores": {"route": (0.0, 0.0, 0.0)}})
        added = rows[2].model_copy(update={"case": "z-new", "scores": {"route": (0.0, 0.0, 0.0)}})
        found = gate(Side(rows=(*rows[:4], added), scorers=was.scorers), was)
        assert found.coverage.new == ("z-new",)
        assert found.coverage.removed == ("c004",)
        assert found.coverage.changed == ("c001",)
        assert row(found).n_cases == 3
        assert row(found).difference == pytest.approx(-1 / 3)
        assert [move.case for move in found.worst] == ["c000"]

    @pytest.mark.parametrize(("now", "was"), [("", "d"), ("d", ""), ("", "")])
    def test_flat_rows_without_a_digest_pair_by_id(self, now: str, was: str) -> None:
        assert row(gate(side(GOOD, digest=now), side(GOOD, digest=was))).n_cases == 10

    def test_a_case_that_stands_twice_is_refused(self) -> None:
        twice = side(GOOD, names=["a"] * 10)
        with pytest.raises(UsageError, match="case 'a' stands there twice"):
            gate(twice, None)

    def test_a_suite_in_which_every_case_changed_is_no_pass(self) -> None:
        found = gate(side(GOOD, digest="new"), side(GOOD, digest="old"))
        assert (found.status, found.exit_code) == ("inconclusive", 0)
        assert found.summary == "no case in common with the baseline"
        assert gate(side(GOOD, digest="new"), side(GOOD, digest="old"), baseline_required=True).exit_code == 8


class TestErrors:
    """An outage fails no gate and slips through none."""

    def test_above_the_limit_nothing_is_judged(self) -> None:
        now = [[None, None, None]] * 3 + [[1.0, 1, 1]] * 7
        found = gate(side(now), side(GOOD))
        assert (found.status, found.exit_code) == ("cannot_judge", 7)
        assert found.summary == "cannot judge: 9 of 30 samples errored (limit 2 %)"
        assert found.errors_rate == 0.3
        assert (found.coverage.planned, found.coverage.judged, found.coverage.errors) == (30, 21, 9)

    def test_an_outage_cannot_turn_a_row_red(self) -> None:
        now: Scores = [[0, 0, 0]] * 5 + [[None, None, None]] * 5
        found = gate(side(now), side(GOOD))
        assert (found.status, found.exit_code) == ("cannot_judge", 7)
        assert (row(found).status, row(found).reason) == ("inconclusive", "errors_at_floor")

    def test_a_total_judge_outage_is_not_green(self) -> None:
        found = gate(side([[None] * 3] * 10), side(GOOD))
        assert (found.status, found.exit_code) == ("cannot_judge", 7)
        assert gate(side([[None] * 3] * 10), side(GOOD), max_error_rate=1.0).exit_code == 7
        assert gate(side([[None] * 3] * 10), None).exit_code == 7

    def test_errors_never_count_as_scores(self) -> None:
        now = [[1.0, 1.0, None]] * 10
        found = gate(side(now), side(GOOD), max_error_rate=0.5)
        verdict = row(found)
        assert (verdict.candidate, verdict.difference) == (1.0, 0.0)
        assert (verdict.judged, verdict.planned) == (20, 30)

    def test_a_pass_has_to_hold_with_every_error_at_the_floor(self) -> None:
        was: Scores = [[1, 1, 1]] * 200
        few = [[1.0, 1, None]] * 3 + [[1.0, 1, 1]] * 197
        many = [[1.0, 1, None]] * 60 + [[1.0, 1, 1]] * 140
        assert row(gate(side(few), side(was), max_error_rate=0.2)).status == "pass"
        verdict = row(gate(side(many), side(was), max_error_rate=0.2))
        assert (verdict.status, verdict.reason) == ("inconclusive", "errors_at_floor")

    def test_a_case_that_errored_in_every_epoch_is_at_the_floor_too(self) -> None:
        now = [[None, None, None]] * 20 + [[1.0, 1, 1]] * 180
        verdict = row(gate(side(now), side([[1, 1, 1]] * 200), max_error_rate=0.2))
        assert (verdict.reason, verdict.n_cases) == ("errors_at_floor", 180)
        assert (verdict.judged, verdict.planned) == (540, 600)

    def test_a_scorer_whose_judge_was_out_on_all_its_cases_is_no_pass(self) -> None:
        info = {"route": ROUTE, "judge": ROUTE}
        was = side({"route": [[1, 1, 1]] * 100, "judge": [[1, 1, 1]] * 10}, info=info)
        now = side({"route": [[1, 1, 1]] * 100, "judge": [[None] * 3] * 10}, info=info)
        found = gate(now, was, max_error_rate=0.5)
        assert (found.status, found.verdicts[1].reason) == ("inconclusive", "errors_at_floor")

    def test_samples_that_were_never_drawn_are_errors(self) -> None:
        now = side([[1, 1]] * 10)
        short = Side(rows=now.rows, scorers=now.scorers, planned_epochs=3)
        found = gate(short, side(GOOD))
        assert (found.coverage.planned, found.coverage.judged) == (30, 20)
        by_case = Side(rows=now.rows, scorers=now.scorers, planned_epochs={"c000": 4})
        assert gate(by_case, side(GOOD)).coverage.planned == 22

    def test_rows_without_any_score_count_their_errors(self) -> None:
        rows = (
            CaseRow(case="a", latency_s=(1.0, 1.0)),
            CaseRow(case="b", latency_s=(1.0, None), errors=1),
        )
        found = gate(Side(rows=rows, scorers={}), None, max_error_rate=0.3)
        assert (found.coverage.planned, found.coverage.errors) == (4, 1)

    def test_an_exception_of_the_users_own_is_exit_1_and_no_pass(self) -> None:
        found = gate(side(GOOD, outputs="a"), side(GOOD, outputs="a"), user_errors=2)
        assert (found.status, found.exit_code) == ("cannot_judge", 1)
        assert "the user's own code raised in 2 samples" in found.summary


class TestNoBaseline:
    """A first run."""

    def test_there_is_nothing_to_compare_and_nothing_fails(self) -> None:
        found = gate(side(GOOD), None, strict=True)
        assert (found.status, found.exit_code) == ("pass", 0)
        assert (row(found).status, row(found).reason) == ("inconclusive", "nothing_to_compare")
        assert (row(found).candidate, row(found).judged, row(found).planned) == (1.0, 30, 30)
        assert found.summary == "nothing to compare with: 30/30 samples judged, route 100.0 %"

    def test_a_required_baseline_that_is_missing_is_exit_8(self) -> None:
        found = gate(side(GOOD), None, baseline_required=True)
        assert (found.status, found.exit_code) == ("inconclusive", 8)
        assert found.summary == "no baseline to compare with, and one is required"

    def test_no_case_at_all_is_no_green(self) -> None:
        found = gate(side([]), None)
        assert (found.status, found.exit_code, found.summary) == (
            "cannot_judge",
            7,
            "cannot judge: there is no case",
        )

    def test_a_new_scorer_holds_nothing_up(self) -> None:
        info = {"route": ROUTE, "tone": ROUTE}
        was = side({"route": [[1, 1, 1]] * 100}, info={"route": ROUTE})
        now = side({"route": [[1, 1, 1]] * 100, "tone": [[1, 0, 1]] * 100}, info=info)
        found = gate(now, was, baseline_required=True)
        assert (found.status, found.exit_code) == ("pass", 0)
        assert found.verdicts[1].reason == "nothing_to_compare"
        assert any("tone: new" in note for note in found.notes)

    @pytest.mark.parametrize(
        ("now", "was", "comparable"),
        [
            (ScorerInfo(kind="exact", hash="h1"), ScorerInfo(kind="exact", hash="h2"), False),
            (ScorerInfo(kind="exact", hash="h1"), ScorerInfo(kind="other", hash="h1"), True),
            (ScorerInfo(kind="exact", hash=""), ScorerInfo(kind="exact", hash="h2"), True),
            (ScorerInfo(kind="exact", hash=""), ScorerInfo(kind="regex", hash="h2"), False),
            (ScorerInfo(kind="flat", hash=""), ScorerInfo(kind="regex", hash="h2"), True),
            (ScorerInfo(kind="exact", scale=(0, 5)), ScorerInfo(kind="exact", scale=(0, 1)), False),
        ],
    )
    def test_another_instrument_is_not_comparable(
        self, now: ScorerInfo, was: ScorerInfo, comparable: bool
    ) -> None:
        found = gate(side(lost(5), info=now), side(GOOD, info=was))
        assert (row(found).reason != "not_comparable") is comparable
        if not comparable:
            assert (found.status, found.exit_code) == ("inconclusive", 0)
            required = gate(side(lost(5), info=now), side(GOOD, info=was), baseline_required=True)
            assert required.exit_code == 8
            assert "not comparable" in required.summary


class TestMinimum:
    """`min` needs no baseline."""

    HELPFUL = ScorerInfo(kind="judge", scale=(1, 5))

    def judged(self, scores: Scores, baseline: Scores | None = None, **asked: Any) -> Judgement:
        was = side({"help": baseline}, info=self.HELPFUL) if baseline else None
        rules = (Gate(scorer="help", min=4.0),)
        return gate(side({"help": scores}, info=self.HELPFUL), was, gates=rules, **asked)

    def test_a_mean_surely_below_is_red_without_a_baseline(self) -> None:
        found = self.judged([[3, 3, 4], [3, 2, 3]] * 30)
        assert (found.status, found.exit_code, row(found).reason) == ("regressed", 1, "below_min")
        assert found.summary == "help is below its minimum: 3.00, at least 4.00 is asked"

    def test_a_mean_surely_above_passes(self) -> None:
        found = self.judged([[5, 4, 5], [5, 5, 4]] * 30)
        assert (found.status, row(found).status, row(found).reason) == ("pass", "pass", "above_min")

    def test_a_mean_near_the_minimum_is_open_and_fails_when_asked(self) -> None:
        scores: Scores = [[4, 4, 4], [5, 4, 4], [4, 3, 4]] * 4
        found = self.judged(scores)
        assert (found.status, row(found).reason, found.exit_code) == ("inconclusive", "min_undecided", 0)
        assert self.judged(scores, strict=True).exit_code == 7

    def test_errors_are_at_the_floor_for_a_minimum_too(self) -> None:
        scores = [[5.0, 5, None]] * 30 + [[5.0, 5, 5]] * 30
        found = self.judged([[5.0, 5, 5]] * 60, max_error_rate=0.5)
        assert row(found).reason == "above_min"
        found = gate(
            side({"help": scores}, info=self.HELPFUL),
            None,
            gates=(Gate(scorer="help", min=4.6),),
            max_error_rate=0.5,
        )
        assert row(found).reason == "errors_at_floor"

    def test_a_low_mean_is_red_even_where_nothing_dropped(self) -> None:
        scores: Scores = [[3, 3, 3], [3, 2, 3]] * 30
        assert row(self.judged(scores, scores)).reason == "below_min"

    def test_a_drop_is_red_even_above_the_minimum(self) -> None:
        assert row(self.judged([[4.0, 5, 4]] * 60, [[5, 5, 5]] * 60)).reason == "dropped"

    def test_a_minimum_off_the_scale_is_refused(self) -> None:
        with pytest.raises(UsageError, match="off its scale"):
            gate(side(GOOD), None, gates=(Gate(scorer="route", min=4),))

    def test_one_epoch_is_enough_for_a_minimum(self) -> None:
        found = self.judged([[5]] * 60)
        assert row(found).reason == "above_min"


class TestSlices:
    """Many rows, one error rate."""

    @staticmethod
    def shaped(number: int, of: int) -> list[dict[str, str]]:
        return [{"shape": "long" if i < number else "short"} for i in range(of)]

    def test_a_slice_that_dropped_is_red_and_named(self) -> None:
        slices = self.shaped(40, 400)
        now = side(lost(12, of=400), slices=slices)
        found = gate(
            now, side([[1, 1, 1]] * 400, slices=slices), gates=(Gate(scorer="route", slices=("shape",)),)
        )
        assert row(found, shape="long").status == "regressed"
        assert row(found, shape="short").status == "pass"
        assert found.summary.startswith("route dropped on shape=long: 100.0 % -> 70.0 %")

    def test_a_slice_under_ten_cases_is_reported_and_does_not_gate(self) -> None:
        slices = self.shaped(9, 109)
        now = side(lost(9, of=109), slices=slices)
        found = gate(
            now,
            side([[1, 1, 1]] * 109, slices=slices),
            gates=(Gate(scorer="route", margin=0.2, slices=("shape",)),),
        )
        verdict = row(found, shape="long")
        assert (verdict.status, verdict.reason, verdict.gating) == ("too_small", "too_few_cases", False)
        assert verdict.difference == -1.0
        assert found.exit_code == 0

    def test_errors_do_not_shrink_a_slice_below_the_gate(self) -> None:
        slices = self.shaped(12, 212)
        now = [[None] * 3] * 12 + [[1.0] * 3] * 200
        found = gate(
            side(now, slices=slices),
            side([[1, 1, 1]] * 212, slices=slices),
            gates=(Gate(scorer="route", slices=("shape",)),),
            max_error_rate=0.5,
        )
        verdict = row(found, shape="long")
        assert (verdict.gating, verdict.reason) == (True, "errors_at_floor")
        assert found.status == "inconclusive"

    def test_a_slice_that_cannot_reject_is_too_small_to_test_not_a_pass(self) -> None:
        slices = [{"part": str(i // 50)} for i in range(500)]
        was = [[1.0]] * 500
        now = [[0.0] if i in (0, 1, 2) else [1.0] for i in range(500)]
        rules = (Gate(scorer="route", margin=0.05, slices=("part",), claim="cases-like-these"),)
        found = gate(side(now, slices=slices), side(was, slices=slices), gates=rules)
        verdict = row(found, part="0")
        assert (verdict.status, verdict.reason) == ("too_small", "too_small_to_test")
        assert row(found, part="1").status == "pass"
        assert found.status == "inconclusive"

    def test_half_of_alpha_is_kept_for_the_overall_rows(self) -> None:
        slices = self.shaped(100, 200)
        now, was = side(lost(5, of=200), slices=slices), side([[1, 1, 1]] * 200, slices=slices)
        plain = row(gate(now, was))
        shared = row(gate(now, was, gates=(Gate(scorer="route", slices=("shape",)),)))
        assert plain.p == plain.p_adjusted == shared.p
        assert shared.p_adjusted == pytest.approx(2 * (plain.p or 0))

    def test_more_scorers_cost_a_little_each(self) -> None:
        info = dict.fromkeys("abc", ROUTE)
        now = side({name: lost(5, of=200) for name in "abc"}, info=info)
        found = gate(now, side({name: [[1, 1, 1]] * 200 for name in "abc"}, info=info))
        assert all(v.p_adjusted == pytest.approx(3 * (v.p or 0)) for v in found.verdicts)

    def test_a_misspelt_slice_is_refused_with_the_near_one(self) -> None:
        made = side(GOOD, slices=[{"persona": "free"}] * 10)
        with pytest.raises(UsageError, match="no case has the slice 'persnoa'; did you mean 'persona'"):
            gate(made, made, gates=(Gate(scorer="route", slices=("persnoa",)),))

    def test_a_gate_on_an_unknown_scorer_is_refused_with_the_near_one(self) -> None:
        with pytest.raises(UsageError, match="unknown scorer 'rout'; did you mean 'route'"):
            gate(side(GOOD), None, gates=(Gate(scorer="rout"),))

    def test_two_gates_on_one_scorer_judge_the_overall_row_once(self) -> None:
        made = side([[1, 1, 1]] * 100, slices=[{"p": str(i % 2)} for i in range(100)])
        rules = (Gate(scorer="route", margin=0.1), Gate(scorer="route", margin=0.2, slices=("p",)))
        found = gate(made, made, gates=rules)
        assert [(v.slice, v.margin) for v in found.verdicts] == [
            (None, 0.1),
            ({"p": "0"}, 0.2),
            ({"p": "1"}, 0.2),
        ]


class TestMargins:
    """What a gate that names no margin allows."""

    @pytest.mark.parametrize(
        ("scale", "margin"),
        [((0, 1), 0.05), ((1, 5), 0.16), ((0, 100), 4.0), ((0, 10), 0.4), ((-1, 1), 0.08)],
    )
    def test_it_is_a_twentieth_of_0_1_and_four_percent_of_other_scales(
        self, scale: tuple[float, float], margin: float
    ) -> None:
        made = side([[scale[1]] * 3] * 3, info=ScorerInfo(kind="exact", scale=scale))
        assert row(gate(made, made)).margin == pytest.approx(margin)


class TestAcceptance:
    """A regression that its owner accepted by name."""

    def test_the_row_stops_gating_and_names_its_ticket(self) -> None:
        accepts = (Acceptance(scorer="route", ticket="AI-12"),)
        found = gate(side(lost(3)), side(GOOD), accepts=accepts)
        verdict = row(found)
        assert (verdict.status, verdict.gating, verdict.reason, verdict.ticket) == (
            "regressed",
            False,
            "accepted",
            "AI-12",
        )
        assert found.exit_code == 0

    def test_it_covers_the_row_that_it_names_and_no_other(self) -> None:
        for accept in (
            Acceptance(scorer="other", ticket="AI-12"),
            Acceptance(scorer="route", slice={"a": "b"}, ticket="AI-12"),
        ):
            assert gate(side(lost(3)), side(GOOD), accepts=(accept,)).exit_code == 1

    def test_it_changes_nothing_for_a_row_that_passes(self) -> None:
        made = side([[1, 1, 1]] * 100)
        verdict = row(gate(made, made, accepts=(Acceptance(scorer="route", ticket="AI-12"),)))
        assert (verdict.status, verdict.gating, verdict.ticket) == ("pass", True, None)


class TestFloors:
    """Floors decide with and without a baseline."""

    @staticmethod
    def floor(**values: Any) -> Floor:
        plain = {
            "kind": "must",
            "case": "a",
            "scorer": "must[0]:regex",
            "ok": True,
            "held": 3,
            "epochs": 3,
            "needed": 3,
        }
        return Floor(**(plain | values))

    @pytest.mark.parametrize("baseline", [None, side(GOOD, outputs="a")])
    def test_a_broken_floor_is_red(self, baseline: Side | None) -> None:
        floors = (self.floor(), self.floor(ok=False, held=2))
        found = gate(side(GOOD, outputs="a"), baseline, floors=floors)
        assert (found.status, found.exit_code) == ("regressed", 1)
        assert found.summary == "must broken: a, must[0]:regex held in 2 of 3 epochs, 3 needed"
        assert found.floors == floors

    def test_a_broken_floor_is_red_even_in_an_outage(self) -> None:
        found = gate(side([[None] * 3] * 10), None, floors=(self.floor(ok=False, held=0),))
        assert (found.status, found.exit_code) == ("regressed", 1)

    def test_an_undecided_floor_is_no_pass_and_counts_as_an_error(self) -> None:
        open_floor = self.floor(case="c000", held=2, undecided=True)
        found = gate(
            side(GOOD, outputs="a"), side(GOOD, outputs="a"), floors=(open_floor,), max_error_rate=0.05
        )
        assert (found.status, found.exit_code, found.coverage.errors) == ("inconclusive", 0, 1)
        assert "could not be decided" in found.summary
        assert any("undecided" in note for note in found.notes)
        strict = gate(
            side(GOOD, outputs="a"), side(GOOD, outputs="a"), floors=(open_floor,), max_error_rate=0.02
        )
        assert (strict.status, strict.exit_code) == ("cannot_judge", 7)

    def test_floors_alone_can_make_a_pass(self) -> None:
        rows = (CaseRow(case="a", latency_s=(1.0, 1.0, 1.0)),)
        found = gate(Side(rows=rows, scorers={}), None, floors=(self.floor(),))
        assert (found.status, found.exit_code, found.verdicts) == ("pass", 0, ())


class TestDegenerate:
    """Odd input has a stated answer."""

    @pytest.mark.parametrize("wrong", [1.2, -0.1, math.nan, math.inf])
    def test_a_score_off_its_scale_is_refused_by_name(self, wrong: float) -> None:
        now = [[1.0, wrong, 1.0]] + [[1.0, 1, 1]] * 9
        with pytest.raises(
            UsageError, match=r"case 'c000', epoch 1: route scored .* outside its scale \[0, 1\]"
        ):
            gate(side(now), side(GOOD))
        with pytest.raises(UsageError, match="outside its scale"):
            gate(side(GOOD), side(now))

    @pytest.mark.parametrize("scale", [(1, 1), (2, 1), (0, math.inf)])
    def test_a_scale_without_width_is_refused(self, scale: tuple[float, float]) -> None:
        with pytest.raises(UsageError, match="is no scale"):
            gate(side([[1]], info=ScorerInfo(kind="exact", scale=scale)), None)

    def test_one_case_can_be_red_and_is_never_a_pass_by_luck(self) -> None:
        assert gate(side([[0, 0, 0]]), side([[1, 1, 1]])).exit_code == 1
        assert gate(side([[1, 1, 1]]), side([[1, 1, 1]])).status == "inconclusive"

    def test_one_cluster_never_speaks_about_cases_like_these(self) -> None:
        made = side([[1, 1, 1]] * 60, clusters=["doc"] * 60)
        found = gate(made, made, gates=(Gate(scorer="route", claim="cases-like-these"),))
        assert (row(found).status, row(found).mde) == ("inconclusive", None)
        assert row(found).ci == (-1.0, 1.0)

    def test_constant_scores_inside_the_scale_are_judged(self) -> None:
        made = side([[0.5, 0.5, 0.5]] * 60)
        assert row(gate(made, made)).p == 0.5

    def test_uneven_epochs_are_each_case_its_own_mean(self) -> None:
        now, was = side([[1, 1], [1, 0, 0], [1]] * 4), side([[1], [1, 1, 1, 1], [0, 1]] * 4)
        verdict = row(gate(now, was))
        assert verdict.candidate == pytest.approx((1 + 1 / 3 + 1) / 3)
        assert verdict.baseline == pytest.approx((1 + 1 + 0.5) / 3)

    def test_the_same_data_give_the_same_judgement_byte_for_byte(self) -> None:
        values = [[(i * 37 % 101) / 101, (i * 53 % 97) / 97, (i * 29 % 89) / 89] for i in range(120)]
        now = side(values, slices=[{"p": str(i % 3)} for i in range(120)])
        was = side(values[::-1], slices=[{"p": str(i % 3)} for i in range(120)])
        rules = (Gate(scorer="route", slices=("p",)),)
        texts = {gate(now, was, gates=rules).model_dump_json() for _ in range(3)}
        assert len(texts) == 1


class TestMetrics:
    """Latency, cost and errors stand beside the scores and decide nothing."""

    def test_a_slower_and_dearer_run_is_told_and_not_failed(self) -> None:
        was = side([[1, 1, 1]] * 100, latency_s=(1.0, 1.1, 0.9), cost_usd=(0.01, 0.01, 0.01))
        now = side([[1, 1, 1]] * 100, latency_s=(3.0, 3.3, 2.7), cost_usd=(0.03, 0.03, 0.03))
        found = gate(now, was)
        by_name = {metric.metric: metric for metric in found.metrics}
        assert found.exit_code == 0
        assert by_name["latency_p95_s"].status == by_name["cost_usd"].status == "regressed"
        assert by_name["latency_p95_s"].ratio == pytest.approx(3.0)
        assert not any(metric.gating for metric in found.metrics)
        assert by_name["errors"].status == "pass"

    def test_a_rise_below_the_limit_passes(self) -> None:
        was = side([[1, 1, 1]] * 100, latency_s=(1.0, 1.1, 0.9))
        now = side([[1, 1, 1]] * 100, latency_s=(1.5, 1.6, 1.4))
        assert gate(now, was).metrics[0].status == "pass"
        tight = gate(now, was, defaults=Defaults(latency_p95_ratio=1.2))
        assert tight.metrics[0].status == "regressed"

    @pytest.mark.parametrize(
        ("was_s", "now_s", "status"),
        [(20e-6, 60e-6, "pass"), (0.01, 0.059, "pass"), (0.01, 0.061, "regressed"), (0.2, 0.5, "regressed")],
    )
    def test_a_slower_p95_is_news_from_50_ms_on(self, was_s: float, now_s: float, status: str) -> None:
        was, now = (side([[1, 1, 1]] * 30, latency_s=(t, t, t)) for t in (was_s, now_s))
        latency = gate(now, was).metrics[0]
        assert (latency.metric, latency.status) == ("latency_p95_s", status)
        assert latency.ratio == pytest.approx(now_s / was_s)
        assert bool(latency.note) == (status == "pass")

    @pytest.mark.parametrize(("cases", "status"), [(33, "pass"), (34, "regressed")])
    def test_a_dearer_run_is_news_from_a_cent_on(self, cases: int, status: str) -> None:
        """3 epochs at a rise of $0.0001: 33 cases are $0.0099 more, 34 are $0.0102."""
        was, now = (side([[1, 1, 1]] * cases, cost_usd=(c, c, c)) for c in (0.00005, 0.00015))
        cost = gate(now, was).metrics[1]
        assert (cost.metric, cost.status) == ("cost_usd", status)

    def test_replayed_answers_are_not_compared(self) -> None:
        was = side(GOOD, latency_s=(1.0, 1.0, 1.0))
        found = gate(side(GOOD, latency_s=(None, None, None)), was)
        assert (found.metrics[0].status, found.metrics[0].candidate) == ("not_compared", None)

    def test_a_first_run_tells_its_own_p95(self) -> None:
        found = gate(side(GOOD, latency_s=(1.0, 1.0, 4.0)), None)
        assert (found.metrics[0].status, found.metrics[0].candidate) == ("not_compared", 4.0)

    def test_more_errors_than_before_are_told(self) -> None:
        now = [[1.0, 1, None]] * 20 + [[1.0, 1, 1]] * 80
        found = gate(side(now), side([[1, 1, 1]] * 100), max_error_rate=0.2)
        errors = found.metrics[2]
        assert (errors.metric, errors.status, errors.candidate) == (
            "errors",
            "regressed",
            pytest.approx(20 / 300),
        )
