"""Recordings: found by what was asked and the epoch, kept without secrets, merged without loss."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import subprocess
import sys
import tracemalloc
from datetime import date
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.cassettes import CassetteWire, cassette_file, open_cassettes
from pytest_aioncall.adapters.cassettes import index as index_module
from pytest_aioncall.adapters.cassettes.entries import entry_of, key_of, line_of
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.errors import CassetteMiss, StoreError, TransportError, UsageError
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


# --- stable diffs -------------------------------------------------------------------------------------------


def chat(text: str, number: int) -> dict[str, Any]:
    """A chat server's reply: what it says, and what differs between two that say the same."""
    call = {"id": f"call_{number}", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    return {
        "id": f"chatcmpl-{number}",
        "created": 1_795_303_196 + number,
        "system_fingerprint": f"fp_{number}",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "tool_calls": [call]}}],
        "usage": {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": number}},
    }


def recorded_on(folder: Path, day: int, *bodies: Any) -> None:
    wire = open_cassettes(
        ReplayWire(*bodies),
        mode="record",
        folder=folder,
        evalset="triage",
        redact=Redactor(),
        today=date(2026, 11, day),
    )
    for number, _ in enumerate(bodies):
        send(wire, {"q": number}, close=False)
    asyncio.run(wire.close())


def git(folder: Path, *arguments: str) -> str:
    options = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_recording_the_same_answers_on_another_day_is_an_empty_git_diff(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    recorded_on(tmp_path, 1, *(chat(f"answer {n}", n) for n in range(9)))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "recorded")
    recorded_on(tmp_path, 20, *(chat(f"answer {n}", n + 100) for n in range(9)))
    assert git(tmp_path, "status", "--porcelain") == ""
    recorded_on(tmp_path, 21, *(chat(f"answer {n}" if n != 4 else "another", n + 200) for n in range(9)))
    assert git(tmp_path, "diff", "--numstat").split()[:2] == ["1", "1"]
    (day,) = {e["recorded_at"] for e in lines(tmp_path) if "another" in json.dumps(e)}
    assert day == "2026-11-21"


def test_an_id_is_an_answer_where_no_model_talks(tmp_path: Path) -> None:
    recorded_on(tmp_path, 1, {"id": "doc-1", "created": 5})
    recorded_on(tmp_path, 2, {"id": "doc-2", "created": 5})
    assert json.loads(send(cassette(tmp_path, "replay"), {"q": 0}).body) == {"id": "doc-2", "created": 5}


def test_recordings_of_two_people_merge_line_by_line(tmp_path: Path) -> None:
    def record(question: str, answer: str) -> None:
        send(cassette(tmp_path, "record", {"answer": answer}), {"q": question})

    git(tmp_path, "init", "-q", "-b", "main")
    for number in range(30):
        record(f"q{number}", "first")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "base")
    keys = [entry["key"] for entry in lines(tmp_path)]
    questions = sorted((f"q{n}" for n in range(30)), key=lambda q: keys.index(key_of({"q": q}, 0)))
    git(tmp_path, "checkout", "-q", "-b", "ann")
    record(questions[3], "ann's")
    git(tmp_path, "commit", "-q", "-a", "-m", "ann")
    git(tmp_path, "checkout", "-q", "main")
    record(questions[20], "bob's")
    git(tmp_path, "commit", "-q", "-a", "-m", "bob")
    git(tmp_path, "merge", "-q", "--no-edit", "ann")
    answers = [json.loads(send(cassette(tmp_path, "replay"), {"q": q}).body)["answer"] for q in questions]
    assert (answers[3], answers[20]) == ("ann's", "bob's")
    assert answers.count("first") == 28


