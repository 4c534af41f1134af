"""retrieval_hit, citations_present, citations_resolve: what was found, and what the answer points to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.sample import Document, Output, Score
from ...protocols import ScorerTraits
from ..imports import is_import_string, load_object, source_digest
from .expectation import MISSING, as_texts, expecting
from .own_code import call_function
from .patterns import Pattern
from .rule import Rule, failed, passed, quoted
from .text_match import Texts

Style = Literal["brackets", "links"]
# [1], [^1], [doc-17], [kb/refunds.md, 3]: no blank inside an id, and no link text, which a ( follows.
_BRACKETS = r"\[\^?((?:[^\s\[\],;^]{1,200})(?:[,;] ?[^\s\[\],;^]{1,200}){0,50})\](?!\()"
_LINKS = (
    r"\]\(\s{0,8}<?([^\s()<>]{1,2000})>?(?:\s[^()\n]{0,200})?\)|(?<![\w(])(https?://[^\s<>()\[\]\"']{1,2000})"
)


def retrieval_hit(
    ids: Texts | None = None,
    *,
    k: int | None = None,
    need: Literal["any", "all"] = "any",
    field: str | None = None,
) -> Rule:
    """Pass when one of the document ids (with `need: all` every one) is among the first `k` retrieved."""
    if k is not None and k < 1:
        raise UsageError(f"k is {k}; it is a count from 1 up")
    if ids == []:
        raise UsageError("the list is empty, so nothing could be found")
    find, needs_expected = expecting(MISSING if ids is None else ids, field=field)

    def judge(case: Case, output: Output) -> Score:
        wanted = as_texts(find(case))
        got = [document.id for document in _retrieved(output)[:k]]
        ranks = {one: got.index(one) + 1 for one in wanted if one in got}
        if len(ranks) == len(set(wanted)) or (need == "any" and ranks):
            return passed("found " + ", ".join(f"{quoted(one)} at {rank}" for one, rank in ranks.items()))
        absent = [one for one in wanted if one not in ranks]
        among = f"the first {k}" if k is not None else f"the {len(got)}"
        return failed(f"{quoted(absent)} not among {among} retrieved: {quoted(got)}")

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def citations_present(at_least: int = 1, *, style: Style = "brackets", pattern: str | None = None) -> Rule:
    """Pass when the answer cites at least so many different sources.

    `brackets` are [1], [^1], [doc-17] and [a, b]; `links` are Markdown links and web addresses; a `pattern`
    of your own has the id in its first group.
    """
    if at_least < 1:
        raise UsageError(f"at_least is {at_least}; it is a count from 1 up")
    cited_in = citation_finder(style=style, pattern=pattern)

    def judge(_case: Case, output: Output) -> Score:
        cited = cited_in(output.text)
        if len(cited) >= at_least:
            return passed(f"cites {quoted(cited)}")
        return failed(
            f"cites {len(cited)} source{'' if len(cited) == 1 else 's'}, expected {at_least} or more"
        )

    return Rule(judge, ScorerTraits())


def citations_resolve(
    against: Literal["retrieved"] | list[str] | str = "retrieved",
    *,
    style: Style = "brackets",
    pattern: str | None = None,
    numbered: bool = False,
    at_least: int = 1,
) -> Rule | CitationsByCode:
    """Pass when every citation in the answer points to something that exists.

    `against` is what exists: `retrieved` (the output's documents), a list of ids, or an import string of a
    function from one id to true or false. `numbered: true` lets [2] stand for the second document. An answer
    with fewer citations than `at_least` does not pass; `at_least: 0` lets it.
    """
    if at_least < 0:
        raise UsageError(f"at_least is {at_least}; it is a count from 0 up")
    cited_in = citation_finder(style=style, pattern=pattern)
    if isinstance(against, str) and against != "retrieved":
        return _by_code(against, cited_in, at_least=at_least, numbered=numbered)
    if against == []:
        raise UsageError("the list of ids is empty, so no citation could resolve")

    def known(output: Output) -> list[str]:
        if isinstance(against, list):
            return against
        return [document.id for document in _retrieved(output)]

    def judge(_case: Case, output: Output) -> Score:
        cited, ids = cited_in(output.text), known(output)
        places = {str(n) for n in range(1, len(ids) + 1)} if numbered else set()
        unknown = [one for one in cited if one not in ids and one not in places]
        return _resolved(cited, unknown, at_least=at_least)

    return Rule(judge, ScorerTraits())


@dataclass(frozen=True, slots=True)
class CitationsByCode:
    """citations_resolve against a function of the user's."""

    function: Callable[..., Any]
    path: str
    cited_in: Callable[[str], list[str]]
    at_least: int
    traits: ScorerTraits

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:  # noqa: ARG002
        cited = self.cited_in(output.text)
        unknown = [one for one in cited if not await self._exists(one)]
        return _resolved(cited, unknown, at_least=self.at_least)

    async def _exists(self, citation: str) -> bool:
        found = await call_function(self.function, {}, citation, path=self.path)
        if not isinstance(found, bool):
            raise ScorerError(
                f"{self.path} returned {quoted(repr(found))} for an id; it returns True or False"
            )
        return found


def citation_finder(*, style: Style, pattern: str | None) -> Callable[[str], list[str]]:
    """Return a function that finds the ids an answer cites, each once, in order."""
    if pattern is not None:
        compiled = Pattern(pattern)
        if compiled.groups < 1:
            raise UsageError(f"pattern {quoted(pattern)} has no group; put the id in parentheses")
    else:
        compiled = Pattern(_BRACKETS if style == "brackets" else _LINKS)
    splits = pattern is None and style == "brackets"

    def cited_in(text: str) -> list[str]:
        cited: dict[str, None] = {}
        for match in compiled.finditer(text):
            found = next((group for group in match.groups() if group), "")
            for one in found.replace(";", ",").split(",") if splits else [found]:
                one = one.strip() if splits else one.rstrip(".,;:!?") if style == "links" else one
                if one:
                    cited[one] = None
        return list(cited)

    return cited_in


def _by_code(
    path: str, cited_in: Callable[[str], list[str]], *, at_least: int, numbered: bool
) -> CitationsByCode:
    if not is_import_string(path):
        raise UsageError(
            f"against {quoted(path)} is neither 'retrieved', nor a list of ids, nor package.module:name"
        )
    if numbered:
        raise UsageError("numbered needs documents to count; it has no meaning with a function")
    function = load_object(path, what="citations_resolve")
    if not callable(function):
        raise UsageError(f"{path} is {type(function).__name__}, not a function")
    fingerprint = {"function": path, "source": source_digest(function)}
    return CitationsByCode(function, path, cited_in, at_least, ScorerTraits(fingerprint=fingerprint))


def _resolved(cited: list[str], unknown: list[str], *, at_least: int) -> Score:
    if unknown:
        return failed(f"cites {quoted(unknown)}, which {'does' if len(unknown) == 1 else 'do'} not exist")
    if len(cited) < at_least:
        return failed(f"cites {len(cited)} sources, expected {at_least} or more")
    return passed(f"cites {quoted(cited)}" if cited else "cites nothing")


def _retrieved(output: Output) -> tuple[Document, ...]:
    if output.retrieved is None:
        raise ScorerError(
            "the target tells no retrieved documents; return `retrieved` (an empty list if none)"
        )
    return output.retrieved
