"""`alerts.json` in a run folder: what the monitor said of the run, for whoever publishes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ...errors import StoreError, UsageError
from ...model.alert import AlertsFile
from ..files import replace_text
from ..text import one_line
from ..yaml_text import read_bytes
from ..yaml_text.json_lines import read_json

ALERTS_FILE: Final = "alerts.json"
_MAX_BYTES = 16 * 1024 * 1024


def write_alerts(folder: Path, alerts: AlertsFile) -> None:
    """Write the file in one step. Raises StoreError where it cannot be written."""
    path = folder / ALERTS_FILE
    try:
        replace_text(path, alerts.model_dump_json(indent=1) + "\n", durable=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error


def read_alerts(folder: Path, *, given: str = "") -> AlertsFile:
    """Read the file of a run folder; UsageError where there is none, or none that this tool wrote.

    given  options that the command which writes it is told with, ` --history ...` for one
    """
    path = folder / ALERTS_FILE
    if not os.path.lexists(path):
        raise UsageError(
            f"{folder}: no {ALERTS_FILE}; "
            f"run first: aioncall monitor --run {one_line(folder.name, 120)}{given}"
        )
    try:
        data = read_json(read_bytes(path, file=str(path), limit=_MAX_BYTES))
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    if isinstance(data, dict) and data.get("format") != 1:
        told = one_line(repr(data.get("format")), 40)
        raise UsageError(f"{path}: format {told}; this version reads format 1. Upgrade pytest-aioncall")
    try:
        return AlertsFile.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = one_line(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 300)
        raise UsageError(f"{path}: {what}; write it again: aioncall monitor{given}") from None
