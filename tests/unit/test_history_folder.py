"""A history in a folder: whole files, idempotent writes, and a reader that trusts none of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from history_worlds import made_entry
from pytest_aioncall.adapters.history import HistoryFolder, entry_path, entry_text
from pytest_aioncall.adapters.history import folder as folder_module
from pytest_aioncall.adapters.history.names import file_stem
from pytest_aioncall.errors import StoreError
from pytest_aioncall.model.history import EvalsetDay


@pytest.fixture
def history(tmp_path: Path) -> HistoryFolder:
    return HistoryFolder(tmp_path / "history")


def put(history: HistoryFolder, path: str, content: bytes | str) -> Path:
    target = history.path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return target


def test_an_entry_lies_under_its_day_and_is_read_back_as_it_was(history: HistoryFolder) -> None:
    entry = made_entry(3)
    assert history.add(entry)
    assert (history.path / "runs/2026/01/04-20260104-031700-00003-1.json").is_file()
    assert history.entries() == [entry]
    assert history.problems == ()


def test_adding_twice_changes_nothing_and_a_new_version_of_a_run_takes_its_place(
    history: HistoryFolder,
) -> None:
    assert history.add(made_entry(1))
    before = next(history.path.rglob("*.json")).stat().st_mtime_ns
    assert not history.add(made_entry(1))
    assert next(history.path.rglob("*.json")).stat().st_mtime_ns == before
    assert history.add(made_entry(1, value=0.5))
    assert history.entries() == [made_entry(1, value=0.5)]


def test_entries_are_sorted_by_time_run_and_attempt_whatever_order_they_came_in(
    history: HistoryFolder,
) -> None:
    wanted = [made_entry(1), made_entry(2), made_entry(2, attempt=2), made_entry(2, run="z"), made_entry(30)]
    for entry in reversed(wanted):
        history.add(entry)
    assert history.entries() == wanted


def test_an_empty_history_and_one_that_is_not_there_have_no_entries(history: HistoryFolder) -> None:
    assert history.entries() == []
    assert history.records("outbox") == {}
    history.path.mkdir()
    assert history.entries() == []


GOOD = entry_path(made_entry(1))


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (GOOD, b"", "not valid JSON"),
        (GOOD, b'{"format": 1, "run": "20260102-03', "not valid JSON"),
        (GOOD, b"[1, 2]", "object"),
        (GOOD, b"\xff\xfe{}", "not UTF-8"),
        (GOOD, b'{"format": 2}', "format 2; this version reads format 1. Upgrade"),
        (GOOD, b'{"format": 1, "surprise": 1}', "run: Field required"),
        (GOOD, entry_text(made_entry(1)).replace('"run"', '"surprise":1,"run"'), "surprise"),
        (GOOD, entry_text(made_entry(2)), "is not what its name says"),
        (GOOD, entry_text(made_entry(1)).replace("2026-01-02T", "2026-01-05T"), "not the UTC day"),
        (GOOD, entry_text(made_entry(1)).replace("2026-01-02T03:17:00.000Z", "noon"), "RFC 3339"),
        (GOOD, entry_text(made_entry(1)).replace("[1.0,null]", "[NaN]"), "NaN"),
        (GOOD, entry_text(made_entry(1)).replace("[1.0,null]", "[1e999,2]"), "too large"),
        (GOOD, b"[" * 5000 + b"]" * 5000, "nested"),
        ("runs/2026/01/readme.json", b"{}", "is not named as an entry is"),
        ("runs/2026/01/\x1b[2Jx.json", b"{}", "is not named as an entry is"),
    ],
)
def test_a_broken_or_hostile_file_is_passed_over_by_name_and_the_others_are_read(
    history: HistoryFolder, path: str, content: bytes | str, said: str
) -> None:
    put(history, path, content)
    history.add(made_entry(5))
    assert history.entries() == [made_entry(5)]
    (problem,) = history.problems
    assert said in problem.message
    assert problem.message.endswith("not read")
    assert str(problem).isprintable()


def test_links_pipes_folders_and_giants_are_not_read(
    history: HistoryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "MAX_ENTRY_BYTES", 2000)
    secret = tmp_path / "secret.json"
    secret.write_text(entry_text(made_entry(1)))
    link, pipe, inside, giant = (entry_path(made_entry(n)) for n in (1, 2, 3, 4))
    put(history, giant, b" " * 2001)
    (history.path / link).symlink_to(secret)
    os.mkfifo(history.path / pipe)
    (history.path / inside).mkdir()
    history.add(made_entry(9))
    assert history.entries() == [made_entry(9)]
    told = {Path(problem.file).name: problem.message for problem in history.problems}
    assert told[Path(link).name] == "is a link; not read"
    assert "pipe or a device" in told[Path(pipe).name]
    assert "larger" in told[Path(giant).name]


def test_two_files_of_one_run_count_once(history: HistoryFolder) -> None:
    history.add(made_entry(1))
    later = made_entry(2, run=made_entry(1).run)
    put(history, entry_path(later), entry_text(later))
    assert history.entries() == [made_entry(1)]
    assert "which another file holds, too" in history.problems[0].message


def test_half_written_files_of_a_killed_process_are_nobodys_entries(history: HistoryFolder) -> None:
    put(history, "runs/2026/01/.02-x-1.json.4711.partial", b"{")
    put(history, "outbox/.x.json.4711.partial", b"{")
    assert history.entries() == []
    assert history.records("outbox") == {}
    assert history.problems == ()


def test_a_disk_that_takes_nothing_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        HistoryFolder(tmp_path / "file" / "history").add(made_entry(1))


def test_an_entry_with_a_time_that_is_none_is_refused(history: HistoryFolder) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        history.add(made_entry(1).model_copy(update={"created_at": "yesterday"}))


def test_records_are_kept_by_kind_and_name(history: HistoryFolder) -> None:
    history.write_record("outbox", "page/triage/persona=free", {"tries": 1})
    history.write_record("outbox", "Page", {"tries": 2})
    history.write_record("outbox", "page", [1])
    history.write_record("log", "page", "sent")
    history.write_record("outbox", "page", [1, 2])
    assert history.records("outbox") == {
        "Page": {"tries": 2}, "page": [1, 2], "page/triage/persona=free": {"tries": 1}
    }  # fmt: skip
    assert history.records("log") == {"page": "sent"}
    assert history.records("acks") == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not valid JSON"), ("[]", "no record"), ('{"format": 1, "name": "b", "data": 1}', "another name")],
)
def test_a_broken_record_is_passed_over_by_name(history: HistoryFolder, content: str, said: str) -> None:
    put(history, "outbox/a.json", content)
    history.write_record("outbox", "b", 1)
    assert history.records("outbox") == {"b": 1}
    assert said in history.problems[0].message


@pytest.mark.parametrize("kind", ["runs", "../outbox", "Outbox", "", "new", "a/b", ".git"])
def test_a_kind_of_record_is_a_plain_word(history: HistoryFolder, kind: str) -> None:
    with pytest.raises(ValueError, match="no kind of record"):
        history.write_record(kind, "x", 1)
    with pytest.raises(ValueError, match="no kind of record"):
        history.records(kind)


def test_a_record_that_is_too_large_or_no_json_is_refused(history: HistoryFolder) -> None:
    with pytest.raises(ValueError, match="larger than"):
        history.write_record("outbox", "x", "y" * 2_000_000)
    with pytest.raises(ValueError, match="JSON"):
        history.write_record("outbox", "x", float("nan"))


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "con",
        "aux.txt",
        "a\0b",
        "a\nb",
        "\u202egnp",
        "A",
        "x" * 300,
        ".",
        "..",
        "",
    ],
)
def test_a_hostile_name_is_a_plain_file_name(name: str) -> None:
    stem = file_stem(name)
    assert stem.isascii() and stem.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert len(stem) <= 80 and not stem.startswith(".") and "/" not in stem
    assert stem.split(".")[0] not in {"con", "aux"}
    assert stem != name


def test_a_plain_name_stays_as_it_is_and_no_two_names_share_a_file() -> None:
    assert file_stem("20261122-031700-000007044") == "20261122-031700-000007044"
    names = ["a", "A", "a/b", "a_b", "a b", "a\tb", "x" * 300, "x" * 301, ""]
    assert len({file_stem(name) for name in names}) == len(names)


def test_an_entry_holds_a_line_a_case_and_leaves_defaults_out() -> None:
    text = entry_text(made_entry(1))
    assert json.loads(text)["format"] == 1
    assert '"case":"a"' in text.splitlines()[2]
    assert "error_texts" not in text
    without = made_entry(1).model_copy(update={"evalsets": (EvalsetDay(evalset="x", judged=False),)})
    assert json.loads(entry_text(without))["evalsets"] == [{"evalset": "x", "judged": False}]
