"""Every built-in scorer keeps the contract that `pytest_aioncall.testing` offers to everybody's scorers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pytest_aioncall.adapters.registry import piece_names
from pytest_aioncall.errors import ScorerError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Document, Output, Score
from pytest_aioncall.protocols import ScorerTraits
from pytest_aioncall.testing import (
    ReplayWire,
    ScorerContract,
    Sent,
    chat_answer,
    check_scorer,
    embedding_answer,
    make_scorer,
    piece_context,
)


def is_short(text: str) -> bool:
    """A scorer of a user's own, for the kind `python`."""
    return len(text) < 20


def says(text: str, **beside: Any) -> Output:
    return Output(text=text, **beside)


def embed_by_first_letter(sent: Sent) -> dict[str, Any]:
    """Give every text a direction by its first letter: same letter, same direction."""
    return embedding_answer(*[[1.0, float(ord(text[0]) % 7), 0.5] for text in sent.json["input"]])


def judge_by_length(sent: Sent) -> dict[str, Any]:
    """Mark what is asked 5 when the answer is short, else 1."""
    answer = sent.json["messages"][1]["content"].rpartition("=== ANSWER ")[2]
    score = 5 if len(answer) < 130 else 1
    return chat_answer(f'{{"reason": "by length", "score": {score}}}')


CASE = Case(id="c", input={"ticket": "?"})
WITH = Case(id="c", input={"ticket": "?"}, expected="billing")
DOCUMENTS = (Document(id="a", text="A"), Document(id="b"))
CALL = {"name": "refund", "arguments": {"amount": 5}}
SCHEMA = {"type": "object", "required": ["route"], "properties": {"route": {"type": "string"}}}

# name: (as YAML has it, passing, failing)
EXAMPLES: dict[str, tuple[Any, tuple[Case, Output], tuple[Case, Output]]] = {
    "exact": ("exact", (WITH, says("billing\n")), (WITH, says("Billing"))),
    "contains": ({"contains": "refund"}, (CASE, says("We refund you.")), (CASE, says("No."))),
    "not_contains": ({"not_contains": "sue"}, (CASE, says("No.")), (CASE, says("You should sue."))),
    "regex": ({"regex": r"INC-\d{4}"}, (CASE, says("See INC-0142.")), (CASE, says("See INC-14."))),
    "not_regex": ({"not_regex": r"\bTODO\b"}, (CASE, says("Done.")), (CASE, says("TODO"))),
    "one_of": ({"one_of": ["billing", "shipping"]}, (CASE, says("billing")), (CASE, says("other"))),
    "json_valid": ({"json_valid": "object"}, (CASE, says('{"a": 1}')), (CASE, says("[1]"))),
    "json_schema": ({"json_schema": SCHEMA}, (CASE, says('{"route": "x"}')), (CASE, says('{"route": 1}'))),
    "json_path": (
        {"json_path": "$.route"},
        (WITH, says('{"route": "billing"}')),
        (WITH, says('{"route": null}')),
    ),
    "numeric": ({"numeric": 42}, (CASE, says("It is 42.")), (CASE, says("It is 43."))),
    "length": ({"length": 10}, (CASE, says("short")), (CASE, says("much too long"))),
    "levenshtein": ("levenshtein", (WITH, says("biling")), (WITH, says("other"))),
    "rouge_l": (
        {"rouge_l": {"expected": "the cat sat", "pass_at": 0.6}},
        (CASE, says("a cat sat")),
        (CASE, says("no")),
    ),
    "similarity": ({"similarity": "local/embed-1"}, (WITH, says("bills")), (WITH, says("cat"))),
    "citations_present": ("citations_present", (CASE, says("So it is [1].")), (CASE, says("So it is."))),
    "citations_resolve": (
        "citations_resolve",
        (CASE, says("So [a].", retrieved=DOCUMENTS)),
        (CASE, says("So [z].", retrieved=DOCUMENTS)),
    ),
    "retrieval_hit": (
        {"retrieval_hit": "b"},
        (CASE, says("-", retrieved=DOCUMENTS)),
        (CASE, says("-", retrieved=())),
    ),
    "refusal": ("refusal", (CASE, says("I'm sorry, but I can't help with that.")), (CASE, says("Sure."))),
    "pii_absent": ("pii_absent", (CASE, says("Write to us.")), (CASE, says("Write to ann@corp.com."))),
    "tool_calls": (
        {"tool_calls": "refund"},
        (CASE, says("-", tool_calls=(CALL,))),
        (CASE, says("-", tool_calls=())),
    ),
    "latency_max": ({"latency_max": 2}, (CASE, says("-", latency_s=1.0)), (CASE, says("-", latency_s=2.1))),
    "cost_max": ({"cost_max": 0.01}, (CASE, says("-", cost_usd=0.0)), (CASE, says("-", cost_usd=0.02))),
    "python": ({"python": f"{__name__}:is_short"}, (CASE, says("ok")), (CASE, says("x" * 30))),
    "judge": (
        {"judge": {"rubric": "Short is good.", "model": "local/judge-1", "pass_at": 4}},
        (CASE, says("short")),
        (CASE, says("long " * 100)),
    ),
}


