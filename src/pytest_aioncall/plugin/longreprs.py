"""What a failed report says: written to the terminal line by line, and rewritten where it must be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from _pytest._code.code import TerminalRepr


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


def rewritten(longrepr: Any, fix: Callable[[str], str]) -> Any:
    """Return a report's failure with `fix` applied to each text in it.

    pytest's own objects (frames, locals, where it crashed) are changed in place, so that colours and summary
    lines stay. Of what is no text, and says something else once it is fixed, the fixed text is left.
    """
    if isinstance(longrepr, str):
        fixed = fix(longrepr)
        if fixed == longrepr:
            return longrepr
        return Lines(fixed) if isinstance(longrepr, Lines) else fixed
    if isinstance(longrepr, (list, tuple)):
        return type(longrepr)(rewritten(one, fix) for one in longrepr)
    if isinstance(longrepr, TerminalRepr) and (
        dataclasses.is_dataclass(longrepr) or hasattr(longrepr, "__dict__")
    ):
        for name, value in vars(longrepr).items():
            if isinstance(value, (str, list, tuple, TerminalRepr)):
                setattr(longrepr, name, rewritten(value, fix))
        return longrepr
    if longrepr is None or isinstance(longrepr, (int, float)):
        return longrepr
    said = str(longrepr)
    fixed = fix(said)
    return longrepr if fixed == said else Lines(fixed)
