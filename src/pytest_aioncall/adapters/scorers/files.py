"""Files that a scorer's arguments name: rubrics, schemas."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import UsageError
from ...protocols import PieceContext

LARGEST = 1 << 20


def read_named(path: str, *, what: str, context: PieceContext) -> str:
    """Return the text of a file, looked up from the project root and then from the evalset's folder.

    UsageError where it is in neither, lies outside both, is larger than 1 MiB or is no UTF-8 text.
    """
    for folder in (context.root, context.folder):
        found = folder / path
        # Not Path.is_file: it raises where a text is no name that a file can have.
        if os.path.isfile(found):  # noqa: PTH113
            return _read(found, path, what=what, inside=(context.root, context.folder))
    raise UsageError(f"{what} {path!r} is no file in the project root or beside the evalset")


def _read(found: Path, path: str, *, what: str, inside: tuple[Path, Path]) -> str:
    real = found.resolve()
    if not any(real.is_relative_to(folder.resolve()) for folder in inside):
        raise UsageError(f"{what} {path!r} lies outside the project; copy it in")
    if real.stat().st_size > LARGEST:
        raise UsageError(f"{what} {path!r} is larger than 1 MiB")
    try:
        return real.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{what} {path!r} is no UTF-8 text: byte {error.start}") from None
    except OSError as error:
        raise UsageError(f"{what} {path!r} cannot be read: {error.strerror}") from None
