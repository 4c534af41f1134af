"""How text is put on a terminal: its width in columns, what its stream takes, others' words made safe."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ..text import log_line


@dataclass(frozen=True, slots=True)
class Pen:
    """How text is put on this terminal: `width` in columns, ASCII only where the stream is not UTF-8."""

    width: int
    ascii_only: bool

    def plain(self, text: str) -> str:
        """Return `text` as the stream can take it."""
        return text.encode("ascii", "backslashreplace").decode("ascii") if self.ascii_only else text

    def safe(self, text: str, limit: int = 120) -> str:
        """Return somebody else's text on one line, nothing unseen in it."""
        line = self.plain(log_line(text, limit))
        return line if len(line) <= limit else line[: max(0, limit - 3)] + "..."

    def cut(self, text: str) -> str:
        """Return `text` cut to the width in columns, wide characters counted twice."""
        if columns(text) <= self.width:
            return text
        kept, room = [], self.width - 3
        for char in text:
            room -= columns(char)
            if room < 0:
                break
            kept.append(char)
        return "".join(kept).rstrip() + "..."

    def listing(self, prefix: str, items: Sequence[str], ending: str = "") -> str:
        """Return `prefix` and as many of `items` as fit the width, with the count of those left out."""
        for shown in range(len(items), 0, -1):
            rest = f" and {len(items) - shown} more" if shown < len(items) else ""
            text = f"{prefix}{', '.join(items[:shown])}{rest}{ending}"
            if columns(text) <= self.width or shown == 1:
                return text
        return prefix + ending

    def wrapped(self, parts: Sequence[str]) -> list[str]:
        """Return `parts` joined by commas, on as many lines as they need."""
        lines = [""]
        for part in parts:
            longer = f"{lines[-1]}, {part}" if lines[-1] else part
            if columns(longer) < self.width or not lines[-1]:
                lines[-1] = longer
            else:
                lines[-1] += ","
                lines.append(part)
        return lines


def columns(text: str) -> int:
    """Return how many columns `text` takes: two for East Asian wide, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
