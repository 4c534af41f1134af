"""Calls of commands: what is sent again and what never is, and what a message tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.errors import DeliveryError

KEY = "ghs_secretsecretsecret0123456789"


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def caller(waits: list[float]) -> Iterator[Caller]:
    """A caller whose sleeping passes no time; jitter at its least."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    with Caller(sleep=sleep, jitter=lambda: 0.0, clock=lambda: now[0]) as made:
        yield made


def test_an_answer_comes_back_with_what_was_sent(loopback: Any, told: Any, caller: Caller) -> None:
    loopback.script(told(status=201, body={"id": 1}))
    reply = caller.call(
        "POST", f"{loopback.url}/x", headers={"authorization": f"Bearer {KEY}"}, json={"a": "ü"}
    )
    (asked,) = loopback.asked
    assert (reply.status, reply.body, reply.attempts) == (201, b'{"id": 1}', 1)
    assert (asked.method, asked.path, asked.json) == ("POST", "/x", {"a": "ü"})
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"].startswith("pytest-aioncall/")


def test_bytes_are_sent_as_they_are(loopback: Any, told: Any, caller: Caller) -> None:
    """A signature is over bytes: nothing may spell the JSON anew."""
    caller.call("POST", loopback.url, content=b'{"a":  1}', headers={"content-type": "application/json"})
    assert loopback.asked[0].body == b'{"a":  1}'


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_a_refusal_is_an_answer(loopback: Any, told: Any, caller: Caller, status: int) -> None:
    loopback.script(told(status=status, body={"message": "no"}))
    assert caller.call("POST", loopback.url, json={}).status == status
    assert len(loopback.asked) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_be_repeated_is(
    loopback: Any, told: Any, caller: Caller, waits: list[float], method: Any, status: int
) -> None:
    loopback.script(told(status=status), told(status=status), told(body={}))
    assert caller.call(method, loopback.url).attempts == 3
    assert waits == [0.25, 0.5]


def test_a_post_is_sent_again_only_where_it_was_not_done(loopback: Any, told: Any, caller: Caller) -> None:
    """429, 408 and a limit of 403 say that nothing was done; a gateway's 5xx does not know."""
    limit = told(status=403, headers={"retry-after": "0"}, body={"message": "secondary rate limit"})
    loopback.script(told(status=429), told(status=408), limit, told(status=201, body={}))
    assert caller.call("POST", loopback.url, json={}).status == 201
    assert len(loopback.asked) == 4


@pytest.mark.parametrize("answer", [{"status": 500}, {"status": 502}, {"body": "half of it", "cut": 4}])
def test_a_post_that_may_have_been_done_is_sent_once(
    loopback: Any, told: Any, caller: Caller, answer: dict[str, Any]
) -> None:
    loopback.script(told(**answer))
    with pytest.raises(DeliveryError) as caught:
        caller.call("POST", loopback.url, json={})
    assert caught.value.unknown and not caught.value.refused
    assert "it may have been done all the same" in str(caught.value)
    assert len(loopback.asked) == 1


def test_a_post_that_is_as_good_twice_is_sent_again(loopback: Any, told: Any, caller: Caller) -> None:
    loopback.script(told(status=502), told(status=202, body={}))
    assert caller.call("POST", loopback.url, json={}, repeatable=True).attempts == 2


def test_no_connection_is_tried_again_and_known_not_to_be_done(caller: Caller, waits: list[float]) -> None:
    with pytest.raises(DeliveryError) as caught:
        caller.call("POST", "http://127.0.0.1:9/x", json={}, tries=3)
    assert len(waits) == 2
    assert not caught.value.unknown and not caught.value.refused
    assert str(caught.value).startswith("127.0.0.1:9: ") and "3 attempts" in str(caught.value)


def test_no_answer_in_time_is_unknown(loopback: Any, told: Any, caller: Caller) -> None:
    import threading

    hold = threading.Event()
    loopback.tell = lambda asked: (hold.wait(10) and told()) or told()
    with pytest.raises(DeliveryError, match="no answer within") as caught:
        caller.call("POST", loopback.url, json={}, timeout_s=0.05)
    hold.set()
    assert caught.value.unknown


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (429, {"retry-after": "7"}, {}, 7.0),
        (403, {"retry-after": "9"}, {"message": "x"}, 9.0),
        (503, {"retry-after": "3"}, {}, 3.0),
        # Named by nobody: a minute, as GitHub asks for.
        (403, {}, {"message": "You have exceeded a secondary rate limit"}, 60.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "20"}, {}, 20.0),
    ],
)
def test_what_the_other_side_asks_for_is_waited_for(
    loopback: Any,
    told: Any,
    caller: Caller,
    waits: list[float],
    status: int,
    headers: dict[str, str],
    body: Any,
    expected: float,
) -> None:
    loopback.script(told(status=status, headers=headers, body=body), told(body={}))
    caller.call("GET", loopback.url)
    assert waits == [expected]


