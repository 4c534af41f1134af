"""What later steps of a job may ask: `steps.<id>.outputs.status` and the like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ...adapters import git
from ...adapters.render import words
from ...adapters.render.markdown import headline, plain
from ...adapters.render.states import State
from ...adapters.render.story import Story
from ...model.report import Report
from ...settings import Settings

STATUS: dict[State, str] = {
    "regressed": "regressed",
    "floor_broken": "regressed",
    "user_error": "failed",
    "not_recorded": "cannot_judge",
    "cannot_judge": "cannot_judge",
    "not_comparable": "not_comparable",
    "suspected": "inconclusive",
    "already": "already_regressed",
    "undecided": "inconclusive",
    "not_run": "not_run",
    "interrupted": "not_judged",
    "partial": "not_judged",
    "nothing_shared": "no_baseline",
    "no_baseline": "no_baseline",
    "no_drop_seen": "inconclusive",
    "accepted": "pass",
    "pass": "pass",
    "unaffected": "unaffected",
}
_MOST_ROWS = 50


def outputs(report: Report, told: Sequence[Story], *, path: Path, settings: Settings) -> dict[str, str]:
    """Return the outputs of the step by name; each is one line.

    status     of the worst evalset, in one word
    exit_code  that pytest ended with for the evals
    regressed  JSON: `["triage: route shape=long", ...]`, the gates that fell and the floors that broke
    report     path of report.json from the repository's root, where it is below it
    cost       in US dollars, empty where a price is unknown
    headline   the verdict in one line
    """
    cost = report.run.totals.cost_usd
    return {
        "status": STATUS[told[0].state] if told else _status_of_none(report),
        "exit_code": str(report.exit_code),
        "regressed": json.dumps(_regressed(told), ensure_ascii=True),
        "report": _from_top(path, settings),
        "cost": "" if cost is None else f"{cost:.4f}",
        "headline": headline(report, told, quote=plain),
    }


def _status_of_none(report: Report) -> str:
    return "unaffected" if report.status == "unaffected" else "not_judged"


def _regressed(told: Sequence[Story]) -> list[str]:
    rows: list[str] = []
    for story in told:
        rows += [
            f"{story.name}: {words.row_name(v)}" for v in story.rows if v.gating and v.status == "regressed"
        ]
        rows += [f"{story.name}: {metric.metric}" for metric in story.broken_metrics]
        rows += [f"{story.name}: {f.kind} {words.floor_scorer(f)} in {f.case}" for f in story.broken]
    return [plain(row) for row in rows[:_MOST_ROWS]]


def _from_top(path: Path, settings: Settings) -> str:
    top = git.top_of(settings.root)
    try:
        return path.resolve().relative_to((top or settings.root).resolve()).as_posix()
    except ValueError:
        return str(path)
