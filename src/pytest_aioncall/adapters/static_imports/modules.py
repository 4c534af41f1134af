"""Which files of a project some code reaches, found by reading it: nothing is imported and nothing is run.

A module reaches what it imports, at its top or inside a function, whichever branch that stands in, and what
those import in turn. What only shows at run time is not guessed: it is told (`open`), so that a caller can
take everything for reached.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from .places import searched, values_in, words_in

_LARGEST: Final = 4 * 1024 * 1024
_FOREIGN: Final = frozenset({"site-packages", "dist-packages", ".venv", "venv", ".tox", ".nox"})
_LOADERS: Final = frozenset({"import_module", "__import__"})
# What runs or finds code by a name that only shows at run time.
_UNSEEN: Final = {
    "exec": "runs text as code",
    "run_path": "runs a file as code",
    "run_module": "runs a module by name",
    "spec_from_file_location": "loads a file as a module",
    "iter_modules": "looks for modules",
    "walk_packages": "looks for modules",
    "entry_points": "looks for entry points",
    "Popen": "starts a program",
    "check_output": "starts a program",
    "check_call": "starts a program",
    "create_subprocess_exec": "starts a program",
    "create_subprocess_shell": "starts a program",
}
_STARTS: Final = frozenset({("subprocess", "run"), ("subprocess", "call"), ("os", "system"), ("os", "popen")})


@dataclass(slots=True)
class Reached:
    """What some modules reach.

    files     modules of the project, and where one would stand that was not found: it may have been deleted
    packages  folders of packages: files in them may be read as data
    words     parts of the paths that string constants may be, each with the module it stands in
    open      why more may be reached than is seen, one line each: `app.py:12 imports a module by a name ...`
    searched  folders in which files are found by a name that only shows at run time, each with such a line
    """

    files: set[Path] = field(default_factory=set)
    packages: set[Path] = field(default_factory=set)
    words: dict[str, Path] = field(default_factory=dict)
    open: dict[str, None] = field(default_factory=dict)
    searched: dict[Path, str] = field(default_factory=dict)


class ProjectCode:
    """The Python code of one project, each module read once.

    root  is looked in first, then `src` below it, then what of `sys.path` lies in `top`
    top   the folder of the working tree; what lies outside it or in an environment inside it is not ours
    """

    def __init__(self, root: Path, *, top: Path) -> None:
        self._top = top.resolve()
        self._root = root.resolve()
        folders = [root, root / "src", *(Path(entry) for entry in sys.path if entry)]
        self._bases = list(dict.fromkeys(f.resolve() for f in folders if self._is_ours(f.resolve())))
        self._homes: dict[str, Path | None] = {}
        self._read: dict[Path, _Module] = {}

    def reached_from(self, modules: Iterable[str]) -> Reached:
        """Return what modules, by their dotted names, reach."""
        found = Reached()
        waiting = list(modules)
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for file in self._files_of(name, found):
                if file not in found.files:
                    found.files.add(file)
                    waiting += self._imports_of(file, found)
        return found

    def _is_ours(self, path: Path) -> bool:
        if not path.is_relative_to(self._top):
            return False
        prefix = Path(sys.prefix).resolve()
        in_environment = path.is_relative_to(prefix) and prefix != self._top and prefix != Path("/usr")
        return not in_environment and not _FOREIGN & set(path.relative_to(self._top).parts)

    def _files_of(self, name: str, found: Reached) -> list[Path]:
        """Return the files that importing a dotted name runs; none where it is not the project's.

        Of a name that is not found the places where it would stand are noted.
        """
        parts = name.split(".")
        bases = list(self._bases)
        home = self._home(parts[0])
        if home is not None and home not in bases:
            bases.append(home)
        files: list[Path] = []
        places = bases
        for nth, part in enumerate(parts):
            files_here, places_next, missing = [], [], []
            for place in places:
                package, module = place / part / "__init__.py", place / f"{part}.py"
                if package.is_file():
                    files_here, places_next = [package], [place / part]
                    found.packages.add(place / part)
                    break
                if module.is_file():
                    files_here, places_next = [module], []
                    break
                if compiled := _compiled(place, part):
                    files_here, places_next = [compiled], []
                    found.open.setdefault(f"{self._shown(compiled)} is compiled: its sources are not known")
                    break
                missing += [package, module]
                if (place / part).is_dir():
                    places_next.append(place / part)  # a package without __init__.py, in as many places
            if not files_here and not places_next:
                if nth or home is None:
                    found.files.update(path for path in missing if path not in found.files)
                return files
            files += files_here
            places = places_next
            if not places:
                break
        return files

    def _home(self, name: str) -> Path | None:
        """Return the folder of a top-level module where the project has it elsewhere than on `sys.path`.

        Editable installs put finders of their own in place; none of them runs a module to tell where it is.
        """
        if name not in self._homes:
            self._homes[name] = self._looked_up(name)
        return self._homes[name]

    def _looked_up(self, name: str) -> Path | None:
        if name in sys.stdlib_module_names:
            return None
        places: list[str] = []
        module = sys.modules.get(name)
        if module is not None:
            places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", [])]
        else:
            try:
                spec = find_spec(name)
            except (ImportError, ValueError, AttributeError):
                spec = None
            if spec is not None:
                places = [spec.origin or "", *(spec.submodule_search_locations or [])]
        for place in filter(None, places):
            path = Path(place).resolve()
            folder = path.parent if path.suffix == ".py" and path.name != "__init__.py" else None
            folder = folder or (path.parent.parent if path.name == "__init__.py" else path.parent)
            if path.exists() and self._is_ours(path):
                return folder
        return None

    def _imports_of(self, file: Path, found: Reached) -> list[str]:
        """Return the names that a module imports, and note what else is seen in it."""
        module = self._read.get(file)
        if module is None:
            module = self._read[file] = _read_module(file, self._package_of(file), shown=self._shown(file))
        for word in module.words:
            found.words.setdefault(word, file)
        for line in module.open:
            found.open.setdefault(line)
        for ups, line in module.searches:
            folder = self._root if ups is None else file.parents[min(max(ups, 1), len(file.parents)) - 1]
            found.searched.setdefault(folder, line)
        names = list(module.imports)
        for package in module.stars:
            for inner in self._files_of(package, found):
                if inner.name == "__init__.py":
                    names += [f"{package}.{one.stem}" for one in sorted(inner.parent.glob("*.py"))]
        return names

    def _package_of(self, file: Path) -> str:
        """Return the dotted name of the package that a module lies in, for its relative imports."""
        folder, parts = file.parent, []
        while (folder / "__init__.py").is_file() and folder not in self._bases:
            parts.append(folder.name)
            folder = folder.parent
        if folder not in self._bases:
            # Without an __init__.py the name goes up to a folder that is looked in.
            base = next((b for b in self._bases if folder.is_relative_to(b)), folder)
            parts += reversed(folder.relative_to(base).parts)
        return ".".join(reversed(parts))

    def _shown(self, file: Path) -> str:
        return file.relative_to(self._top).as_posix() if file.is_relative_to(self._top) else str(file)


def entry_module(group: str, name: str) -> list[str]:
    """Return the modules that entry points `name` of `group` lie in."""
    return list(dict.fromkeys(entry.module for entry in entry_points(group=group, name=name)))


def _compiled(folder: Path, name: str) -> Path | None:
    return next(
        (path for suffix in EXTENSION_SUFFIXES if (path := folder / f"{name}{suffix}").is_file()), None
    )


@dataclass(frozen=True, slots=True)
class _Module:
    """What one module says: the names it imports, packages it takes all of, words of paths, what is open.

    searches  (how many folders up from the module, None for a place that is not known; line) of a search
    """

    imports: tuple[str, ...] = ()
    stars: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    searches: tuple[tuple[int | None, str], ...] = ()


def _read_module(file: Path, package: str, *, shown: str) -> _Module:
    if file.suffix != ".py":
        return _Module()
    try:
        if file.stat().st_size > _LARGEST:
            return _Module(open=(f"{shown} is too large to be read",))
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return _Module(open=(f"{shown} cannot be read as Python",))
    imports: dict[str, None] = {}
    stars: dict[str, None] = {}
    words: dict[str, None] = {}
    unseen: list[str] = []
    searches: dict[int | None, str] = {}
    values = values_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            imports[base] = None
            for alias in node.names:
                (stars if alias.name == "*" else imports)[
                    base if alias.name == "*" else f"{base}.{alias.name}"
                ] = None
        elif isinstance(node, ast.Call):
            name, told = _called(node)
            if name is not None:
                imports[name] = None
            if told:
                unseen.append(f"{shown}:{node.lineno} {told}")
            place = searched(node, values)
            if place is not None:
                searches.setdefault(
                    place.ups, f"{shown}:{node.lineno} finds files by a name made at run time"
                )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.update(dict.fromkeys(words_in(node.value)))
    imports.pop("", None)
    return _Module(tuple(imports), tuple(stars), tuple(words), tuple(unseen), tuple(searches.items()))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the dotted name that `from ... import` names."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> tuple[str | None, str]:
    """Return the module that a call imports by a constant name, or what cannot be seen of it."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    owner = getattr(function.value, "id", "") if isinstance(function, ast.Attribute) else ""
    if name in _LOADERS:
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value[:1] != ".":
            return first.value, ""
        return None, "imports a module by a name that is made at run time"
    if (owner, name) in _STARTS:
        return None, "starts a program"
    if name in _UNSEEN and not (name == "exec" and owner):
        return None, _UNSEEN[name]
    return None, ""
