"""An evalset project as it was at a commit: exported to a folder of its own, read and never imported."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ..adapters.config_file import FILE_NAME, load_config
from ..adapters.evalset_files import load_evalset, parts_named
from ..adapters.files import exists
from ..adapters.git_tree import CommitTree
from ..adapters.named_texts import names_in, places_of
from ..errors import LoadError
from ..model.config import Config
from ..model.evalset import Evalset
from ..settings import Settings
from .evalset_paths import evalsets_in

_CASE_FILES = (".yaml", ".yml", ".jsonl")
_WILD = "*?["


@dataclass(slots=True)
class OldEvalset:
    """One evalset file of the old version: what it held, or why it cannot be read."""

    file: str
    path: Path
    evalset: Evalset | None = None
    problem: str = ""


class OldVersion:
    """The project as it was, in a folder of its own; it is read and never imported."""

    def __init__(self, tree: CommitTree, settings: Settings) -> None:
        self.tree = tree
        self.settings = settings
        self.prefix = tree.name_of(settings.root) or ""
        self.root = tree.folder / self.prefix

    def evalsets(self) -> list[OldEvalset]:
        """Load every evalset of the old version."""
        self.tree.export(self.tree.names(below=self.prefix, suffixes=(".eval.yaml",)))
        if not self.root.is_dir():
            return []
        found = [OldEvalset(path.relative_to(self.root).as_posix(), path) for path in evalsets_in(self.root)]
        for one in found:
            name, patterns = parts_named(one.path)
            self.tree.export(self._included(one.path, name=name, patterns=patterns))
            self._borrow(one.path, patterns)
            try:
                one.evalset = load_evalset(one.path, root=self.root)
                folders = (self.root, one.path.parent)
                for name in names_in(one.evalset):
                    places = places_of(name, folders=folders)
                    self.tree.export(p for place in places for p in self._entries_to(self._name(place)))
            except LoadError as error:
                one.problem = str(error.problems[0])
        return found

    def configs(self) -> list[tuple[str, Config | None, str]]:
        """Return (path from the root, configuration or None, problem) of each old file that held here.

        That is the one of the root; without one, the nearest above it, or those below it that are gone.
        """
        names = [self._join(FILE_NAME)]
        if names[0] not in self.tree:
            above = list(_parents(self.prefix))
            names = [name for folder in above if (name := posixpath.join(folder, FILE_NAME)) in self.tree][:1]
            names += [
                name
                for name in self.tree.names(below=self.prefix, suffixes=(f"/{FILE_NAME}",))
                if not exists(self.tree.top / name)
            ]
        self.tree.export(names)
        found: list[tuple[str, Config | None, str]] = []
        for name in names:
            place = self.tree.folder / name
            shown = posixpath.relpath(name, self.prefix or ".")
            try:
                found.append((shown, load_config(place.parent), ""))
            except LoadError as error:
                found.append((shown, None, str(error.problems[0])))
        return found

    def has(self, path: Path) -> bool:
        """Tell whether a file (named as it lies in the old folder) was committed."""
        return self._name(path) in self.tree

    def _included(self, path: Path, *, name: str | None, patterns: Sequence[str]) -> Iterator[str]:
        """Yield the names of the files that an evalset may include."""
        folder = posixpath.dirname(self._name(path))
        patterns = [*patterns, f"incidents/{name}/*.yaml"] if name else patterns
        for pattern in patterns:
            parts = pattern.replace("\\", "/").split("/")
            fixed = next((i for i, part in enumerate(parts) if any(c in part for c in _WILD)), len(parts))
            below = posixpath.normpath(posixpath.join(folder, *parts[:fixed]))
            if below.startswith(("..", "/")):
                continue
            yield from self._entries_to(below)
            start = "" if below == "." else below
            for found in self.tree.names(below=start, suffixes=_CASE_FILES):
                if _fits(found.removeprefix(start).strip("/").split("/"), parts[fixed:]):
                    yield found

    def _borrow(self, path: Path, patterns: Sequence[str]) -> None:
        """Take what git does not keep as it is today: made in CI, ignored, of a submodule.

        Only where an `include` has nothing else, since an evalset without it would not load.
        """
        today = self.settings.root / path.parent.relative_to(self.root)
        for pattern in patterns:
            try:
                if not any(path.parent.glob(pattern)):
                    for there in today.glob(pattern):
                        self.tree.borrow(there)
            except (ValueError, OSError, NotImplementedError, IndexError):
                continue  # not a path or glob: the loader says so

    def _entries_to(self, name: str) -> Iterator[str]:
        """Yield a name and the folders it lies in: one of them may be a link."""
        yield name
        yield from _parents(name)

    def _name(self, path: Path) -> str:
        return posixpath.normpath(path.relative_to(self.tree.folder).as_posix())

    def _join(self, name: str) -> str:
        return posixpath.join(self.prefix, name)


def _fits(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Tell whether a path may match a glob; where `**` leaves it open, by its last part."""
    if "**" in pattern:
        return pattern[-1] == "**" or fnmatch(path[-1], pattern[-1])
    return len(path) == len(pattern) and all(map(fnmatch, path, pattern))


def _parents(name: str) -> Iterator[str]:
    while name:
        name = posixpath.dirname(name)
        yield name
