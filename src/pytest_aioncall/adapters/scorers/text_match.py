"""exact, one_of, contains, not_contains: text against text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, Literal

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .expectation import MISSING, as_texts, expecting
from .json_text import same_json, value_of
from .rule import Rule, failed, passed, quoted

Whitespace = Literal["exact", "trim", "collapse"]
Text = str | int
Texts = Text | list[Text]


def normaliser(*, ignore_case: bool, whitespace: Whitespace) -> Callable[[str], str]:
    """Return the function that both sides of a comparison go through.

    Always Unicode NFC (two spellings of one letter are one letter); `trim` drops the space around the text,
    `collapse` makes every run of white space one blank besides.
    """

    def normalise(text: str) -> str:
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if whitespace == "trim":
            text = text.strip()
        elif whitespace == "collapse":
            text = " ".join(text.split())
        return text.casefold() if ignore_case else text

    return normalise


def exact(
    expected: Any = MISSING,
    *,
    ignore_case: bool = False,
    whitespace: Whitespace = "trim",
    field: str | None = None,
) -> Rule:
    """Pass when the answer is the expected text, or its data the expected value.

    An expected text is compared with the output's text. Anything else (a number, list or mapping) is compared
    with the output's `data`, or with its text read as JSON.
    """
    find, needs_expected = expecting(expected, field=field)
    normalise = normaliser(ignore_case=ignore_case, whitespace=whitespace)

    def judge(case: Case, output: Output) -> Score:
        wanted = find(case)
        if isinstance(wanted, str):
            if normalise(output.text) == normalise(wanted):
                return passed()
            return failed(f"expected {quoted(wanted)}, got {quoted(output.text)}")
        got, problem = value_of(output)
        if problem is not None:
            return failed(f"expected {quoted(wanted)}, but the answer {problem}: {quoted(output.text)}")
        if same_json(got, wanted):
            return passed()
        return failed(f"expected {quoted(wanted)}, got {quoted(got)}")

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def one_of(
    texts: list[Text] | None = None,
    *,
    ignore_case: bool = False,
    whitespace: Whitespace = "trim",
    field: str | None = None,
) -> Rule:
    """Pass when the answer is one of the expected texts, as a whole."""
    if texts == []:
        raise UsageError("the list is empty, so no answer could pass")
    find, needs_expected = expecting(MISSING if texts is None else texts, field=field)
    normalise = normaliser(ignore_case=ignore_case, whitespace=whitespace)

    def judge(case: Case, output: Output) -> Score:
        wanted = as_texts(find(case))
        got = normalise(output.text)
        for text in wanted:
            if normalise(text) == got:
                return passed(f"is {quoted(text)}")
        return failed(f"expected one of {quoted(wanted)}, got {quoted(output.text)}")

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def contains(
    text: Texts | None = None,
    *,
    all: list[Text] | None = None,
    any: list[Text] | None = None,
    ignore_case: bool = False,
    whitespace: Whitespace = "exact",
    field: str | None = None,
) -> Rule:
    """Pass when the answer has the text in it: every one of a list (`all`), or at least one (`any`)."""
    given = [
        (name, value) for name, value in (("text", text), ("all", all), ("any", any)) if value is not None
    ]
    if len(given) > 1:
        raise UsageError(f"say one of text, all and any, not {' and '.join(name for name, _ in given)}")
    if given:
        _check_given(given[0][1])
    one_is_enough = any is not None
    find, needs_expected = expecting(given[0][1] if given else MISSING, field=field)
    normalise = normaliser(ignore_case=ignore_case, whitespace=whitespace)

    def judge(case: Case, output: Output) -> Score:
        wanted = _not_blank(as_texts(find(case)))
        got = normalise(output.text)
        absent = [one for one in wanted if normalise(one) not in got]
        if one_is_enough:
            if len(absent) < len(wanted):
                return passed()
            return failed(f"none of {quoted(wanted)} is in the answer {quoted(output.text)}")
        if not absent:
            return passed()
        return failed(f"{_listed(absent)} not in the answer {quoted(output.text)}")

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def not_contains(
    text: Texts | None = None,
    *,
    ignore_case: bool = False,
    whitespace: Whitespace = "exact",
    field: str | None = None,
) -> Rule:
    """Pass when the answer has none of the texts in it."""
    if text is not None:
        _check_given(text)
    find, needs_expected = expecting(MISSING if text is None else text, field=field)
    normalise = normaliser(ignore_case=ignore_case, whitespace=whitespace)

    def judge(case: Case, output: Output) -> Score:
        unwanted = _not_blank(as_texts(find(case)))
        got = normalise(output.text)
        for one in unwanted:
            at = got.find(normalise(one))
            if at >= 0:
                return failed(f"{quoted(one)} is in the answer: {quoted(got[max(0, at - 30) : at + 60])}")
        return passed()

    return Rule(judge, ScorerTraits(needs_expected=needs_expected))


def _check_given(value: Texts | list[Text]) -> None:
    """Refuse an argument that every answer would pass or fail: an empty list or text."""
    try:
        _not_blank(as_texts(value))
    except ScorerError as error:
        raise UsageError(str(error)) from None


def _not_blank(texts: list[str]) -> list[str]:
    if not all(text.strip() for text in texts):
        raise ScorerError("an empty text is in every answer; say what to look for")
    return texts


def _listed(texts: list[str]) -> str:
    shown = ", ".join(quoted(text) for text in texts[:3])
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return f"{shown}{more} {'is' if len(texts) == 1 else 'are'}"
