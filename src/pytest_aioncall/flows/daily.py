"""The base's daily runs, for a change that is not to be blamed for what it did not do.

Read where they are: a folder, or a branch as git has it here. Nothing is fetched.
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
from ..model.verdict import Judgement
from ..settings import Settings

if TYPE_CHECKING:
    from ..adapters.history import HistoryFolder
    from ..decide.notblamed import Blame

MOST_RUNS: Final = 120
"""Daily runs that are read, newest first: to say since when a row is red."""
ISSUES: Final = "issues"
"""Kind of the records that name the open issue of an evalset."""
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Daily:
    """The newest daily runs of the base, oldest first, and the open issue of each evalset.

    branch  the base's name for people; `most_days` how old its newest run may be and still be news
    """

    entries: tuple[HistoryEntry, ...]
    branch: str
    now: datetime
    most_days: int
    issues: Mapping[str, tuple[int, str | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Daily | None:
        """Read what `daily` names, or the history branch where a base is given and git has it here.

        None where there is none. Raises UsageError where one is named and is not there.
        """
        if settings.daily is None and settings.baseline_ref is None:
            return None
        # Most runs have no base to look at, and start without it.
        from ..adapters.git_tree import tree_at
        from ..adapters.history import HistoryFolder

        if settings.daily is not None and Path(settings.daily).is_dir():
            return cls._made(HistoryFolder(Path(settings.daily)), settings)
        commit = _commit(settings)
        if commit is None:
            if settings.daily is None:
                return None
            raise UsageError(
                f"--aioncall-daily {settings.daily}: no such folder, and no such branch is here; fetch it "
                f"first: git fetch origin {settings.daily.removeprefix('origin/')}"
            )
        try:
            with tree_at(settings.root, commit) as tree:
                tree.export(sorted(tree.names(below="runs", suffixes=(".json",)))[-MOST_RUNS:])
                tree.export(tree.names(below=ISSUES, suffixes=(".json",)))
                return cls._made(HistoryFolder(tree.folder), settings)
        except UsageError:
            if settings.daily is None:
                return None  # nobody asked for it, and a part of it is not here
            raise

    def blame(self, judgement: Judgement, candidate: Side, *, evalset: str, defaults: Defaults) -> Blame:
        """Return which regressed rows of an evalset were so before this change."""
        # Needed when all has run, so it is not loaded before anything was asked.
        from ..decide.notblamed import judged_days, rows_red_before

        return rows_red_before(
            judgement,
            candidate,
            judged_days(self.entries, evalset),
            defaults=defaults,
            branch=self.branch,
            today=self.now.date(),
            most_days=self.most_days,
            issue=self.issues.get(evalset),
        )

    @classmethod
    def _made(cls, history: HistoryFolder, settings: Settings) -> Daily:
        return cls(
            entries=tuple(_of_base(history.entries(), settings)[-MOST_RUNS:]),
            branch=_branch(settings),
            now=settings.now or datetime.now(UTC),
            most_days=settings.config.monitors.no_data_days,
            issues=_issues(history.records(ISSUES)),
        )


def _of_base(entries: Sequence[HistoryEntry], settings: Settings) -> Sequence[HistoryEntry]:
    """Return the runs of commits that the base has: the daily run of one branch says nothing of another."""
    if settings.baseline_ref is None:
        return entries
    commits = git.commits_of(settings.root, settings.baseline_ref)
    if commits is None:
        return ()
    return [one for one in entries if one.commit is None or one.commit in commits]


def _commit(settings: Settings) -> str | None:
    name = settings.daily or settings.config.monitors.history
    places = (name, f"origin/{name}") if settings.daily else (f"origin/{name}", name)
    return next((found for place in places if (found := git.commit_of(settings.root, place))), None)


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
