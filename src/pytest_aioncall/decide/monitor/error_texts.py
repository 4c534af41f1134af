"""Error texts put together to templates, so that a new kind of error is told from a new number in an old one.

As Drain does it (He et al. 2017): what is a value by its looks is masked first; texts of as many words, whose
first word is the same and at least half of whose words agree, are one template, with `<*>` where they differ.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ...model.history import ErrorText

READ: Final = 600
MOST_WORDS: Final = 40
MOST_TEMPLATES: Final = 50
MOST_TEXTS: Final = 20_000
LONGEST: Final = 240
AGREE: Final = 0.5
WILD: Final = "<*>"
OTHER: Final = "(other errors)"

# Secrets first: nothing of one may survive, and a number inside of it would.
_MASKS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), mask)
    for pattern, mask in (
        (
            r"\b(authorization|bearer|basic|token|api[_-]?key|secret|password|passwd|pwd)"
            r"(\"?'?\s{0,3}[=:]\s{0,3}|\s{1,3})(?:bearer\s{1,3})?[\"']?(?=[^\s\"']{0,200}\d)[^\s\"',;]{6,400}",
            r"\1 <secret>",
        ),
        (r"\b(password|passwd|pwd|secret|api[_-]?key)\s{0,3}[=:]\s{0,3}[^\s,;]{1,400}", r"\1 <secret>"),
        (r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)]{1,500}", "<url>"),
        (r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", "<email>"),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<uuid>"),
        (
            r"\b(?:sk|pk|rk|gh[pousr]|xox[abprs]|AKIA|ya29|hf)[-_.]?(?=[\w.-]{0,64}\d)[\w.-]{12,400}",
            "<secret>",
        ),
        (r"(?<![\w-])(?=[\w+/=-]{0,400}\d)(?=[\w+/=-]{0,400}[a-z])[\w+/=-]{20,400}(?![\w-])", "<id>"),
        (r"(?<![\w'])'[^'\n]{0,300}'(?!\w)|(?<!\w)\"[^\"\n]{0,300}\"(?!\w)|`[^`\n]{0,300}`", "<text>"),
        (r"(?<![\w<])(?:[a-z]:)?(?:[\\/][\w.@~+-]{1,100}){2,30}[\\/]?", "<path>"),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b", "<ip>"),
        (r"\b0x[0-9a-f]{1,64}\b|\b(?=[0-9a-f]{0,64}\d)(?=[0-9a-f]{0,64}[a-f])[0-9a-f]{8,64}\b", "<hex>"),
        (r"\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?:z|[+-]\d\d:?\d\d)?)?", "<time>"),
    )
)


# A status is no value: 429 and 503 are two kinds of error.
_NUMBER = re.compile(
    r"(?P<status>(?:^|\b(?:http|status|code|error)[ :=(]{0,2})[1-5]\d\d(?![\w.,]\w))"
    r"|(?<![\w<])[-+]?\d[\d.,_]{0,30}(?:e[-+]?\d{1,3})?(?=[a-z%]{0,3}\b|%|$|\W)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """Return an error's text on one line, with what is a value by its looks replaced.

    Numbers, times, addresses, ids, paths, quoted text and secrets go; only what can be seen stays, for what a
    server says may hold anything.
    """
    line = "".join(char if char.isprintable() else " " for char in text[:READ])
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    line = _NUMBER.sub(lambda match: match["status"] or "<num>", line)
    return " ".join(line.split()[:MOST_WORDS])[:LONGEST]


@dataclass(slots=True)
class _Group:
    words: list[str]
    samples: int = 0
    cases: set[str] = field(default_factory=set)

    def take(self, words: Sequence[str], *, case: str, samples: int) -> None:
        self.words = [
            ours if ours == theirs else WILD for ours, theirs in zip(self.words, words, strict=True)
        ]
        self.samples += samples
        self.cases.add(case)


def templates_of(errors: Iterable[tuple[str, str]]) -> tuple[ErrorText, ...]:
    """Put errors, as (case, text) one a sample, together to templates, the most frequent first.

    The order of the errors does not matter. At most 50 templates of at most 240 characters; what is left
    stands under `(other errors)`.
    """
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for (case, text), _ in zip(errors, range(MOST_TEXTS), strict=False):
        counted[masked(text), case] += 1
    found: dict[tuple[int, str], list[_Group]] = defaultdict(list)
    for (template, case), samples in sorted(counted.items()):
        words = template.split()
        near = found[len(words), words[0] if words else ""]
        group = next((one for one in near if _agrees(one.words, words)), None)
        if group is None:
            group = _Group(words)
            near.append(group)
        group.take(words, case=case, samples=samples)
    groups = sorted(
        (group for near in found.values() for group in near),
        key=lambda group: (-group.samples, -len(group.cases), group.words),
    )
    told = [_told(" ".join(group.words), group) for group in groups[:MOST_TEMPLATES]]
    if rest := groups[MOST_TEMPLATES:]:
        cases: set[str] = set().union(*(group.cases for group in rest))
        whole = _Group([], samples=sum(group.samples for group in rest), cases=cases)
        told.append(_told(OTHER, whole))
    return tuple(told)


def _told(template: str, group: _Group) -> ErrorText:
    return ErrorText(template=template or "(no text)", samples=group.samples, cases=len(group.cases))


def is_one_kind(template: str, other: str) -> bool:
    """Tell whether two templates, of different runs perhaps, stand for one kind of error."""
    if template == other:
        return True
    words, others = template.split(), other.split()
    if len(words) != len(others) or not words or not _alike(words[0], others[0]):
        return False
    return _agrees(words, others)


def _agrees(words: Sequence[str], others: Sequence[str]) -> bool:
    if len(words) != len(others):
        return False
    if not words:
        return True
    return sum(map(_alike, words, others)) >= AGREE * len(words)


def _alike(word: str, other: str) -> bool:
    return word == other or WILD in (word, other)
