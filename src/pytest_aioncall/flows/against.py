"""`aioncall check --against REF`: what a change takes away from the gates, and which of it has a reason."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..adapters import git
from ..adapters.baseline_store import baseline_path
from ..adapters.config_file import FILE_NAME, load_config
from ..adapters.evalset_files import lines_of, load_evalset, parts_named
from ..adapters.files import exists
from ..adapters.git_tree import CommitTree, tree_at
from ..adapters.named_texts import names_in, places_of, text_behind
from ..decide.weakenings import (
    compare_evalsets,
    count_strengthened,
    excuse,
    moved_baseline,
    removed_baseline,
    removed_evalset,
    unreadable_version,
)
from ..decide.weakerconfig import compare_configs
from ..decide.weakergates import Scale, Version
from ..errors import LoadError, UsageError
from ..model.config import Config
from ..model.evalset import Evalset, ScorerSpec
from ..model.weakening import ChangeReview, Weakening, WeakeningEntry
from ..settings import Settings
from .checking import evalsets_in
from .prepare import Prepared, shown_path

_CASE_FILES = (".yaml", ".yml", ".jsonl")
_WILD = "*?["


def review_change(
    ref: str, prepared: Sequence[Prepared], *, named: Sequence[Path], settings: Settings
) -> ChangeReview:
    """Compare the working tree with the commit where it left `ref`.

    `prepared` are the evalsets as they are now; `named` the files and folders that were asked for, none for
    all. Raises UsageError without a repository, a ref or a merge base.
    """
    commit = base_of(settings.root, ref)
    for one in prepared:
        if not one.path.resolve().is_relative_to(settings.root.resolve()):
            raise UsageError(
                f"{one.path}: lies outside {settings.root}; run check --against in its own project"
            )
    with tree_at(settings.root, commit) as tree:
        old = _OldVersion(tree, settings)
        return _Review(ref, commit, old, settings).of(prepared, named=named)


def base_of(root: Path, ref: str) -> str:
    """Return the commit where the working tree left `ref`. Raises UsageError that says what to do."""
    if git.commit_of(root) is None:
        raise UsageError(
            f"{root}: git finds no repository with a commit here; --against compares with one (a folder of "
            "another user needs: git config --global --add safe.directory PATH)"
        )
    if not ref or ref.endswith("/"):
        raise UsageError(
            f"--against {ref!r} names no branch; a run that is no pull request has no base: name a commit, "
            "for example HEAD~1"
        )
    tip = None if ref.startswith("-") else git.commit_of(root, ref)
    if tip is None:
        branch = ref.rpartition("/")[2]
        raise UsageError(
            f"--against {ref}: no such commit here; fetch it first: git fetch origin {branch} "
            "(in GitHub Actions: actions/checkout with fetch-depth: 0)"
        )
    base = git.merge_base(root, tip)
    if base is None:
        raise UsageError(
            f"no merge base with {ref!r}: fetch the full history (actions/checkout with fetch-depth: 0; "
            "by hand: git fetch --unshallow), or name another ref"
        )
    return base


@dataclass(slots=True)
class _Old:
    """One evalset file of the old version: what it held, or why it cannot be read."""

    file: str
    path: Path
    evalset: Evalset | None = None
    problem: str = ""


class _OldVersion:
    """The project as it was, in a folder of its own; it is read and never imported."""

    def __init__(self, tree: CommitTree, settings: Settings) -> None:
        self.tree = tree
        self.settings = settings
        self.prefix = tree.name_of(settings.root) or ""
        self.root = tree.folder / self.prefix

    def evalsets(self) -> list[_Old]:
        """Load every evalset of the old version."""
        self.tree.export(self.tree.names(below=self.prefix, suffixes=(".eval.yaml",)))
        if not self.root.is_dir():
            return []
        found = [_Old(path.relative_to(self.root).as_posix(), path) for path in evalsets_in(self.root)]
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


@dataclass(slots=True)
class _Review:
    """Collects the weakenings of all evalsets and of the configuration."""

    ref: str
    commit: str
    old: _OldVersion
    settings: Settings
    found: list[Weakening] = field(default_factory=list)
    of_config: list[Weakening] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    strengthened: int = 0

    def of(self, prepared: Sequence[Prepared], *, named: Sequence[Path]) -> ChangeReview:
        olds = self.old.evalsets()
        configs = self.old.configs()
        config = load_config(self.settings.root)
        was_config = configs[0][1] if configs and configs[0][1] else Config()
        pairs = _paired(olds, prepared)
        for one, now in pairs:
            if now is not None:
                self._compare(one, now, was_config, config)
            elif one is not None and self._asked_for(one, named):
                gone = removed_evalset(one.evalset) if one.evalset else _unreadable(one, None)
                self.of_config.append(gone)
        for file, was, problem in configs:
            if was is None:
                self.of_config.append(unreadable_version(file, evalset=None, problem=problem))
            else:
                weaker = [
                    one if one.at_base else one.model_copy(update={"file": FILE_NAME})
                    for one in compare_configs(was, config, file=file)
                ]
                self.of_config += weaker
                self.strengthened += count_strengthened(weaker, compare_configs(config, was, file=file))
        entries = [entry for _, was, _ in configs if was for entry in was.weakening]
        self._excuse(self.of_config, was=entries, now=config.weakening, file=FILE_NAME)
        return ChangeReview(
            ref=self.ref,
            commit=self.commit,
            weakenings=tuple(self._placed()),
            strengthened=self.strengthened,
            notes=tuple(self.notes),
        )

    def _compare(self, one: _Old | None, now: Prepared, was_config: Config, config: Config) -> None:
        new = _version(
            now.evalset, config, root=self.settings.root, folder=now.path.parent, scales=_scales(now)
        )
        was_entries: tuple[WeakeningEntry, ...] = ()
        weaker: list[Weakening] = []
        if one is None:
            self.strengthened += 1
        elif one.evalset is None:
            weaker.append(_unreadable(one, now.name))
        else:
            scales = {**_scales(now), **_judge_scales(one.evalset.scorers)}
            old = _version(one.evalset, was_config, root=self.old.root, folder=one.path.parent, scales=scales)
            weaker += compare_evalsets(old, new)
            self.strengthened += count_strengthened(weaker, compare_evalsets(new, old))
            was_entries = one.evalset.weakening
            weaker += self._baseline(one.path, one.evalset.evalset, now)
        file = shown_path(now.path, self.settings.root)
        self._excuse(weaker, was=was_entries, now=now.evalset.weakening, file=file)

    def _baseline(self, old_file: Path, old_name: str, now: Prepared) -> Iterator[Weakening]:
        """Yield what became of a committed baseline that is not where the gate looks for it."""
        before, after = baseline_path(old_file, old_name), baseline_path(now.path, now.name)
        if not self.old.has(before):
            return
        was = before.relative_to(self.old.root).as_posix()
        new = shown_path(after, self.settings.root)
        if not exists(after):
            yield removed_baseline(now.name, was)
        elif was != new and old_name == now.name:
            yield moved_baseline(now.name, was, now=new)

    def _excuse(
        self,
        weaker: list[Weakening],
        *,
        was: Sequence[WeakeningEntry],
        now: Sequence[WeakeningEntry],
        file: str,
    ) -> None:
        today = (self.settings.now or datetime.now(UTC)).date()
        told, idle = excuse(weaker, was=was, now=now, today=today)
        self.found += [one.model_copy(update={"entry_file": file}) for one in told]
        self.notes += [
            f"{file}: weakening {entry.what!r} names nothing that this change weakens; take it out, or name "
            "the line as it is printed"
            for entry in idle
        ]

    def _asked_for(self, one: _Old, named: Sequence[Path]) -> bool:
        there = (self.settings.root / one.file).resolve()
        return not named or any(there.is_relative_to(path.resolve()) for path in named)

    def _placed(self) -> Iterator[Weakening]:
        """Yield what was found with its line, each file read once; cases know theirs."""
        wanted: dict[tuple[str, bool], set[str]] = {}
        for one in self.found:
            if not one.line:
                wanted.setdefault((one.file, one.at_base), set()).add(one.where)
        lines = {
            (file, at_base): lines_of((self.old.root if at_base else self.settings.root) / file, places)
            for (file, at_base), places in wanted.items()
        }
        for one in self.found:
            line = one.line or lines[one.file, one.at_base][one.where]
            yield one.model_copy(update={"line": line})


def _unreadable(one: _Old, evalset: str | None) -> Weakening:
    return unreadable_version(one.file, evalset=evalset, problem=one.problem)


def _paired(olds: Sequence[_Old], prepared: Sequence[Prepared]) -> list[tuple[_Old | None, Prepared | None]]:
    """Pair old and new evalsets: by name, the same file first; then what is left by file."""
    left = {one.file: one for one in olds}
    pairs: list[tuple[_Old | None, Prepared | None]] = []
    waiting = []
    for now in prepared:
        same = [one for one in left.values() if one.evalset and one.evalset.evalset == now.name]
        same.sort(key=lambda one: one.file != now.evalset.file)
        if same:
            pairs.append((left.pop(same[0].file), now))
        else:
            waiting.append(now)
    pairs += [(left.pop(now.evalset.file, None), now) for now in waiting]
    return [*pairs, *((one, None) for one in left.values())]


def _version(
    evalset: Evalset, config: Config, *, root: Path, folder: Path, scales: dict[str, Scale]
) -> Version:
    texts: dict[str, str] = {}
    for name in names_in(evalset):
        text = text_behind(name, root=root, folder=folder)
        if text is not None:
            texts[name] = text
    return Version(evalset, config.defaults, texts, scales)


def _scales(now: Prepared) -> dict[str, Scale]:
    return {name: info.scale for name, info in now.infos.items()}


def _judge_scales(scorers: Sequence[ScorerSpec]) -> dict[str, Scale]:
    """Return the scales of judges as their options say them: nothing of an old version is built."""
    found: dict[str, Scale] = {}
    for spec in scorers:
        if spec.kind != "judge":
            continue
        scale: Any = spec.options.get("scale", [1, 5])
        labels: Any = spec.options.get("labels")
        marks = list(labels.values()) if isinstance(labels, dict) else [0, 1] if labels else scale
        numbers = (
            [float(one) for one in marks if isinstance(one, int | float)] if isinstance(marks, list) else []
        )
        if len(numbers) > 1 and min(numbers) < max(numbers):
            found[spec.name] = (min(numbers), max(numbers))
    return found
