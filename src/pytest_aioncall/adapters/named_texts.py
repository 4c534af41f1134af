"""What stands behind the names in an evalset: rubrics and schemas in files, scorers in code, both as text.

Nothing is imported and nothing is run: a module is read, and of it the definition that is named with all that
it uses of the same module. Comments, blank lines and docstrings change nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from ..model.evalset import Evalset, ScorerSpec
from .imports import is_import_string

_FILES: Final = (".md", ".markdown", ".txt", ".rst", ".json", ".yaml", ".yml", ".j2", ".csv")
_LARGEST: Final = 4 * 1024 * 1024
# Where a project keeps its packages: the root itself, or src below it.
_PACKAGES: Final = ("", "src")


def names_in(evalset: Evalset) -> list[str]:
    """Return every text of the scorers of an evalset and its cases that may name a file or code."""
    found: dict[str, None] = {}
    for spec in _specs(evalset):
        for text in texts_of(spec):
            if is_import_string(text) or (_is_file(text)):
                found[text] = None
    return list(found)


def places_of(name: str, *, folders: Iterable[Path]) -> list[Path]:
    """Return the files that a name may stand for, in the order in which they are looked up."""
    if is_import_string(name):
        module = Path(*name.partition(":")[0].split("."))
        bases = [folder / sub for folder in folders for sub in _PACKAGES]
        return [place for base in bases for place in (base / f"{module}.py", base / module / "__init__.py")]
    # What is written from the root of a disk lies nowhere else, and has no old version.
    return [] if Path(name.strip()).is_absolute() else [folder / name.strip() for folder in folders]


def text_behind(name: str, *, root: Path, folder: Path) -> str | None:
    """Return the text that a name stands for, from the root or beside the evalset, or None."""
    # Code is imported from the root alone; a file may stand beside its evalset.
    folders = (root,) if is_import_string(name) else (root, folder)
    for place in places_of(name, folders=folders):
        try:
            if not place.is_file() or not place.resolve().is_relative_to(root.resolve()):
                continue
            if place.stat().st_size > _LARGEST:
                return f"{place.stat().st_size} bytes"
            text = place.read_text(encoding="utf-8-sig", errors="backslashreplace")
        except OSError:
            continue
        return definition_in(text, name.partition(":")[2]) if is_import_string(name) else text
    return None


def texts_of(spec: ScorerSpec) -> list[str]:
    """Return every text of a scorer's entry: its kind, its argument, its options."""
    return list(_texts([spec.kind, spec.arg, spec.options]))


def same_code(one: str | None, other: str | None) -> bool:
    """Tell whether two texts of a module are the same code; None is a file that is not there.

    What cannot be parsed is the same only where its text is.
    """
    if one is None or other is None or one == other:
        return one == other
    try:
        left, right = (ast.dump(_undocumented(ast.parse(text))) for text in (one, other))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return left == right


def definition_in(module: str, attribute: str) -> str:
    """Return a definition of a module and the definitions it uses there, in one spelling of the code.

    A module that cannot be parsed is returned as it is.
    """
    try:
        body = ast.parse(module).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return module
    by_name: dict[str, list[int]] = {}
    for index, node in enumerate(body):
        for name in _bound_by(node):
            by_name.setdefault(name, []).append(index)
    wanted, waiting = set(), [attribute.partition(".")[0]]
    while waiting:
        for index in by_name.pop(waiting.pop(), []):
            if index not in wanted:
                wanted.add(index)
                waiting += [n.id for n in ast.walk(body[index]) if isinstance(n, ast.Name)]
    try:
        return "\n".join(ast.dump(_undocumented(body[index])) for index in sorted(wanted))
    except RecursionError:
        return module


def _bound_by(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement at the top of a module binds, also inside its `if` and `try`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield (alias.asname or alias.name).partition(".")[0]
    else:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                yield inner.id
            elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield inner.name


def _undocumented(node: ast.AST) -> ast.AST:
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
            and inner.body
        ):
            first = inner.body[0]
            documents = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            if documents and isinstance(first.value.value, str):  # type: ignore[attr-defined]
                inner.body = inner.body[1:] or [ast.Pass()]
    return node


def _specs(evalset: Evalset) -> Iterator[ScorerSpec]:
    yield from evalset.scorers
    for case in evalset.cases:
        yield from case.scorers
        yield from case.must


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _is_file(text: str) -> bool:
    return "\n" not in text and len(text) < 200 and text.strip().lower().endswith(_FILES)
