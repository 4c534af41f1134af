"""What an issue carries hidden, and what people say to it."""

from __future__ import annotations

import base64
import hashlib
import zlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hostile_corpus import STORABLE
from issue_days import without_marker
from pytest_aioncall.decide.issues.commands import read_commands, snoozed_until
from pytest_aioncall.decide.issues.marker import (
    DamagedMarker,
    event_id,
    event_mark,
    events_of,
    read_marker,
    repeated,
    write_marker,
)
from pytest_aioncall.model.issue import Ack, Feature, IssueState, Spot
from pytest_aioncall.model.ticket import Note

STATE = IssueState(
    kind="incident",
    evalset="triage",
    episode="run-01",
    first_day="2026-11-03",
    last_bad_day="2026-11-04",
    as_of=Spot(created_at="2026-11-04T05:37:00Z", run="run-02"),
    fired_at="2026-11-03T05:57:00+00:00",
    assigned=("ann",),
    ack=Ack(by="bo", at="2026-11-03T06:10:00+00:00", how="comment"),
    features=(Feature(evalset="search", episode="run-01", first_day="2026-11-03"),),
)
WROTE = "2026-11-22T09:00:00Z"


def note(body: str, *, by: str = "ann", trusted: bool = True, id: int = 1, at: str = WROTE) -> Note:
    return Note(id=id, body=body, author=by, trusted=trusted, created_at=at)


def read(body: str, zone: str = "UTC") -> list[tuple[str, str]]:
    """Return the verbs that are heard, and what could not be read."""
    done, unread = read_commands([note(body)], actor="bot", zone=ZoneInfo(zone))
    return [(one.verb, one.until.isoformat() if one.until else one.evalset) for one in done] + [
        ("unread", one.why) for one in unread
    ]


def test_a_marker_is_one_hidden_line_that_reads_back_the_same() -> None:
    mark = write_marker(STATE)
    assert "\n" not in mark
    assert "--" not in mark.removeprefix("<!--").removesuffix("-->")
    assert read_marker(f"{mark}\n\n# text") == STATE
    assert without_marker(f"{mark}\n\n# text") == "# text"


@pytest.mark.parametrize("name", STORABLE)
def test_a_marker_holds_any_name(name: str) -> None:
    state = STATE.model_copy(update={"evalset": STORABLE[name][:500], "episode": STORABLE[name][:500]})
    assert read_marker(write_marker(state)) == state


@pytest.mark.parametrize("body", ["", "nothing", "<!-- a comment -->", "<!-- aioncall:comment key= -->"])
def test_a_body_without_a_marker_has_none(body: str) -> None:
    assert read_marker(body) is None


def test_any_changed_character_of_a_marker_is_seen() -> None:
    mark = write_marker(STATE)
    for place in range(len("<!-- aioncall:issue:"), len(mark) - len(" -->")):
        other = "B" if mark[place] != "B" else "C"
        with pytest.raises(DamagedMarker):
            read_marker(mark[:place] + other + mark[place + 1 :])


@pytest.mark.parametrize("cut", [30, 60, 100])
def test_a_marker_that_was_cut_is_damaged(cut: int) -> None:
    with pytest.raises(DamagedMarker):
        read_marker(write_marker(STATE)[:cut])


def test_a_marker_of_a_newer_version_says_so() -> None:
    with pytest.raises(DamagedMarker, match="version 2"):
        read_marker(write_marker(STATE).replace("issue:1:", "issue:2:"))


@pytest.mark.parametrize(
    "data", [b"{}", b"null", b"[1]", b"not json", b"\xff", b'{"v": 1, "kind": "incident"}', b" " * 3_000_000]
)
def test_a_marker_with_a_right_digest_and_wrong_content_is_damaged(data: bytes) -> None:
    text = base64.b64encode(zlib.compress(data)).decode()
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    with pytest.raises(DamagedMarker):
        read_marker(f"<!-- aioncall:issue:1:{digest}:{text} -->")


