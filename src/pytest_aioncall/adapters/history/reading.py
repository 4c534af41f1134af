"""Entries and records as text: written with one spelling, read as if somebody else had written them."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from pydantic import ValidationError

from ...model.frozen import canonical_json
from ...model.history import HistoryEntry
from ..text import one_line
from ..yaml_text.json_lines import read_json
from .names import entry_path, file_stem, wrong_time

MAX_ENTRY_BYTES: Final = 16 * 1024 * 1024
MAX_RECORD_BYTES: Final = 1024 * 1024
MAX_FILES: Final = 50_000
# Numbers that may be too large for a float: rare enough to be looked at one by one.
_MAYBE_HUGE = re.compile(rb"[\d.][eE]\+?\d{3,}[\s,\]}]")


def entry_text(entry: HistoryEntry) -> str:
    """Write an entry: one line an evalset and a case, what is at its default left out."""
    body = entry.model_dump(mode="json", exclude_defaults=True)
    evalsets = body.pop("evalsets", [])
    head = canonical_json({"format": 1, **body})[:-1]
    if not evalsets:
        return head + "}\n"
    parts = []
    for one in evalsets:
        cases = one.pop("cases", [])
        text = canonical_json(one)
        if cases:
            # A line a case: so git stores the next day as what differs.
            text = text[:-1] + ',"cases":[\n' + ",\n".join(map(canonical_json, cases)) + "]}"
        parts.append(text)
    return f'{head},"evalsets":[\n' + ",\n".join(parts) + "]}\n"


def read_entry(raw: bytes, *, path: str) -> HistoryEntry:
    """Read an entry that lies at `path` of a history. Raises ValueError with what is wrong, for a person."""
    if b"NaN" in raw or b"Infinity" in raw or _MAYBE_HUGE.search(raw):
        read_json(raw)
    try:
        entry = HistoryEntry.model_validate_json(raw)
    except ValidationError as error:
        raise ValueError(_told(raw, error)) from None
    problem = wrong_time(entry)
    if problem:
        raise ValueError(problem)
    if entry_path(entry) != path:
        raise ValueError(
            f"holds run {one_line(entry.run, 80)} of {entry.day}, which is not what its name says"
        )
    return entry


def _told(raw: bytes, error: ValidationError) -> str:
    """Say why a text is no entry: what JSON says of it, its format, or the first key that is wrong."""
    try:
        data = read_json(raw)
    except ValueError as problem:
        return str(problem)
    if isinstance(data, dict) and data.get("format") != 1:
        told = one_line(json.dumps(data.get("format")), 40)
        return f"format {told}; this version reads format 1. Upgrade pytest-aioncall"
    first = error.errors(include_url=False, include_input=False)[0]
    return one_line(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 300)


def record_text(name: str, data: Any) -> str:
    """Write a record. Raises ValueError for what JSON cannot hold."""
    text = json.dumps(
        {"format": 1, "name": name, "data": data},
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
        allow_nan=False,
    )
    if len(text.encode("utf-8", "surrogatepass")) > MAX_RECORD_BYTES:
        raise ValueError(f"record {name!r} is larger than {MAX_RECORD_BYTES // 1024} KiB")
    return text + "\n"


def read_record(raw: bytes, *, stem: str) -> tuple[str, Any]:
    """Return (name, data) of a record whose file is named `stem`. Raises ValueError with what is wrong."""
    found = read_json(raw)
    if not isinstance(found, dict) or found.get("format") != 1:
        raise ValueError("is no record of format 1")
    name = found.get("name")
    if not isinstance(name, str) or file_stem(name) != stem:
        raise ValueError("holds a record of another name")
    return name, found.get("data")
