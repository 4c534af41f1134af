"""The hidden mark of an issue of ours, and the marks of its comments.

Both are HTML comments, which GitHub does not show. They are read only in what our own account has written:
anybody can write such a comment into an issue of his own. A mark that was damaged is told from one that is
not there: who removes the mark releases the issue, who damages it has to be told.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Sequence
from typing import Final, Literal

from pydantic import ValidationError

from ...model.frozen import canonical_json, digest_of
from ...model.issue import IssueState
from ...model.ticket import Note

_MARK: Final = re.compile(r"<!-- aioncall:issue:(\d{1,4}):([0-9a-f]{16}):([A-Za-z0-9+/=]{1,60000}) -->")
_TRACE: Final = "aioncall:issue:"
_EVENT: Final = re.compile(r"<!-- aioncall:event:([a-z]{1,20}):([0-9a-f]{16}) -->")
_VERSION: Final = 1
_MOST_BYTES: Final = 1_000_000

Event = Literal["day", "closed", "reopened", "again", "worse", "escalated", "answer", "duplicate", "moved"]


class DamagedMarker(ValueError):
    """A marker that is there and cannot be read: cut, edited, or of a newer version."""


def write_marker(state: IssueState) -> str:
    """Return the hidden comment that carries `state`: one line, no matter what names it holds."""
    packed = zlib.compress(
        canonical_json(state.model_dump(mode="json")).encode("utf-8", "backslashreplace"), 9
    )
    text = base64.b64encode(packed).decode("ascii")
    return f"<!-- aioncall:issue:{_VERSION}:{_digest(text)}:{text} -->"


def read_marker(body: str) -> IssueState | None:
    """Return the state that a body carries, None where it carries no marker.

    Raises DamagedMarker where there is one that cannot be read.
    """
    found = _MARK.search(body)
    if found is None:
        if _TRACE in body:
            raise DamagedMarker("its hidden marker is cut or was edited")
        return None
    version, digest, text = found.groups()
    if int(version) != _VERSION:
        raise DamagedMarker(f"its hidden marker is of version {int(version)}, and this is version {_VERSION}")
    if digest != _digest(text):
        raise DamagedMarker("its hidden marker was edited")
    try:
        return IssueState.model_validate_json(_unpacked(text))
    except (ValidationError, ValueError, binascii.Error, zlib.error) as error:
        raise DamagedMarker("its hidden marker cannot be read") from error


def event_id(kind: Event, *parts: str | int) -> str:
    """Return what names an event of an issue for good: `day:1f0a...`. Equal parts, equal id."""
    return f"{kind}:{digest_of([kind, *map(str, parts)])}"


def event_mark(event: str) -> str:
    """Return the hidden comment that says which event a comment of ours stands for."""
    return f"<!-- aioncall:event:{event} -->"


def events_of(note: Note) -> tuple[str, ...]:
    """Return the events that a comment stands for. Whose comment it is, the caller has checked."""
    return tuple(f"{kind}:{digest}" for kind, digest in _EVENT.findall(note.body))


def repeated(notes: Sequence[Note]) -> list[Note]:
    """Return comments that say only what an earlier one (by id) has said: what a race leaves behind."""
    seen: set[str] = set()
    found: list[Note] = []
    for note in sorted(notes, key=lambda one: one.id):
        events = events_of(note)
        if events and seen.issuperset(events):
            found.append(note)
        seen.update(events)
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def _unpacked(text: str) -> bytes:
    # Only our own account writes these; a limit costs nothing all the same.
    reader = zlib.decompressobj()
    data = reader.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError("too large, or cut")
    return data
