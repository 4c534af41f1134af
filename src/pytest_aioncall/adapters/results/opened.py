"""A result file opened within hard limits: JSON, JSON lines, XML or a zip of JSON."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..text import one_line
from ..yaml_text import read_bytes
from .observed import Unreadable
from .xml_tree import Element, read_xml
from .zipped import Zipped, open_zip

MAX_BYTES = 256 * 1024 * 1024
_DEEPEST = 200
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file and what is in it; `value` by kind: a JSON value, a list of them, an Element, a Zipped."""

    path: Path
    kind: Literal["json", "lines", "xml", "zip"]
    sha256: str
    json: Any = None
    lines: list[Any] = field(default_factory=list)
    xml: Element | None = None
    zip: Zipped | None = None


def open_result(path: Path) -> Opened:
    """Open a result file by what it holds, not by its name. Raises LoadError, or Unreadable."""
    raw = read_bytes(path, file=path.as_posix(), limit=MAX_BYTES)
    sha256 = hashlib.sha256(raw).hexdigest()
    head = raw[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise Unreadable("is empty: the run was stopped before it wrote a result, or the path is wrong")
    if raw.startswith(b"PK"):
        return Opened(path, "zip", sha256, zip=open_zip(raw))
    if head.startswith(b"<"):
        return Opened(path, "xml", sha256, xml=read_xml(raw))
    if head[:1] not in b"{[":
        raise Unreadable("is neither JSON nor XML nor an inspect log; name the tool's JSON (or JUnit) file")
    text = _decoded(raw)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return Opened(path, "lines", sha256, lines=_lines(text))
    try:
        return Opened(path, "json", sha256, json=read_json(text))
    except Unreadable:
        first, _, rest = text.lstrip("\ufeff \t\r\n").partition("\n")
        if rest.strip() and _is_json(first):
            return Opened(path, "lines", sha256, lines=_lines(text))
        raise


def read_json(text: str) -> Any:
    """Return a JSON value. NaN and infinities, which several tools write, stay floats for `scored` to refuse.

    Raises Unreadable for bad JSON (a cut file says so), deep nesting, endless numbers, half characters.
    """
    try:
        value = json.loads(text.lstrip("\ufeff"), parse_int=_whole)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated"):
            raise Unreadable(
                "is cut off: the JSON ends in the middle; was the run stopped while it wrote?"
            ) from None
        place = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"is not valid JSON: {one_line(error.msg)} ({place})") from None
    except RecursionError:
        raise Unreadable(f"is nested more than {_DEEPEST} deep") from None
    return _checked(value)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 (byte {error.start})") from None


def _lines(text: str) -> list[Any]:
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(read_json(line))
        except Unreadable as error:
            raise Unreadable(f"line {number} {error}") from None
    return found


def _is_json(line: str) -> bool:
    try:
        read_json(line)
    except Unreadable:
        return False
    return True


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 300 else float("inf")


def _checked(value: Any) -> Any:
    """Refuse deep nesting, and mend halves of characters, which no file of ours could hold."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise Unreadable(f"is nested more than {_DEEPEST} deep")
        below: list[Any] = []
        for item in level:
            below += _mended(item)
        level = below
    return value


def _mended(item: dict[str, Any] | list[Any]) -> list[Any]:
    """Mend the texts right in a container; return the containers in it."""
    if isinstance(item, dict):
        for key in [key for key in item if _SURROGATE.search(key)]:
            item[_SURROGATE.sub("\ufffd", key)] = item.pop(key)
        pairs: Any = item.items()
    elif isinstance(item, list):
        pairs = enumerate(item)
    else:
        return []
    for key, inner in list(pairs):
        if isinstance(inner, str) and _SURROGATE.search(inner):
            item[key] = _SURROGATE.sub("\ufffd", inner)
    return [inner for _, inner in pairs if isinstance(inner, dict | list)]
