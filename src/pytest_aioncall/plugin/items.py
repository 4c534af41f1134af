"""Evalset files and cases as pytest sees them: one item a case, its epochs inside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from . import garbage
from .longreprs import Lines

if TYPE_CHECKING:
    from ..engine import Job
    from ..flows.outcome import Outcome
    from ..flows.prepare import Prepared
    from .session import OnCallSession


class CaseFailure(Exception):
    """Fail an item: a must or require is broken, or the user's own code raised."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.reason)


class EvalsetFile(pytest.File):
    """One `*.eval.yaml`. A file that does not load yields no item; the session refuses to start then."""

    oncall: OnCallSession

    def collect(self) -> Iterable[CaseItem]:
        prepared = self.oncall.prepare(self.path)
        if prepared is None:
            return
        marks = _Marks(prepared)
        with garbage.paused():
            items = [self._item(job) for job in prepared.jobs]
        for item in items:
            marks.put_on(item, item.job)
        yield from items

    def _item(self, job: Job) -> CaseItem:
        item: CaseItem = CaseItem.from_parent(self, name=job.case.id, job=job, oncall=self.oncall)
        return item


class _Marks:
    """Marks by slice, made once for all items with the same slices."""

    def __init__(self, prepared: Prepared) -> None:
        evalset = prepared.evalset
        self._common = [pytest.mark.aioncall(evalset=evalset.evalset, owner=evalset.owner).mark]
        self._by_slices: dict[tuple[tuple[str, str], ...], list[Any]] = {}

    def put_on(self, item: CaseItem, job: Job) -> None:
        key = tuple(sorted(job.case.slices.items()))
        if key not in self._by_slices:
            marks = [pytest.mark.aioncall(slice=f"{k}={v}").mark for k, v in key]
            self._by_slices[key] = [*self._common, *marks]
        # A copy: a conftest that marks one item must not mark its neighbours.
        item.own_markers = list(self._by_slices[key])


class CaseItem(pytest.Item):
    """One case. `runtest` waits for the engine; a wrong answer alone is a miss, which the gates judge."""

    def __init__(self, *, job: Job, oncall: OnCallSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.oncall = oncall
        self.outcome: Outcome | None = None
        self._keywords_told: Mapping[str, Any] = {}

    def runtest(self) -> None:
        outcome = self.oncall.run_case(self)
        self.outcome = outcome
        self.user_properties.extend(outcome.properties)
        if outcome.kind in {"broken", "user_error"}:
            raise CaseFailure(outcome)
        if outcome.kind in {"unjudged", "not_recorded", "cancelled"}:
            raise pytest.skip.Exception(outcome.reason, _use_item_location=True)

    @property
    def extra_keyword_matches(self) -> set[str]:
        """Words that a conftest adds for `-k`: made when asked for, since 10,000 empty sets take 2 MiB."""
        words: set[str] = self.__dict__.setdefault("_extra_words", set())
        return words

    @extra_keyword_matches.setter
    def extra_keyword_matches(self, words: set[str]) -> None:
        if words:
            self.__dict__["_extra_words"] = words

    def share_keywords(self, report: pytest.TestReport) -> None:
        """Let the three reports of an item, which pytest keeps until the end, have one table of keywords."""
        if report.keywords == self._keywords_told:
            report.keywords = self._keywords_told
        else:
            self._keywords_told = report.keywords

    def listextrakeywords(self) -> set[str]:
        """Let `-k` find a case by evalset and slice; made on demand, since 10,000 sets would cost 2 MiB."""
        words = super().listextrakeywords()
        return words | {self.job.evalset, *(f"{k}={v}" for k, v in self.job.case.slices.items())}

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CaseFailure):
            return Lines("\n".join(excinfo.value.outcome.lines))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, max(0, self.job.case.line - 1), self.name


def forget_phases(config: pytest.Config, nodeid: str) -> None:
    """Let the terminal drop what it keeps of the set-up and teardown of a case: nothing happened there.

    It keeps three reports an item until the end, for `--durations` alone where they passed.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or config.option.durations is not None:
        return
    kept = reporter.stats.get("", [])
    while kept and kept[-1].nodeid == nodeid:
        kept.pop()


def is_sure(item: pytest.Item) -> bool:
    """Tell whether an item will run for sure: what may be skipped is asked when its turn comes."""
    return not any(item.get_closest_marker(name) for name in ("skip", "skipif", "xfail"))


def without_repeats(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the items with each case once, also where `--keep-duplicates` collects it again."""
    seen: set[tuple[str, str]] = set()
    kept: list[pytest.Item] = []
    for item in items:
        if isinstance(item, CaseItem):
            key = (item.job.evalset, item.job.case.id)
            if key in seen:
                continue
            seen.add(key)
        kept.append(item)
    return kept
