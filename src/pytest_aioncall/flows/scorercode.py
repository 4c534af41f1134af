"""Code behind a scorer that is not its own: what its module imports, and what that imports in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..adapters import git
from ..adapters.files import text_or_none
from ..adapters.imports import is_import_string
from ..adapters.named_texts import places_of, same_code, texts_of
from ..adapters.static_imports import ProjectCode, entry_module
from ..model.evalset import Evalset
from ..model.weakening import Weakening
from ..settings import Settings
from .changed import Change
from .prepare import Prepared, shown_path

_MOST_NAMED = 3


def weaker_behind(
    prepared: Sequence[Prepared], settings: Settings, *, ref: str, commit: str
) -> Iterator[Weakening]:
    """Yield a proposal for each scorer of the base of which a branch changed what it imports of the project.

    Nobody can tell which way such a change goes, so it is shown. The scorer's own definition is compared by
    its text elsewhere; here, too, comments and docstrings change nothing.
    """
    asked = [(one, scorers) for one in prepared if (scorers := _modules_of(one))]
    top = git.top_of(settings.root) if asked else None
    names = git.files_differing(settings.root, commit) if top is not None else None
    if top is None or not names:
        return
    top = top.resolve()
    change = Change(ref, commit, settings.root, top, frozenset(top / name.rstrip("/") for name in names))
    look = _Look(change, ProjectCode(settings.root, top=top), {})
    for one, scorers in asked:
        for scorer, modules in scorers.items():
            if files := look.changed_behind(modules):
                file = shown_path(one.path, settings.root)
                yield _proposal(one.name, scorer, [change.shown(f) for f in files], entry_file=file)


class _Look:
    """Looks behind modules; whether a file changed as code is found out once."""

    def __init__(self, change: Change, code: ProjectCode, differing: dict[Path, bool]) -> None:
        self.change, self.code, self.differing = change, code, differing

    def changed_behind(self, modules: Sequence[str]) -> list[Path]:
        """Return the changed files that modules reach, without those that hold the modules themselves."""
        root = self.change.root.resolve()
        own = {place.resolve() for name in modules for place in places_of(f"{name}:_", folders=(root,))}
        reached = self.change.among(sorted(self.code.reached_from(modules).files))
        return [file for file in reached if file.resolve() not in own and self._differs(file)]

    def _differs(self, file: Path) -> bool:
        if file not in self.differing:
            was = git.file_at(self.change.root, self.change.commit, file)
            self.differing[file] = not same_code(was, text_or_none(file))
        return self.differing[file]


def _modules_of(one: Prepared) -> dict[str, list[str]]:
    """Return the modules that each scorer of the base's evalset names, by the scorer's name."""
    was: Evalset | None = one.rules.evalset if one.rules is not None else None
    found: dict[str, list[str]] = {}
    if was is None:
        return found
    by_case = (spec for case in was.cases for spec in (*case.scorers, *case.must))
    for spec in (*was.scorers, *by_case):
        modules = [text.partition(":")[0] for text in texts_of(spec) if is_import_string(text)]
        for module in (*modules, *entry_module("aioncall.scorers", spec.kind)):
            known = found.setdefault(spec.name, [])
            if module not in known:
                known.append(module)
    return found


def _proposal(evalset: str, scorer: str, files: Sequence[str], *, entry_file: str) -> Weakening:
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return Weakening(
        kind="scorer_loosened",
        evalset=evalset,
        what=f"scorer {scorer}: code that it imports",
        was="as it was",
        now=f"changed: {', '.join(files[:_MOST_NAMED])}{more} (cannot tell, taken as looser)",
        file=files[0],
        line=1,
        entry_file=entry_file,
        not_excused="for whoever reviews the change to judge",
    )
