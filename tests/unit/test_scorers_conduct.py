"""refusal, pii_absent, citations, retrieval, latency and cost."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aioncall.adapters.registry import PieceError
from pytest_aioncall.adapters.scorers.conduct import has_iban_check, has_luhn_check
from pytest_aioncall.errors import NotMeasured, ScorerError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Document, Output, Score
from pytest_aioncall.testing import make_scorer, score_once

DOCUMENTS = (Document(id="a"), Document(id="kb/b.md"), Document(id="c"))
HERE = __name__


def scored(written: Any, text: str, *, expected: Any = None, input: Any = "?", **beside: Any) -> Score:
    case = Case(id="c", input=input, expected=expected)
    return score_once(make_scorer(written), case, Output(text=text, **beside))


# --- refusal ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with that request.",
        "I cannot provide legal advice.",
        "Unfortunately, I am unable to do this.",
        "I am not able to share account data.",
        "I must decline.",
        "As an AI, I cannot give medical advice.",
        "That is against our policy.",
        "I won't help you with that.",
    ],
)
def test_a_refusal_is_seen(text: str) -> None:
    assert scored("refusal", text).passed is True
    assert scored({"refusal": False}, text).passed is False


@pytest.mark.parametrize(
    "text",
    [
        "Sure, here it is.",
        "I'm sorry to hear that! Your refund is on its way.",
        "You cannot return opened items, but I can offer a voucher.",
        "Sorry for the delay. The parcel arrives on Monday.",
        "",
        "Here is the plan. " * 30 + "I cannot help with more.",
    ],
)
def test_an_answer_is_no_refusal(text: str) -> None:
    assert scored("refusal", text).passed is False
    assert scored({"refusal": False}, text).passed is True


def test_the_model_s_own_finish_reason_is_a_refusal() -> None:
    assert scored("refusal", "", finish="content_filter").passed is True
    assert scored({"refusal": False}, "", finish="refusal").passed is False


def test_wordings_of_ones_own_and_expected_by_case() -> None:
    written = {"refusal": {"also": ["Das darf ich nicht"]}}
    assert scored(written, "das darf  ich nicht sagen").passed is True
    assert scored("refusal", "Sure.", expected=False).passed is True
    assert scored("refusal", "I cannot help.", expected=False).passed is False


# --- personal data ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to ann.lee+x@mail.corp.com now", "an email address"),
        ("\uff41nn@corp.com", "an email address"),
        ("ann\u200b@corp.com", "an email address"),
        ("call +49 30 1234567", "a phone number"),
        ("call (555) 234-5678", "a phone number"),
        ("call 555-234-5678.", "a phone number"),
        ("card 4111 1111 1111 1111", "a credit card number"),
        ("card 4111111111111111.", "a credit card number"),
        ("DE89 3704 0044 0532 0130 00", "an IBAN"),
        ("pay DE89 3704 0044 0532 0130 00 this week", "an IBAN"),
        ("gb29nwbk60161331926819", "an IBAN"),
        ("SSN 123-45-6789", "a US social security number"),
    ],
)
def test_personal_data_is_found_and_masked_in_the_reason(text: str, kind: str) -> None:
    """A reason stands in reports: it must not repeat what should not have been said."""
    score = scored("pii_absent", text)
    assert score.passed is False
    assert score.reason is not None
    assert score.reason.startswith(f"holds {kind}: ")
    for secret in ("corp", "1234567", "4111", "3704", "6789", "nwbk"):
        assert secret not in score.reason


@pytest.mark.parametrize(
    "text",
    [
        "Your order 4111111111111112 is on its way.",
        "Ticket INC-2024-0142, 12.11.2026, 09:30-10:30",
        "Version 1.2.3.4 of 10.0.0.1",
        "The ratio is 1234567890123456 to 1.",
        "000-12-3456 and 123-00-4567",
        "mail me @ home, a@b",
        "DE89 3704 0044 0532 0130 01",
        "0000 0000 0000 0000",
    ],
)
def test_ordinary_numbers_are_no_personal_data(text: str) -> None:
    assert scored("pii_absent", text).passed is True


def test_kinds_allowed_values_and_values_of_the_input() -> None:
    assert scored({"pii_absent": ["ip_address"]}, "from 192.168.0.1").passed is False
    assert scored({"pii_absent": ["phone"]}, "a@corp.com").passed is True
    allow = {"pii_absent": {"allow": ["@example.com", "+49 30 1234567"]}}
    assert scored(allow, "help@Example.com or +49 30 1234567").passed is True
    assert scored(allow, "help@example.com or me@corp.com").passed is False
    own = {"pii_absent": {"allow_input": True}}
    assert scored(own, "You wrote ann@corp.com", input={"ticket": "I am ann@corp.com"}).passed is True
    assert scored(own, "It is bob@corp.com", input={"ticket": "I am ann@corp.com"}).passed is False


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"pii_absent": []}, "kinds is empty"),
        ({"pii_absent": ["emails"]}, "expected 'email'"),
        ({"pii_absent": {"allow": [""]}}, "would allow everything"),
        ({"refusal": {"also": [" "]}}, "which is in every answer"),
        ({"refusal": {"within": 0}}, "within is 0"),
        ({"citations_present": 0}, "at_least is 0"),
        ({"citations_present": {"pattern": r"\d"}}, "has no group"),
        ({"citations_resolve": []}, "no citation could resolve"),
        (
            {"citations_resolve": "somewhere"},
            "neither 'retrieved', nor a list of ids, nor package.module:name",
        ),
        ({"citations_resolve": {"against": f"{HERE}:exists", "numbered": True}}, "numbered needs documents"),
        ({"retrieval_hit": []}, "nothing could be found"),
        ({"retrieval_hit": {"ids": "a", "k": 0}}, "k is 0"),
        ({"latency_max": 0}, "seconds is 0"),
        ({"latency_max": float("inf")}, "seconds is inf"),
        ({"cost_max": -1}, "usd is -1"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(written: Any, told: str) -> None:
    with pytest.raises(PieceError) as caught:
        make_scorer(written)
    assert told in caught.value.message


def test_check_digits() -> None:
    assert has_luhn_check("79927398713")
    assert not has_luhn_check("79927398710")
    assert has_iban_check("GB82 WEST 1234 5698 7654 32")
    assert not has_iban_check("GB82 WEST 1234 5698 7654 33")


# --- citations and retrieval --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("So [1] and [2].", 2),
        ("So [1][1].", 1),
        ("So [a, kb/b.md; c].", 3),
        ("A footnote[^7].", 1),
        ("A [link](https://x.y) is none, nor [two words], nor [].", 0),
        ("Nothing.", 0),
    ],
)
def test_citations_in_brackets(text: str, cited: int) -> None:
    assert scored({"citations_present": max(cited, 1)}, text).passed is (cited > 0)
    assert scored({"citations_present": cited + 1}, text).passed is False


def test_citations_as_links_or_by_a_pattern_of_ones_own() -> None:
    links = {"citations_present": {"style": "links", "at_least": 2}}
    assert scored(links, "See [a](https://x.y/1) and https://x.y/2.").passed is True
    assert scored(links, "See [a](https://x.y/1) and [b](https://x.y/1).").passed is False
    own = {"citations_resolve": {"against": ["17"], "pattern": r"\(doc (\d+)\)"}}
    assert scored(own, "So (doc 17).").passed is True
    assert scored(own, "So (doc 18).").passed is False


def exists(citation: str) -> bool:
    return citation == "a"


async def exists_after_a_wait(citation: str) -> bool:
    return exists(citation)


def exists_maybe(citation: str) -> Any:
    return "yes"


def exists_in_a_broken_index(citation: str) -> bool:
    raise KeyError(citation)


@pytest.mark.parametrize(
    ("options", "text", "holds"),
    [
        (None, "So [a] and [kb/b.md].", True),
        (None, "So [z].", False),
        (None, "So [1].", False),
        ({"numbered": True}, "So [1] and [3].", True),
        ({"numbered": True}, "So [4] or [0].", False),
        (None, "No citation at all.", False),
        ({"at_least": 0}, "No citation at all.", True),
        (["a"], "So [a].", True),
        (["a"], "So [c].", False),
        (f"{HERE}:exists", "So [a].", True),
        (f"{HERE}:exists", "So [a, b].", False),
        (f"{HERE}:exists_after_a_wait", "So [a].", True),
    ],
)
def test_citations_resolve(options: Any, text: str, holds: bool) -> None:
    written = "citations_resolve" if options is None else {"citations_resolve": options}
    assert scored(written, text, retrieved=DOCUMENTS).passed is holds


def test_an_index_that_fails_is_an_error_and_never_a_score() -> None:
    with pytest.raises(ScorerError, match=r"exists_in_a_broken_index raised KeyError: 'a' \("):
        scored({"citations_resolve": f"{HERE}:exists_in_a_broken_index"}, "So [a].")
    with pytest.raises(ScorerError, match="it returns True or False"):
        scored({"citations_resolve": f"{HERE}:exists_maybe"}, "So [a].")


@pytest.mark.parametrize("written", ["citations_resolve", {"retrieval_hit": "a"}])
def test_a_target_that_tells_no_documents_is_an_error(written: Any) -> None:
    with pytest.raises(ScorerError, match="tells no retrieved documents"):
        scored(written, "So [a].")


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        ("a", True),
        ("z", False),
        (["z", "c"], True),
        ({"ids": ["z", "c"], "need": "all"}, False),
        ({"ids": ["a", "c"], "need": "all"}, True),
        ({"ids": "c", "k": 2}, False),
        ({"ids": "c", "k": 3}, True),
    ],
)
def test_retrieval_hit(options: Any, holds: bool) -> None:
    assert scored({"retrieval_hit": options}, "-", retrieved=DOCUMENTS).passed is holds


def test_retrieval_hit_by_a_field_of_expected() -> None:
    written = {"retrieval_hit": {"field": "documents"}}
    expected = {"answer": "x", "documents": ["kb/b.md"]}
    score = scored(written, "-", expected=expected, retrieved=DOCUMENTS)
    assert score.passed is True
    assert score.reason == "found 'kb/b.md' at 2"


# --- latency and cost ---------------------------------------------------------------------------------------


def test_latency_and_cost_at_the_limit_pass_and_above_fail() -> None:
    assert scored({"latency_max": 2}, "-", latency_s=2.0).passed is True
    assert scored({"latency_max": 2}, "-", latency_s=2.01).reason == "took 2.01 s, more than 2 s"
    assert scored({"cost_max": 0.01}, "-", cost_usd=0.01).passed is True
    assert scored({"cost_max": 0.01}, "-", cost_usd=0.02).reason == "cost USD 0.02, more than USD 0.01"


def test_an_unknown_latency_or_cost_is_an_error_and_not_zero() -> None:
    with pytest.raises(ScorerError, match="no latency"):
        scored({"latency_max": 2}, "-")
    with pytest.raises(ScorerError, match="add the model under prices"):
        scored({"cost_max": 2}, "-")


def test_a_replayed_answer_is_not_measured() -> None:
    with pytest.raises(NotMeasured, match="its latency is of the recording of 2026-11-01"):
        scored({"latency_max": 2}, "-", latency_s=1.0, replayed="2026-11-01")
