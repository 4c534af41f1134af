"""Prompt templates: sandboxed Jinja2 that knows no call, no file and no undefined name.

A case's input is only ever a value in a template, never a template itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any, Literal

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import do_format
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..errors import UsageError
from .text import did_you_mean, one_line
from .yaml_text import read_bytes

Role = Literal["system", "user", "assistant"]
_HEADING = re.compile(r"^##[ \t]+(system|user|assistant)[ \t]*$", re.MULTILINE)
_ONE_EXPRESSION = re.compile(r"\A\s*\{\{(?P<inside>(?:(?!\{\{|\}\}).)*)\}\}\s*\Z", re.DOTALL)
# What Python's compiler says of what Jinja wrote from deep brackets.
_TOO_DEEP = (RecursionError, SyntaxError, MemoryError, OverflowError)
DEEPEST = 60
"""Levels of blocks and expressions in one another that a template may have."""
WIDEST = 9_999
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:[0-9]{5}|\*)")
LONGEST = 4 * 1024 * 1024
"""Characters that a rendered template may have."""


class _Environment(ImmutableSandboxedEnvironment):
    """Refuse operators and filters that can make gigabytes of a few characters."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters["format"] = _format
        for name in ("center", "indent"):
            self.filters[name] = _narrow(self.filters[name])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        many = (str, list, tuple)
        if operator == "%":
            _refuse_wide(left)
        elif operator == "**" or isinstance(left, many) or isinstance(right, many):
            raise SecurityError(f"{operator} on texts and lists, and powers, are not for templates")
        return super().call_binop(context, operator, left, right)


def _format(text: str, *given: Any, **named: Any) -> str:
    _refuse_wide(text)
    return do_format(text, *given, **named)


def _refuse_wide(text: Any) -> None:
    if isinstance(text, str) and _WIDE.search(text):
        raise SecurityError("a width of five digits, or one that is a value, is not for templates")


