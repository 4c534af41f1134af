"""`aioncall cassettes`: what is recorded, what nobody asks for any more, and deleting just that."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from recorded_project import CASES, Recorded

Captured = pytest.CaptureFixture[str]


def verb(recorded: Recorded, capsys: Captured, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert recorded.project.command("cassettes", *arguments, "--root", str(recorded.project.path)) == code
    told = capsys.readouterr()
    return told.out + told.err


def facts(recorded: Recorded, capsys: Captured, *arguments: str) -> dict[str, Any]:
    found = json.loads(verb(recorded, capsys, *(arguments or ("list",)), "--json"))
    (one,) = found["cassettes"]
    return {**one, **{k: v for k, v in found.items() if k == "deleted"}}


def test_everything_that_a_replay_asks_for_is_used(recorded: Recorded, capsys: Captured) -> None:
    recorded.record()
    told = facts(recorded, capsys)
    assert (told["recordings"], told["used"], told["unused"], told["missing"]) == (12, 12, 0, 0)
    assert told["bytes"] == len(recorded.cassette)
    assert "12 recordings" in verb(recorded, capsys, "list")
    assert "nothing to delete" in verb(recorded, capsys, "prune", "--yes")
    assert len(recorded.server.asked) == 12, "nobody is asked"


def test_prune_says_what_would_go_and_deletes_only_when_told(recorded: Recorded, capsys: Captured) -> None:
    recorded.record()
    before = recorded.cassette
    recorded.write_evalset(cases={k: v for k, v in CASES.items() if k != "case-1"})
    said = verb(recorded, capsys, "list")
    assert "3 no longer asked for" in said
    assert "next:  aioncall cassettes prune" in said
    said = verb(recorded, capsys, "prune", "demo")
    assert "evalsets/cassettes/demo.jsonl: 3 of 12 recordings to delete" in said
    assert said.count("q1") == 3
    assert "next:  aioncall cassettes prune demo --yes" in said
    assert recorded.cassette == before
    assert "3 recordings deleted" in verb(recorded, capsys, "prune", "--yes")
    kept = set(before.splitlines()) - set(recorded.cassette.splitlines())
    assert len(kept) == 3
    assert set(recorded.cassette.splitlines()) < set(before.splitlines())
    assert recorded.replay().ret == 0


def test_a_changed_prompt_leaves_the_old_answers_unused_and_counts_what_is_missing(
    recorded: Recorded, capsys: Captured
) -> None:
    recorded.record()
    recorded.write_evalset(prompt="Please: {{ input }}")
    told = facts(recorded, capsys)
    assert (told["unused"], told["missing"]) == (12, 12)
    assert "12 calls of a run not recorded" in verb(recorded, capsys, "list")
    verb(recorded, capsys, "prune", "--yes")
    assert not recorded.file.exists()


def test_recordings_of_further_epochs_are_kept_until_somebody_says_how_many(
    recorded: Recorded, capsys: Captured
) -> None:
    recorded.record()
    recorded.write_evalset(epochs=2)
    told = facts(recorded, capsys)
    assert (told["used"], told["further"], told["unused"]) == (8, 4, 0)
    assert "4 of further epochs (2 to 2)" in verb(recorded, capsys, "list")
    assert facts(recorded, capsys, "prune", "--yes")["deleted"] == 0
    assert facts(recorded, capsys, "prune", "--yes", "--epochs", "2")["deleted"] == 4
    assert len(recorded.cassette.splitlines()) == 8
    assert recorded.replay().ret == 0


JUDGE = {"as": "kind", "rubric": "Is it kind?\nMark it.", "scale": [1, 5], "model": "main/judge-1"}


def judged(recorded: Recorded, **judge: Any) -> None:
    recorded.server.answer = lambda asked: (
        json.dumps({"reason": "as it reads", "score": 4}) if asked.is_judge else asked.question.upper()
    )
    recorded.write_evalset(scorers=["contains", {"judge": {**JUDGE, **judge}}])


def test_what_a_judge_said_of_an_answer_that_is_recorded_no_more_is_unused(
    recorded: Recorded, capsys: Captured
) -> None:
    judged(recorded)
    recorded.record()
    assert facts(recorded, capsys)["used"] == 24
    answer = recorded.server.answer
    recorded.server.answer = lambda asked: "other" if asked.question == "q2" else answer(asked)
    recorded.record()
    told = facts(recorded, capsys, "show", "demo", "--unused")
    assert [(one["by"], one["epoch"]) for one in told["entries"]] == [
        ("judge", n) for n in (0, 1, 2)
    ] or sorted(one["epoch"] for one in told["entries"]) == [0, 1, 2]
    assert {one["by"] for one in told["entries"]} == {"judge"}
    verb(recorded, capsys, "prune", "--yes")
    assert len(recorded.cassette.splitlines()) == 24
    assert recorded.replay().ret == 0


def test_what_a_changed_judge_was_asked_before_is_unused(recorded: Recorded, capsys: Captured) -> None:
    judged(recorded)
    recorded.record()
    judged(recorded, params={"temperature": 0})
    told = facts(recorded, capsys)
    assert (told["used"], told["unused"], told["missing"]) == (12, 12, 12)


def test_where_nobody_can_know_without_a_run_all_is_kept_and_the_reason_is_told(
    recorded: Recorded, capsys: Captured
) -> None:
    recorded.project.app("def answer(text):\n    return text\n")
    recorded.server.answer = lambda asked: json.dumps({"reason": "as it reads", "score": 4})
    recorded.project.evalset(scorers=[{"judge": JUDGE}], cases=CASES, epochs=1)
    recorded.record()
    said = verb(recorded, capsys, "prune", "--yes")
    assert "cannot tell what is asked for, all is kept" in said
    assert "what kind is asked depends on what the target answers in a run" in said
    assert len(recorded.cassette.splitlines()) == 4
    told = facts(recorded, capsys)
    assert (told["unknown"], told["missing"]) == (4, None)


def test_variables_of_a_prompt_are_run_as_a_replay_runs_them(recorded: Recorded, capsys: Captured) -> None:
    recorded.project.app("def facts(text):\n    return {'fact': text * 2}\n")
    target = {
        "chat": {"model": "main/answers-1", "prompt": "{{ fact }} {{ input }}", "variables": "app:facts"}
    }
    recorded.write_evalset(target=target)
    recorded.record()
    told = facts(recorded, capsys)
    assert (told["used"], told["unused"]) == (12, 0)
    recorded.project.app("def facts(text):\n    return {'fact': text * 3}\n")
    told = facts(recorded, capsys)
    assert (told["used"], told["unused"], told["missing"]) == (0, 12, 12)
    recorded.project.app("def facts(text):\n    raise RuntimeError('the index is down')\n")
    assert "all is kept: case case-0: RuntimeError: the index is down" in verb(
        recorded, capsys, "prune", "--yes"
    )
    assert len(recorded.cassette.splitlines()) == 12


def test_a_cassette_whose_evalset_is_gone_is_found_and_deleted(recorded: Recorded, capsys: Captured) -> None:
    recorded.record()
    orphan = recorded.file.with_name("gone.jsonl")
    shutil.copy(recorded.file, orphan)
    foreign = recorded.file.with_name("somebody-elses.jsonl")
    foreign.write_text('{"request": 1}\n')
    assert "gone.jsonl: 12 recordings" in verb(recorded, capsys, "list", "gone")
    assert "no evalset of that name is beside it" in verb(recorded, capsys, "list")
    verb(recorded, capsys, "prune", "--yes")
    assert not orphan.exists()
    assert foreign.exists()
    assert recorded.replay().ret == 0


def test_a_name_that_nothing_has_is_refused_with_those_that_there_are(
    recorded: Recorded, capsys: Captured
) -> None:
    recorded.record()
    assert "did you mean 'demo'" in verb(recorded, capsys, "list", "deom", code=4)
    recorded.file.write_text("{broken\n")
    assert "demo.jsonl:1: is no cassette entry" in verb(recorded, capsys, "list", code=4)
    recorded.file.unlink()
    said = verb(recorded, capsys, "list")
    assert "demo.jsonl: no recording yet" in said
    assert "next:  pytest --aioncall --aioncall-replay --aioncall-record" in said
    recorded.write_evalset(target={"python": "app:answer"})
    recorded.project.app("def answer(text):\n    return text\n")
    assert "no cassette yet; record one with" in verb(recorded, capsys, "list")


def test_an_evalset_that_does_not_load_is_told_and_nothing_is_deleted(
    recorded: Recorded, capsys: Captured
) -> None:
    recorded.record()
    recorded.write_evalset(scorers=["contians"])
    said = verb(recorded, capsys, "prune", "--yes", code=4)
    assert "did you mean 'contains'" in said
    assert len(recorded.cassette.splitlines()) == 12


def test_what_a_killed_run_left_behind_is_told_and_merged(recorded: Recorded, capsys: Captured) -> None:
    recorded.record()
    part = recorded.file.with_name(".demo.jsonl.1-00000000.part")
    recorded.file.rename(part)
    told = facts(recorded, capsys)
    assert (told["recordings"], told["used"], told["unmerged"]) == (12, 12, 1)
    assert "1 file of a run that was killed" in verb(recorded, capsys, "list")
    verb(recorded, capsys, "prune", "--yes")
    assert len(recorded.cassette.splitlines()) == 12
    assert not part.exists()


def test_a_recording_run_says_what_it_did_not_ask_for_any_more(recorded: Recorded) -> None:
    recorded.record()
    recorded.write_evalset(cases={k: v for k, v in CASES.items() if k != "case-1"}, epochs=2)
    hint = "aioncall: 2 recordings are no longer asked for: aioncall cassettes prune demo"
    assert hint in str(recorded.record().stdout), "epochs beyond those that ran may be asked for again"
    assert hint in str(recorded.replay("--aioncall-record").stdout)
    assert "no longer asked for" not in str(recorded.record("-k", "case-2").stdout), "a part asks for a part"
    assert "no longer asked for" not in str(recorded.replay().stdout)
