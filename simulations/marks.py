"""Numbers of one page that other pages quote: each is followed by a comment that says which one it is.

    found in 96.3 %<!-- simulated: these binary n=10 r=3 broken=3, gate: red --> of the runs

A mark names three things: of what (up to a comma), whose (up to a colon), and which. It has no bar in it, so
that it may stand in a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEY = r"(?P<scenario>[^,>]+), (?P<method>[^:>]+): (?P<label>.+?) -->"


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks that begin with one word, and the page that has their numbers."""

    word: str
    page: str

    @property
    def opening(self) -> str:
        """What every mark begins with, well written or not."""
        return f"<!-- {self.word}"

    @property
    def figure(self) -> re.Pattern[str]:
        """A figure with its mark."""
        return re.compile(rf"(?P<figure>\d*\.?\d+)(?P<percent> %)?(?P<key><!-- {self.word}: {KEY})")

    def pages(self) -> Iterator[Path]:
        """Yield every page that may quote; the page of the numbers itself only explains how."""
        yield ROOT / "README.md"
        yield from (path for path in sorted((ROOT / "docs").rglob("*.md")) if path.name != self.page)

    def mended(self, text: str, tell: Callable[[re.Match[str]], float]) -> str:
        """Return a page with every quoted figure as `tell` has it, with as many digits as it had."""

        def figure(found: re.Match[str]) -> str:
            digits = len(found["figure"].partition(".")[2])
            value = tell(found)
            told = f"{100 * value if found['percent'] else value:.{digits}f}"
            if found["figure"].startswith("."):
                told = told.removeprefix("0")
            return f"{told}{found['percent'] or ''}{found['key']}"

        return self.figure.sub(figure, text)
