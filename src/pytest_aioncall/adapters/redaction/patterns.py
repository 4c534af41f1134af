"""Keys and tokens that are known by their shape.

Nearly all text has none, so it is sorted out first: a *gate* goes by one character that the prefixes of a
family share (`_` of `ghp_` and `sk_live_`, `-` of `sk-` and `glpat-`), which is found at the speed of memory,
and looks at what stands before and after it. Only where a gate opens do the patterns of its family run.

Repeats before a required character are bounded: what a model writes must not make a pattern take quadratic
time. Where prose could be taken for a key, a digit is asked for: words have none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from .found import Found, apart

Gate = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of secret.

    pattern  a named group `keep` is what stays of a match
    check    tells of a match whether it is one
    """

    name: str
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], bool] | None = None

    def taken_out(self, text: str) -> str:
        """Return `text` with a placeholder for each secret of this kind; the same object without one."""
        if self.check is not None and not any(map(self.check, self.pattern.finditer(text))):
            return text
        return self.pattern.sub(self._placeholder, text)

    def found(self, text: str) -> Iterable[Found]:
        """Yield each secret of this kind."""
        for match in self.pattern.finditer(text):
            if self.check is None or self.check(match):
                yield Found(self.name, *match.span())

    def _placeholder(self, match: re.Match[str]) -> str:
        if self.check is not None and not self.check(match):
            return match[0]
        return f"{match.groupdict().get('keep') or ''}[REDACTED:{self.name}]"


def _is_credentials(match: re.Match[str]) -> bool:
    """Tell whether what follows `Basic` is name and password; the word stands in prose, too."""
    try:
        raw = base64.b64decode(match["value"] + "=" * (-len(match["value"]) % 4), validate=True)
    except binascii.Error:
        return False
    return b":" in raw and raw.isascii() and raw.decode("ascii").isprintable()


def _kind(name: str, pattern: str, check: Callable[[re.Match[str]], bool] | None = None) -> Kind:
    return Kind(name, re.compile(pattern, re.ASCII), check)


_PRIVATE_KEY = _kind(
    "private-key",
    r"-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]*?-----END [A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)",
)
_JWT = _kind("jwt", r"\beyJ[\w-]{8,2048}\.eyJ[\w-]{8,8192}\.[\w-]*")
# Vendors of models: OpenAI, Anthropic, OpenRouter, DeepSeek, Langfuse (sk-), Perplexity, xAI, NVIDIA, Tavily,
# Cerebras; Amazon's short-term keys for Bedrock.
_DASHED_KEYS = _kind(
    "api-key",
    r"\b(?:sk-|pplx-|xai-|nvapi-|tvly-|csk-|bedrock-api-key-)(?=[\w-]{0,64}\d)[\w-]{20,}",
)
# Groq, Replicate, Fireworks, ElevenLabs, Pinecone, Together, LangSmith.
_SCORED_KEYS = _kind(
    "api-key",
    r"\b(?:gsk_|r8_|fw_|sk_|pcsk_|tgp_v1_|lsv2_(?:pt|sk)_)(?=[\w-]{0,64}\d)[A-Za-z0-9][\w-]{21,}",
)
_STRIPE = _kind("stripe-key", r"\b(?:[rs]k_(?:live|test|org)|whsec)_\w{16,}")
_GITHUB = _kind("github-token", r"\b(?:gh[pousr]_(?=\w{0,64}\d)\w{30,}|github_pat_\w{40,})")
_HUGGING_FACE = _kind("huggingface-token", r"\b(?:hf_|api_org_)[A-Za-z0-9]{30,}")
_NPM = _kind("package-token", r"\bnpm_[A-Za-z0-9]{36}|\bdckr_(?:pat|oat)_[\w-]{20,}")
_PYPI = _kind("package-token", r"\bpypi-[\w-]{50,}")
_CLOUD_TOKEN = _kind(
    "service-token",
    r"\b(?:dop_v1_|doo_v1_|shpat_|shpss_|lin_api_|ntn_|figd_|glsa_|sntrys_|sntryu_)(?=\w{0,64}\d)\w{20,}",
)
_GITLAB = _kind("gitlab-token", r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas|ffct)-[\w.-]{20,}")
_SLACK = _kind("slack-token", r"\bxox[abceoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}")
_CHAT_HOOK = _kind(
    "slack-token",
    r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]{20,}",
)
_AWS = _kind("aws-key", r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}\b|ABSK[\w+/-]{40,}={0,2})")
_AWS_SESSION = _kind("aws-key", r"\b(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[\w+/=-]{60,}")
_GOOGLE = _kind("google-key", r"\bAIza[\w-]{35}|\bAQ\.Ab[\w-]{30,}")
_GOOGLE_TOKEN = _kind("google-key", r"\bya29\.[\w-]{20,}")
_GOOGLE_CLIENT = _kind("google-key", r"\bGOCSPX-[\w-]{20,}")
_AZURE = _kind("azure-key", r"\b[A-Za-z0-9]{48,56}JQQJ9[9D][A-Za-z0-9]{20,40}\b")
_AZURE_CLIENT = _kind("azure-key", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~-])")
_SENDGRID = _kind("sendgrid-key", r"\bSG\.[\w-]{16,128}\.[\w-]{16,}")
_VAULT = _kind("service-token", r"\bhv[bsr]\.(?=[\w-]{0,64}\d)[\w-]{24,}")
_TWILIO = _kind("twilio-key", r"\bSK[0-9a-f]{32}\b")
_DATABRICKS = _kind("service-token", r"\bdapi[0-9a-f]{32}(?:-\d)?\b")
_ATLASSIAN = _kind("service-token", r"\bATATT3[\w-]{40,}")
_AGE = _kind("private-key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{50,}")
_TELEGRAM = _kind("service-token", r"\b\d{8,10}:AA[\w-]{33}\b")
_BEARER = _kind("bearer-token", r"(?P<keep>\b(?:[Bb]earer|BEARER) +)(?=[\w.~+/-]{0,64}\d)[\w.~+/-]{16,}=*")
_BASIC = _kind("bearer-token", r"(?P<keep>\b(?:Basic|BASIC) +)(?P<value>[\w+/]{8,2048})={0,2}",
               _is_credentials)  # fmt: skip