def test_both_sides_of_a_conflict_can_be_kept_and_the_newest_recording_stands(tmp_path: Path) -> None:
    recorded_on(tmp_path, 5, {"answer": "newer"})
    newer = (tmp_path / "triage.jsonl").read_text()
    (tmp_path / "triage.jsonl").unlink()
    recorded_on(tmp_path, 2, {"answer": "older"})
    older = (tmp_path / "triage.jsonl").read_text()
    for text in (newer + older, older + newer):
        (tmp_path / "triage.jsonl").write_text(text)
        assert json.loads(send(cassette(tmp_path, "replay"), {"q": 0}).body) == {"answer": "newer"}
    send(cassette(tmp_path, "record", {"answer": 1}), {"q": "other"})
    assert len(lines(tmp_path)) == 2, "the next recording puts it in order"


# --- secrets ------------------------------------------------------------------------------------------------

NUMERIC = "483920174455"


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\x00\xff" + KEY.encode() + b"\xfe\x01",
        ("größe " + KEY).encode("utf-16"),
        ("größe " + KEY).encode("utf-16-be"),
        ("größe " + KEY).encode("latin-1"),
        json.dumps({"pin": int(NUMERIC), "list": [[int(NUMERIC)]], f"{KEY}": 1}).encode(),
        b'{"cut off": "' + KEY.encode(),
        json.dumps([KEY, {"deep": [{"er": f"x{KEY}y"}]}]).encode(),
    ],
    ids=["binary", "utf-16", "utf-16-be", "latin-1", "numbers and names", "no JSON", "deep"],
)
def test_no_body_of_any_form_keeps_a_secret(tmp_path: Path, body: bytes) -> None:
    wire = open_cassettes(
        ReplayWire(Reply(200, {"content-type": f"text/plain; x={KEY}"}, body, 0.1)),
        mode="record",
        folder=tmp_path,
        evalset="triage",
        redact=Redactor([KEY, NUMERIC]),
        today=DAY,
    )
    send(wire, {"url": f"https://h/x?key={KEY}", "json": None})
    kept = (tmp_path / "triage.jsonl").read_bytes()
    again = send(cassette(tmp_path, "replay"), {"url": f"https://h/x?key={KEY}", "json": None}).body
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        for secret in (KEY, NUMERIC):
            assert secret.encode(encoding) not in kept + again
    assert b"Bearer" not in kept


def test_a_question_that_is_cut_shows_no_part_of_a_secret(tmp_path: Path) -> None:
    asked = {"input": "x" * 150 + KEY}
    send(cassette(tmp_path, "record", {"a": 1}), asked)
    assert KEY[:12] not in lines(tmp_path)[0]["question"]


def test_a_pattern_that_takes_digits_leaves_a_chat_reply_readable(tmp_path: Path) -> None:
    wire = open_cassettes(
        ReplayWire(chat("call 1795303196", 0)),
        mode="record",
        folder=tmp_path,
        evalset="triage",
        redact=Redactor([], [r"\d{10}"]),
    )
    send(wire, {"q": 1})
    told = json.loads(send(cassette(tmp_path, "replay"), {"q": 1}).body)
    assert "1795303196" not in json.dumps(told)
    assert told["choices"][0]["message"]["content"] == "call [REDACTED:pattern]"


# --- what is kept, and in which mode ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"content-type": "application/json"}, b'{"choices": [', 0.1),
        Reply(500, {"content-type": "application/json"}, b"{}", 0.1),
    ],
    ids=["cut off", "refused"],
)
def test_a_reply_that_is_none_takes_the_place_of_no_recording(tmp_path: Path, reply: Reply) -> None:
    send(cassette(tmp_path, "record", {"answer": "good"}), {"q": 1})
    send(cassette(tmp_path, "record", reply), {"q": 1})
    assert json.loads(send(cassette(tmp_path, "replay"), {"q": 1}).body) == {"answer": "good"}


