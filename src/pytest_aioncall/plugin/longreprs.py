"""What a failed report says, written to the terminal line by line."""

from __future__ import annotations

from typing import Any


class Lines(str):
    """Text of several lines that stays so on a terminal of another encoding.

    pytest writes a plain text in one go. Where the terminal cannot show one letter of it, all is written
    escaped, ends of lines included. It is text like any other elsewhere (JUnit, xdist, `str`).
    """

    __slots__ = ()

    def toterminal(self, writer: Any) -> None:
        """Write each line by itself."""
        for line in self.splitlines():
            writer.line(line)
