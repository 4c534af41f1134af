"""JSON lines that somebody else wrote: one mapping a line, each refused with its line, none trusted."""

from __future__ import annotations

import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..text import one_line
from .files import open_file
from .positions import MAX_DEPTH, MAX_KEYS
from .problems import Source
from .words import kind_of

MAX_BYTES = 512 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_WRONG = 1_000
"""Unreadable lines after which a file is read no further."""
_MAX_DIGITS = 400
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def json_rows(raw: bytes, source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line from 1, mapping) of each line that is not blank; an unreadable one is noted instead."""
    return _rows(io.BytesIO(raw), source)


def file_rows(source: Source, *, limit: int = MAX_BYTES) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a file as `json_rows` does, with one line in memory at a time. Raises LoadError."""
    with open_file(source.path, file=source.file, limit=limit) as stream:
        yield from _rows(stream, source)


def _rows(stream: BinaryIO, source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    line, wrong = 0, 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        line += 1
        text = (raw.removeprefix(b"\xef\xbb\xbf") if line == 1 else raw).strip(b" \t\r\n")
        if not text:
            continue
        try:
            if len(raw) > MAX_LINE_BYTES:
                raise ValueError(f"is a line of more than {MAX_LINE_BYTES // 1024 // 1024} MiB")
            row = read_json(text)
            if isinstance(row, dict):
                yield line, row
                continue
            problem = f"needs one mapping a line, got {kind_of(row)}"
        except ValueError as error:
            problem = str(error)
        wrong += 1
        if len(raw) > MAX_LINE_BYTES or wrong == MAX_WRONG:
            source.add("", f"{problem}; nothing after it is read", line=line)
            return
        source.add("", problem, line=line)


def read_json(text: bytes) -> Any:
    """Return the JSON value in `text`. Raises ValueError with a message for the user.

    Refused besides bad JSON: a key that is set twice, NaN, infinities, endless numbers, deep nesting, halves
    of characters.
    """
    if len(text) > MAX_LINE_BYTES:
        raise ValueError(f"is a line of more than {MAX_LINE_BYTES // 1024 // 1024} MiB")
    try:
        value = _DECODER.decode(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 (byte 0x{text[error.start]:02x})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON: {one_line(error.msg)} (column {error.colno})") from None
    except RecursionError:
        raise ValueError(f"is nested more than {MAX_DEPTH} deep") from None
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError(f"is nested more than {MAX_DEPTH} deep")
    if _SURROGATE.search(text) and not _is_whole(value):
        raise ValueError("holds half of a character (a lone \\ud800 to \\udfff), which no file can hold")
    return value


def _is_whole(value: Any) -> bool:
    """Tell whether the text in a JSON value can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def as_text(value: Any) -> Any:
    """Return a JSON number or truth value as YAML would spell it, anything else as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise ValueError(f"a mapping holds more than {MAX_KEYS:,} keys; make it a list")
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key '{one_line(twice, 60)}' is set twice")
    return mapping


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"holds a number too large: {one_line(text, 40)}")
    return number


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"holds a number of {len(text)} digits")
    return int(text)


def _constant(text: str) -> float:
    raise ValueError(f"holds {text}, which is no JSON; write null")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_finite, parse_int=_whole, parse_constant=_constant
)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, dict | list)]:
        depth += 1
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return depth