def test_what_a_piece_says_is_no_answer_is_not_recorded(tmp_path: Path) -> None:
    def inspect(reply: Reply) -> None:
        raise TransportError("no answer in it")

    wire = cassette(tmp_path, "record", {"choices": []})
    with pytest.raises(TransportError):
        asyncio.run(wire.send("POST", "u", headers={}, json=None, asked={"q": 1}, epoch=0, inspect=inspect))
    asyncio.run(wire.close())
    assert not (tmp_path / "triage.jsonl").exists()


@pytest.mark.parametrize(("mode", "kept"), [("fallback", 1), ("extend", 2)])
def test_recordings_come_first_and_the_rest_is_asked(tmp_path: Path, mode: str, kept: int) -> None:
    send(cassette(tmp_path, "record", {"answer": "recorded"}), {"q": 1})
    wire = cassette(tmp_path, mode, {"answer": "live"})
    first, second = send(wire, {"q": 1}, close=False), send(wire, {"q": 2}, close=False)
    assert (json.loads(first.body)["answer"], first.replayed) == ("recorded", "2026-11-21")
    assert (json.loads(second.body)["answer"], second.replayed) == ("live", None)
    asyncio.run(wire.close())
    assert len(lines(tmp_path)) == kept


def test_one_question_asked_twice_at_once_is_asked_once_and_both_hear_the_same(tmp_path: Path) -> None:
    wire = cassette(tmp_path, "record", {"answer": 1}, {"answer": 2})

    async def ask() -> bytes:
        asked = {"q": 1}
        return (await wire.send("POST", "u", headers={}, json=None, asked=asked, epoch=0)).body

    async def both() -> list[bytes]:
        try:
            return await asyncio.gather(ask(), ask())
        finally:
            await wire.close()

    first, second = asyncio.run(both())
    assert json.loads(first) == json.loads(second) == {"answer": 1}


def test_a_question_whose_first_asker_failed_is_asked_by_the_next_one(tmp_path: Path) -> None:
    wire = cassette(tmp_path, "record", TransportError("down"), {"answer": 2})

    async def both() -> list[Any]:
        ask = [wire.send("POST", "u", headers={}, json=None, asked={"q": 1}, epoch=0) for _ in range(2)]
        try:
            return await asyncio.gather(*ask, return_exceptions=True)
        finally:
            await wire.close()

    failed, answered = asyncio.run(both())
    assert isinstance(failed, TransportError)
    assert json.loads(answered.body) == {"answer": 2}


# --- many recordings ----------------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A cassette of 10,000 recordings of 1 KB, written as the recorder writes them."""
    entries = (
        entry_of(
            {"q": number},
            epoch=0,
            reply=Reply(200, {"content-type": "application/json"}, b'{"answer": "%s"}' % (b"x" * 800), 0.1),
            redact=Redactor(),
            day="2026-11-21",
        )
        for number in range(10_000)
    )
    by_key = sorted((entry["key"], line_of(entry)) for entry in entries)
    (tmp_path / "triage.jsonl").write_text("".join(line for _, line in by_key))
    return tmp_path


