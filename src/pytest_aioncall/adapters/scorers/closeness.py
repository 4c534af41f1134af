"""levenshtein and rouge_l: how near an answer's wording is to the expected one.

Both say how alike two wordings are, not whether an answer is right. Both take time in the product of the two
lengths, so each compares the first part only, up to a limit, and counts all beyond it as different: a runaway
answer gets a value that is too low rather than an endless run.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Literal

from ...errors import ScorerError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .expectation import MISSING, as_texts, expecting
from .library import need_library
from .patterns import Pattern
from .rule import Rule, graded, quoted, share
from .text_match import Texts, Whitespace, normaliser

MOST_CHARACTERS = 20_000
MOST_WORDS = 1_000

# Scripts that write without blanks count by character; all else by runs of letters and digits.
_UNSPACED = (
    r"\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF"  # Thai, Lao, Burmese, Khmer
    r"\u3040-\u30FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF"  # kana, Han
)
_WORD = Pattern(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def levenshtein(
    expected: Texts | None = None,
    *,
    pass_at: float | None = None,
    ignore_case: bool = False,
    whitespace: Whitespace = "trim",
    field: str | None = None,
) -> Rule:
    """Give 1 - edits / longer length: 1.0 for the same text, near 0.0 for nothing alike; the best of a list.

    Beyond 20,000 characters a text counts as different.
    """
    distance = need_library("rapidfuzz.distance", package="rapidfuzz").Levenshtein.distance
    pass_at = share(pass_at, name="pass_at")
    find, needs_expected = expecting(MISSING if expected is None else expected, field=field)
    normalise = normaliser(ignore_case=ignore_case, whitespace=whitespace)

    def likeness(left: str, right: str) -> float:
        longer = max(len(left), len(right))
        if left == right:
            return 1.0
        edits = distance(left[:MOST_CHARACTERS], right[:MOST_CHARACTERS])
        edits += max(0, longer - MOST_CHARACTERS)
        return max(0.0, 1 - int(edits) / longer)

    def judge(case: Case, output: Output) -> Score:
        got = normalise(output.text)
        value, nearest = max((likeness(got, normalise(text)), text) for text in as_texts(find(case)))
        reason = f"{value:.3f} alike {quoted(nearest)}, got {quoted(output.text)}"
        if max(len(got), len(nearest)) > MOST_CHARACTERS:
            reason += f" (all beyond {MOST_CHARACTERS} characters counts as different)"
        return graded(value, pass_at=pass_at, reason=reason)

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def rouge_l(
    expected: Texts | None = None,
    *,
    pass_at: float | None = None,
    measure: Literal["f", "precision", "recall"] = "f",
    stem: bool = False,
    field: str | None = None,
) -> Rule:
    """Give ROUGE-L: the longest common subsequence of words over the words of both; the best of a list.

    Words are runs of letters and digits in any script, single characters in scripts without blanks. `stem`
    uses the tokens of the original ROUGE instead: English only, with Porter's stemmer. Beyond 1,000 words a
    text counts as different. Source: C.-Y. Lin, ROUGE (2004), section 3.
    """
    rouge = need_library("rouge_score.rouge_scorer", package="rouge-score")
    pass_at = share(pass_at, name="pass_at")
    find, needs_expected = expecting(MISSING if expected is None else expected, field=field)
    words = _EnglishStems() if stem else _Words()
    scorer = rouge.RougeScorer(["rougeL"], tokenizer=_Head(words))

    def value_of(wanted: str, got: str) -> float:
        n_wanted, n_got = len(words.tokenize(wanted)), len(words.tokenize(got))
        if not n_wanted:
            raise ScorerError(f"expected {quoted(wanted)} has no words to compare")
        if not n_got:
            return 0.0
        head = scorer.score(wanted, got)["rougeL"]
        common = round(head.recall * min(n_wanted, MOST_WORDS))
        precision, recall = common / n_got, common / n_wanted
        if measure == "f":
            return 2 * precision * recall / (precision + recall) if common else 0.0
        return float(precision if measure == "precision" else recall)

    def judge(case: Case, output: Output) -> Score:
        value, nearest = max((value_of(text, output.text), text) for text in as_texts(find(case)))
        reason = f"ROUGE-L {value:.3f} against {quoted(nearest)}, got {quoted(output.text)}"
        return graded(value, pass_at=pass_at, reason=reason)

    return Rule(judge, ScorerTraits(needs_expected=needs_expected, fingerprint={"words": 1}))


class _Words:
    def tokenize(self, text: str) -> list[str]:
        folded = unicodedata.normalize("NFC", text).casefold()
        return [match.group() for match in _WORD.finditer(folded)]


class _EnglishStems:
    def __init__(self) -> None:
        tokenizers = need_library("rouge_score.tokenizers", package="rouge-score")
        self._tokenizer: Any = tokenizers.DefaultTokenizer(use_stemmer=True)

    def tokenize(self, text: str) -> list[str]:
        return list(self._tokenizer.tokenize(text))


class _Head:
    """What the library compares: the first words only."""

    def __init__(self, words: _Words | _EnglishStems) -> None:
        self._words = words

    def tokenize(self, text: str) -> list[str]:
        return self._words.tokenize(text)[:MOST_WORDS]
