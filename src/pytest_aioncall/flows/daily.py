"""The base's daily runs, for a change that is not to be blamed for what it did not do.

Read where they are: a folder, or a branch as git has it here. Nothing is fetched. A branch cannot excuse
itself: where the runs are kept and how old they may be is what the merge base says, and neither a revision
nor a folder that the branch has committed is taken for the base's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..adapters import git
from ..decide.sides import Side
from ..errors import UsageError
from ..model.config import Defaults
from ..model.history import HistoryEntry
from ..model.oncall import Monitors
from ..model.verdict import Judgement
from ..settings import Settings
from .bases import base_of, how_to_fetch

if TYPE_CHECKING:
    from ..decide.excused import Blame
    from .baserules import BaseVersion

MOST_RUNS: Final = 120
"""Daily runs that are read, newest first: to say since when a row is red."""
ISSUES: Final = "issues"
"""Kind of the records that name the open issue of an evalset."""
_ORIGIN: Final = "refs/remotes/origin"
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(slots=True)
class Daily:
    """The base's newest daily runs and its open issues: in `folder`, or on a branch at `commit`.

    They are read when something regressed, which most runs never do. `monitors` are those of the base.
    """

    settings: Settings
    monitors: Monitors
    folder: Path | None = None
    commit: str | None = None
    _known: _Known | None = None

    @classmethod
    def of(cls, settings: Settings, base: BaseVersion | None) -> Daily | None:
        """Find what `daily` names, or the history branch where a base is given and git has it here.

        None where there is none. Raises UsageError where one is named and is not there, or is the branch's.
        """
        if settings.daily is None and settings.baseline_ref is None:
            return None
        monitors = base.monitors if base is not None else settings.config.monitors
        if settings.daily is not None and Path(settings.daily).is_dir():
            _refuse_own(Path(settings.daily), settings)
            return cls(settings, monitors, folder=Path(settings.daily))
        commit = _commit(settings, monitors)
        if commit is None and settings.daily is not None:
            if settings.daily.startswith((".", "/", "~")) or settings.daily.endswith("/"):
                raise UsageError(
                    f"--aioncall-daily {settings.daily}: no such folder; name the folder of a history, or "
                    "its branch: origin/aioncall-history"
                )
            raise UsageError(
                f"--aioncall-daily {settings.daily}: no such folder, and no such branch is here; "
                f"{how_to_fetch(settings.root, settings.daily)}"
            )
        return None if commit is None else cls(settings, monitors, commit=commit)

    def blame(self, judgement: Judgement, candidate: Side, *, evalset: str, defaults: Defaults) -> Blame:
        """Return which regressed rows of an evalset were so before this change."""
        # Needed when all has run, so it is not loaded before anything was asked.
        from ..decide.notblamed import judged_days, rows_red_before

        known = self._read()
        return rows_red_before(
            judgement,
            candidate,
            judged_days(known.entries, evalset),
            defaults=defaults,
            branch=_branch(self.settings),
            today=(self.settings.now or datetime.now(UTC)).date(),
            most_days=self.monitors.no_data_days,
            recovery_days=self.monitors.recovery_days,
            issue=known.issues.get(evalset),
        )

    def _read(self) -> _Known:
        if self._known is None:
            self._known = self._from_folder(self.folder) if self.folder is not None else self._from_branch()
        return self._known

    def _from_branch(self) -> _Known:
        from ..adapters.git_tree import tree_at

        try:
            with tree_at(self.settings.root, self.commit or "") as tree:
                tree.export(sorted(tree.names(below="runs", suffixes=(".json",)))[-MOST_RUNS:])
                tree.export(tree.names(below=ISSUES, suffixes=(".json",)))
                return self._from_folder(tree.folder)
        except UsageError:
            if self.settings.daily is None:
                return _Known()  # nobody asked for it, and a part of it is not here
            raise

    def _from_folder(self, folder: Path) -> _Known:
        from ..adapters.history import HistoryFolder

        history = HistoryFolder(folder)
        entries = _of_base(history.entries(), self.settings)[-MOST_RUNS:]
        return _Known(tuple(entries), _issues(history.records(ISSUES)))


@dataclass(frozen=True, slots=True)
class _Known:
    """The newest daily runs, oldest first, and the open issue of each evalset."""

    entries: tuple[HistoryEntry, ...] = ()
    issues: Mapping[str, tuple[int, str | None]] = field(default_factory=dict)


def _of_base(entries: Sequence[HistoryEntry], settings: Settings) -> Sequence[HistoryEntry]:
    """Return the runs of commits that the base has: the daily run of one branch says nothing of another."""
    if settings.baseline_ref is None:
        return entries
    commits = git.commits_of(settings.root, settings.baseline_ref)
    if commits is None:
        return ()
    return [one for one in entries if one.commit is not None and one.commit in commits]


def _refuse_own(folder: Path, settings: Settings) -> None:
    """Refuse a folder that the branch has changed itself. Raises UsageError."""
    if settings.baseline_ref is None:
        return
    base = base_of(settings.root, settings.baseline_ref, option="--aioncall-baseline-ref")
    if git.committed_since(settings.root, base, folder) is not False:
        raise UsageError(
            f"--aioncall-daily {folder}: this branch has changed what git keeps there, so it says nothing of "
            "the base; name a branch, or a folder that is fetched in the job"
        )


def _commit(settings: Settings, monitors: Monitors) -> str | None:
    """Return where the history branch is: as the remote has it, never what a branch under test can name."""
    if settings.daily is None:
        return git.commit_of_branch(settings.root, monitors.history, below=_ORIGIN)
    folders = ["refs/remotes", _ORIGIN]
    if not settings.ci or settings.baseline_ref is None:
        # A checkout of a pull request may have its branch here, under a name of its author's choice.
        folders.append("refs/heads")
    found = (git.commit_of_branch(settings.root, settings.daily, below=folder) for folder in folders)
    return next(filter(None, found), None)


def _branch(settings: Settings) -> str:
    """Return what the base is called: the pull request's base, else the ref that is compared with."""
    name = settings.github.base_ref or (settings.baseline_ref or "main").removeprefix("origin/")
    return "the base" if _COMMIT.fullmatch(name) else name


def _issues(records: Mapping[str, Any]) -> dict[str, tuple[int, str | None]]:
    """Return the open issue of each evalset; a record that says something else is passed over."""
    found: dict[str, tuple[int, str | None]] = {}
    for name, data in records.items():
        if not isinstance(data, dict) or data.get("state", "open") != "open":
            continue
        number, url = data.get("number"), data.get("url")
        if isinstance(number, int) and not isinstance(number, bool):
            evalset = data.get("evalset", name)
            found[str(evalset)] = (number, url if isinstance(url, str) else None)
    return found
