"""What xdist's workers send: samples on the reports of their cases, and what each of them collected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..model.sample import Sample
    from .items import CaseItem
    from .session import OnCallSession


@dataclass(frozen=True, slots=True)
class Sent:
    """The samples of one case, and where it comes from; `kept` are the epochs that a resumed run had."""

    file: str
    case: str
    samples: list[Sample]
    kept: list[int]


def attach(report: Any, item: CaseItem, lines: Sequence[str], *, kept: Sequence[int] = ()) -> None:
    """Put samples, as lines of JSON, on a report: xdist sends its attributes along."""
    if lines or kept:
        report.aioncall_samples = {
            "file": str(item.path),
            "case": item.job.case.id,
            "lines": list(lines),
            "kept": list(kept),
        }


def detach(report: Any) -> Sent | None:
    """Take the samples off a report; None where it carries none."""
    sent = getattr(report, "aioncall_samples", None)
    if sent is None:
        return None
    del report.aioncall_samples
    from ..model.sample import Sample

    samples = [Sample.model_validate_json(line) for line in sent["lines"]]
    return Sent(sent["file"], sent["case"], samples, sent["kept"])


class WorkerListener:
    """Hears of xdist's workers; registered only where xdist is there."""

    def __init__(self, session: OnCallSession) -> None:
        self._session = session

    def pytest_configure_node(self, node: Any) -> None:
        self._session.tell_worker(node.workerinput)

    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._session.take_collected(ids)

    def pytest_testnodedown(self, node: Any) -> None:
        self._session.take_worker(getattr(node, "workeroutput", None) or {})


def listeners(config: pytest.Config, session: OnCallSession) -> Iterable[object]:
    """Return the plugins that only make sense beside another plugin."""
    if config.pluginmanager.hasplugin("xdist"):
        yield WorkerListener(session)
