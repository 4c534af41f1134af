"""What was written here and is not on the branch yet: files that survive whatever ends the process.

new/PATH    the file as it is to be on the branch
was/PATH    id of the blob that the branch had there when the file was written first, or nothing
state.json  `base`: the commit that was last known to be shared; `pushing`: the commit that is under way, and
            the blobs that it takes from `new/`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..files import replace_text
from ..yaml_text.json_lines import read_json
from .locks import locked

_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the branch beside its objects."""

    base: str | None = None
    pushing: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """One file that is not shared yet. `was` is the blob it replaces, "" for none, None for not known."""

    path: str
    place: Path
    was: str | None


class Overlay:
    """The files of one branch that are written here and not shared."""

    def __init__(self, folder: Path) -> None:
        self.new = folder / "new"
        self._was = folder / "was"
        self._state = folder / "state.json"
        self._lock = folder / "new.lock"

    def put(self, path: str, text: str, *, replaces: str) -> None:
        """Keep a file until it is shared; `replaces` is the branch's blob at that path, "" for none."""
        with locked(self._lock, wait_s=_WAIT_S):
            if not (self.new / path).is_file():
                replace_text(self._was / path, replaces)
            replace_text(self.new / path, text, durable=True)

    def pending(self) -> list[Pending]:
        """Return what is not shared, sorted by path."""
        return [
            Pending(path, self.new / path, self._replaced(path)) for path in sorted(_files_below(self.new))
        ]

    def drop(self, shared: Mapping[str, str]) -> None:
        """Forget files that are on the branch now; one that was written again meanwhile stays."""
        for path, blob in shared.items():
            with locked(self._lock, wait_s=_WAIT_S):
                place = self.new / path
                if place.is_file() and blob_id(place.read_bytes(), like=blob) == blob:
                    place.unlink(missing_ok=True)
                    (self._was / path).unlink(missing_ok=True)
                elif place.is_file():
                    # What is written now replaces what has just been shared.
                    replace_text(self._was / path, blob, durable=True)

    def state(self) -> State:
        """Return what was kept; nothing where the file is not there or broken: then all is asked again."""
        try:
            found = read_json(self._state.read_bytes())
        except (OSError, ValueError):
            return State()
        if not isinstance(found, dict):
            return State()
        files = found.get("files")
        return State(
            base=_commit(found.get("base")),
            pushing=_commit(found.get("pushing")),
            files={str(k): str(v) for k, v in files.items()} if isinstance(files, dict) else {},
        )

    def keep(self, state: State) -> None:
        """Write what is known, in one step."""
        told = {"format": 1, "base": state.base, "pushing": state.pushing, "files": dict(state.files)}
        replace_text(self._state, json.dumps(told, indent=1, sort_keys=True) + "\n", durable=True)

    def _replaced(self, path: str) -> str | None:
        with suppress(OSError, UnicodeDecodeError):
            return (self._was / path).read_text(encoding="ascii").strip()
        return None


def blob_id(content: bytes, *, like: str) -> str:
    """Return git's id of a blob; `like` is an id of the same repository, which tells its hash."""
    whole = b"blob %d\0" % len(content) + content
    # An id, no protection.
    return (
        hashlib.sha256(whole) if len(like) == 64 else hashlib.sha1(whole, usedforsecurity=False)
    ).hexdigest()


def _commit(value: Any) -> str | None:
    is_id = isinstance(value, str) and len(value) in (40, 64) and not set(value) - set("0123456789abcdef")
    return value if is_id else None


def _files_below(folder: Path) -> Iterator[str]:
    """Yield the files of a folder, with slashes; half-written ones begin with a dot."""
    if not folder.is_dir():
        return
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix()