def test_events_are_read_from_a_comment_and_repeated_ones_are_found() -> None:
    one, two = event_id("day", "2026-11-03"), event_id("closed", "run-01")
    assert one != event_id("day", "2026-11-04")
    first, second, third, human = (
        note(event_mark(one), id=1),
        note(f"{event_mark(one)} {event_mark(two)}", id=2),
        note(event_mark(two), id=3),
        note("no mark", id=4),
    )
    assert events_of(second) == (one, two)
    assert [n.id for n in repeated([third, human, second, first])] == [3]


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ("/ack", [("ack", "")]),
        ("looking\n\n/ack thanks", [("ack", "")]),
        ("   /Ack", [("ack", "")]),
        ("    /ack", []),
        ("> /ack", []),
        ("please /ack", []),
        ("```\n/ack\n```", []),
        ("```\n/ack\n```\n/ack", [("ack", "")]),
        ("/acknowledged", []),
        ("/snooze 2026-12-01", [("snooze", "2026-12-01T00:00:00+00:00")]),
        ("/snooze 3d", [("snooze", "2026-11-25T09:00:00+00:00")]),
        ("/snooze 12H", [("snooze", "2026-11-22T21:00:00+00:00")]),
        ("/snooze 2w until they answer", [("snooze", "2026-12-06T09:00:00+00:00")]),
        ("/unsnooze", [("unsnooze", "")]),
        ("/split `search`", [("split", "search")]),
        ("/ack\n/snooze 1d", [("ack", ""), ("snooze", "2026-11-23T09:00:00+00:00")]),
    ],
)
def test_commands_are_heard_at_the_start_of_a_line(body: str, heard: list[tuple[str, str]]) -> None:
    assert read(body) == heard


@pytest.mark.parametrize(
    "body",
    [
        "/snooze",
        "/snooze tomorrow",
        "/snooze 2026-11-21",
        "/snooze 0d",
        "/snooze 99w",
        "/split",
        "/snooze -3d",
    ],
)
def test_a_command_that_makes_no_sense_is_answered_with_what_would(body: str) -> None:
    ((kind, why),) = read(body)
    assert kind == "unread"
    assert body.split()[0] in why


def test_a_date_is_the_start_of_that_day_where_the_rotation_is() -> None:
    assert read("/snooze 2026-12-01", "Europe/Berlin") == [("snooze", "2026-12-01T00:00:00+01:00")]


@pytest.mark.parametrize(("by", "trusted"), [("eve", False), ("bot", True)])
def test_strangers_and_our_own_account_are_not_heard(by: str, trusted: bool) -> None:
    said = note("/ack\n/snooze x", by=by, trusted=trusted)
    assert read_commands([said], actor="Bot", zone=UTC) == ((), ())


def test_the_last_word_about_a_snooze_counts() -> None:
    notes = [
        note("/snooze 9d", id=1, at="2026-11-20T09:00:00Z"),
        note("/snooze 1d", id=2, at="2026-11-21T09:00:00Z"),
    ]
    commands, _ = read_commands(notes, actor="bot", zone=UTC)
    since = datetime(2026, 11, 1, tzinfo=UTC)
    assert snoozed_until(commands, since=since, now=datetime(2026, 11, 22, 8, tzinfo=UTC)) is not None
    assert snoozed_until(commands, since=since, now=datetime(2026, 11, 22, 10, tzinfo=UTC)) is None
    back, _ = read_commands(
        [*notes, note("/unsnooze", id=3, at="2026-11-21T10:00:00Z")], actor="bot", zone=UTC
    )
    assert snoozed_until(back, since=since, now=datetime(2026, 11, 21, 11, tzinfo=UTC)) is None


@pytest.mark.parametrize("name", STORABLE)
def test_a_hostile_comment_is_no_command(name: str) -> None:
    assert [kind for kind, _ in read(STORABLE[name]) if kind != "unread"] == []
