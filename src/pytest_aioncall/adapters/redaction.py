"""Secrets taken out of what is stored, and personal data found before it is committed.

Each kind has literal hints: a text without them is never shown to its pattern, and nearly all text has none.
A placeholder is always `[REDACTED:kind]`, so that a redacted text redacts to itself.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ..errors import UsageError
from .text import one_line

SHORTEST_SECRET = 6
"""A configured value below this length is not looked for: it would take ordinary words with it."""
SHORTEST_CUT = 8
"""A value of which a cut message holds this much is looked for, too."""
MOST_FOUND = 200
"""Findings in one text; who has that many needs no more."""

# kind, hints (one of them occurs in every match), pattern. Repeats before a required character are bounded:
# what a model writes must not make a pattern take quadratic time.
_SECRETS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "private-key",
        ("PRIVATE KEY",),
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[\s\S]*?-----END [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)",
    ),
    ("jwt", ("eyJ",), r"\beyJ[\w-]{8,2048}\.eyJ[\w-]{8,8192}\.[\w-]*"),
    ("api-key", ("sk-", "pplx-", "gsk_", "xai-"), r"\b(?:sk-|pplx-|gsk_|xai-)(?=[\w-]{0,64}\d)[\w-]{20,}"),
    ("stripe-key", ("k_live_", "k_test_", "whsec_"), r"\b(?:[rs]k_(?:live|test)|whsec)_\w{16,}"),
    ("aws-key", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    (
        "github-token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_\w{30,}|github_pat_\w{40,})",
    ),
    ("gitlab-token", ("glpat-",), r"\bglpat-[\w-]{20,}"),
    (
        "slack-token",
        ("xox", "xapp-", "hooks.slack.com"),
        r"\bxox[abeoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}|hooks\.slack\.com/services/[\w/]{20,}",
    ),
    ("google-key", ("AIza", "ya29."), r"\bAIza[\w-]{35}|\bya29\.[\w-]{20,}"),
    ("huggingface-token", ("hf_",), r"\bhf_[A-Za-z0-9]{30,}"),
    ("package-token", ("npm_", "pypi-"), r"\bnpm_[A-Za-z0-9]{36}|\bpypi-[\w-]{50,}"),
    ("sendgrid-key", ("SG.",), r"\bSG\.[\w-]{16,128}\.[\w-]{16,}"),
    (
        "bearer-token",
        ("earer ", "EARER ", "Basic "),
        r"(?P<keep>\b(?:[Bb]earer|BEARER|Basic) +)(?=[\w.~+/-]{0,64}\d)[\w.~+/-]{16,}=*",
    ),
    ("url-password", ("@",), r"(?<=://)[^\s/:@\[\]]{1,64}:[^\s/@\[\]]{1,256}(?=@)"),
    (
        "api-key",
        ("key", "KEY", "Key", "secret", "SECRET", "Secret", "token", "TOKEN", "Token"),
        r"(?P<keep>(?i:api[_-]?key|secret[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret)"
        r"[\"']? *[:=] *[\"']?)(?=[\w.+/-]{0,64}\d)[\w.+/-]{16,}=*",
    ),
)
# In JSON the name of a field says it.
_SECRET_FIELDS = frozenset(
    {
        "authorization",
        "proxy_authorization",
        "api_key",
        "apikey",
        "x_api_key",
        "access_token",
        "refresh_token",
        "client_secret",
        "secret_key",
        "private_key",
        "password",
        "cookie",
        "set_cookie",
    }
)


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a text that should not be there: its kind ("email", "api-key") and where it stands."""

    kind: str
    start: int
    end: int

    def __str__(self) -> str:
        article = "an" if self.kind[0] in "aeiouAEIOU" else "a"
        return f"{article} {self.kind} at character {self.start}"


