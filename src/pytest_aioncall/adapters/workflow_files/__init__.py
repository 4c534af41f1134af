"""The workflows that `aioncall init --github` writes: packaged as plain YAML with a few marks.

`@name@` inside a line is replaced by a text. A line that is nothing but `#@name` is replaced by lines, at its
own indentation, or dropped.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Final, Literal

WorkflowName = Literal["aioncall-gate", "aioncall-comment", "aioncall-daily", "aioncall-daily-sharded"]

VERSION: Final = 2
"""Of all files together; raised where an older file lacks something that `doctor` should ask for.

2: jobs are in the environment from the start; the verdict is a check, too; the first line has the options.
"""

_WRITTEN = re.compile(
    r"\A# Written by `(aioncall init --github[^`\n]*)` \((aioncall-[a-z]+), version (\d{1,6})\)"
)
_LINE = re.compile(r"^( *)#@(\w+)\n", re.MULTILINE)
_WORD = re.compile(r"@(\w+)@")


def packaged(name: WorkflowName) -> str:
    """Return a workflow as it is packaged, marks and all."""
    return (files(__package__) / f"{name}.yml").read_text(encoding="utf-8")


def filled(name: WorkflowName, *, words: Mapping[str, str], lines: Mapping[str, Sequence[str]]) -> str:
    """Return a workflow with its marks replaced. Raises KeyError for a mark that nobody fills."""

    def put(found: re.Match[str]) -> str:
        return "".join(f"{found[1]}{line}\n" for line in lines[found[2]])

    return _WORD.sub(lambda found: words[found[1]], _LINE.sub(put, packaged(name)))


@dataclass(frozen=True, slots=True)
class Origin:
    """What the first line of a workflow that `init` wrote says of it: the command, with its options."""

    command: str
    name: str
    version: int

    def option(self, name: str) -> str | None:
        """Return what followed an option of the command; None where it was not given."""
        try:
            words = shlex.split(self.command)
        except ValueError:  # somebody edited the line
            return None
        return next((after for word, after in pairwise(words) if word == name), None)


def written_as(text: str) -> Origin | None:
    """Return the origin of a workflow that `init` wrote; None for anybody else's."""
    found = _WRITTEN.match(text)
    return Origin(found[1], found[2], int(found[3])) if found else None
