"""A file of JSON Lines: one line a notification, on the disk when `send` returns."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from ...errors import DeliveryError, UsageError
from ...model.ticket import Notification
from ...protocols import NotifierContext

_MODE: Final = 0o644


def file(*, path: str | None = None, context: NotifierContext) -> FileNotifier:
    """Add lines to the file at `path`, relative to the project root."""
    if not path or "\0" in path:
        raise UsageError(f"notifier {context.name}: needs path, the file that lines are added to")
    return FileNotifier(context.root / path, context=context)


class FileNotifier:
    """Adds a line for each notification; a receiver tells what came twice by its `id`."""

    def __init__(self, path: Path, *, context: NotifierContext) -> None:
        self._path, self._context = path, context

    def send(self, notification: Notification) -> str:
        """Add the line; return nothing, since a line has no name."""
        told = notification.model_dump(mode="json")
        told |= {"sent_at": self._context.now().isoformat(), "project": self._context.project}
        try:
            self._add(json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            raise DeliveryError(
                f"notifier {self._context.name}: {self._path}: cannot be written: {error.strerror or error}",
                refused=True,
            ) from None
        return ""

    def _add(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if _is_torn(self._path):
            # A crash left half a line; it must not swallow this one.
            line = b"\n" + line
        # Appended in one write: what other processes add at the same time stands before or after it.
        place = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
        try:
            left = memoryview(line)
            while left:
                left = left[os.write(place, left) :]
            os.fsync(place)
        finally:
            os.close(place)


def _is_torn(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as lines:
        lines.seek(-1, os.SEEK_END)
        return lines.read(1) != b"\n"
