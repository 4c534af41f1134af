"""The hidden first line by which a comment of ours is found again, and what it remembers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import quote, unquote

CommentState = Literal["red", "open", "resolved"]
"""red       something regressed, broke or failed
open      nothing did, and somebody should look all the same: suspected, cannot judge, proposed
resolved  nothing is left of what was said here before
"""
_MARKER = re.compile(
    r"<!-- aioncall:comment key=(?P<key>[\w.%~]*) state=(?P<state>\w+) "
    r"run=(?P<run>\d*) attempt=(?P<attempt>\d*)(?: red=(?P<red>[\w.%~,]*))? -->\s*(?:\n|\Z)"
)
_MOST_RED = 100


@dataclass(frozen=True, slots=True)
class Marker:
    """What a sticky comment says of itself. `key` tells the comments of several jobs apart.

    `red` are the evalsets that were red when each of them was last judged: a run without them takes nothing
    back.
    """

    key: str
    state: CommentState
    run: int = 0
    attempt: int = 0
    red: tuple[str, ...] = ()

    def __str__(self) -> str:
        red = ",".join(map(_quoted, self.red[:_MOST_RED]))
        return (
            f"<!-- aioncall:comment key={_quoted(self.key)} state={self.state} run={self.run or ''} "
            f"attempt={self.attempt or ''}{red and f' red={red}'} -->"
        )

    def is_newer_than(self, other: Marker) -> bool:
        """Tell whether this was written by a later run, or a later attempt of the same one."""
        return (self.run, self.attempt) > (other.run, other.attempt)


def _quoted(text: str) -> str:
    # Two hyphens in a row would end the comment early for some readers.
    return quote(text, safe="").replace("-", "%2D")


def read_marker(body: str) -> Marker | None:
    """Return the marker of a comment: its first line and nothing else; None where there is none.

    A marker further down is somebody's text.
    """
    found = _MARKER.match(body.replace("\r\n", "\n"))
    if found is None or found["state"] not in get_args(CommentState):
        return None
    state: CommentState = found["state"]  # type: ignore[assignment]
    run, attempt = (int(found[name][:18] or 0) for name in ("run", "attempt"))
    red = tuple(unquote(name) for name in (found["red"] or "").split(",") if name)
    return Marker(unquote(found["key"]), state, run, attempt, red)
