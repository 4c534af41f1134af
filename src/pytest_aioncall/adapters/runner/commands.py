"""Lines on standard output that a runner of GitHub Actions obeys.

Source: GitHub's toolkit, `packages/core/src/command.ts`, for what is escaped and how.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

from ..text import one_line


@dataclass(frozen=True, slots=True)
class Annotation:
    """A note on a line of a file. `line` counts from 1; 0 is the file as a whole."""

    level: Literal["error", "warning", "notice"]
    file: str
    line: int
    title: str
    text: str


def annotation_line(one: Annotation) -> str:
    """Return the command that makes an annotation."""
    properties = {"file": one.file, "line": str(one.line) if one.line > 0 else "", "title": one.title}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{one.level} {told}::{_data(one.text)}"


def stop_commands() -> tuple[str, str]:
    """Return the line after which nothing is obeyed, and the one that ends it again: nobody can guess it."""
    mark = f"aioncall-{secrets.token_hex(16)}"
    return f"::stop-commands::{mark}", resume_commands(mark)


def resume_commands(mark: str) -> str:
    """Return the line by which the runner obeys again."""
    return f"::{mark}::"


def _data(text: str) -> str:
    """Escape the text of a command: what could end it, or begin another one."""
    return one_line(text, 2000).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    escaped = one_line(text, 250).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C")
