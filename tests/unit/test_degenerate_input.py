"""Odd input has a stated answer: a status, an exit code, a reason, and a sentence that names what is odd.

`docs/reference/verdicts.md` lists the same answers for users.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.cli import main
from pytest_aioncall.decide.compare import Side, judge
from pytest_aioncall.errors import UsageError
from pytest_aioncall.model.baseline import CaseRow, ScorerInfo
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.verdict import Judgement, Verdict

Scores = Sequence[Sequence[float | None]]
INFO = ScorerInfo(kind="exact", hash="h")
GOOD: Scores = [[1, 1, 1]] * 10
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "verdicts.md"


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    """A division by zero that somebody was lucky with is no answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def side(
    scores: Scores,
    *,
    info: ScorerInfo = INFO,
    names: Sequence[str] = (),
    cluster: str | None = None,
    parts: Sequence[str] = (),
    planned: int | None = None,
) -> Side:
    rows = tuple(
        CaseRow(
            case=names[i] if names else f"c{i:03d}",
            digest="d",
            cluster=cluster,
            slices={"part": parts[i]} if parts else {},
            scores={"s": tuple(one)},
        )
        for i, one in enumerate(scores)
    )
    return Side(rows=rows, scorers={"s": info}, planned_epochs=planned)


def gate(now: Side, was: Side | None, *gates: Gate, **asked: Any) -> Judgement:
    rules: dict[str, Any] = {"evalset": "e", "gates": gates, "defaults": Defaults(), "max_error_rate": 0.02}
    return judge(now, was, **(rules | asked))


def answer(found: Judgement) -> tuple[str, int, str]:
    return found.status, found.exit_code, found.verdicts[0].reason


def row(found: Judgement, **part: str) -> Verdict:
    return next(v for v in found.verdicts if v.slice == (part or None))


class TestFewOrEqual:
    """Hardly anything to compare."""

    def test_one_case_that_answers_as_before_is_open(self) -> None:
        found = gate(side([[1, 1, 1]]), side([[1, 1, 1]]))
        assert answer(found) == ("inconclusive", 0, "no_drop_seen")

    def test_one_case_that_fell_in_every_epoch_is_red(self) -> None:
        assert answer(gate(side([[0, 0, 0]]), side([[1, 1, 1]]))) == ("regressed", 1, "dropped")

    def test_one_case_of_one_epoch_asks_for_three(self) -> None:
        found = gate(side([[0]]), side([[1]]))
        assert answer(found) == ("inconclusive", 0, "one_epoch")
        assert "run 3 epochs on both sides" in found.summary

    def test_all_ties_in_a_large_suite_pass(self) -> None:
        found = gate(side([[1, 0, 1]] * 200), side([[1, 0, 1]] * 200))
        assert answer(found) == ("pass", 0, "within_margin")
        assert (row(found).p, row(found).difference) == (0.5, 0.0)

    def test_all_ties_in_a_small_suite_are_open(self) -> None:
        found = gate(side([[1, 0, 1]] * 10), side([[1, 0, 1]] * 10))
        assert answer(found) == ("inconclusive", 0, "no_drop_seen")

    @pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
    def test_constant_scores_are_no_certainty(self, value: float) -> None:
        same = side([[value] * 3] * 60)
        found = gate(same, same)
        assert answer(found) == ("pass", 0, "within_margin")
        ci = row(found).ci
        assert ci is not None
        assert ci[0] < -0.01 < 0.01 < ci[1]
        assert answer(gate(side([[value] * 3] * 8), side([[value] * 3] * 8)))[2] == "no_drop_seen"

    def test_one_cluster_is_one_unit_and_tells_nothing_of_others_like_it(self) -> None:
        fallen = [[0, 0, 0]] * 60
        now, was = side(fallen, cluster="doc"), side([[1, 1, 1]] * 60, cluster="doc")
        asked = gate(now, was, Gate(scorer="s", claim="cases-like-these"))
        assert answer(asked) == ("inconclusive", 0, "suspected")
        assert (row(asked).ci, row(asked).n_clusters) == ((-1.0, 1.0), 1)

    def test_one_cluster_by_itself_is_judged_as_these_cases(self) -> None:
        now, was = side([[0, 0, 0]] * 60, cluster="doc"), side([[1, 1, 1]] * 60, cluster="doc")
        found = gate(now, was)
        assert (answer(found), row(found).claim) == (("regressed", 1, "dropped"), "these-cases")

    def test_uneven_epochs_count_each_case_once(self) -> None:
        now = side([[1.0]] * 5 + [[1.0, 0.0]] * 5 + [[0.0, 1, 1, 1, 1]] * 5)
        found = row(gate(now, side([[1, 1, 1]] * 15)))
        assert found.candidate == pytest.approx((1 + 0.5 + 0.8) / 3)

    @pytest.mark.parametrize(
        ("passed", "expected"),
        [(1000, ("pass", 0, "within_margin")), (500, ("regressed", 1, "dropped"))],
    )
    def test_a_thousand_epochs_of_one_case_speak_of_that_case(
        self, passed: int, expected: tuple[str, int, str]
    ) -> None:
        now = side([[1.0] * passed + [0.0] * (1000 - passed)])
        found = gate(now, side([[1.0] * 1000]))
        assert answer(found) == expected
        assert (row(found).n_cases, row(found).claim) == (1, "these-cases")

    def test_so_do_a_thousand_continuous_ones(self) -> None:
        one = side([[(i * 37 % 1009) / 1009 for i in range(1000)]])
        other = side([[(i * 53 % 1009) / 1009 for i in range(1000)]])
        assert answer(gate(one, other)) == ("pass", 0, "within_margin")


