"""Values that are known to be secret: those of the environment variables that the configuration names.

A value is looked for as it is and in the forms that programs give it on its way: escaped in JSON or in a
repr, quoted for a URL or for HTML, in base64 at each of its three alignments, and as the piece that a message
holds which was cut (`plainWords...`, `...ldSuspect`).
"""

from __future__ import annotations

import base64
import binascii
import html
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6
"""A configured value below this length is not looked for: it would take ordinary words with it."""
SHORTEST_CUT = 8
"""A value of which a cut message holds this much is looked for, too."""
SHORTEST_LINE = 20
"""A line of a value of several lines (a key in PEM) is looked for by itself from this length on."""
SHORTEST_BASE64 = 10
"""Base64 of fewer characters would be found in words."""
PLACEHOLDER = "[REDACTED:secret]"
_CUTS = ("...", "\u2026")


class KnownValues:
    """Takes known values out of texts."""

    def __init__(self, values: Iterable[str]) -> None:
        whole = {part for value in values for part in _parts(value)}
        self._values = tuple(sorted(whole, key=len, reverse=True))
        forms = {form for value in whole for form in _forms(value)}
        self._forms = tuple(sorted(forms | whole, key=len, reverse=True))
        self._cuttable = tuple(value for value in self._values if len(value) > SHORTEST_CUT)
        self._longest = max(map(len, self._values), default=0)
        self.numbers = frozenset(value for value in whole if value.isascii() and value.isdigit())

    def taken_out(self, text: str) -> str:
        """Return `text` without any known value; the same object where there is none."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, PLACEHOLDER)
        if self._cuttable:
            if "..." in text or _CUTS[1] in text:
                for value in self._cuttable:
                    text = _without_beginning(value, _without_end(value, text))
            else:
                text = self._ends_cut_off(text)
        return text

    def _ends_cut_off(self, text: str) -> str:
        """Look at both ends only: without dots nothing was cut elsewhere."""
        reach = self._longest
        head, tail = text[:reach], text[-reach:]
        for value in self._cuttable:
            if value[:SHORTEST_CUT] in tail or value[-SHORTEST_CUT:] in head:
                text = _without_beginning(value, _without_end(value, text))
        return text


def _parts(value: str) -> Iterator[str]:
    value = value.strip()
    if len(value) < SHORTEST_SECRET:
        return
    yield value
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= SHORTEST_LINE and " " not in line)
    password = _password_of(value)
    if len(password) >= SHORTEST_CUT:
        yield password


def _password_of(value: str) -> str:
    """Return the password in a value made for `Authorization: Basic`, in base64 or plain; or nothing."""
    try:
        plain = base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
    name, colon, password = plain.partition(":")
    return password if colon and name.isprintable() and password.isprintable() else ""


def _escaped(text: str) -> set[str]:
    return {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}


def _forms(value: str) -> Iterator[str]:
    once = {value} | _escaped(value)
    # A repr in a repr, JSON in JSON: a failed comparison is shown so, and a body in a log.
    twice = once.union(*map(_escaped, once))
    yield from twice
    yield from (html.escape(text, quote=marks) for text in twice for marks in (True, False))
    yield from (quoted(value, safe=safe) for quoted in (quote, quote_plus) for safe in ("", "/"))
    raw = value.encode("utf-8", "surrogatepass")
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + raw).decode("ascii")
            # Only characters that no neighbour has a share in.
            whole = text[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
            if len(whole) >= SHORTEST_BASE64:
                yield whole


def _without_beginning(value: str, text: str) -> str:
    """Return `text` without the beginning of `value` where a message was cut in the middle of it."""
    parts: list[str] = []
    done = 0
    start = text.find(value[:SHORTEST_CUT])
    while start >= 0:
        end = start + _common(value, text[start : start + len(value)])
        if end == len(text) or text.startswith(_CUTS, end):
            parts += [text[done:start], PLACEHOLDER]
            done = end
        start = text.find(value[:SHORTEST_CUT], end)
    return "".join([*parts, text[done:]]) if parts else text


def _without_end(value: str, text: str) -> str:
    """Return `text` without the end of `value` where what stood before it was cut off."""
    parts: list[str] = []
    done = 0
    found = text.find(value[-SHORTEST_CUT:])
    while found >= 0:
        end = found + SHORTEST_CUT
        start = end - _common(value[::-1], text[max(done, end - len(value)) : end][::-1])
        if start == 0 or text.endswith(_CUTS, done, start):
            parts += [text[done:start], PLACEHOLDER]
            done = end
        found = text.find(value[-SHORTEST_CUT:], end)
    return "".join([*parts, text[done:]]) if parts else text


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
