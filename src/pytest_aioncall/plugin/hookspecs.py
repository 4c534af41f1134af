"""Moments that a conftest.py can take part in. Each docstring starts with the question it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..flows.outcome import Outcome
    from ..model.evalset import Case
    from ..model.report import Report
    from ..model.sample import Sample
    from ..settings import Settings


@pytest.hookspec(firstresult=True)
def pytest_aioncall_settings(config: pytest.Config, settings: Settings) -> Settings | None:
    """How do I change settings in code? Return a changed copy (`dataclasses.replace`), or None."""


def pytest_aioncall_case_finished(case: Case, samples: Sequence[Sample], outcome: Outcome) -> None:
    """How do I see every case with its samples? Called where the case ran: under xdist in the worker."""


def pytest_aioncall_run_finished(report: Report) -> None:
    """How do I send the result somewhere? Called once, after gates are judged and reports written."""
