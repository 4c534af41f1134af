"""`aioncall schema`: the JSON Schema of what users write, with the pieces that are installed."""

from __future__ import annotations

from typing import Any, Literal

from ..adapters.evalset_files import json_schema
from ..adapters.registry import piece_names


def schema(kind: Literal["evalset", "config", "incident"]) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file."""
    return json_schema(kind, scorers=piece_names("scorers"), targets=piece_names("targets"))
