"""`aioncall runbook`: what to look at for a kind of alert, and where a team keeps its own pages of that."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from ..adapters.files import exists, replace_text
from ..adapters.render.runbooks import FOLDER, own_pages, page_of, text_of
from ..adapters.text import did_you_mean, log_line
from ..errors import UsageError
from ..model.alert import Alert, AlertKind, AlertsFile
from ..settings import Settings

KINDS: tuple[AlertKind, ...] = get_args(AlertKind)


@dataclass(frozen=True, slots=True)
class Written:
    """Pages that were written, and those that were there and stay as they are."""

    made: tuple[Path, ...]
    kept: tuple[Path, ...]


def shown(kind: str, *, evalset: str, run: str) -> str:
    """Return the page of a kind of alert with its commands filled in. Raises UsageError for another kind."""
    return text_of(_known(kind), evalset=evalset, run=run)


def write_pages(folder: Path) -> Written:
    """Write a page a kind, for a team to make its own; a page that is there is never written over."""
    made, kept = [], []
    for name, text in own_pages().items():
        path = folder / name
        if exists(path):
            kept.append(path)
        else:
            replace_text(path, text)
            made.append(path)
    return Written(tuple(made), tuple(kept))


def with_runbooks(alerts: AlertsFile, settings: Settings) -> AlertsFile:
    """Return the alerts with where their runbook is for this project."""
    evalsets = tuple(
        one.model_copy(
            update={
                "alerts": tuple(
                    alert.model_copy(update={"runbook": place_of(alert, run=alerts.run, settings=settings)})
                    for alert in one.alerts
                )
            }
        )
        for one in alerts.evalsets
    )
    return alerts.model_copy(update={"evalsets": evalsets})


def place_of(alert: Alert, *, run: str, settings: Settings) -> str:
    """Return the address of an alert's runbook, else the command that prints it.

    `oncall.runbooks` is an address or a folder of the repository; without it, docs/runbooks if there is one.
    """
    base = (settings.config.oncall.runbooks or "").rstrip("/")
    if base.startswith("https://"):
        return f"{base}/{alert.kind}.md"
    page = f"{base}/{alert.kind}.md" if base else page_of(alert.kind)
    if exists(settings.root / page):
        github = settings.github
        if github.repository:
            return f"{github.server_url}/{github.repository}/blob/HEAD/{page}"
        return page
    return f"aioncall runbook {alert.kind} --evalset {shlex.quote(alert.evalset)} --run {shlex.quote(run)}"


def default_folder(settings: Settings) -> Path:
    """Return where the pages go when nobody says: the configured folder, else docs/runbooks."""
    base = settings.config.oncall.runbooks or FOLDER
    if base.startswith("https://"):
        raise UsageError("oncall.runbooks is an address; name a folder: aioncall runbook --write DIR")
    return settings.root / base


def _known(kind: str) -> AlertKind:
    for one in KINDS:
        if one == kind.replace("-", "_"):
            return one
    near = did_you_mean(kind, KINDS)
    hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(KINDS)}"
    raise UsageError(f"{log_line(kind, 60)}: no such kind of alert; {hint}")
