"""Answers recorded once are replayed without a network, told apart by epoch, and never passed off as live."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from recorded_project import CASES, KEY, Recorded


def test_a_replay_gives_every_epoch_its_own_answer_and_asks_nobody(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recorded.record().ret == 0
    live = recorded.outputs()
    assert len(set(live.values())) == 12
    recorded.server.close()
    monkeypatch.delenv("TEST_MODEL_KEY")
    before = len(recorded.server.asked)
    result = recorded.replay()
    assert result.ret == 0, str(result.stdout)
    result.assert_outcomes(passed=4, skipped=1)
    assert recorded.outputs() == live
    assert len(recorded.server.asked) == before == 12


def test_a_replay_says_so_with_the_day_in_terminal_and_page(recorded: Recorded) -> None:
    recorded.record()
    today = datetime.now(UTC).date().isoformat()
    result = recorded.replay()
    assert f"replayed from recordings of {today}" in str(result.stdout)
    page = (recorded.project.path / ".aioncall" / "report.html").read_text()
    assert "Replayed" in page
    assert f"from recordings of {today}" in page
    assert recorded.project.last_run()["totals"]["replayed"] == 12


def test_a_live_run_says_nothing_of_recordings(recorded: Recorded) -> None:
    result = recorded.project.run()
    assert "replayed" not in str(result.stdout)
    assert not (recorded.project.path / "evalsets" / "cassettes").exists()


def test_latency_and_cost_of_a_recording_take_no_part(recorded: Recorded) -> None:
    recorded.record()
    recorded.project.accept()
    recorded.replay()
    run = recorded.project.last_run()
    assert not run["totals"]["cost_usd"]
    judgement = recorded.project.report()["evalsets"][0]["judgement"]
    compared = {m["metric"]: m["status"] for m in judgement["metrics"]}
    assert {compared.get("latency_p95_s"), compared.get("cost_usd")} <= {"not_compared", None}


def test_a_changed_prompt_is_not_recorded_and_nothing_is_judged(recorded: Recorded) -> None:
    recorded.record()
    recorded.project.accept()
    recorded.write_evalset(prompt="Please: {{ input }}")
    result = recorded.replay("-rA")
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*demo.eval.yaml NNNN*", "*4 not recorded*"])
    text = str(result.stdout)
    assert "--aioncall-record" in text
    assert "not recorded" in text.lower()
    assert {s["error"]["kind"] for s in recorded.project.last_samples()} == {"cassette_miss"}
    assert recorded.project.report()["status"] == "cannot_judge"


@pytest.mark.parametrize("where", ["file", "inline"])
def test_what_is_not_recorded_is_counted_named_and_followed_by_the_way_out(
    recorded: Recorded, where: str
) -> None:
    prompt = "prompts/ask.md" if where == "file" else "{{ input }}"
    recorded.project.write("prompts/ask.md", "{{ input }}\n")
    recorded.write_evalset(prompt=prompt)
    recorded.record()
    recorded.project.accept()
    recorded.project.write("prompts/ask.md", "Please: {{ input }}\n")
    recorded.write_evalset(prompt=prompt if where == "file" else "Please: {{ input }}")
    result = recorded.replay()
    name = "prompts/ask.md" if where == "file" else "prompt"
    result.stdout.fnmatch_lines(
        [
            "gate CANNOT JUDGE  not recorded: 12 of 12 samples*",
            f"No recording fits any more: {name} changed since the baseline.",
            "next:   pytest --aioncall --aioncall-replay --aioncall-record evalsets/demo.eval.yaml",
        ]
    )
    assert recorded.project.report()["evalsets"][0]["not_recorded"] == 12
    page = (recorded.project.path / ".aioncall" / "report.html").read_text()
    assert "Not recorded: 12 of 12 samples" in page
    assert recorded.record().ret == 0
    assert recorded.replay().ret == 0


def test_several_processes_record_into_one_cassette(recorded: Recorded) -> None:
    result = recorded.project.run_apart("--aioncall-record", "-n", "2")
    assert result.ret == 0, str(result.stdout) + str(result.stderr)
    assert len(recorded.server.asked) == 12
    assert len(recorded.cassette.splitlines()) == 12
    live = recorded.outputs()
    folder = recorded.project.path / "evalsets" / "cassettes"
    assert [path.name for path in folder.iterdir()] == ["demo.jsonl"], "no part is left behind"
    result = recorded.project.run_apart("--aioncall-replay", "-n", "2")
    assert result.ret == 0
    assert recorded.outputs() == live
    assert len(recorded.server.asked) == 12


def test_the_same_answers_make_the_same_bytes(recorded: Recorded) -> None:
    """A diff of a cassette shows what changed and nothing else: no order, no timing, no request id."""
    recorded.server.answer = lambda asked: asked.question.upper()
    recorded.server.extra_headers = {"x-request-id": "one"}
    recorded.record()
    first = recorded.cassette
    recorded.server.extra_headers = {"x-request-id": "two"}
    recorded.record()
    assert recorded.cassette == first
    assert len(first.splitlines()) == 12
    assert KEY.encode() not in first


def test_a_new_answer_changes_one_line(recorded: Recorded) -> None:
    recorded.server.answer = lambda asked: asked.question.upper()
    recorded.record()
    first = [json.loads(line) for line in recorded.cassette.splitlines()]
    recorded.server.answer = lambda asked: "new" if asked.question == "q2" else asked.question.upper()
    recorded.record()
    second = [json.loads(line) for line in recorded.cassette.splitlines()]
    changed = [b for a, b in zip(first, second, strict=True) if a["json"] != b["json"]]
    assert [entry["question"] for entry in changed] == ["q2"] * 3


def test_a_judge_is_replayed_too_and_a_changed_answer_asks_it_anew(recorded: Recorded) -> None:
    rubric = "Is it kind?\nMark it."
    scorer = {"judge": {"as": "kind", "rubric": rubric, "scale": [1, 5], "model": "main/judge-1"}}
    recorded.project.app("def answer(text):\n    return text\n")
    recorded.project.evalset(scorers=[scorer], cases=CASES, epochs=1)
    recorded.server.answer = lambda asked: json.dumps({"reason": "as it reads", "score": 4})
    recorded.record()
    assert recorded.replay().ret == 0
    assert {s["scores"][0]["value"] for s in recorded.project.last_samples()} == {4.0}
    recorded.project.app("def answer(text):\n    return text + '!'\n")
    result = recorded.replay()
    assert result.ret == 7
    assert {s["scores"][0]["value"] for s in recorded.project.last_samples()} == {None}
    assert "not recorded" in str(result.stdout)
    assert "gate CANNOT JUDGE  not recorded: 4 of 4 samples" in str(result.stdout)