def test_a_403_that_is_no_limit_is_an_answer(loopback: Any, told: Any, caller: Caller) -> None:
    loopback.script(
        told(status=403, headers={"x-ratelimit-remaining": "12"}, body={"message": "not accessible"})
    )
    assert caller.call("GET", loopback.url).status == 403


def test_patience_ends(loopback: Any, told: Any, caller: Caller, waits: list[float]) -> None:
    loopback.script(told(status=429, headers={"retry-after": "3600"}))
    with pytest.raises(DeliveryError, match="would have to wait 60 min") as caught:
        caller.call("GET", loopback.url)
    assert waits == []
    assert caught.value.retry_after_s == 3600


def test_neither_header_nor_secret_is_in_a_message(loopback: Any, told: Any, caller: Caller) -> None:
    """A server may well repeat what it was sent."""
    loopback.script(told(status=500, body=f"bad token {KEY} for whsec_abcdefgh and /services/T0/B0/xyz"))
    with pytest.raises(DeliveryError) as caught:
        caller.call(
            "GET",
            f"{loopback.url}/services/T0/B0/xyz?key={KEY}",
            headers={"authorization": f"Bearer {KEY}"},
            secrets=["whsec_abcdefgh", "/services/T0/B0/xyz"],
            tries=1,
        )
    said = str(caught.value)
    assert KEY not in said and "whsec_abcdefgh" not in said and "/services" not in said
    assert said.count("[REDACTED]") == 3


def test_a_hostile_answer_is_one_line(loopback: Any, told: Any, caller: Caller) -> None:
    loopback.script(told(status=500, body="\x1b[31mred\n::error::x\u202e" + "y" * 10_000))
    with pytest.raises(DeliveryError) as caught:
        caller.call("GET", loopback.url, tries=1)
    said = str(caught.value)
    assert said.isprintable() and len(said) < 500 and "\x1b" not in said


def test_a_redirect_stays_with_the_same_server(loopback: Any, told: Any, caller: Caller) -> None:
    def tell(asked: Any) -> Any:
        if asked.path == "/old":
            return told(status=301, headers={"location": "/new"})
        return told(body={"path": asked.path})

    loopback.tell = tell
    assert caller.call("GET", f"{loopback.url}/old").body == b'{"path": "/new"}'


def test_a_redirect_to_somebody_else_is_not_followed(loopback: Any, told: Any, caller: Caller) -> None:
    """The key would go with it."""
    other = loopback.url.replace("127.0.0.1", "localhost")
    loopback.script(told(status=307, headers={"location": f"{other}/elsewhere"}))
    reply = caller.call("GET", loopback.url, headers={"authorization": f"Bearer {KEY}"})
    assert reply.status == 307
    assert len(loopback.asked) == 1


def test_redirects_in_a_ring_end(loopback: Any, told: Any, caller: Caller) -> None:
    loopback.script(told(status=302, headers={"location": "/again"}))
    assert caller.call("GET", loopback.url).status == 302
    assert len(loopback.asked) == 3


@pytest.mark.parametrize(
    ("url", "headers"),
    [("ftp://127.0.0.1/x", {}), ("no address", {}), ("", {"authorization": "Bearer a\nb"})],
)
def test_what_cannot_be_sent_is_refused_at_once(
    loopback: Any, caller: Caller, waits: list[float], url: str, headers: dict[str, str]
) -> None:
    with pytest.raises(DeliveryError) as caught:
        caller.call("POST", url or loopback.url, headers=headers, json={})
    assert caught.value.refused and waits == []


def test_a_body_without_end_is_not_read(loopback: Any, told: Any, caller: Caller) -> None:
    loopback.script(told(headers={"content-type": "text/plain"}, body=b"x" * (17 << 20)))
    with pytest.raises(DeliveryError, match="more than 16 MiB"):
        caller.call("GET", loopback.url)


def test_connections_are_kept_between_calls(loopback: Any, told: Any, caller: Caller) -> None:
    for _ in range(3):
        caller.call("GET", loopback.url)
    assert loopback.connections == 1


@pytest.mark.filterwarnings("error")
def test_a_caller_that_is_forgotten_leaves_nothing_open(loopback: Any) -> None:
    def use() -> None:
        Caller().call("GET", loopback.url)

    import gc

    use()
    gc.collect()


@pytest.mark.filterwarnings("error")
def test_a_caller_may_be_collected_while_another_one_works(loopback: Any) -> None:
    """The collector runs wherever it likes, in the middle of another caller's loop, too."""
    import asyncio
    import gc

    forgotten = Caller()
    forgotten.call("GET", loopback.url)

    async def collect() -> None:
        nonlocal forgotten
        del forgotten
        gc.collect()

    asyncio.run(collect())


def test_a_closed_caller_opens_anew(loopback: Any, caller: Caller) -> None:
    caller.call("GET", loopback.url)
    caller.close()
    caller.close()
    assert caller.call("GET", loopback.url).status == 200
