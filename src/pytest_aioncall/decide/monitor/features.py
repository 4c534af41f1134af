"""What a free text looks like, as a few categories: their mix can be watched where no score sees a change.

Read from the first characters only, by patterns whose time is linear in them: the text is a model's.
"""

from __future__ import annotations

import json
import re
from typing import Final

READ: Final = 20_000
"""Characters that are looked at; beyond them an answer changes neither its language nor its form."""

_HEAD = 300
_LENGTHS = ((0, "empty"), (40, "1-40"), (160, "41-160"), (640, "161-640"), (2560, "641-2560"))
_LONGEST = "over 2560"

_REFUSALS: Final = (
    "i can't", "i cannot", "i can not", "i'm unable", "i am unable", "i'm not able", "i am not able",
    "i won't be able", "i must decline", "i have to decline", "i'm sorry, but", "i am sorry, but",
    "sorry, i can", "i'd rather not", "as an ai", "as a language model", "against my guidelines",
    "i do not have access", "i don't have access", "unable to help", "unable to assist", "can't help with",
    "can't assist", "ich kann nicht", "ich kann dabei nicht", "ich kann ihnen dabei nicht",
    "es tut mir leid, aber", "leider kann ich", "je ne peux pas", "je suis d\u00e9sol\u00e9", "no puedo",
    "lo siento, pero", "mi dispiace, ma", "non posso", "n\u00e3o posso", "desculpe, mas",
)  # fmt: skip

_STOP_WORDS: Final = {
    "en": "the of and to in is that it for on with as are this was be by have not you or from at your which",
    "de": "der die und das ist nicht ein eine den zu mit auf f\u00fcr im dem sie von ich es auch wird sind",
    "fr": "le la les et des est une un pour que dans pas vous sur au avec ce il qui sont du nous votre",
    "es": "el la los las y de que en un una es por con para no se su al lo como del m\u00e1s est\u00e1",
    "it": "il la che di e un una per non con del della sono le si da al come i nel pi\u00f9 gli questo",
    "pt": "o a os as e de que em um uma \u00e9 para com n\u00e3o do da no na por mais se como dos",
    "nl": "de het een en van is dat niet op te in voor met zijn aan je er ook als bij wordt deze",
}
_BY_WORD: Final = {
    word: tuple(name for name, words in _STOP_WORDS.items() if word in words.split())
    for words in _STOP_WORDS.values()
    for word in words.split()
}
_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 400
_LEAST_HITS = 2
_SCRIPTS: Final = (
    (0x0370, 0x03FF, "el"), (0x0400, 0x052F, "cyrillic"), (0x0590, 0x05FF, "he"), (0x0600, 0x06FF, "ar"),
    (0x0900, 0x097F, "hi"), (0x0E00, 0x0E7F, "th"), (0x3040, 0x30FF, "ja"), (0x4E00, 0x9FFF, "zh"),
    (0xAC00, 0xD7AF, "ko"),
)  # fmt: skip

# [1], [^1], [doc-17], [kb/refunds.md, 3]; a bracket holds no other bracket, so this is linear.
_CITATION = re.compile(r"\[\^?(?!x\]|X\])[\w./:#-]{1,80}(?:[,;] ?[\w./:#-]{1,80}){0,20}\]")
_LINK = re.compile(r"https?://\S")
_ITEM = re.compile(r"[-*+\u2022]\s|\d{1,3}[.)]\s")


def features_of(text: str) -> dict[str, str]:
    """Return length, refusal, language, citations and format of an answer, a category each.

    length     characters: empty, 1-40, 41-160, 161-640, 641-2560, over 2560
    refusal    yes where the first 300 characters have a usual wording of one
    language   en, de, fr, es, it, pt, nl by their stop words, others by their script; unknown; none
    citations  yes where there is a reference in brackets or a web address
    format     json, code, list, prose; empty
    """
    read = text[:READ]
    form = _format(read.strip())
    return {
        "length": next((name for most, name in _LENGTHS if len(text) <= most), _LONGEST),
        "refusal": "yes" if _refuses(read) else "no",
        "language": _language(read),
        "citations": "yes" if _cites(read, form) else "no",
        "format": form,
    }


def _refuses(text: str) -> bool:
    head = " ".join(text.lstrip()[:_HEAD].replace("\u2019", "'").casefold().split())
    return any(wording in head for wording in _REFUSALS)


def _language(text: str) -> str:
    words = [match.group() for match, _ in zip(_WORD.finditer(text), range(_MOST_WORDS), strict=False)]
    if not words:
        return "none"
    scripts: dict[str, int] = {}
    for word in words:
        script = _script(ord(word[0]))
        scripts[script] = scripts.get(script, 0) + 1
    # A text in Japanese has Chinese characters, too, and no Chinese one has kana.
    most = "ja" if scripts.get("ja") else max(sorted(scripts), key=scripts.__getitem__)
    if most != "latin":
        return most
    hits: dict[str, int] = {}
    for word in words:
        for name in _BY_WORD.get(word.casefold(), ()):
            hits[name] = hits.get(name, 0) + 1
    best = max(sorted(hits), key=hits.__getitem__, default="")
    return best if hits.get(best, 0) >= _LEAST_HITS else "unknown"


def _script(code: int) -> str:
    if code < 0x0370:
        return "latin"
    return next((name for first, last, name in _SCRIPTS if first <= code <= last), "latin")


def _cites(text: str, form: str) -> bool:
    if _LINK.search(text):
        return True
    # A list of numbers in JSON looks like citations.
    return form != "json" and _CITATION.search(text) is not None


def _format(text: str) -> str:
    if not text:
        return "empty"
    if text[0] in "{[" and _is_json(text):
        return "json"
    if "```" in text:
        return "code"
    lines = [line.lstrip() for line in text.splitlines() if not line.isspace() and line]
    items = sum(_ITEM.match(line) is not None for line in lines)
    return "list" if items >= 2 and 2 * items >= len(lines) else "prose"


def _is_json(text: str) -> bool:
    if len(text) >= READ:
        # It was cut: what begins like an object with a quoted name is one.
        return re.match(r"[{\[]\s{0,20}[\"{\[]", text) is not None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