def test_of_10000_recordings_only_those_that_are_asked_for_are_parsed(
    many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    parse = index_module._parsed
    monkeypatch.setattr(index_module, "_parsed", lambda line: (parsed.append(line), parse(line))[1])
    tracemalloc.start()
    wire = cassette(many, "replay")
    for number in (3, 9_999, 3):
        assert send(wire, {"q": number}, close=False).replayed
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    asyncio.run(wire.close())
    assert len(parsed) == 3
    assert peak < 4 * 2**20, "a key and a place for each, no body"


def test_one_new_recording_among_10000_changes_one_line_and_parses_no_other(
    many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (many / "triage.jsonl").read_bytes().splitlines()
    parsed: list[bytes] = []
    parse = index_module._parsed
    monkeypatch.setattr(index_module, "_parsed", lambda line: (parsed.append(line), parse(line))[1])
    send(cassette(many, "record", {"answer": "new"}), {"q": 5})
    after = (many / "triage.jsonl").read_bytes().splitlines()
    assert len(set(before) ^ set(after)) == 2
    assert len(parsed) <= 4


@pytest.mark.parametrize(
    "damage", [b'{"format": 1, "key": "0"}', b"\x00\xff\x00", b"[]", b'"x"', b"{" * 9000]
)
def test_a_damaged_line_is_told_with_its_number_before_anything_is_asked(
    tmp_path: Path, damage: bytes
) -> None:
    send(cassette(tmp_path, "record", {"answer": 1}), {"q": 1})
    with (tmp_path / "triage.jsonl").open("ab") as stream:
        stream.write(damage + b"\n")
    for mode in ("replay", "record", "fallback", "extend"):
        with pytest.raises(UsageError, match=r"triage\.jsonl:2: is no cassette entry"):
            cassette(tmp_path, mode).check()


def test_a_recording_that_is_damaged_inside_is_a_miss_that_names_its_line(tmp_path: Path) -> None:
    send(cassette(tmp_path, "record", {"answer": "abc"}), {"q": 1})
    file = tmp_path / "triage.jsonl"
    file.write_text("\n" + file.read_text().replace('"answer": "abc"', '"answer": abc'))
    with pytest.raises(CassetteMiss, match=r"triage\.jsonl:2: is no cassette entry"):
        send(cassette(tmp_path, "replay"), {"q": 1})


# --- what goes wrong while writing --------------------------------------------------------------------------


def test_a_full_disk_costs_no_answer_and_is_told_at_the_end(tmp_path: Path) -> None:
    wire = cassette(tmp_path, "record", {"answer": 1}, {"answer": 2}, {"answer": 3})
    send(wire, {"q": 1}, close=False)
    part = wire._part
    assert part is not None
    size = part.path.stat().st_size

    class Full(FileIO):
        """Takes ten bytes more, then none."""

        def write(self, data: Any) -> int:
            if self.tell() > size:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(bytes(data)[:10])

    stream, part._stream = part._stream, Full(part.path, "ab+")
    assert json.loads(send(wire, {"q": 2}, close=False).body) == {"answer": 2}
    assert part.path.stat().st_size == size, "no torn line is left"
    part._stream.close()
    part._stream = stream
    send(wire, {"q": 3}, close=False)
    with pytest.raises(StoreError, match=r"triage\.jsonl: 1 answer could not be recorded: No space left"):
        asyncio.run(wire.close())
    assert len(lines(tmp_path)) == 2


@pytest.mark.parametrize("hole", [b"\0" * 50, b'{"format": 1, "key": "torn', b""])
def test_what_a_power_cut_left_of_a_part_is_passed_over(tmp_path: Path, hole: bytes) -> None:
    send(cassette(tmp_path, "record", {"answer": 1}), {"q": 1})
    file = tmp_path / "triage.jsonl"
    line = file.read_bytes()
    file.unlink()
    broken = line.replace(b'"answer"', b"\0\0\0\0\0\0\0\0")
    (tmp_path / ".triage.jsonl.1-aa.part").write_bytes(hole + b"\n" + broken + line + hole)
    assert json.loads(send(cassette(tmp_path, "replay"), {"q": 1}).body) == {"answer": 1}
    send(cassette(tmp_path, "record", {"answer": 2}), {"q": 2})
    assert len(lines(tmp_path)) == 2


@pytest.mark.parametrize("mode", ["record", "extend"])
def test_where_nothing_can_be_recorded_is_told_before_anything_is_asked(tmp_path: Path, mode: str) -> None:
    (tmp_path / "cassettes").write_text("a file of that name")
    with pytest.raises(UsageError, match="cassettes: cannot be written to, so no answer could be recorded"):
        cassette(tmp_path / "cassettes", mode).check()
    cassette(tmp_path / "not there yet", mode).check()


def test_a_cassette_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "triage.jsonl").mkdir()
    with pytest.raises(UsageError, match=r"triage\.jsonl: cannot be read: Is a directory"):
        cassette(tmp_path, "replay").check()
