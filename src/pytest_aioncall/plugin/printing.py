"""What user code prints while it answers belongs to its sample, not to whichever item pytest shows."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TextIO

from ..engine import printed


class RoutedStream:
    """Writes to the sample that prints, else to the stream it stands in for.

    No io.TextIOBase: what that says of itself (encoding, isatty, fileno) would hide what the stream says.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        said = printed.get()
        if said is None:
            return self._stream.write(text)
        if len(said) < 2000:
            said.append(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def route_prints() -> None:
    """Put a routed stream before stdout and stderr where pytest's capture has put back a plain one."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, RoutedStream):
            setattr(sys, name, RoutedStream(stream))


def unroute_prints() -> None:
    """Take our stream away again."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, RoutedStream):
            setattr(sys, name, stream._stream)
