"""All looks in their order; a project that does not load is told, and looked at as far as that goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...adapters import git
from ...adapters.config_file import find_root
from ...adapters.render import words
from ...adapters.text import log_line
from ...errors import LoadError, UsageError
from ...model.config import Config
from ...protocols import Calls
from ...settings import Settings, merge_settings
from ..checking import Checked, check
from ..evalrun import settings_for
from ..scaffold_github import Place
from .findings import Finding, Fine, Looked, Patient, Said, sorted_out
from .online import look_at_github
from .project import look_at_baselines, look_at_judges, look_at_keys, look_at_store, look_at_versions
from .repository import look_at_history, look_at_oncall, look_at_repository
from .workflows import look_at_owners, look_at_workflows

_LISTED = 10
_LESS = "what it names does not count, or counts otherwise than it seems"


def look(start: Path, flags: Mapping[str, Any], *, online: bool, calls: Calls | None = None) -> Looked:
    """Return everything that is missing. Calls no model, changes nothing, and asks GitHub only `online`.

    `calls` is the way to GitHub; None opens one.
    """
    said: list[Said] = list(look_at_versions())
    unreadable = False
    try:
        settings = settings_for(start, {**flags, "mode": "replay"})
        said.append(
            Fine("configuration", "aioncall.yaml" if (settings.root / "aioncall.yaml").is_file() else "none")
        )
    except LoadError as error:
        unreadable = True
        said += [_problem("configuration", str(problem)) for problem in error.problems]
        settings = _without_configuration(start)
    found: Checked | None = None
    if not unreadable:
        try:
            found = check([], settings)
        except UsageError as error:
            said.append(_problem("evalsets", str(error)))
        unreadable = found is None or bool(found.problems)
        said += _told(found) if found is not None else []
    patient = Patient(settings, Place.of(settings.root), found.prepared if found else ())
    said += _looks(patient)
    if online:
        said += _online(patient, calls)
    return sorted_out(iter(said), unreadable=unreadable)


def _looks(patient: Patient) -> Iterator[Said]:
    yield from look_at_keys(patient)
    yield from look_at_baselines(patient)
    yield from look_at_judges(patient)
    yield from look_at_store(patient)
    yield from look_at_repository(patient)
    if git.top_of(patient.root) is not None:
        yield from look_at_workflows(patient)
        yield from look_at_owners(patient)
        yield from look_at_history(patient)
    yield from look_at_oncall(patient)


def _online(patient: Patient, calls: Calls | None) -> Iterator[Said]:
    if calls is not None:
        yield from look_at_github(patient, calls)
        return
    from ...adapters.net.calls import Caller

    with Caller() as caller:
        yield from look_at_github(patient, caller)


def _without_configuration(start: Path) -> Settings:
    """Return settings with every default: what does not depend on the file can still be looked at."""
    root = find_root(start)
    try:
        return merge_settings(Config(), root=root, flags={})
    except LoadError:  # what is wrong stands in the environment, and has been told
        return merge_settings(Config(), root=root, flags={}, environ={})


def _problem(check: str, text: str) -> Finding:
    return Finding(check, "must", text, "no eval runs until it loads", "mend it, then: aioncall check")


def _told(found: Checked) -> Iterator[Said]:
    for problem in found.problems:
        yield _problem("evalsets", log_line(problem, 600))
    # Keys and old baselines are looked at on their own, with what mends them.
    others = [w for w in found.warnings if "is not set; a live run" not in w and "the baseline is" not in w]
    for warning in others[:_LISTED]:
        yield Finding(
            "evalsets",
            "should",
            log_line(warning, 600),
            _LESS,
            "mend it, then: aioncall check",
        )
    if len(others) > _LISTED:
        more = f"{len(others) - _LISTED} more warnings"
        yield Finding("evalsets", "should", more, _LESS, "aioncall check lists all")
    if not found.problems:
        yield Fine("evalsets", f"{words.counted(len(found.evalsets), 'evalset')}, {found.cases} cases load")
