"""python: a function of the user's as a scorer. It may say anything; what cannot be trusted is an error."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy
import pytest

from pytest_aioncall.adapters.registry import PieceError
from pytest_aioncall.errors import ScorerError, TransportError, UsageError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Score
from pytest_aioncall.testing import make_scorer, score_once

HERE = __name__
CASE = Case(id="c", input={"ticket": "?"}, expected="billing")
SAID: dict[str, Any] = {}


def asks_for_all(text: str, output: Output, expected: Any, input: Any, case: Case, epoch: int) -> bool:
    SAID.update(text=text, output=output, expected=expected, input=input, case=case, epoch=epoch)
    return True


def returns(text: str, *, value: Any = None) -> Any:
    return RETURNED[text] if value is None else value


async def waits(text: str) -> float:
    await asyncio.sleep(0)
    return 0.5


def blocks(text: str) -> bool:
    time.sleep(0.2)
    return True


def raises(text: str) -> bool:
    raise RAISED[text]


def needs_no_expected(text: str, expected: str = "none") -> bool:
    return expected == "billing"


def takes_unknown(answer: str) -> bool:
    return True


def takes_more(text: str, limit: int = 5, **more: Any) -> bool:
    return len(text) < limit + more.get("beside", 0)


class Polite:
    async def __call__(self, text: str) -> bool:
        return text == "x"


an_instance = Polite()
not_callable = 5

RETURNED: dict[str, Any] = {
    "true": True,
    "false": False,
    "half": 0.5,
    "one": 1,
    "numpy true": numpy.bool_(True),
    "numpy half": numpy.float32(0.5),
    "with a reason": (True, "because"),
    "a score": Score(scorer="", value=0.25, label="low", reason="said so"),
    "nothing": None,
    "nan": float("nan"),
    "infinite": float("inf"),
    "too much": 1.5,
    "a label": "good",
    "a list": [1],
    "an array": numpy.array([1.0]),
    "a bad tuple": (True, 5),
    "an empty score": Score(scorer=""),
    "a nan score": Score(scorer="", value=float("nan")),
    "a score with an error": Score(scorer="", error="index down"),
}
RAISED: dict[str, BaseException] = {
    "key": KeyError("route"),
    "assertion": AssertionError(""),
    "stop": StopIteration(),
    "exit": SystemExit(3),
    "timeout": TimeoutError("slow"),
    "scorer": ScorerError("no opinion"),
    "transport": TransportError("no route"),
    "usage": UsageError("odd"),
}


def scored(text: str, function: str = "returns", **options: Any) -> Score:
    written = {"python": {"function": f"{HERE}:{function}", **options}}
    return score_once(make_scorer(written), CASE, text, epoch=2)


def test_a_function_is_given_what_its_parameters_name() -> None:
    assert scored("hello", "asks_for_all").passed is True
    assert SAID["output"] == Output(text="hello")
    assert {
        "text": "hello",
        "output": SAID["output"],
        "expected": "billing",
        "input": {"ticket": "?"},
        "case": CASE,
        "epoch": 2,
    } == SAID


@pytest.mark.parametrize(
    ("text", "value", "passed"),
    [
        ("true", 1.0, True),
        ("false", 0.0, False),
        ("half", 0.5, None),
        ("one", 1.0, None),
        ("numpy true", 1.0, True),
        ("numpy half", 0.5, None),
        ("with a reason", 1.0, True),
        ("a score", 0.25, None),
    ],
)
def test_what_a_function_may_return(text: str, value: float, passed: bool | None) -> None:
    score = scored(text)
    assert (score.value, score.passed) == (value, passed)


def test_a_reason_and_a_label_are_kept() -> None:
    assert scored("with a reason").reason == "because"
    assert scored("a score").label == "low"
    score = scored("a label", labels={"bad": 0, "good": 0.75}, pass_at=0.5)
    assert (score.value, score.label, score.passed) == (0.75, "good", True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing", "returned nothing; a scorer function returns"),
        ("nan", "returned nan, which is not a number on its scale"),
        ("infinite", "returned inf"),
        ("too much", "returned 1.5, outside its scale 0 to 1"),
        ("a label", "give each label"),
        ("a list", "returned list"),
        ("an array", "returned ndarray"),
        ("a bad tuple", "returned tuple"),
        ("an empty score", "a Score without a value"),
        ("a nan score", "returned nan"),
        ("a score with an error", "index down"),
    ],
)
def test_what_says_nothing_is_an_error_and_never_a_score(text: str, told: str) -> None:
    with pytest.raises(ScorerError, match=told):
        scored(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key", r"raises raised KeyError: 'route' \(.*test_scorers_python\.py:\d+\)"),
        ("assertion", r"raised AssertionError \("),
        ("stop", "raised StopIteration"),
        ("exit", "raised SystemExit: 3"),
        ("timeout", "raised TimeoutError: slow"),
        ("usage", "raised UsageError: odd"),
        ("scorer", "^no opinion$"),
    ],
)
def test_a_function_that_crashes_is_an_error_that_names_the_line(text: str, told: str) -> None:
    """Trap 1: a crashed evaluator never shows green. A StopIteration must not hang the run either."""
    with pytest.raises(ScorerError, match=told):
        scored(text, "raises")


def test_a_function_may_say_itself_that_no_answer_arrived() -> None:
    with pytest.raises(TransportError, match="no route"):
        scored("transport", "raises")


def test_async_functions_and_callable_objects_are_awaited() -> None:
    assert scored("x", "waits").value == 0.5
    assert scored("x", "an_instance").passed is True


def test_a_sync_function_that_waits_blocks_no_other_sample() -> None:
    scorer = make_scorer({"python": f"{HERE}:blocks"}).scorer

    async def run() -> float:
        began = asyncio.get_running_loop().time()
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.005)

        ticking = asyncio.create_task(tick())
        await scorer.score(CASE, Output(text="x"), epoch=0)
        ticking.cancel()
        assert asyncio.get_running_loop().time() - began >= 0.2
        return ticks

    assert asyncio.run(run()) > 2


def test_a_parameter_named_expected_without_default_needs_one() -> None:
    assert make_scorer({"python": f"{HERE}:asks_for_all"}).traits.needs_expected is True
    assert make_scorer({"python": f"{HERE}:needs_no_expected"}).traits.needs_expected is False


def test_arguments_of_ones_own_and_a_scale() -> None:
    assert scored("abcdef", "takes_more", arguments={"limit": 9, "beside": 1}).passed is True
    score = scored("4", "returns", arguments={"value": 4}, scale=[1, 5], pass_at=4)
    assert (score.value, score.scale, score.passed) == (4.0, (1.0, 5.0), True)
    assert scored("true", scale=[1, 5]).value == 5.0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"function": f"{HERE}:takes_unknown"}, "asks for 'answer'; a scorer function is given text, output"),
        ({"function": f"{HERE}:not_callable"}, "is int, not a function"),
        ({"function": f"{HERE}:retruns"}, "did you mean 'returns'?"),
        (
            {"function": f"{HERE}:returns", "arguments": {"vale": 1}},
            "takes no 'vale' (did you mean 'value'?)",
        ),
        ({"function": f"{HERE}:returns", "arguments": {"text": "x"}}, "is filled in from the sample"),
        ({"function": f"{HERE}:returns", "scale": [5, 1]}, "write [lowest, highest]"),
        ({"function": f"{HERE}:returns", "scale": [1]}, "write [lowest, highest]"),
        ({"function": f"{HERE}:returns", "pass_at": 2}, "pass_at is 2, outside the scale 0 to 1"),
        ({"function": f"{HERE}:returns", "labels": {}}, "labels is empty"),
        ({"function": f"{HERE}:returns", "labels": {"a": 7}, "scale": [0, 1]}, "'a' is 7, outside the scale"),
    ],
)
def test_a_function_that_cannot_serve_is_refused_when_it_is_made(options: Any, told: str) -> None:
    with pytest.raises(PieceError) as caught:
        make_scorer({"python": options})
    assert told in caught.value.message


def test_own_code_may_say_that_it_is_not_deterministic() -> None:
    assert make_scorer({"python": f"{HERE}:waits"}).traits.deterministic is True
    written = {"python": {"function": f"{HERE}:waits", "deterministic": False}}
    assert make_scorer(written).traits.deterministic is False
