"""The index of the helpdesk: sections of the handbook, tokens, BM25 scores.

Everything here is a pure function of the articles. Recorded answers are found again by the rendered request,
so nothing may depend on the interpreter, the platform or the order of a directory: files are sorted by name,
scores are rounded before they are compared, and ties are broken by position.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HANDBOOK = Path(__file__).resolve().parents[2] / "docs" / "handbook"

# An identifier such as latency_p95_ratio is one word: pasted alerts are found by it. Short numbers are not
# words, because every article and every alert is full of them.
WORD = re.compile(r"[a-z][a-z0-9_]*|[0-9]{3,}")

# What one identifier of a question weighs against an ordinary word.
IDENTIFIER_WEIGHT = 3

# A section is found when it scores this much, or this share of all that the question's words are worth.
ENOUGH_SCORE = 4.5
ENOUGH_SHARE = 0.28

_FILLERS = """
a about after again all also am an and any are as at be because been before being but by can cannot could
did do does doing done dont else even ever every few for from get gets getting go goes going got had has
have having he hello help her here hi him his how i if im in into is isnt it its just keep know left let
lets like look looks lot made make makes many may maybe me mean means might more most much must my need
never no not nothing now of off ok okay on once one only or other our out over own people please put
really right said same say says see seem seems she should since so some someone something still such sure
take tell than thank thanks that the their them then there these they thing things think this those
through to too up us use used very want was way we well were what whats when where which while who whom
whose why will with without would yes yet you your
"""
STOPWORDS = frozenset(_FILLERS.split())


@dataclass(frozen=True, slots=True)
class Section:
    """One section of an article: `article` is the file's stem and the id that answers cite."""

    article: str
    title: str
    heading: str
    text: str


def tokenize(text: str) -> list[str]:
    """Return the stems of the words of `text` that carry meaning, in order; identifiers stay as they are."""
    return [stem(word) for word in WORD.findall(text.lower()) if word not in STOPWORDS]


def stem(word: str) -> str:
    """Cut the commonest endings, so that `rolled`, `rolling` and `roll` meet."""
    if "_" in word:
        return word
    for ending in ("s", "ing", "ed", "e"):
        if word.endswith(ending) and not word.endswith("ss") and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def read_sections(folder: Path) -> list[Section]:
    """Return the sections of all articles in `folder`, by file name and then in the order of the file."""
    sections: list[Section] = []
    for path in sorted(folder.glob("*.md"), key=lambda found: found.name):
        if path.stem != "index":
            sections.extend(split_article(path.stem, path.read_text(encoding="utf-8")))
    return sections


def split_article(article: str, markdown: str) -> list[Section]:
    """Split one article at its `##` headings; line breaks inside a section become spaces."""
    head, *parts = re.split(r"^## ", markdown, flags=re.MULTILINE)
    title = head.strip().removeprefix("# ").strip()
    sections = []
    for part in parts:
        heading, _, body = part.partition("\n")
        sections.append(Section(article, title, heading.strip(), " ".join(body.split())))
    return sections


class Index:
    """BM25 over sections; title and heading stand twice in front of each, since they say what it is about."""

    def __init__(self, sections: list[Section]) -> None:
        import bm25s  # type: ignore[import-untyped]

        self.sections = sections
        corpus = [tokenize(f"{2 * f'{s.title} {s.heading} '}{s.text}") for s in sections]
        frequency = Counter(word for words in corpus for word in set(words))
        self._worth = {word: inverse_frequency(n, len(corpus)) for word, n in frequency.items()}
        self._bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.75, backend="numpy")
        self._bm25.index(corpus, show_progress=False)

    def search(self, question: str, *, limit: int) -> list[Section]:
        """Return at most `limit` sections about `question`, the best first; none when nothing fits well."""
        return [section for section, score in self.rank(question)[:limit] if score >= self.enough(question)]

    def rank(self, question: str) -> list[tuple[Section, float]]:
        """Return all sections with their scores, the best first; ties keep the order of the handbook."""
        known = [word for word in weighted(tokenize(question)) if word in self._worth]
        if not known:
            return []
        scores = [round(float(score), 3) for score in self._bm25.get_scores(known)]
        order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
        return [(self.sections[at], scores[at]) for at in order]

    def enough(self, question: str) -> float:
        """Return the score from which a section counts as found; an unknown word is worth a rare one."""
        rarest = inverse_frequency(1, len(self.sections))
        worth = sum(self._worth.get(word, rarest) for word in tokenize(question))
        return round(min(ENOUGH_SCORE, ENOUGH_SHARE * worth), 3)


def weighted(words: list[str]) -> list[str]:
    """Repeat each identifier, since it names one thing exactly."""
    return [word for word in words for _ in range(IDENTIFIER_WEIGHT if "_" in word else 1)]


def inverse_frequency(sections_with: int, sections: int) -> float:
    """Return Lucene's inverse document frequency."""
    return math.log(1 + (sections - sections_with + 0.5) / (sections_with + 0.5))


@cache
def handbook_index() -> Index:
    """Return the index of the handbook, built once a process."""
    return Index(read_sections(HANDBOOK))
