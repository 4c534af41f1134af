"""Whole files, written in one step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path


def replace_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a whole file in one step: all of it, or still the old one; `durable`: on disk, too."""
    replace_parts(path, (text,), durable=durable)


def replace_parts(path: Path, parts: Iterable[str], *, durable: bool = False) -> None:
    """Write a whole file in one step, its text made part by part: a large one is never in memory whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(parts)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def replace_all(texts: Mapping[Path, str | None]) -> None:
    """Write several whole files, or delete those given as None, in the order given.

    Everything is on the disk before the first file is replaced, so that a full disk leaves all as they were.
    A crash between two files leaves the later ones old.
    """
    partials: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            if text is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                partials[path] = path.with_name(f".{path.name}.{os.getpid()}.partial")
                partials[path].write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        for path, text in texts.items():
            if text is None:
                path.unlink(missing_ok=True)
            else:
                partials.pop(path).replace(path)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)


def add_lines(path: Path, lines: list[str]) -> list[str]:
    """Append the lines that a text file does not have yet (making it if needed); return what was added."""
    text = path.read_bytes() if path.is_file() else b""
    have = {line.strip() for line in text.splitlines()}
    missing = [line for line in lines if line.strip().encode() not in have]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        joint = "" if not text or text.endswith(b"\n") else "\n"
        # Appended, so that another encoding and other ends of lines stay as they are.
        with path.open("ab") as file:
            file.write((joint + "\n".join(missing) + "\n").encode())
    return missing


_SKIPPED = frozenset({"node_modules", "venv", "build", "dist", "site-packages"})


def files_in(folder: Path, pattern: str) -> list[Path]:
    """Return the files under a folder that match, sorted; hidden and built folders are passed over."""
    return sorted(
        path
        for path in folder.rglob(pattern)
        if not any(p.startswith(".") or p in _SKIPPED for p in path.relative_to(folder).parts[:-1])
    )


def exists(path: Path) -> bool:
    """Tell whether there is a file."""
    return path.is_file()


def text_or_none(path: Path) -> str | None:
    """Return the text of a file; None where there is none, or none that is UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def is_writable(folder: Path) -> bool:
    """Tell whether files can be made in a folder, or the folder itself where it is not there yet."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