_URL_PASSWORD = _kind(
    "url-password", r"(?<=://)(?!\[REDACTED:)[^\s/:@\[\]\"'<>]{0,64}:[^\s/@\[\]\"'<>]{1,256}(?=@)"
)
_CONNECTION = _kind(
    "url-password", r"(?P<keep>; *(?i:password|pwd) *= *)(?!\[REDACTED:|\{)[^\s;\"']{4,128}(?=;|[\s\"']|$)"
)
# A key that nothing but its name gives away: Azure, Mistral, Cohere, Twilio and AWS use plain letters. What
# looks like a value is found first, and then what stands before it is looked at.
_VALUE = r" {0,8}[\"']?)(?=[\w.+/~-]{0,64}\d)[\w.+/~-]{16,}=*"
_NAME_BEFORE = re.compile(
    r"(?i:api[_-]?key|secret[_-]?(?:access[_-]?)?key|access[_-]?token|auth[_-]?token|client[_-]?secret"
    r"|session[_-]?token|security[_-]?token|account[_-]?key|shared[_-]?access[_-]?key|subscription[_-]?key"
    r"|signing[_-]?secret)[\"']? {0,8}\Z",
    re.ASCII,
)
_LONGEST_NAME = 40


def _is_named(match: re.Match[str]) -> bool:
    """Tell whether the name before a value says that it is a key."""
    before = match.string[max(0, match.start() - _LONGEST_NAME) : match.start()]
    return _NAME_BEFORE.search(before) is not None


_NAMED_BY_COLON = _kind("api-key", rf"(?P<keep>:{_VALUE}", _is_named)
_NAMED_BY_EQUALS = _kind("api-key", rf"(?P<keep>={_VALUE}", _is_named)


def _seeing(literal: str) -> Gate:
    return lambda text: literal in text


def _beside(char: str, before: Iterable[str], after: str) -> Gate:
    """Return a gate for `char` with one of `before` before it and `after`, a pattern, behind it."""
    looks = "|".join(f"(?<={re.escape(word + char)})" for word in before)
    search = re.compile(f"{re.escape(char)}(?={after})(?:{looks})", re.ASCII).search
    return lambda text: char in text and search(text)


def _starting(char: str, pattern: str) -> Gate:
    """Return a gate for a pattern that begins with `char`."""
    search = re.compile(f"{char}{pattern}", re.ASCII).search
    return lambda text: char in text and search(text)