def wire_for(name: str) -> ReplayWire:
    answers = {"similarity": embed_by_first_letter, "judge": judge_by_length}
    return ReplayWire(answers[name]) if name in answers else ReplayWire()


def test_every_installed_scorer_of_ours_has_an_example_here() -> None:
    """A scorer that is declared and not tried here would be a promise nobody checked."""
    assert set(piece_names("scorers")) >= set(EXAMPLES)
    ours = {name for name in piece_names("scorers") if not name.startswith("x_")}
    assert ours == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_built_in_scorer_keeps_the_contract(name: str) -> None:
    written, passing, failing = EXAMPLES[name]
    scorer = make_scorer(written, piece_context(wire=wire_for(name)))
    check_scorer(scorer, passing=passing, failing=failing)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_reason_is_one_line_and_short(name: str) -> None:
    """Reasons stand in tables and terminals; what a model wrote in them is cut and escaped."""
    from pytest_aioncall.testing import HOSTILE_TEXTS, score_once

    written, (case, output), _ = EXAMPLES[name]
    scorer = make_scorer(written, piece_context(wire=wire_for(name)))
    for text in HOSTILE_TEXTS:
        try:
            reason = score_once(scorer, case, output.model_copy(update={"text": text})).reason
        except ScorerError as error:
            reason = str(error)
        assert reason is None or (len(reason) <= 600 and reason.isprintable()), repr(reason)


class Fixed:
    """A scorer that returns what it is told to."""

    traits = ScorerTraits()

    def __init__(self, *scores: Any) -> None:
        self.scores = list(scores)

    async def score(self, case: Case, output: Output, *, epoch: int) -> Any:
        found = self.scores[epoch % len(self.scores)]
        if isinstance(found, BaseException):
            raise found
        return found


GOOD = Score(scorer="", value=1.0, passed=True)
PAIR = (CASE, says("x"))


@pytest.mark.parametrize(
    ("scorer", "sides", "told"),
    [
        (Fixed(None), {"passing": PAIR}, "not a Score"),
        (Fixed(Score(scorer="")), {"passing": PAIR}, "a value or an error"),
        (Fixed(Score(scorer="", value=float("nan"))), {"passing": PAIR}, "nan"),
        (Fixed(Score(scorer="", value=7.0)), {"passing": PAIR}, "outside the scale"),
        (Fixed(GOOD), {"failing": PAIR}, "should fail"),
        (Fixed(Score(scorer="", value=0.0, passed=False)), {"passing": PAIR}, "should pass"),
        (Fixed(Score(scorer="", value=0.5)), {"passing": PAIR, "failing": PAIR}, "passing outputs have"),
        (Fixed(GOOD, Score(scorer="", value=0.5)), {"passing": PAIR}, "several scores"),
        (Fixed(KeyError("x")), {}, "raised KeyError"),
    ],
)
def test_the_contract_catches_a_scorer_that_breaks_it(
    scorer: Fixed, sides: dict[str, Any], told: str
) -> None:
    with pytest.raises(AssertionError, match=told):
        check_scorer(scorer, **sides)


def test_the_contract_catches_a_scorer_that_changes_the_case() -> None:
    class Meddler(Fixed):
        async def score(self, case: Case, output: Output, *, epoch: int) -> Score:
            case.input["ticket"] = "changed"
            return GOOD

    with pytest.raises(AssertionError, match="changed the case"):
        check_scorer(Meddler(), passing=(Case(id="c", input={"ticket": "?"}), says("x")))


class TestContractAsAClass(ScorerContract):
    """The class form runs as tests of its own when it is derived from."""

    passing: Iterable[tuple[Case, Output]] = [(WITH, says("billing"))]
    failing: Iterable[tuple[Case, Output]] = [(WITH, says("x"))]

    def make(self) -> Any:
        return make_scorer("exact")
