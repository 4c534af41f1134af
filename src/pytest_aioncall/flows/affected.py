"""Can a change affect an evalset? Every cause is named; where it cannot be told, that is a cause, too."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from glob import escape
from pathlib import Path
from typing import Any, Final

from ..adapters.baseline_store import baseline_path, outputs_path
from ..adapters.cassettes import cassette_file
from ..adapters.evalset_files import parts_named
from ..adapters.imports import is_import_string
from ..adapters.static_imports import ProjectCode, Reached, entry_module
from ..model.evalset import ScorerSpec
from ..settings import Settings
from .cassettes import FOLDER, SUFFIX
from .changed import Change
from .checking import models_of
from .prepare import Prepared, subject_files

MOST_NAMED: Final = 3
"""Files of one kind that a cause names."""
# Sections of aioncall.yaml that decide what is asked, of whom, at which price, and how it is judged.
_FOR_ALL: Final = ("defaults", "redact", "store")
_FOR_MODELS: Final = ("providers", "prices")
# Targets whose behaviour is not code that this process imports, nor a prompt that it reads.
_ELSEWHERE: Final = {
    "http": "a server answers, and its code is not known",
    "command": "a command answers, and what it reads is not known",
}


@dataclass(slots=True)
class Affected:
    """Tells of each evalset why a change can affect it; an evalset without a cause is unaffected."""

    change: Change
    settings: Settings
    _code: ProjectCode | None = None
    _causes: dict[Path, tuple[str, ...]] = field(default_factory=dict)

    @property
    def code(self) -> ProjectCode:
        """The project's code, read once for all evalsets."""
        if self._code is None:
            self._code = ProjectCode(self.settings.root, top=self.change.top)
        return self._code

    def causes(self, one: Prepared) -> tuple[str, ...]:
        """Return what of the change can affect an evalset, one line a kind; empty where nothing can."""
        if one.path not in self._causes:
            found = _Causes(one, self.change, self.settings, self.code) if self.change.files else None
            self._causes[one.path] = tuple(found.found()) if found is not None else ()
        return self._causes[one.path]


