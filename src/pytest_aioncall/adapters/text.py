"""Text that others wrote, made safe to show on one line; and the nearest known word to a wrong one."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable

# Categories that a reader cannot see or that move what he sees: controls (C0, C1, ESC), formats (bidi marks
# and overrides, zero-width joiners, tags, BOM), surrogates, private use, unassigned, line and paragraph ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters that draw nothing although Unicode calls them letters or marks.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
# What of these can stand in JSON unescaped.
_UNSEEN_IN_JSON = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ue000-\uf8ff\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
    + "".join(sorted(_BLANK))
    + "]"
)
# GitHub and Forgejo read `::` at a line's start and `##[` anywhere; Azure `##vso[`, TeamCity `##teamcity[`.
_COMMAND = re.compile(r"(?<![^\n\r])([^\w!-~\n\r]*)::")
_MARKED = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str, limit: int = 120) -> str:
    """Return `text` on one line of at most `limit` characters, everything unseen written as an escape.

    Control characters (ANSI sequences with them), bidirectional and zero-width characters become `\\n`,
    `\\x1b`, `\\u202e`; a cut ends with `...`. Never longer than `limit`; total on any string.
    """
    parts: list[str] = []
    room = limit
    for char in text[: limit + 1]:
        shown = _visible(char)
        room -= len(shown)
        parts.append(shown)
        if room < 0:
            break
    line = "".join(parts)
    if len(line) <= limit:
        return line
    return line[: max(0, limit - 3)] + "..."[:limit]


def many_lines(text: str) -> str:
    """Return `text` with its line ends and tabs kept and everything else unseen written as an escape."""
    plain = text.replace("\n", "").replace("\t", "")
    if plain.isprintable() and (plain.isascii() or _BLANK.isdisjoint(plain)):
        return text
    text = text.replace("\r\n", "\n")
    return "".join(char if char in "\n\t" else _visible(char) for char in text)


def seen_json(text: str) -> str:
    """Return JSON with everything unseen in its strings written as an escape; it says the same."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _UNSEEN_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is nearest to `word`, or None where none is near."""
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def log_line(text: str, limit: int = 500) -> str:
    """Return `one_line(text)` that no CI runner takes for a command (`::error::`, `##[group]`)."""
    line = one_line(text, limit)
    safe = without_commands(line)
    return safe if len(safe) <= limit else without_commands(one_line(safe, limit))


def log_text(text: str, width: int = 2000) -> str:
    """Return `text` with its lines kept, each of them as `log_line` makes it; tabs become spaces."""
    if text.isascii() and text.replace("\n", "").isprintable() and len(text) <= width:
        return without_commands(text)
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(log_line(line.expandtabs() if "\t" in line else line, width) for line in lines)


def without_commands(text: str) -> str:
    """Return `text` without what a CI runner obeys: `::` at the start of a line, `##[` and the like anywhere.

    Both are broken up by a space. What no runner sees counts as the start of a line, too: spaces, and marks
    that a comparison by culture passes over.
    """
    if "##" in text:
        text = _MARKED.sub("# #", text)
    if "::" in text:
        text = _COMMAND.sub(r"\1: :", text)
    return text


def log_lines(text: str, *, limit: int = 20, width: int = 500) -> list[str]:
    """Return at most `limit` lines of `text`, each safe in a log; the last one may count the rest."""
    lines = text.splitlines()
    shown = [log_line(line, width) for line in lines[:limit]]
    left = len(lines) - limit
    return [*shown[: limit - 1], f"... {left + 1} more lines"] if left > 0 else shown


def _visible(char: str) -> str:
    if " " <= char <= "~":
        return char
    if char in _SHORT:
        return _SHORT[char]
    if unicodedata.category(char) in _UNSEEN or char in _BLANK:
        code = ord(char)
        if code <= 0xFF:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return " " if unicodedata.category(char) == "Zs" else char
