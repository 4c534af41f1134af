"""Looks at the project itself: versions, files that load, keys, baselines, the store."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from shlex import quote

from ... import __version__
from ...adapters import git
from ...adapters.baseline_store import baseline_path
from ...adapters.files import exists, is_writable
from ...errors import AioncallError
from ..judge import find_baseline
from ..prepare import Prepared, shown_path
from ..scaffold_github import key_variables
from ..standing import age_of
from .findings import Finding, Fine, Patient, Said, Unknown

_OLDEST_PYTEST = (8, 3)


def look_at_versions() -> Iterator[Said]:
    """Say which versions work together here."""
    try:
        pytest = version("pytest")
    except PackageNotFoundError:
        yield Finding(
            "versions",
            "must",
            "pytest is not installed",
            "evals run under pytest",
            'pip install "pytest>=8.3"',
        )
        return
    numbers = tuple(int(n) for n in re.findall(r"\d+", pytest)[:2])
    if numbers < _OLDEST_PYTEST:
        yield Finding(
            "versions",
            "must",
            f"pytest {pytest} is older than 8.3",
            "the plugin uses hooks that it does not have",
            'pip install --upgrade "pytest>=8.3"',
        )
        return
    yield Fine(
        "versions", f"Python {platform.python_version()}, pytest {pytest}, pytest-aioncall {__version__}"
    )


def look_at_keys(patient: Patient) -> Iterator[Said]:
    """Say which keys are not set here, by the name of their variable; a value is never shown."""
    names = key_variables(patient.settings.config)
    missing = [name for name in names if not patient.settings.secrets.get(name)]
    for name in missing:
        yield Finding(
            "keys",
            "should",
            f"{name} is not set here",
            "live runs on this machine cannot ask its provider; recorded answers need no key",
            f"export {name}=... (never in a file of the repository)",
            "aioncall.yaml",
        )
    if names and not missing:
        yield Fine("keys", f"{', '.join(names)}: set")


def look_at_baselines(patient: Patient) -> Iterator[Said]:
    """Say which evalsets have no baseline, an old one, or one that CI will never see."""
    before = None
    for one in patient.prepared:
        for said in _baseline(one, patient):
            before = said
            yield said
    if patient.prepared and before is None:
        yield Fine("baselines", "every evalset has one that is committed and young enough")


def _baseline(one: Prepared, patient: Patient) -> Iterator[Said]:
    path = baseline_path(one.path, one.name)
    shown = shown_path(path, patient.root)
    run = f"pytest --aioncall {quote(shown_path(one.path, patient.root))}"
    accept = f'{run} && aioncall baseline accept {quote(one.name)} --reason "..."'
    if not exists(path):
        why = "the gate has nothing to compare with, so nothing can turn red but a must, a require or a min"
        yield Finding("baselines", "must", f"{one.name} has no baseline", why, accept, shown)
        return
    try:
        found = find_baseline(one.path, one.name, patient.settings)
    except AioncallError:
        return  # the file is broken, which is told as a problem of the evalset
    if found.baseline is not None:
        limit = one.evalset.baseline_max_age_days or patient.settings.config.defaults.baseline_max_age_days
        age = age_of(found.baseline.header, patient.settings.now or datetime.now(UTC), limit=limit)
        if age.state == "old":
            why = f"the limit is {limit} days: the daily run will open an issue for it"
            yield Finding(
                "baselines", "should", f"the baseline of {one.name} is {age.told}", why, accept, shown
            )
    if git.commit_of(patient.root) is not None and not git.is_tracked(patient.root, path):
        why = "a pull request is judged by the baseline at its merge base, which is read from git"
        fix = f"git add {quote(shown)} {quote(shown.removesuffix('.jsonl') + '.outputs.jsonl')}, then commit"
        yield Finding("baselines", "must", f"the baseline of {one.name} is not committed", why, fix, shown)


def look_at_judges(patient: Patient) -> Iterator[Said]:
    """Say whose judges nobody has held against people's marks, as far as this can be told."""
    judged = [one.name for one in patient.prepared if any(s.traits.models for s in one.scorers.values())]
    if judged:
        why = "calibrations are not kept by this version; compare a sample of the judge's marks with your own"
        yield Unknown(f"judges of {', '.join(judged)}", why)


def look_at_store(patient: Patient) -> Iterator[Said]:
    """Say whether runs can be kept, and that git leaves them alone."""
    store = patient.settings.config.store
    if not is_writable(patient.root / store):
        yield Finding(
            "store",
            "must",
            f"{store}/ cannot be written",
            "every sample is kept there while a run goes on; without it no run starts",
            f"make {patient.root / store} writable, or name another folder as `store` in aioncall.yaml",
            store,
        )
        return
    if git.top_of(patient.root) is not None and not git.is_ignored(patient.root, f"{store}/runs"):
        yield Finding(
            "store",
            "should",
            f"git does not ignore {store}/",
            "runs hold what models answered, and would be committed with the next `git add`",
            f"echo '{store}/' >> .gitignore",
            ".gitignore",
        )
        return
    yield Fine("store", f"{store}/ can be written, and git ignores it")
