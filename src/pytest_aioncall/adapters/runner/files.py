"""The files that the runner reads after a step: the summary (Markdown) and the outputs (name and value)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path


def room_in_summary(path: Path, limit: int) -> int:
    """Return how many bytes a summary may still take: GitHub shows nothing of one that is too large."""
    return max(0, limit - (path.stat().st_size if path.is_file() else 0))


def add_summary(path: Path, text: str) -> None:
    """Append Markdown to the summary of this step, behind whatever stands there already."""
    before = path.read_bytes()[-1:] if path.is_file() else b""
    joint = "" if before in (b"", b"\n") else "\n"
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(f"{joint}\n{text}" if before else text)


def add_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Append outputs of this step. The mark at the end of each value is random: no value can hold it."""
    lines = []
    for name, value in values.items():
        mark = f"aioncall-{secrets.token_hex(16)}"
        lines += [f"{name}<<{mark}", value, mark]
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
