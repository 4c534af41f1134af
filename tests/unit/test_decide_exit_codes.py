"""One table of exit codes: the first that applies."""

from __future__ import annotations

import itertools

import pytest

from pytest_aioncall.decide.exit_codes import exit_code_of, run_exit_code, run_status
from pytest_aioncall.model.verdict import Judgement, RunStatus

CODES = {"pass": 0, "regressed": 1, "inconclusive": 0, "cannot_judge": 7}


def said(status: RunStatus, code: int | None = None) -> Judgement:
    return Judgement(status=status, exit_code=CODES[status] if code is None else code)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((), 0), ((0, 0), 0), ((0, 8), 8), ((8, 7), 7), ((7, 1, 8), 1), ((1, 4, 0), 4), ((0, 7), 7)],
)
def test_the_first_code_of_the_table_that_any_evalset_has_is_the_runs(
    codes: tuple[int, ...], expected: int
) -> None:
    for order in itertools.permutations(codes):
        assert run_exit_code([said("pass", code) for code in order]) == expected


def test_bad_usage_comes_before_everything_and_failed_tests_before_what_cannot_be_judged() -> None:
    judgements = [said("cannot_judge"), said("pass", 8)]
    assert run_exit_code(judgements, tests_failed=True) == 1
    assert run_exit_code(judgements, tests_failed=True, bad_usage=True) == 4
    assert run_exit_code([], bad_usage=True) == 4


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("pass", "pass"), "pass"),
        (("pass", "inconclusive"), "inconclusive"),
        (("inconclusive", "cannot_judge"), "cannot_judge"),
        (("cannot_judge", "regressed", "pass"), "regressed"),
        ((), "cannot_judge"),
    ],
)
def test_a_run_is_as_bad_as_its_worst_evalset(statuses: tuple[RunStatus, ...], expected: RunStatus) -> None:
    assert run_status([said(status) for status in statuses]) == expected


@pytest.mark.parametrize(
    ("status", "failed", "fail_inconclusive", "missing", "expected"),
    [
        ("pass", False, True, False, 0),
        ("inconclusive", False, False, False, 0),
        ("inconclusive", False, True, False, 7),
        ("inconclusive", False, True, True, 7),
        ("inconclusive", False, False, True, 8),
        ("cannot_judge", False, False, True, 7),
        ("cannot_judge", True, False, True, 1),
        ("regressed", True, True, True, 1),
    ],
)
def test_one_evalset(
    status: RunStatus, failed: bool, fail_inconclusive: bool, missing: bool, expected: int
) -> None:
    found = exit_code_of(
        status=status, failed=failed, fail_inconclusive=fail_inconclusive, baseline_missing=missing
    )
    assert found == expected