# In this order: what is found first keeps its place where two overlap.
FAMILIES: Final[tuple[tuple[Gate, tuple[Kind, ...]], ...]] = (
    (_seeing("PRIVATE KEY-----"), (_PRIVATE_KEY,)),
    (_seeing("PRIVATE KEY BLOCK-----"), (_PRIVATE_KEY,)),
    (lambda text: "J" in text and "eyJ" in text, (_JWT,)),
    (
        _beside(
            "-",
            (
                "sk", "pplx", "xai", "nvapi", "tvly", "bedrock-api-key", "pypi", "xapp", "GOCSPX", "KEY",
                "glpat", "gldt", "glrt", "glcbt", "glptt", "glft", "glimt", "glagent", "glsoat", "gloas",
                "glffct", *(f"xox{letter}" for letter in "abceoprs"),
            ),
            r"[\w.-]{14}",
        ),
        (_DASHED_KEYS, _PYPI, _GITLAB, _SLACK, _GOOGLE_CLIENT, _AGE),
    ),
    (
        _beside(
            "_",
            (
                "sk", "r8", "fw", "tgp_v1", "lsv2_pt", "k_live", "k_test", "k_org", "whsec", "ghp",
                "gho", "ghu", "ghs", "ghr", "github_pat", "hf", "api_org", "npm", "dckr_pat", "dckr_oat",
                "dop_v1", "doo_v1", "shpat", "shpss", "lin_api", "ntn", "figd", "glsa", "sntrys", "sntryu",
            ),
            r"[\w-]{16}",
        ),
        (_STRIPE, _SCORED_KEYS, _GITHUB, _HUGGING_FACE, _NPM, _CLOUD_TOKEN),
    ),
    (_starting("A", r"(?:KIA|SIA|BSK|Iza|Q\.Ab|TATT3)[\w+/-]{16}"), (_AWS, _GOOGLE, _ATLASSIAN)),
    (
        _beside(".", ("SG", "ya29", "hvs", "hvb", "hvr", "hooks"), r"(?:[\w-]{16}|slack\.com/)"),
        (_SENDGRID, _GOOGLE_TOKEN, _VAULT, _CHAT_HOOK),
    ),
    (lambda text: "Q" in text and "JQQJ9" in text, (_AZURE,)),
    (lambda text: "~" in text and "Q~" in text, (_AZURE_CLIENT,)),
    (lambda text: "Z" in text and ("IQoJb3JpZ2lu" in text or "FwoGZXIvYXdz" in text), (_AWS_SESSION,)),
    (_starting("S", r"K[0-9a-f]{32}"), (_TWILIO,)),
    (_seeing("dapi"), (_DATABRICKS,)),
    (_starting("B", r"(?:earer|EARER|asic|ASIC) +[\w.~+/-]{8}"), (_BEARER, _BASIC)),
    (_seeing("bearer "), (_BEARER,)),
    (_starting("@", r""), (_URL_PASSWORD,)),
    (_starting(";", r" *[Pp](?i:assword|wd) *="), (_CONNECTION,)),
    (
        _starting(":", r"(?:AA[\w-]{33}| {0,8}[\"']?(?=[\w.+/~-]{0,64}\d)[\w.+/~-]{16})"),
        (_TELEGRAM, _NAMED_BY_COLON),
    ),
    (_starting("=", r" {0,8}[\"']?(?=[\w.+/~-]{0,64}\d)[\w.+/~-]{16}"), (_NAMED_BY_EQUALS,)),
)  # fmt: skip

SECRET_KINDS: Final = tuple(dict.fromkeys(kind.name for _, kinds in FAMILIES for kind in kinds))
"""Names of the built-in kinds, each of which `redact` can switch off."""

# A reason that quotes an answer may be cut in the middle of a key. Not for `find_secrets`: manuals write so.
CUT_KEY = re.compile(
    r"\b(?:sk-|pplx-|gsk_|xai-|nvapi-|[rs]k_(?:live|test)_|whsec_|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-"
    r"|xox[abceoprs]-|xapp-|AIza|ya29\.|hf_|npm_|pypi-|SG\.|eyJ)[\w-]{8,512}(?=\.\.\.|\u2026)",
    re.ASCII,
)


def families_without(off: Collection[str]) -> tuple[tuple[Gate, tuple[Kind, ...]], ...]:
    """Return the families without the kinds that are switched off."""
    if not off:
        return FAMILIES
    left = ((gate, tuple(kind for kind in kinds if kind.name not in off)) for gate, kinds in FAMILIES)
    return tuple((gate, kinds) for gate, kinds in left if kinds)


def find_secrets(text: str, *, off: Collection[str] = ()) -> list[Found]:
    """Return the secrets that the built-in patterns see in `text`, in order."""
    found: list[Found] = []
    for gate, kinds in families_without(off):
        if gate(text):
            for kind in kinds:
                found += kind.found(text)
    return apart(found)
