"""Recordings: found by what was asked and the epoch, kept without secrets, merged without loss."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.cassettes import CassetteWire, cassette_file, open_cassettes
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.errors import CassetteMiss, TransportError, UsageError
from pytest_aioncall.protocols import Reply
from pytest_aioncall.testing import ReplayWire, reply_of

KEY = "sk-" + "proj-0123456789abcdefghij"
DAY = date(2026, 11, 21)


def cassette(folder: Path, mode: Any, *replies: Any, evalset: str = "triage") -> CassetteWire:
    return open_cassettes(
        ReplayWire(*replies), mode=mode, folder=folder, evalset=evalset, redact=Redactor([KEY]), today=DAY
    )


def send(wire: CassetteWire, asked: dict[str, Any], *, epoch: int = 0, close: bool = True) -> Reply:
    async def run() -> Reply:
        try:
            return await wire.send(
                "POST",
                "https://h/v1?token=t",
                headers={"authorization": f"Bearer {KEY}"},
                json=asked,
                asked=asked,
                epoch=epoch,
            )
        finally:
            if close:
                await wire.close()

    return asyncio.run(run())


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "triage.jsonl").read_text().splitlines()]


def test_what_was_recorded_is_replayed_and_says_its_day(tmp_path: Path) -> None:
    live = send(cassette(tmp_path, "record", {"answer": [1, "Größe \u2028"]}), {"q": 1})
    assert live.replayed is None
    again = send(cassette(tmp_path, "replay"), {"q": 1})
    assert json.loads(again.body) == {"answer": [1, "Größe \u2028"]}
    assert (again.status, again.replayed, again.latency_s) == (200, "2026-11-21", live.latency_s)
    assert again.headers == {"content-type": "application/json"}


def test_replay_never_asks_the_wire_behind(tmp_path: Path) -> None:
    wire = ReplayWire({"a": 1})
    replay = open_cassettes(wire, mode="replay", folder=tmp_path, evalset="triage", redact=Redactor())
    with pytest.raises(CassetteMiss):
        send(replay, {"q": 1})
    assert wire.sent == []


def test_a_miss_names_the_question_the_epoch_and_how_to_record(tmp_path: Path) -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Where is\nmy refund?" + "x" * 500}]}
    with pytest.raises(CassetteMiss) as raised:
        send(cassette(tmp_path, "replay"), asked, epoch=2)
    message = str(raised.value)
    assert "Where is" in message
    assert "epoch 2" in message
    assert message.endswith("with: pytest --aioncall --aioncall-replay --aioncall-record")
    assert "\n" not in message
    assert len(message) < 300


def test_an_epoch_never_gets_the_recording_of_another(tmp_path: Path) -> None:
    send(cassette(tmp_path, "record", {"answer": "first"}), {"q": 1}, epoch=0)
    with pytest.raises(CassetteMiss):
        send(cassette(tmp_path, "replay"), {"q": 1}, epoch=1)


@pytest.mark.parametrize("changed", [{"q": 2, "t": 0}, {"q": 1, "t": 1}, {"q": 1}, {"q": 1, "t": "0"}])
def test_a_changed_request_finds_no_recording(tmp_path: Path, changed: dict[str, Any]) -> None:
    send(cassette(tmp_path, "record", {"answer": 1}), {"q": 1, "t": 0})
    with pytest.raises(CassetteMiss):
        send(cassette(tmp_path, "replay"), changed)


def test_the_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    send(cassette(tmp_path, "record", {"answer": 1}), {"q": 1, "t": 0})
    assert send(cassette(tmp_path, "replay"), {"t": 0, "q": 1}).replayed


def test_no_secret_gets_into_the_file(tmp_path: Path) -> None:
    wire = cassette(tmp_path, "record", {"said": f"your key is {KEY}", "api_key": "anything"})
    live = send(wire, {"input": f"is {KEY} mine?"})
    assert KEY in live.body.decode(), "the run itself sees what was answered"
    text = (tmp_path / "triage.jsonl").read_text()
    assert KEY not in text
    assert "token=t" not in text
    (entry,) = lines(tmp_path)
    assert entry["question"] == "is [REDACTED:secret] mine?"
    assert entry["json"] == {"said": "your key is [REDACTED:secret]", "api_key": "[REDACTED:field]"}


def test_what_takes_secrets_out_may_be_known_only_after_loading(tmp_path: Path) -> None:
    known: list[str] = []
    wire = open_cassettes(
        ReplayWire({"said": "late-secret"}),
        mode="record",
        folder=tmp_path,
        evalset="triage",
        redact=lambda: Redactor(known),
    )
    known.append("late-secret")
    send(wire, {"q": 1})
    assert lines(tmp_path)[0]["json"] == {"said": "[REDACTED:secret]"}


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"plain text", "text"), (b"\xff\x00\xfe", "base64"), (b"[1, 2]", "json"), (b"", "text")],
)
def test_every_kind_of_body_comes_back(tmp_path: Path, body: bytes, field: str) -> None:
    send(cassette(tmp_path, "record", Reply(200, {}, body, 0.5)), {"q": 1})
    assert field in lines(tmp_path)[0]
    assert send(cassette(tmp_path, "replay"), {"q": 1}).body == body


def test_what_a_server_refused_is_not_recorded(tmp_path: Path) -> None:
    assert send(cassette(tmp_path, "record", reply_of("no", status=401)), {"q": 1}).status == 401
    assert not (tmp_path / "triage.jsonl").exists()


def test_an_error_passes_through_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(TransportError):
        send(cassette(tmp_path, "record", TransportError("down")), {"q": 1})
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_sorted_one_line_an_entry_and_recording_the_same_again_changes_nothing(
    tmp_path: Path,
) -> None:
    before = None
    for round_ in range(2):
        wire = cassette(tmp_path, "record", lambda sent: {"answer": sent.asked["q"]})
        for number in range(5) if round_ else reversed(range(5)):
            send(wire, {"q": number}, close=False)
        asyncio.run(wire.close())
        keys = [entry["key"] for entry in lines(tmp_path)]
        assert keys == sorted(keys)
        assert len(set(keys)) == 5
        text = re.sub(r'"latency_s": [0-9.]+', "", (tmp_path / "triage.jsonl").read_text())
        assert before in (None, text)
        before = text
    assert [path.name for path in tmp_path.iterdir()] == ["triage.jsonl"]


def test_recording_again_replaces_and_keeps_what_was_not_asked(tmp_path: Path) -> None:
    send(cassette(tmp_path, "record", {"answer": "old"}), {"q": 1})
    send(cassette(tmp_path, "record", {"answer": "other"}), {"q": 2})
    send(cassette(tmp_path, "record", {"answer": "new"}), {"q": 1})
    assert json.loads(send(cassette(tmp_path, "replay"), {"q": 1}).body) == {"answer": "new"}
    assert json.loads(send(cassette(tmp_path, "replay"), {"q": 2}).body) == {"answer": "other"}


def test_record_asks_even_where_a_recording_exists(tmp_path: Path) -> None:
    send(cassette(tmp_path, "record", {"answer": "old"}), {"q": 1})
    assert json.loads(send(cassette(tmp_path, "record", {"answer": "new"}), {"q": 1}).body) == {
        "answer": "new"
    }


KILLED = """
import asyncio, os, sys
from pathlib import Path
from pytest_aioncall.adapters.cassettes import open_cassettes
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.testing import ReplayWire