def _narrow(fill: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that fills up to a width, none above WIDEST."""

    @wraps(fill)
    def bounded(*given: Any, **named: Any) -> Any:
        if any(isinstance(one, int) and one > WIDEST for one in (*given[1:], *named.values())):
            raise SecurityError(f"a width above {WIDEST} is not for templates")
        return fill(*given, **named)

    return bounded


class Template:
    """A template ready to be rendered. `names` are the variables it uses; `where` is file and first line."""

    def __init__(
        self, source: str, *, where: str, first_line: int = 1, quote: Callable[[str], str] | None = None
    ):
        self.where = where
        self.source = source
        self._first_line = first_line
        environment = _environment() if quote is None else _quoting(quote)
        try:
            tree = environment.parse(source)
            self._refuse_depth(tree)
            self._refuse_calls(tree)
            self.names = frozenset(meta.find_undeclared_variables(tree))
            self._template = environment.from_string(source)
        except TemplateSyntaxError as error:
            line = first_line - 1 + error.lineno
            raise UsageError(f"{where}:{line}: {one_line(error.message or 'bad template', 160)}") from None
        except _TOO_DEEP:
            raise UsageError(f"{where}: is nested too deep to be compiled; write it in parts") from None

    def render(self, variables: Mapping[str, Any]) -> str:
        """Return the text; UsageError where a variable is missing or an expression cannot be worked out."""
        try:
            text = self._template.render(variables)
        except Exception as error:  # noqa: BLE001 - whatever an expression met is told with its place
            raise UsageError(f"{self.where}: {_told(error, variables)}") from None
        if len(text) > LONGEST:
            raise UsageError(f"{self.where}: makes {len(text):,} characters; {LONGEST:,} are allowed")
        return text

    def _refuse_depth(self, tree: nodes.Template) -> None:
        """Refuse what Jinja's optimizer would walk through again at each level."""
        level: list[nodes.Node] = [tree]
        for _ in range(DEEPEST):
            level = [inner for node in level for inner in node.iter_child_nodes()]
            if not level:
                return
        raise UsageError(f"{self.where}: is nested more than {DEEPEST} deep; write it in parts")

    def _refuse_calls(self, tree: nodes.Template) -> None:
        for kind, hint in (
            (
                nodes.Call,
                "templates cannot call; use a filter, for example {{ x | items }} or {{ x | upper }}",
            ),
            (nodes.Include, "templates cannot include; join the files"),
            (nodes.Import, "templates cannot import; join the files"),
            (nodes.FromImport, "templates cannot import; join the files"),
            (nodes.Extends, "templates cannot extend; join the files"),
        ):
            found = tree.find(kind)
            if found is not None:
                raise UsageError(f"{self.where}:{self._first_line - 1 + found.lineno}: {hint}")


class Expression:
    """One expression, whose value keeps its type."""

    def __init__(self, source: str, *, where: str) -> None:
        self.where = where
        # The template finds what is wrong with it, and its names.
        self.names = Template(f"{{{{{source}}}}}", where=where).names
        try:
            self._expression = _environment().compile_expression(source.strip(), undefined_to_none=False)
        except TemplateSyntaxError as error:
            why = one_line(error.message or "bad expression", 160)
            raise UsageError(f"{where}: {why}; this text has to be one expression") from None
        except _TOO_DEEP:
            raise UsageError(f"{where}: is nested too deep to be compiled; write it in parts") from None

    def value(self, variables: Mapping[str, Any]) -> Any:
        """Work the expression out."""
        try:
            value = self._expression(**variables)
            if isinstance(value, Undefined):
                str(value)
        except Exception as error:  # noqa: BLE001 - as in Template.render
            raise UsageError(f"{self.where}: {_told(error, variables)}") from None
        return value


class JsonTemplate:
    """JSON whose texts are templates; a text that is one `{{ expression }}` keeps that value's type."""

    def __init__(self, structure: Any, *, where: str) -> None:
        self.source = structure
        self._names: set[str] = set()
        self._render = self._compiled(structure, where)
        self.names = frozenset(self._names)

    def render(self, variables: Mapping[str, Any]) -> Any:
        """Return the JSON."""
        return self._render(variables)

    def _compiled(self, value: Any, where: str) -> Callable[[Mapping[str, Any]], Any]:
        if isinstance(value, Mapping):
            fields = {key: self._compiled(one, f"{where}.{key}") for key, one in value.items()}
            return lambda variables: {key: one(variables) for key, one in fields.items()}
        if isinstance(value, (list, tuple)):
            items = [self._compiled(one, f"{where}[{i}]") for i, one in enumerate(value)]
            return lambda variables: [one(variables) for one in items]
        if not isinstance(value, str) or not ("{{" in value or "{%" in value or "{#" in value):
            return lambda _variables: value
        alone = _ONE_EXPRESSION.match(value)
        if alone is not None:
            expression = Expression(alone["inside"], where=where)
            self._names |= expression.names
            return expression.value
        template = Template(value, where=where)
        self._names |= template.names
        return template.render


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt before it is rendered."""

    role: Role
    template: Template


def read_prompt(source: str, *, where: str) -> tuple[Message, ...]:
    """Split a prompt at its `## system`, `## user` and `## assistant` lines.

    Without any it is one user message. Split before rendering: what a case brings in cannot start a message.
    """
    headings = list(_HEADING.finditer(source))
    if not headings:
        return (Message("user", Template(source.strip("\n"), where=where)),)
    before = source[: headings[0].start()].strip()
    if before:
        raise UsageError(
            f"{where}:1: text before the first heading {headings[0][0].strip()!r}; move it below a heading"
        )
    messages = []
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        text = source[heading.end() : following.start() if following else len(source)]
        lead = len(text) - len(text.lstrip("\n"))
        first_line = source.count("\n", 0, heading.end() + lead) + 1
        role: Any = heading[1]
        messages.append(Message(role, Template(text.strip("\n"), where=where, first_line=first_line)))
    if all(message.role != "user" for message in messages):
        raise UsageError(f"{where}: has no `## user` section; a model needs one")
    return tuple(messages)


def find_text(text_or_path: str, *, root: Path, folder: Path, what: str) -> tuple[str, str]:
    """Return (text, where) of what YAML gives as an inline text or as a path.

    Text with a line break, a blank or a template in it is inline. A path is looked up from the project root,
    then beside the evalset, and has to stay inside the project.
    """
    if any(mark in text_or_path for mark in ("\n", "{{", "{%")):
        return text_or_path, what
    for base in (root, folder):
        path = base / text_or_path
        # Not Path.is_file: it raises where a text of one long line is no name that a file can have.
        if os.path.isfile(path):  # noqa: PTH113
            if not path.resolve().is_relative_to(root.resolve()):
                raise UsageError(f"{what}: {text_or_path} leads out of the project; copy the file into it")
            try:
                raw = read_bytes(path, file=f"{what}: {text_or_path}", limit=LONGEST)
                return raw.decode("utf-8"), text_or_path
            except UnicodeDecodeError:
                raise UsageError(f"{what}: {text_or_path} is not UTF-8 text") from None
    if " " in text_or_path.strip():
        return text_or_path, what
    raise UsageError(f"{what}: no file {one_line(text_or_path, 100)}{_near(root / text_or_path)}")


@cache
def _environment() -> _Environment:
    # Prompts are no HTML; what is shown later is escaped there.
    return _Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)


def _quoting(quote: Callable[[str], str]) -> _Environment:
    def quoted(value: Any) -> str:
        return quote(str(value))

    return _Environment(undefined=StrictUndefined, autoescape=False, finalize=quoted)


def _told(error: Exception, variables: Mapping[str, Any]) -> str:
    if isinstance(error, UndefinedError):
        message = one_line(str(error), 120)
        name = message.split("'")[1] if message.count("'") >= 2 else ""
        near = did_you_mean(name, [one for one in variables if one != name]) if name else None
        if near and name not in variables:
            return f"{message} (did you mean {near!r}?)"
        return f"{message}; there is {one_line(', '.join(map(str, variables)), 80) or 'nothing'}"
    if isinstance(error, TemplateError):
        return one_line(str(error), 160)
    return f"{type(error).__name__}: {one_line(str(error), 160)}"


def _near(path: Path) -> str:
    try:
        names = [one.name for one in path.parent.iterdir() if one.is_file()]
    except OSError:
        return "; paths start at the project root, the folder of aioncall.yaml"
    near = did_you_mean(path.name, names)
    return (
        f" (did you mean {near!r}?)"
        if near
        else "; paths start at the project root, the folder of aioncall.yaml"
    )