class TestMissing:
    """Samples without a score, sides without a case."""

    @pytest.mark.parametrize("limit", [0.02, 1.0])
    def test_a_run_without_any_score_cannot_be_judged(self, limit: float) -> None:
        found = gate(side([[None] * 3] * 10), side(GOOD), max_error_rate=limit)
        assert answer(found) == ("cannot_judge", 7, "errors_at_floor")
        assert "30 of 30 samples errored" in found.summary

    def test_a_baseline_without_any_score_is_nothing_to_compare_with(self) -> None:
        found = gate(side(GOOD), side([[None] * 3] * 10))
        assert answer(found) == ("inconclusive", 0, "nothing_to_compare")
        assert found.summary == "the baseline has no score of any case in common"

    def test_one_scorer_that_never_scored_is_an_outage(self) -> None:
        infos = {"a": INFO, "b": ScorerInfo(kind="judge", hash="h")}

        def both(b: float | None) -> Side:
            rows = [
                CaseRow(case=f"c{i}", digest="d", scores={"a": (1.0,) * 3, "b": (b,) * 3}) for i in range(60)
            ]
            return Side(rows=tuple(rows), scorers=infos)

        found = gate(both(None), both(1.0))
        assert (found.status, found.exit_code) == ("cannot_judge", 7)
        assert [v.reason for v in found.verdicts] == ["within_margin", "errors_at_floor"]

    def test_a_slice_whose_every_case_errored_holds_the_run_from_a_pass(self) -> None:
        parts = ["a"] * 200 + ["b"] * 12
        was = side([[1, 1, 1]] * 212, parts=parts)
        now = side([[1.0, 1, 1]] * 200 + [[None] * 3] * 12, parts=parts)
        found = gate(now, was, Gate(scorer="s", slices=("part",)), max_error_rate=0.1)
        assert (found.status, found.exit_code) == ("inconclusive", 0)
        assert (row(found, part="b").reason, row(found, part="b").judged) == ("errors_at_floor", 0)
        assert "could pass only without its errors" in found.summary

    def test_a_case_without_a_sample_is_an_error_and_no_pass(self) -> None:
        found = gate(side([*GOOD[:9], []]), side(GOOD))
        assert (found.status, found.exit_code) == ("cannot_judge", 7)
        assert "1 of 28 samples errored" in found.summary

    def test_no_sample_at_all_cannot_be_judged(self) -> None:
        found = gate(side([[]] * 10), side(GOOD))
        assert answer(found) == ("cannot_judge", 7, "errors_at_floor")

    @pytest.mark.parametrize("was", [None, side(GOOD), side([])], ids=["no baseline", "baseline", "empty"])
    def test_no_case_cannot_be_judged(self, was: Side | None) -> None:
        found = gate(side([]), was)
        assert answer(found) == ("cannot_judge", 7, "nothing_to_compare")
        assert found.summary == "cannot judge: there is no case"

    @pytest.mark.parametrize(("required", "code"), [(False, 0), (True, 8)])
    def test_no_case_in_common_is_no_pass(self, required: bool, code: int) -> None:
        other = side(GOOD, names=[f"x{i}" for i in range(10)])
        found = gate(other, side(GOOD), baseline_required=required)
        assert answer(found) == ("inconclusive", code, "nothing_to_compare")
        assert found.summary.startswith("no case in common with the baseline")


