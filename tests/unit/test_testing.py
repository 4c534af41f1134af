"""What people who write their own pieces lean on: the replay wire and the contract of targets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_aioncall.errors import CassetteMiss, TargetError, TransportError
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output
from pytest_aioncall.protocols import Reply, Wire
from pytest_aioncall.testing import (
    ReplayWire,
    Sent,
    chat_answer,
    check_target,
    make_target,
    piece_context,
    reply_of,
)

CASE = Case(id="c", input={"ticket": "?"})
HERE = __name__


def send(wire: Wire, **beside: Any) -> Reply:
    asked = {"method": "POST", "url": "http://x/y", "headers": {"a": "b"}, "json": {"n": 1}, "asked": {}}
    method, url = asked.pop("method"), asked.pop("url")
    return asyncio.run(wire.send(method, url, epoch=0, **{**asked, **beside}))  # type: ignore[arg-type]


def test_the_replay_wire_answers_in_order_and_keeps_what_was_sent() -> None:
    wire = ReplayWire({"a": 1}, "text", reply_of("no", status=503))
    assert send(wire).body == b'{"a": 1}'
    assert send(wire).headers["content-type"].startswith("text/plain")
    assert send(wire).status == 503
    assert wire.sent[0] == Sent("POST", "http://x/y", {"a": "b"}, {"n": 1}, {}, 0, "")
    with pytest.raises(CassetteMiss, match="request 4 to http://x/y has no canned reply"):
        send(wire)


def test_the_replay_wire_raises_what_it_is_given_and_asks_a_function_every_time() -> None:
    wire = ReplayWire(TransportError("down"), lambda sent: {"n": sent.json["n"]})
    with pytest.raises(TransportError, match="down"):
        send(wire)
    assert send(wire).body == b'{"n": 1}'
    assert send(wire, json={"n": 2}).body == b'{"n": 2}'


def test_canned_chat_answers_are_in_both_protocols() -> None:
    assert chat_answer("x")["choices"][0]["message"]["content"] == "x"
    assert chat_answer("x", kind="anthropic", finish="length")["stop_reason"] == "max_tokens"
    assert chat_answer("", kind="anthropic", refusal="No.")["stop_reason"] == "refusal"


def route(ticket: str) -> str:
    return f"billing: {ticket}"


def test_a_target_from_yaml_keeps_the_contract() -> None:
    (output,) = check_target(make_target({"python": f"{HERE}:route"}), answers=CASE)
    assert output.text == "billing: ?"


def test_a_chat_target_keeps_the_contract_over_canned_replies() -> None:
    wire = ReplayWire(lambda sent: chat_answer(f"epoch {sent.epoch}"))
    target = make_target(
        {"chat": {"model": "local/model-1", "prompt": "Route: {{ ticket }}"}}, piece_context(wire=wire)
    )
    assert [output.text for output in check_target(target, answers=[CASE])] == ["epoch 0"]
    broken = ReplayWire(lambda _sent: TransportError("down"))
    target = make_target(
        {"chat": {"model": "local/model-1", "prompt": "Route: {{ ticket }}"}}, piece_context(wire=broken)
    )
    check_target(target, breaks=CASE)


class Fixed:
    """A target that does what it is told to."""

    def __init__(self, said: Any, fingerprint: Any = None) -> None:
        self.said = said
        self.told = fingerprint or [{}]
        self.opened = self.closed = 0

    async def open(self) -> None:
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1

    async def answer(self, case: Case, *, epoch: int) -> Any:
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said

    def fingerprint(self) -> Mapping[str, Any]:
        found = self.told[0] if len(self.told) == 1 else self.told.pop(0)
        return dict(found)


def test_a_target_is_opened_and_closed_once_also_when_it_breaks() -> None:
    good, bad = Fixed(Output(text="x")), Fixed(ValueError("odd"))
    check_target(good, answers=[CASE, CASE], breaks=())
    with pytest.raises(ValueError, match="odd"):
        check_target(bad, answers=CASE)
    assert (good.opened, good.closed, bad.opened, bad.closed) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("target", "sides", "told"),
    [
        (Fixed("text"), {"answers": CASE}, "returned str, not an Output"),
        (Fixed(Output(text="x")), {"breaks": CASE}, "should end in an error"),
        (Fixed(Output(text="x"), [{"n": 1}, {"n": 2}, {"n": 3}]), {"answers": CASE}, "fingerprint changes"),
        (Fixed(Output(text="x", data=float("nan"))), {"answers": CASE}, "does not survive JSON"),
    ],
)
def test_the_contract_catches_a_target_that_breaks_it(target: Any, sides: Any, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_target(target, **sides)


def test_an_error_of_ours_is_a_way_to_break_by_contract() -> None:
    check_target(Fixed(TargetError("no text")), breaks=[CASE])
