"""The workflows of `aioncall init --github`, written where they are missing, told where they would differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .. import __version__
from ..adapters import git
from ..adapters.files import exists, files_in, replace_text, text_or_none
from ..adapters.text import log_line
from ..adapters.workflow_files import Origin, written_as
from ..errors import UsageError
from ..model.config import Config
from .scaffold_github import DAILY, WORKFLOWS, Place, refuse_impossible, workflow_texts

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Written:
    """One file that `init` made, changed, left as it was or did without; `note` says why, or what to do.

    diff  lines that would go (-) and come (+) if the file were written now, where it `differs`
    """

    path: str
    state: str
    note: str = ""
    diff: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnGitHub:
    """What `--github` is to write: `shards` of the daily run; what pip installs (None: this version).

    update  write over the workflows that are there, too, where git has them as they are
    """

    shards: int | None = None
    install: str | None = None
    update: bool = False


def settled(root: Path, github: OnGitHub) -> OnGitHub:
    """Return the options, what was not said this time as the workflows that are there were written with.

    Raises UsageError for what no workflow can have.
    """
    origins = list(_origins(Place.of(root).top))
    if github.install is None:
        github = replace(github, install=_said(origins, "--install"))
    if github.shards is None and (said := _said(origins, "--shards") or "").isdecimal():
        github = replace(github, shards=int(said))
    refuse_impossible(shards=github.shards, install=github.install)
    return github


def write_workflows(root: Path, config: Config, github: OnGitHub) -> list[Written]:
    """Write the workflows that are missing, and those that would differ where `github.update` is set.

    Raises UsageError before any is written where that would lose what git does not have.
    """
    top = Place.of(root).top
    texts = workflow_texts(root, config, version=__version__, shards=github.shards, install=github.install)
    for name, text in texts.items() if github.update else ():
        path = top / WORKFLOWS / name
        there = text_or_none(path)
        if exists(path) and there != text and (there is None or there != git.file_at(top, "HEAD", path)):
            why = "is not committed as it stands, so nothing could give it back after --update"
            raise UsageError(f"{WORKFLOWS}/{name}: {why}; commit it first, or delete it")
    written = [
        _write(top / WORKFLOWS / name, text, shown=f"{WORKFLOWS}/{name}", github=github)
        for name, text in texts.items()
    ]
    for name in sorted(DAILY - set(texts)):
        if exists(top / WORKFLOWS / name):
            written.append(Written(f"{WORKFLOWS}/{name}", "left", "a second daily run beside it; delete it"))
    return written


def _write(path: Path, text: str, *, shown: str, github: OnGitHub) -> Written:
    there = text_or_none(path)
    if there == text:
        return Written(shown, "kept")
    if exists(path) and not github.update:
        return Written(shown, "differs", "kept; written now, it would be:", tuple(_diff(there or "", text)))
    state = "updated" if exists(path) else "made"
    replace_text(path, text)
    return Written(shown, state)


def _diff(there: str, text: str) -> Iterator[str]:
    lines = difflib.unified_diff(there.splitlines(), text.splitlines(), n=0, lineterm="")
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("---", "+++")]
    for line in changed[:_SHOWN]:
        yield log_line(f"{line[0]} {line[1:]}", 200)
    if len(changed) > _SHOWN:
        yield f"... {len(changed) - _SHOWN} more lines"


def _origins(top: Path) -> Iterator[Origin]:
    for path in files_in(top / WORKFLOWS, "aioncall-*.yml"):
        origin = written_as(text_or_none(path) or "")
        if origin is not None:
            yield origin


def _said(origins: list[Origin], option: str) -> str | None:
    return next((said for one in origins if (said := one.option(option)) is not None), None)
