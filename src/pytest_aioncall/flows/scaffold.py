"""`aioncall init`: from a function to a first evalset, in files a person would have written."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..adapters import git
from ..adapters.config_file import find_root, load_config
from ..adapters.evalset_files import json_schema
from ..adapters.files import add_lines, exists, files_in, replace_text
from ..adapters.imports import load_object
from ..adapters.registry import piece_names
from ..errors import UsageError
from .scaffold_example import MODULE, NAME, SOURCE, example_evalset
from .scaffold_github import Place, codeowner_lines
from .scaffold_workflows import OnGitHub, Written, settled, write_workflows

EVALSETS = "evalsets"
SCHEMAS = f"{EVALSETS}/.schema"


def init(
    target: str | None, *, name: str | None, owner: str | None, github: OnGitHub | None, start: Path
) -> list[Written]:
    """Write an evalset for a function, the configuration, ignore lines and, where asked, the workflows.

    Without a target an example is written, a function with its evalset, unless there are evalsets already.
    Overwrites nothing but workflows that git has, and those only to update them. Raises UsageError for a
    target that cannot be imported or has no name for a file.
    """
    root = find_root(start)
    if not (root / "aioncall.yaml").is_file():
        root = start
    if github is not None:
        github = settled(root, github)
    evalset = _first_evalset(target, name=name, root=root)
    who = owner or git.code_owner(root, f"{EVALSETS}/{evalset or 'any'}.eval.yaml") or git.user_of(root)
    if who is None:
        raise UsageError("nobody to own the evalset: pass --owner @TEAM, or set git's user.name")
    written = [_write(root, "aioncall.yaml", _CONFIG)]
    if evalset is not None and target is not None:
        text = _evalset_text(evalset, who, target, _import_target(target, root))
        written.append(_write(root, f"{EVALSETS}/{evalset}.eval.yaml", text))
    elif evalset is not None:
        written.append(_write(root, f"{MODULE}.py", SOURCE))
        written.append(_write(root, f"{EVALSETS}/{evalset}.eval.yaml", example_evalset(who)))
    written += [
        _write(root, f"{SCHEMAS}/evalset.json", _schema("evalset")),
        _write(root, f"{SCHEMAS}/config.json", _schema("config")),
        _append(root, ".gitignore", [".aioncall/"]),
    ]
    return written if github is None else [*written, *_write_github(root, who, github)]


def _first_evalset(target: str | None, *, name: str | None, root: Path) -> str | None:
    """Return the name of the evalset to write; None where the project has some and no function is named."""
    if target is None:
        if name is not None:
            raise UsageError(f"--name {name} is for a function of yours; say which: PACKAGE.MODULE:FUNCTION")
        # Written before by the same command, the example is told as kept, as any other file.
        others = [path for path in files_in(root, "*.eval.yaml") if path.name != f"{NAME}.eval.yaml"]
        return None if others else NAME
    _import_target(target, root)
    evalset = name or re.sub(r"[^a-z0-9]+", "-", target.rpartition(":")[2].lower()).strip("-")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", evalset):
        raise UsageError(f"{evalset!r} cannot name a file; choose a name with --name")
    return evalset


def _write_github(root: Path, who: str, github: OnGitHub) -> list[Written]:
    """Write the workflows and code owners, where GitHub looks for them: at the root of the repository."""
    place = Place.of(root)
    written = write_workflows(root, load_config(root), github)
    lines = codeowner_lines(root, who)
    # GitHub reads the first of the three places that has the file, and no other.
    owners = [n for n in (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS") if exists(place.top / n)]
    file = (owners or [".github/CODEOWNERS"])[0]
    if not lines:
        return [*written, Written(file, "left", f"GitHub knows nobody called {who!r}; say --owner @LOGIN")]
    return [*written, _append(place.top, file, lines)]


def _import_target(target: str, root: Path) -> Callable[..., Any]:
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    found: Any = load_object(target, what="target")
    if not callable(found):
        raise UsageError(f"{target}: is a {type(found).__name__}, and a target is called; name a function")
    function: Callable[..., Any] = found
    return function


def _schema(kind: Any) -> str:
    schema = json_schema(kind, scorers=piece_names("scorers"), targets=piece_names("targets"))
    return json.dumps(schema, indent=1) + "\n"


def _write(root: Path, name: str, text: str) -> Written:
    path = root / name
    if exists(path):
        return Written(name, "kept")
    replace_text(path, text)
    return Written(name, "made")


def _append(root: Path, name: str, lines: list[str]) -> Written:
    path = root / name
    there = exists(path)
    added = add_lines(path, lines)
    return Written(name, "kept" if not added else "changed" if there else "made")


def _evalset_text(evalset: str, owner: str, target: str, function: Callable[..., Any]) -> str:
    first, second = _inputs(function)
    return f"""\
# yaml-language-server: $schema=.schema/evalset.json
evalset: {evalset}
owner: {json.dumps(owner, ensure_ascii=False)}
target: {{python: "{target}"}}   # called with each case's input
scorers:
  - exact                        # also: contains, regex, one_of, numeric, json_schema, judge, ...
cases:                           # edit these two, then add what your users really ask
  - id: first-case
    input: {first}
    expected: "the right answer"
  - id: second-case
    input: {second}
    expected: "another right answer"
    must: [{{not_contains: "never say this"}}]   # has to hold every time, whatever the rest does
"""


_WRITTEN = frozenset({"the right answer", "another right answer", "a question", "another question"})
_UNFINISHED = re.compile(r"(?:TODO|FIXME|TBD|XXX|CHANGE ?ME|PLACEHOLDER)\b|<[^<>]{1,60}>$", re.IGNORECASE)


def is_placeholder(value: Any) -> bool:
    """Tell whether an input or an expected answer was never filled in.

    That is what `init` wrote as an example, or a text that begins with a word such as TODO or is all `<...>`.
    """
    if isinstance(value, str):
        text = value.strip()
        return text in _WRITTEN or _UNFINISHED.match(text) is not None
    if isinstance(value, dict):
        return any(is_placeholder(one) for one in value.values()) or (
            bool(value) and all(one in (f"a {name}", f"another {name}") for name, one in value.items())
        )
    return False


def _inputs(function: Callable[..., Any]) -> tuple[str, str]:
    """Return two example inputs that fit the function's parameters."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
    if not names:
        return '"a question"', '"another question"'
    first = ", ".join(f'{name}: "a {name}"' for name in names)
    second = ", ".join(f'{name}: "another {name}"' for name in names)
    return "{" + first + "}", "{" + second + "}"


_CONFIG = """\
# yaml-language-server: $schema=evalsets/.schema/config.json
# What holds for every evalset. The folder of this file is the project root; imports start here.
format: 1
# providers:                       # a chat model is named provider/model-id; keys come from variables
#   openai: {kind: openai, api_key_env: OPENAI_API_KEY, concurrency: 16}
# prices: {as_of: 2026-11-01, openai/MODEL-ID-WITH-DATE: {input: 0.15, output: 0.60}}  # USD per 1M tokens
defaults: {alpha: 0.05, on_inconclusive: warn, baseline_max_age_days: 30}
"""
