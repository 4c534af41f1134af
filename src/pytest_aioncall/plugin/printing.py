"""What user code prints while it answers belongs to its sample, not to whichever item pytest shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
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


def route_prints(capture: Any = None) -> None:
    """Put a routed stream before stdout and stderr, and route those that `capture` will put there.

    pytest's capture manager swaps streams between the phases of an item, while user code prints: routing what
    is there now leaves gaps. Its streams are reached by private names; where these change, the gaps are back.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, RoutedStream):
            setattr(sys, name, RoutedStream(stream))
    for stream in _swapped(capture):
        if "write" not in vars(stream):
            # Changed in place, since the manager wants its own type back; `print` calls what stands here.
            plain = _Plain(stream.write)
            stream.write = RoutedStream(plain).write  # type: ignore[arg-type]


def unroute_prints(capture: Any = None) -> None:
    """Take our streams away again."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, RoutedStream):
            setattr(sys, name, stream._stream)
    for stream in _swapped(capture):
        vars(stream).pop("write", None)


class _Plain:
    """The write method that a stream was made with."""

    def __init__(self, write: Callable[[str], int]) -> None:
        self.write = write


def _swapped(capture: Any) -> Iterator[Any]:
    """Yield the streams that a capture manager swaps."""
    both = getattr(capture, "_global_capturing", None)
    for side in ("out", "err"):
        one = getattr(both, side, None)
        one = getattr(one, "syscapture", one)
        for name in ("_old", "tmpfile"):
            stream = getattr(one, name, None)
            if (
                hasattr(stream, "write")
                and hasattr(stream, "__dict__")
                and not isinstance(stream, RoutedStream)
            ):
                yield stream
