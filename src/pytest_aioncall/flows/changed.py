"""`--aioncall-changed REF`: which files differ from where the working tree left REF, and what they are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..adapters import git
from ..adapters.config_file import FILE_NAME, load_config
from ..adapters.files import text_or_none
from ..adapters.git_tree import tree_at
from ..errors import LoadError, UsageError
from ..model.config import Config
from .bases import base_of

_PINS: Final = re.compile(
    r"(requirements|constraints)([\w.-]*)\.(txt|in)|[\w.-]*\.lock|pylock[\w.-]*\.toml|Pipfile|setup\.(py|cfg)"
    r"|environment\.ya?ml|\.python-version|\.tool-versions",
    re.IGNORECASE,
)
# Tables of pyproject.toml that decide what is installed, or how pytest runs; other tools' settings do not.
_TOOLS_THAT_MATTER: Final = ("poetry", "uv", "pdm", "hatch", "setuptools", "flit", "pytest", "pixi", "rye")
_PYTEST_FILES: Final = ("pytest.ini", ".pytest.ini", "tox.ini", "pytest.toml", ".pytest.toml")


@dataclass(slots=True)
class Change:
    """What differs on disk from the commit where the working tree left `ref`.

    top    the folder of the working tree, resolved
    files  paths of all that differs, below `top`; a submodule is one
    """

    ref: str
    commit: str
    root: Path
    top: Path
    files: frozenset[Path]
    _sections: tuple[str, ...] | None = None
    _pins: tuple[str, ...] | None = None
    _known: dict[Path, bool] = field(default_factory=dict)

    @classmethod
    def since(cls, ref: str, root: Path) -> Change:
        """Ask git. Raises UsageError without a repository, the ref or a merge base: what to do is said."""
        commit = base_of(root, ref, option="--aioncall-changed")
        top = git.top_of(root)
        names = git.files_differing(root, commit)
        if top is None or names is None:
            raise UsageError(
                f"--aioncall-changed {ref}: git cannot say what differs from {commit[:7]}; run all evalsets "
                "(leave the option away), or look at what git diff says"
            )
        odd = next((name for name in names if "\ufffd" in name), None)
        if odd is not None:
            raise UsageError(
                f"--aioncall-changed {ref}: a changed file has a name that is no UTF-8 ({odd!a}), so what "
                "it affects cannot be told; rename it"
            )
        top = top.resolve()
        return cls(ref, commit, root, top, frozenset(top / name.rstrip("/") for name in names))

    def shown(self, path: Path) -> str:
        """Name a changed file from the project root, or from the top folder where it lies outside."""
        for folder in (self.root.resolve(), self.top):
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return path.as_posix()

    def has(self, path: Path) -> bool:
        """Tell whether a file differs: under its own name, as what it links to, or in a changed submodule."""
        if path not in self._known:
            names = {path.parent.resolve() / path.name, path.resolve()}
            self._known[path] = any(
                name in self.files or any(parent in self.files for parent in name.parents) for name in names
            )
        return self._known[path]

    def among(self, paths: Iterable[Path]) -> list[Path]:
        """Return those of some paths that differ, each once."""
        return [path for path in dict.fromkeys(paths) if self.has(path)]

    def below(self, folder: Path) -> list[Path]:
        """Return the changed files in a folder, sorted."""
        start = folder.resolve()
        return sorted(path for path in self.files if path.is_relative_to(start))

    def pins(self) -> tuple[str, ...]:
        """Return the files that changed what is installed: of the root, its `requirements`, and above it."""
        if self._pins is None:
            root = self.root.resolve()
            folders = {root, root / "requirements", *root.parents}
            found = [
                path
                for path in sorted(self.files)
                if path.parent in folders and path.is_relative_to(self.top) and self._is_pin(path)
            ]
            self._pins = tuple(self.shown(path) for path in found)
        return self._pins

    def _is_pin(self, path: Path) -> bool:
        if path.name == "pyproject.toml":
            was = git.file_at(self.root, self.commit, path)
            return bool(_dependencies(text_or_none(path)) != _dependencies(was))
        in_folder = path.parent.name == "requirements" and path.suffix in (".txt", ".in")
        return bool(_PINS.fullmatch(path.name)) or in_folder

    def pytest_files(self, folder: Path) -> list[str]:
        """Return the changed files that decide how pytest runs what is in `folder`: conftest, ini files."""
        start = folder.resolve()
        above = {start, *start.parents, *self.root.resolve().parents, self.root.resolve()}
        return [
            self.shown(path)
            for path in sorted(self.files)
            if path.parent in above and (path.name == "conftest.py" or path.name in _PYTEST_FILES)
        ]

    def sections(self) -> tuple[str, ...]:
        """Return the sections of `aioncall.yaml` that changed; all where the old one cannot be read."""
        if self._sections is None:
            self._sections = tuple(self._changed_sections())
        return self._sections

    def _changed_sections(self) -> list[str]:
        every = list(Config.model_fields)
        if not self.has(self.root / FILE_NAME):
            return []
        try:
            now = load_config(self.root) if (self.root / FILE_NAME).is_file() else Config()
            with tree_at(self.root, self.commit) as tree:
                name = tree.name_of(self.root / FILE_NAME) or FILE_NAME
                tree.export([name])
                was = load_config((tree.folder / name).parent) if name in tree else Config()
        except LoadError:
            return every
        return [name for name in every if getattr(was, name) != getattr(now, name)]


def _dependencies(text: str | None) -> Any:
    """Return what of a pyproject.toml decides which code runs; the text itself where it cannot be read."""
    try:
        found = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError:
        return text
    tools = found.pop("tool", {})
    project = found.get("project")
    if isinstance(project, dict):
        found["project"] = {k: v for k, v in project.items() if k not in _ABOUT}
    if isinstance(tools, dict):
        found["tool"] = {name: tools[name] for name in _TOOLS_THAT_MATTER if name in tools}
    return found


# What a project says of itself installs nothing.
_ABOUT: Final = frozenset(
    {"description", "readme", "license", "license-files", "authors", "maintainers", "keywords",
     "classifiers", "urls", "version"}
)  # fmt: skip
