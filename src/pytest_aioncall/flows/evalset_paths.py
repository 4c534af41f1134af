"""Where the evalset files of a project are."""

from __future__ import annotations

from pathlib import Path

_SKIPPED = {"node_modules", "venv", "build", "dist", "site-packages"}


def evalsets_in(folder: Path) -> list[Path]:
    """Return the evalset files of a folder, hidden and built folders passed over."""
    return sorted(
        path
        for path in folder.rglob("*.eval.yaml")
        if not any(p.startswith(".") or p in _SKIPPED for p in path.relative_to(folder).parts[:-1])
    )