class Redactor:
    """Take secrets out of texts and JSON.

    `secret_values` are values that are known (those of the environment variables the configuration names);
    `patterns` are the user's regular expressions, on top of the built-in ones.
    """

    def __init__(self, secret_values: Iterable[str] = (), patterns: Iterable[str] = ()) -> None:
        self._values = sorted(
            {value.strip() for value in secret_values if len(value.strip()) >= SHORTEST_SECRET},
            key=len,
            reverse=True,
        )
        self._patterns = tuple(_compiled(pattern) for pattern in patterns)

    def text(self, text: str) -> str:
        """Return `text` with `[REDACTED:kind]` for every secret; the same object where there is none."""
        text = storable(text)
        for value in self._values:
            if value in text:
                text = text.replace(value, "[REDACTED:secret]")
            if value[:SHORTEST_CUT] in text:
                text = _without_cut(value, text)
        for kind, hints, pattern in _KINDS:
            for hint in hints:
                if hint in text:
                    text = pattern.sub(_placeholder(kind), text)
                    break
        if "..." in text:
            text = _CUT_KEY.sub("[REDACTED:cut-key]", text)
        for pattern in self._patterns:
            text = pattern.sub("[REDACTED:pattern]", text)
        return text

    def json(self, value: Any) -> Any:
        """Return JSON with every text in it redacted, keys too; the same object where nothing changed."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            changed = {self._key(key): self._field(key, one) for key, one in value.items()}
            same = len(changed) == len(value) and all(
                key in changed and changed[key] is one for key, one in value.items()
            )
            return value if same else changed
        if isinstance(value, (list, tuple)):
            items = [self.json(one) for one in value]
            if all(new is old for new, old in zip(items, value, strict=True)):
                return value
            return items if isinstance(value, list) else tuple(items)
        return value

    def _key(self, key: Any) -> Any:
        return self.text(key) if isinstance(key, str) else key

    def _field(self, key: Any, value: Any) -> Any:
        if isinstance(value, str) and value and isinstance(key, str) and not value.startswith("[REDACTED:"):
            name = key.casefold().replace("-", "_")
            if name in _SECRET_FIELDS:
                return "[REDACTED:field]"
        return self.json(value)


def storable(text: str) -> str:
    """Return `text` as UTF-8 can hold it: halves of characters (lone surrogates) become U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def find_secrets(text: str) -> list[Found]:
    """Return the secrets that the built-in patterns see in `text`, in order."""
    found: list[Found] = []
    for kind, hints, pattern in _KINDS:
        if any(hint in text for hint in hints):
            found += [Found(kind, *match.span()) for match in pattern.finditer(text)]
    return _apart(found)


def find_personal_data(text: str) -> list[Found]:
    """Return what looks like somebody's data, in order: email, phone, IBAN, card or public IP address.

    Values reserved for examples are passed over: `example.com` and the like, 555-01xx numbers, addresses of
    documentation and private networks. Card numbers pass the Luhn check, IBANs the check of ISO 13616.
    """
    return _apart(
        Found(kind, start, end)
        for kind, spans in (
            ("email", _emails(text)),
            ("IBAN", _ibans(text)),
            ("credit card number", _cards(text)),
            ("IP address", _addresses(text)),
            ("phone number", _phones(text)),
        )
        for start, end in spans
    )


_KINDS = tuple((kind, hints, re.compile(pattern, re.ASCII)) for kind, hints, pattern in _SECRETS)

# A reason that quotes an answer may be cut in the middle of a key. Not for `find_secrets`: manuals write so.
_CUT_KEY = re.compile(
    r"\b(?:sk-|pplx-|gsk_|xai-|[rs]k_(?:live|test)_|whsec_|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-"
    r"|xapp-|AIza|ya29\.|hf_|npm_|pypi-|SG\.|eyJ)[\w-]{8,512}(?=\.\.\.)",
    re.ASCII,
)
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


def _apart(found: Iterable[Found]) -> list[Found]:
    """Return what was found in the order of the text; of two that overlap, the one found first."""
    kept: list[Found] = []
    for one in found:
        if len(kept) == MOST_FOUND:
            break
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


def _without_cut(value: str, text: str) -> str:
    """Return `text` without the beginning of `value` where a message was cut in the middle of it."""
    start = text.find(value[:SHORTEST_CUT])
    while start >= 0:
        same = takewhile(
            lambda pair: pair[0] == pair[1], zip(value, text[start : start + len(value)], strict=False)
        )
        end = start + sum(1 for _ in same)
        if end == len(text) or text.startswith("...", end):
            return f"{text[:start]}[REDACTED:secret]{_without_cut(value, text[end:])}"
        start = text.find(value[:SHORTEST_CUT], end)
    return text


def _placeholder(kind: str) -> Callable[[re.Match[str]], str]:
    return lambda match: f"{match.groupdict().get('keep') or ''}[REDACTED:{kind}]"


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"redact: {one_line(pattern, 60)!r} is no regular expression: {error}") from None
    if compiled.match(""):
        raise UsageError(
            f"redact: {one_line(pattern, 60)!r} matches the empty text, and so everywhere; narrow it"
        )
    return compiled


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