wire = open_cassettes(ReplayWire({"answer": "kept"}), mode="record", folder=Path(sys.argv[1]),
                      evalset="triage", redact=Redactor())
asyncio.run(wire.send("GET", "http://h", headers={}, json=None, asked={"q": 1}, epoch=0))
os._exit(9)
"""


def test_a_killed_process_loses_no_recording(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == 9
    (part,) = tmp_path.iterdir()
    with part.open("a") as stream:
        stream.write('{"format": 1, "key": "torn')
    assert json.loads(send(cassette(tmp_path, "replay"), {"q": 1}).body) == {"answer": "kept"}
    send(cassette(tmp_path, "record", {"answer": "more"}), {"q": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["triage.jsonl"]
    assert len(lines(tmp_path)) == 2


def test_two_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    one, two = (cassette(tmp_path, "record", lambda sent: {"answer": sent.asked["q"]}) for _ in range(2))
    send(one, {"q": 1}, close=False)
    send(two, {"q": 2}, close=False)
    asyncio.run(one.close())
    send(two, {"q": 3}, close=False)
    asyncio.run(two.close())
    assert len(lines(tmp_path)) == 3
    for number in (1, 2, 3):
        assert json.loads(send(cassette(tmp_path, "replay"), {"q": number}).body) == {"answer": number}


def test_closing_closes_the_wire_behind(tmp_path: Path) -> None:
    behind = ReplayWire()
    wire = open_cassettes(behind, mode="record", folder=tmp_path, evalset="t", redact=Redactor())
    asyncio.run(wire.close())
    assert behind.closed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("<<<<<<< HEAD", r"triage\.jsonl:2: a mark of an unfinished merge; .* keep both sides"),
        ("=======", r"triage\.jsonl:2: a mark of an unfinished merge"),
        ("{", r"triage\.jsonl:2: is no cassette entry; delete the line, then record again"),
        ('{"format": 2}', r"triage\.jsonl:2: format '2'; this version reads format 1"),
        ('{"format": 1, "key": 5}', "is no cassette entry"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    send(cassette(tmp_path, "record", {"answer": 1}), {"q": 1})
    file = tmp_path / "triage.jsonl"
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(UsageError, match=message):
        send(cassette(tmp_path, "replay"), {"q": 1})


@pytest.mark.parametrize(
    ("name", "file"),
    [("triage", "triage.jsonl"), ("a/../b c:d", "a-..-b-c-d.jsonl"), ("..", "jsonl"), ("@x", "@x.jsonl")],
)
def test_the_name_of_an_evalset_cannot_lead_out_of_the_folder(name: str, file: str) -> None:
    path = cassette_file(Path("cassettes"), name)
    assert path.parent == Path("cassettes")
    assert os.sep not in path.name
    assert path.name.endswith(file)