class TestRefused:
    """What cannot be meant is refused by name (exit 4), whichever side it is on."""

    @pytest.mark.parametrize("wrong", [1.2, -0.1, math.nan, math.inf, -math.inf])
    def test_a_score_off_its_scale(self, wrong: float) -> None:
        odd = side([[1.0, wrong, 1.0], *GOOD[1:]])
        for sides in ((odd, side(GOOD)), (side(GOOD), odd)):
            with pytest.raises(UsageError, match=r"case 'c000', epoch 1: s scored .* outside its scale"):
                gate(*sides)

    @pytest.mark.parametrize("scale", [(1, 1), (2, 1), (0, math.inf), (math.nan, 1)])
    def test_a_scale_without_width(self, scale: tuple[float, float]) -> None:
        info = ScorerInfo(kind="exact", scale=scale)
        with pytest.raises(UsageError, match=r"is no scale; give \[lowest, highest\]"):
            gate(side([[1]], info=info), None)

    @pytest.mark.parametrize("name", ["candidate", "baseline"])
    def test_a_case_that_stands_twice(self, name: str) -> None:
        twice, once = side(GOOD[:2], names=["a", "a"]), side(GOOD[:1], names=["a"])
        with pytest.raises(UsageError, match=f"{name}: case 'a' stands there twice"):
            gate(*((twice, once) if name == "candidate" else (once, twice)))

    @pytest.mark.parametrize("margin", [math.inf, math.nan, 1.01])
    def test_a_margin_wider_than_the_scale_or_none(self, margin: float) -> None:
        rule = Gate(scorer="s").model_copy(update={"margin": margin})
        with pytest.raises(UsageError, match="is more than its scale"):
            gate(side(GOOD), side(GOOD), rule)

    def test_a_margin_of_infinity_on_the_command_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["gate", "--candidate", "x", "--margin", "inf"]) == 4
        assert "inf is no margin" in capsys.readouterr().err

    def test_the_same_epoch_twice_in_flat_scores(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = json.dumps({"case_id": "a", "scorer": "s", "scale": [0, 1], "score": 1})
        (tmp_path / "now.jsonl").write_text(f"{line}\n{line}\n")
        assert main(["gate", "--root", str(tmp_path), "--candidate", str(tmp_path / "now.jsonl")]) == 4
        assert "now.jsonl:2" in (said := capsys.readouterr().err)
        assert "stands in line 1 already; give each repeat its own epoch" in said

    @pytest.mark.parametrize("score", ["NaN", "Infinity", "1e999", "1.2"])
    def test_a_flat_score_that_is_no_score(
        self, score: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "now.jsonl").write_text(
            f'{{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": {score}}}\n'
        )
        assert main(["gate", "--root", str(tmp_path), "--candidate", str(tmp_path / "now.jsonl")]) == 4
        assert "now.jsonl:1" in capsys.readouterr().err


class TestZeros:
    """Zeros of all kinds."""

    def test_a_margin_of_0_passes_no_equal_run_and_suspects_none(self) -> None:
        found = gate(side([[1, 1, 1]] * 60), side([[1, 1, 1]] * 60), Gate(scorer="s", margin=0))
        assert answer(found) == ("inconclusive", 0, "no_drop_seen")

    def test_negative_zero_is_zero(self) -> None:
        minus, plus = side([[-0.0, 0.0, -0.0]] * 10), side([[0.0] * 3] * 10)
        assert gate(minus, plus).model_dump_json() == gate(plus, plus).model_dump_json()
        assert "-0.0" not in gate(minus, minus).model_dump_json()


def test_the_reference_lists_every_answer() -> None:
    """The table for users names each of the odd inputs that stand here, with its exit code."""
    listed = PAGE.read_text(encoding="utf-8")
    for name in (
        "one case", "all ties", "no score at all", "one cluster", "constant scores", "outside the scale",
        "infinite margin", "0 epochs", "stands twice", "no case in common", "`NaN`", "negative zero",
        "scale without width", "a scorer that never scored", "a slice whose every case errored",
        "uneven epochs", "1,000 epochs of one case", "margin of 0", "no case",
    ):  # fmt: skip
        assert name in listed, name
