"""Where each recording stands in its files; a line is read and parsed when it is asked for.

A replay of 10,000 cases starts after one pass over the lines, and holds a key and a place for each.
"""

from __future__ import annotations

import json as jsonlib
import re
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ...errors import UsageError

# What every line that we write begins with. Another line (edited, formatted anew) is parsed at once.
_HEAD = re.compile(rb'\{"format": 1, "key": "([0-9a-f]{24})", "epoch": \d+, ')
_MARKS = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")
_FILES = 1024


class Index:
    """The recordings in some files by key; of two with one key the newest stands, the later one on a tie.

    `torn` are files that a killed process may leave behind: what is damaged in them was never recorded.
    """

    def __init__(self, files: Sequence[Path], *, torn: Sequence[Path] = ()) -> None:
        self.files: list[Path] = []
        self._streams: list[IO[bytes]] = []
        # Files stay open, so that what is read is what was looked through, whoever records meanwhile; not
        # every door that opens a cassette runs anything, and closes it.
        self._closing = weakref.finalize(self, _close_all, self._streams)
        self._places: dict[str, int] = {}
        try:
            for path in (*files, *torn):
                try:
                    stream = path.open("rb")
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except OSError as error:
                    raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
                self.files.append(path)
                self._streams.append(stream)
                self._scan(len(self.files) - 1, may_be_torn=path in torn)
        except BaseException:
            self.close()
            raise

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def entry(self, key: str) -> dict[str, Any]:
        """Return a recording; KeyError where there is none, UsageError where its line is damaged."""
        place = self._places[key]
        entry = _parsed(self._line(place))
        if entry is None or entry["key"] != key:
            raise UsageError(self._damaged(place))
        return entry

    def line(self, key: str) -> bytes:
        """Return the line of a recording as it stands in its file, its end of line included."""
        return self._line(self._places[key]).rstrip() + b"\n"

    def close(self) -> None:
        """Close the files; what was found in them is forgotten."""
        self._closing()
        self._places.clear()

    def _scan(self, number: int, *, may_be_torn: bool) -> None:
        path, stream = self.files[number], self._streams[number]
        offset = 0
        for count, line in enumerate(stream, start=1):
            place, offset = offset * _FILES + number, offset + len(line)
            if not line.strip():
                continue
            if may_be_torn:
                entry = _parsed(line)
                if entry is not None and line.endswith(b"\n"):
                    self._place(str(entry["key"]), place)
                continue
            head = _HEAD.match(line)
            if head is not None and line.rstrip().endswith(b"}"):
                key = head[1].decode("ascii")
            else:
                key = _key_in(line, where=f"{path}:{count}")
            self._place(key, place)

    def _place(self, key: str, place: int) -> None:
        before = self._places.get(key)
        if before is not None:
            here = self._streams[place % _FILES].tell()
            old, new = _parsed(self._line(before)), _parsed(self._line(place))
            self._streams[place % _FILES].seek(here)
            if old is not None and new is not None and old["recorded_at"] > new["recorded_at"]:
                return
        self._places[key] = place

    def _line(self, place: int) -> bytes:
        stream = self._streams[place % _FILES]
        stream.seek(place // _FILES)
        return stream.readline()

    def _damaged(self, place: int) -> str:
        stream = self._streams[place % _FILES]
        stream.seek(0)
        line = stream.read(place // _FILES).count(b"\n") + 1
        return f"{self.files[place % _FILES]}:{line}: {_HOW_TO_MEND}"


def _close_all(streams: list[IO[bytes]]) -> None:
    for stream in streams:
        stream.close()
    streams.clear()


_HOW_TO_MEND = "is no cassette entry; delete the line, then record again what it held"


def _key_in(line: bytes, *, where: str) -> str:
    """Return the key of a line that is not as we write it; UsageError names what is wrong and what to do."""
    if line.startswith(_MARKS):
        raise UsageError(
            f"{where}: a mark of an unfinished merge; delete the lines of <<<<<<<, ======= and >>>>>>> and "
            "keep both sides: of two recordings of one question the newest stands"
        )
    try:
        found = jsonlib.loads(line)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.get("format", 1) != 1:
        raise UsageError(f"{where}: format {str(found['format'])[:20]!a}; this version reads format 1")
    entry = _parsed(line)
    if entry is None:
        if not line.endswith(b"\n") and line.startswith(b"{"):
            raise UsageError(f"{where}: is cut off; delete the line, then record again what it held")
        raise UsageError(f"{where}: {_HOW_TO_MEND}")
    return str(entry["key"])


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = jsonlib.loads(line)
        if not all(isinstance(entry[name], str) for name in ("key", "recorded_at")):
            return None
        int(entry["status"]), int(entry["epoch"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return entry
