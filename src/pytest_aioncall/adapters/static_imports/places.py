"""Where a call looks for files whose names only show at run time: `glob`, `iterdir`, `with_suffix` and such.

A path is followed through the names of its module as far as it is written out. A file below a folder that is
written out is found by that word; of the rest at least the place is told.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_LONGEST_NAME: Final = 300
_DEEPEST: Final = 8
_LISTS: Final = frozenset({"listdir", "scandir", "glob", "iglob", "walk"})
_RENAMES: Final = frozenset({"with_suffix", "with_stem", "with_name"})
# What makes a path of its parts, or another name of the same path.
_JOINS: Final = frozenset(
    {"Path", "PurePath", "str", "fspath", "join", "joinpath", "resolve", "absolute", "abspath", "realpath",
     "normpath", "expanduser"}
)  # fmt: skip

Values = Mapping[str, ast.expr]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path lies, as far as an expression tells.

    ups    folders up from the module's file; None where it starts elsewhere, or nobody knows where
    names  parts that are written out
    """

    ups: int | None = None
    names: int = 0

    def up(self, folders: int = 1) -> Place:
        """Return the place some folders above: parts that are written out go first."""
        left = max(0, folders - self.names)
        return Place(None if self.ups is None else self.ups + left, max(0, self.names - folders))

    def below(self, other: Place) -> Place:
        """Return the place of a path that is joined to this one."""
        return Place(self.ups, self.names + other.names)


def values_in(tree: ast.AST) -> Values:
    """Return what the names of a module are set to, of those that are set once."""
    values: dict[str, ast.expr] = {}
    bound: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound[node.id] += 1
        elif isinstance(node, ast.arg):
            bound[node.arg] += 1
        elif isinstance(node, ast.Assign):
            values.update({one.id: node.value for one in node.targets if isinstance(one, ast.Name)})
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            values[node.target.id] = node.value
    return {name: value for name, value in values.items() if bound[name] == 1}


def searched(node: ast.Call, values: Values) -> Place | None:
    """Return where a call finds files by names that are not written out; None where it finds none so."""
    first = node.args[0] if node.args else None
    function = node.func
    place = None
    if isinstance(function, ast.Name):
        if function.id in _LISTS - {"walk"}:
            place = _place(first, values)
    elif isinstance(function, ast.Attribute):
        if function.attr in _LISTS and getattr(function.value, "id", "") in ("os", "glob"):
            place = _place(first, values)
        elif function.attr in ("glob", "rglob"):
            place = _place(function.value, values).below(_place(first, values))
        elif function.attr == "iterdir":
            place = _place(function.value, values)
        elif function.attr in _RENAMES and not (function.attr == "with_name" and _is_text(first)):
            # Of another name of a file only the folder is known; a whole name is a word like others.
            place = _place(function.value, values).up()
    return None if place is None or place.names else place


def words_in(text: str) -> Iterator[str]:
    """Yield the parts of a text that may be a path or a part of one."""
    if len(text) <= _LONGEST_NAME and "\n" not in text:
        for part in text.replace("\\", "/").split("/"):
            word = part.strip()
            if len(word) > 1 and word not in ("..", "**"):
                yield word


def _place(node: ast.expr | None, values: Values, *, depth: int = _DEEPEST) -> Place:
    """Return where the path lies that an expression makes."""
    inner = depth - 1
    if node is None or depth == 0:
        return Place()
    if isinstance(node, ast.Constant):
        return _written(node.value) if isinstance(node.value, str) else Place()
    if isinstance(node, ast.JoinedStr):
        return _written(
            "".join(str(getattr(part, "value", "*")) if _is_text(part) else "*" for part in node.values)
        )
    if isinstance(node, ast.Name):
        return Place(ups=0) if node.id == "__file__" else _place(values.get(node.id), values, depth=inner)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _place(node.left, values, depth=inner).below(_place(node.right, values, depth=inner))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        # What is added to a text may be a part of a name.
        return Place(_place(node.left, values, depth=inner).ups)
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        return _place(node.value, values, depth=inner).up()
    if isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "parents":
        nth = getattr(node.slice, "value", None)
        if isinstance(node.value, ast.Attribute) and isinstance(nth, int) and nth >= 0:
            return _place(node.value.value, values, depth=inner).up(nth + 1)
    if isinstance(node, ast.Call):
        return _called(node, values, depth=inner)
    return Place()


def _called(node: ast.Call, values: Values, *, depth: int) -> Place:
    """Return where the path lies that a call makes of others."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    parts = list(node.args)
    if name == "dirname" and parts:
        return _place(parts[0], values, depth=depth).up()
    if name not in _JOINS:
        return Place()
    if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) not in _MODULES:
        parts.insert(0, node.func.value)
    place = _place(parts[0], values, depth=depth) if parts else Place()
    for part in parts[1:]:
        place = place.below(_place(part, values, depth=depth))
    return place


_MODULES: Final = frozenset({"os", "os.path", "path", "osp", "pathlib"})


def _written(text: str) -> Place:
    return Place(names=sum(1 for word in words_in(text) if not set(word) & set("*?[")))


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
