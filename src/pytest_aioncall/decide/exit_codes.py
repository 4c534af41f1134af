"""The one table of exit codes, and the status of a whole run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..model.verdict import Judgement, RunStatus

ExitCode = Literal[0, 1, 4, 7, 8]

OK: ExitCode = 0
FAILED: ExitCode = 1
BAD_USAGE: ExitCode = 4
CANNOT_JUDGE: ExitCode = 7
NO_BASELINE: ExitCode = 8

# The first that applies wins.
PRECEDENCE: tuple[ExitCode, ...] = (BAD_USAGE, FAILED, CANNOT_JUDGE, NO_BASELINE, OK)
WORST_FIRST: tuple[RunStatus, ...] = ("regressed", "cannot_judge", "inconclusive", "pass")


def run_exit_code(
    judgements: Sequence[Judgement], *, bad_usage: bool = False, tests_failed: bool = False
) -> int:
    """Return the exit code of a run.

    judgements    one an evalset
    bad_usage     a file, a configuration or a command line was wrong, so nothing was run: 4
    tests_failed  an ordinary test failed, or the user's own code raised in a case: 1
    """
    codes = {judgement.exit_code for judgement in judgements}
    if bad_usage:
        codes.add(BAD_USAGE)
    if tests_failed:
        codes.add(FAILED)
    return next((code for code in PRECEDENCE if code in codes), OK)


def run_status(judgements: Sequence[Judgement]) -> RunStatus:
    """Return the worst status: regressed, cannot judge, inconclusive, pass. Nothing judged is no pass."""
    found = {judgement.status for judgement in judgements}
    return next((status for status in WORST_FIRST if status in found), "cannot_judge")


def exit_code_of(
    *,
    status: RunStatus,
    failed: bool,
    fail_inconclusive: bool,
    baseline_missing: bool,
) -> ExitCode:
    """Return the exit code of one evalset.

    failed             a floor broken, a gate regressed, or the user's own code raised
    fail_inconclusive  asked to fail on what could not be decided
    baseline_missing   a baseline is required and is missing or not comparable
    """
    if failed:
        return FAILED
    if status == "cannot_judge" or (status == "inconclusive" and fail_inconclusive):
        return CANNOT_JUDGE
    return NO_BASELINE if baseline_missing else OK
