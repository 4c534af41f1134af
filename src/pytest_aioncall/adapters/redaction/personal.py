"""Somebody's data: email, phone, IBAN, card and public IP address.

Values reserved for examples are passed over: `example.com` and the like, 555-01xx numbers, addresses of
documentation and private networks. Card numbers pass the Luhn check, IBANs the check of ISO 13616.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from .found import Found, apart

Spans = Callable[[str], Iterator[tuple[int, int]]]

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@((?:[\w-]{1,63}\.)+[A-Za-z]{2,24})(?![\w-])")
_RESERVED_DOMAIN = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net)|example|invalid|test|localhost)$", re.IGNORECASE
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])")
_PHONE = re.compile(
    r"(?<![\w+.-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}"
    r"|\(\d{3}\) ?\d{3}[-. ]\d{4}|\d{3}[-.]\d{3}[-.]\d{4})(?![\w-]|\.\d)"
)
_FICTIONAL_PHONE = re.compile(r"555[ .-]?01\d\d$")


def find_personal_data(text: str) -> list[Found]:
    """Return what looks like somebody's data, in order."""
    return apart(Found(kind, start, end) for kind, spans in _SPANS.items() for start, end in spans(text))


def without_personal_data(text: str, kinds: Collection[str]) -> str:
    """Return `text` with `[REDACTED:kind]` for somebody's data of these kinds, all of it."""
    for kind, spans in _SPANS.items():
        if kind not in kinds:
            continue
        parts: list[str] = []
        end = 0
        # In the order of the text: IP addresses come from two patterns.
        for start, stop in sorted(spans(text)):
            if start >= end:
                parts += [text[end:start], f"[REDACTED:{kind}]"]
                end = stop
        if parts:
            text = "".join([*parts, text[end:]])
    return text


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if not _RESERVED_DOMAIN.search(match[1]):
                yield match.span()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        digits = match[0].replace(" ", "")
        if (
            15 <= len(digits) <= 34
            and int("".join(str(int(c, 36)) for c in digits[4:] + digits[:4])) % 97 == 1
        ):
            yield match.span()


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = [int(c) for c in match[0] if c.isdigit()]
        doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
        # 2-6 are the first digits that card networks use.
        if 2 <= digits[0] <= 6 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            yield match.span()


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            try:
                if ipaddress.ip_address(match[0]).is_global:
                    yield match.span()
            except ValueError:
                continue


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        digits = sum(c.isdigit() for c in match[0])
        if 8 <= digits <= 15 and not _FICTIONAL_PHONE.search(match[0]):
            yield match.span()


_SPANS: Final[Mapping[str, Spans]] = {
    "email": _emails,
    "IBAN": _ibans,
    "credit card number": _cards,
    "IP address": _addresses,
    "phone number": _phones,
}
PERSONAL_KINDS: Final = tuple(_SPANS)
"""Kinds of personal data, each of which `redact` can switch on."""