@dataclass(slots=True)
class _Causes:
    """Looks for the causes of one evalset."""

    one: Prepared
    change: Change
    settings: Settings
    code: ProjectCode

    def found(self) -> Iterator[str]:
        """Yield the causes, the surest first."""
        yield from self._told("evalset", [self.one.path])
        yield from self._told("cases", self._included())
        yield from self._told("subject", self._subject())
        yield from self._named_files()
        reached = self.code.reached_from(self._modules())
        yield from self._told("code", self.change.among(sorted(reached.files)))
        yield from self._data(reached)
        path = baseline_path(self.one.path, self.one.name)
        yield from self._told("baseline", [path, outputs_path(path)])
        yield from self._cassette()
        yield from self._configuration()
        yield from self._installed()
        yield from self._open(reached)

    def _told(self, word: str, paths: Iterable[Path]) -> Iterator[str]:
        names = [self.change.shown(path) for path in self.change.among(paths)]
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            yield f"{word}: {', '.join(names[:MOST_NAMED])}{more}"

    def _included(self) -> Iterator[Path]:
        """Yield the changed files that an `include` names, those that are gone as well."""
        root = self.settings.root
        own = self.one.evalset.file
        files = {case.file for case in self.one.evalset.cases} - {"", own}
        yield from (root / file for file in sorted(files))
        name, patterns = parts_named(self.one.path)
        folder = self.one.path.parent
        for pattern in [*patterns, f"incidents/{name or self.one.name}/*.yaml"]:
            yield from self._matching(folder, pattern)

    def _subject(self) -> Iterator[Path]:
        yield from subject_files(self.one, self.settings.root)
        for pattern in self.one.evalset.subject.files:
            yield from self._matching(self.settings.root, pattern)

    def _matching(self, folder: Path, pattern: str) -> Iterator[Path]:
        """Yield the changed files that a glob below `folder` may match; they need not be there any more."""
        start = escape(folder.resolve().as_posix())
        wanted = posixpath.normpath(posixpath.join(start, pattern.replace("\\", "/")))
        for path in sorted(self.change.files):
            if _may_match(path.as_posix().split("/"), wanted.split("/")):
                yield path

    def _named_files(self) -> Iterator[str]:
        """Tell of files and folders that an option of the target or of a scorer names."""
        target = self.one.evalset.target
        yield from self._told("target", self._behind(_texts([target.arg, target.options])))
        specs = [text for spec in self._specs() for text in _texts([spec.arg, spec.options])]
        yield from self._told("scorer", self._behind(specs))

    def _behind(self, texts: Iterable[str]) -> Iterator[Path]:
        for text in dict.fromkeys(texts):
            name = text.strip()
            if not name or "\n" in name or "\0" in name or len(name) > 300:
                continue
            for folder in (self.settings.root, self.one.path.parent):
                place = Path(posixpath.normpath((folder.resolve() / name).as_posix()))
                yield place
                if place != folder.resolve():
                    yield from self.change.below(place)

    def _specs(self) -> Iterator[ScorerSpec]:
        yield from self.one.evalset.scorers
        for case in self.one.evalset.cases:
            yield from case.scorers
            yield from case.must

    def _modules(self) -> list[str]:
        """Return the modules that the evalset names: target, scorers, and kinds that plugins bring."""
        evalset = self.one.evalset
        target = evalset.target
        texts = [*_texts([target.kind, target.arg, target.options]), *evalset.errors.transport]
        modules = entry_module("aioncall.targets", target.kind)
        for spec in self._specs():
            texts += _texts([spec.kind, spec.arg, spec.options])
            modules += entry_module("aioncall.scorers", spec.kind)
        modules += [text.partition(":")[0] for text in texts if is_import_string(text)]
        return list(dict.fromkeys(modules))

    def _data(self, reached: Reached) -> Iterator[str]:
        """Tell of files that the code may read: inside its packages, or named in it."""
        inside, named = [], []
        packages = {package.resolve() for package in reached.packages}
        for path in sorted(self.change.files):
            if path.suffix in (".py", ".pyi"):
                # Code that is loaded by its file's name, not by an import.
                if path.name in reached.words and path not in reached.files:
                    named.append(path)
            elif any(package in path.parents for package in packages):
                inside.append(path)
            elif any(part in reached.words for part in self._parts(path)):
                named.append(path)
        yield from self._told("inside its packages", inside)
        yield from self._told("named in its code", named)

    def _parts(self, path: Path) -> tuple[str, ...]:
        root = self.settings.root.resolve()
        return path.relative_to(root if path.is_relative_to(root) else self.change.top).parts

    def _cassette(self) -> Iterator[str]:
        if self.settings.mode in ("replay", "fallback", "extend"):
            stem = self.one.path.name.removesuffix(SUFFIX)
            yield from self._told("recording", [cassette_file(self.one.path.parent / FOLDER, stem)])

    def _configuration(self) -> Iterator[str]:
        sections = [name for name in self.change.sections() if name in _FOR_ALL]
        if models_of(self.one) or self.one.evalset.target.kind not in _BUILT_IN:
            sections += [name for name in self.change.sections() if name in _FOR_MODELS]
        if sections:
            yield f"aioncall.yaml: {', '.join(sections)}"

    def _installed(self) -> Iterator[str]:
        if pins := self.change.pins():
            yield f"what is installed: {', '.join(pins[:MOST_NAMED])}"
        if files := self.change.pytest_files(self.one.path.parent):
            yield f"how pytest runs: {', '.join(files[:MOST_NAMED])}"

    def _open(self, reached: Reached) -> Iterator[str]:
        """Tell what could not be looked into: then every change that may concern it counts."""
        evalset = self.one.evalset
        elsewhere = _ELSEWHERE.get(evalset.target.kind)
        if elsewhere and not evalset.subject.files:
            yield f"cannot tell: {elsewhere}; name its files under subject"
        if reached.open and any(path.suffix in _CODE for path in self.change.files):
            first, *more = reached.open
            yield f"cannot tell: {first}{f' (and {len(more)} more such places)' if more else ''}"
        yield from self._searched(reached)

    def _searched(self, reached: Reached) -> Iterator[str]:
        """Tell of a file that is no code where the code looks for files by names that are not written out."""
        data = [path for path in sorted(self.change.files) if path.suffix not in (".py", ".pyi")]
        for folder, line in reached.searched.items():
            found = next((path for path in data if path.is_relative_to(folder)), None)
            if found is not None:
                yield f"cannot tell: {line}, and {self.change.shown(found)} may be one"
                return


_CODE: Final = frozenset({".py", ".pyi", ".pyx", ".pxd", ".so", ".pyd", ".c", ".cpp", ".rs"})
_BUILT_IN: Final = frozenset({"python", "chat", "http", "command", "replay"})


def _may_match(path: list[str], pattern: list[str]) -> bool:
    """Tell whether a path may match a glob; after `**` by what the pattern ends with."""
    for nth, part in enumerate(pattern):
        if part == "**":
            rest = pattern[nth + 1 :]
            return len(path) >= nth and (not rest or fnmatch(path[-1], rest[-1]))
        if nth >= len(path) or not fnmatch(path[nth], part):
            return False
    return len(path) == len(pattern)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return []
