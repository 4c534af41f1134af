"""What is not recorded: never green, or asked live under the cap, and recorded only where that was said."""

from __future__ import annotations

import json

import pytest
from recorded_project import CASES, KEY, Recorded

MORE = {**CASES, "new": ("qnew", "QNEW")}


def test_a_fallback_asks_for_what_is_missing_only_and_records_nothing(recorded: Recorded) -> None:
    recorded.record()
    before, kept = recorded.outputs(), recorded.cassette
    recorded.write_evalset(cases=MORE)
    result = recorded.project.run("--aioncall-fallback")
    assert result.ret == 0, str(result.stdout)
    assert len(recorded.server.asked) == 12 + 3
    assert {k: v for k, v in recorded.outputs().items() if k[0] != "new"} == before
    assert recorded.cassette == kept
    result.stdout.fnmatch_lines(["aioncall: 3 model calls, about $0.01, cap $5; 12 more are recorded"])
    result.stdout.fnmatch_lines(["*replayed from recordings of * (12 answers)"])
    run = recorded.project.last_run()
    assert run["totals"]["replayed"] == 12
    assert run["totals"]["cost_usd"] == pytest.approx(3 * (1000 * 2 + 100 * 10) / 1e6)


def test_replay_and_record_together_record_what_is_missing(recorded: Recorded) -> None:
    recorded.record()
    kept = recorded.cassette.splitlines()
    recorded.write_evalset(cases=MORE)
    assert recorded.replay("--aioncall-record").ret == 0
    assert len(recorded.server.asked) == 12 + 3
    now = recorded.cassette.splitlines()
    assert len(now) == 15
    assert set(kept) <= set(now), "what was recorded stays as it is, to the byte"
    recorded.server.close()
    assert recorded.replay().ret == 0


def test_the_mode_can_stand_in_the_configuration_and_in_the_environment(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.record()
    config = (recorded.project.path / "aioncall.yaml").read_text()
    recorded.project.write("aioncall.yaml", config + "defaults: {mode: fallback}\n")
    assert recorded.project.run().ret == 0
    monkeypatch.setenv("AIONCALL_REPLAY", "1")
    monkeypatch.setenv("AIONCALL_RECORD", "1")
    recorded.write_evalset(cases=MORE)
    assert recorded.project.run().ret == 0
    assert len(recorded.server.asked) == 12 + 3
    assert len(recorded.cassette.splitlines()) == 15


def test_a_cap_is_held_against_the_misses_alone(recorded: Recorded) -> None:
    recorded.record()
    assert recorded.project.run("--aioncall-fallback", "--aioncall-max-cost", "0.000001").ret == 0
    recorded.write_evalset(cases=MORE)
    result = recorded.project.run("--aioncall-fallback", "--aioncall-max-cost", "0.000001")
    assert result.ret == 4
    assert "above the cap of $1e-06; nothing was spent" in str(result.stdout) + str(result.stderr)
    assert len(recorded.server.asked) == 12


def test_a_cap_stops_live_calls_that_cost_more_than_was_thought(recorded: Recorded) -> None:
    recorded.record("--aioncall-epochs", "1")
    cost = (1000 * 2 + 100 * 10) / 1e6
    # Short questions: the estimate is near nothing, and each answer costs far more.
    config = (recorded.project.path / "aioncall.yaml").read_text()
    recorded.project.write("aioncall.yaml", config.replace("output: 10.0", "output: 0.0"))
    recorded.write_evalset(cases={f"n{n}": (f"n{n}", f"N{n}") for n in range(20)}, epochs=1)
    cap = f"{2.5 * cost:g}"
    result = recorded.project.run(
        "--aioncall-fallback", "--aioncall-max-cost", cap, "--aioncall-concurrency", "1"
    )
    assert result.ret == 7
    assert "the cost cap was reached" in str(result.stdout)
    assert 0 < len(recorded.server.asked) - 4 < 20
    assert recorded.project.last_run()["totals"]["cost_usd"] <= float(cap)


def test_a_key_is_needed_only_where_something_is_missing_and_then_before_anything_runs(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.record()
    monkeypatch.delenv("TEST_MODEL_KEY")
    assert recorded.project.run("--aioncall-fallback").ret == 0
    recorded.write_evalset(cases=MORE)
    result = recorded.project.run("--aioncall-fallback")
    assert result.ret == 4
    said = str(result.stdout) + str(result.stderr)
    assert "evalsets/demo.eval.yaml: 3 calls are not recorded, and TEST_MODEL_KEY is not set" in said
    assert len(recorded.project.run_folders()) == 2, "no third run was begun"
    assert len(recorded.server.asked) == 12


JUDGE = {"as": "kind", "rubric": "Is it kind?\nMark it.", "scale": [1, 5], "model": "main/judge-1"}


def judged_function(recorded: Recorded, answer: str = "text", **judge: object) -> None:
    recorded.project.app(f"def answer(text):\n    return {answer}\n")
    keys = {k: v for k, v in {**JUDGE, **judge}.items() if v is not None}
    recorded.project.evalset(scorers=[{"judge": keys}], cases=CASES, epochs=1)
    recorded.server.answer = lambda asked: json.dumps({"reason": "as it reads", "score": 4})


def test_a_judge_of_a_live_function_is_asked_for_what_is_missing(recorded: Recorded) -> None:
    judged_function(recorded)
    recorded.record()
    judged_function(recorded, answer="text if text != 'q2' else 'other'")
    result = recorded.project.run("--aioncall-fallback")
    assert result.ret == 0
    assert len(recorded.server.asked) == 4 + 1
    result.stdout.fnmatch_lines(["aioncall: 0 to 4 model calls, *"])


def test_a_miss_that_nobody_could_foresee_says_which_key_it_lacks(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_function(recorded)
    recorded.record()
    judged_function(recorded, answer="text + '!'")
    monkeypatch.delenv("TEST_MODEL_KEY")
    result = recorded.project.run("--aioncall-fallback")
    assert result.ret == 7
    errors = {s["scores"][0]["error"] for s in recorded.project.last_samples()}
    assert all("to ask for it, set TEST_MODEL_KEY" in error for error in errors)
    assert len(recorded.server.asked) == 4


def test_one_case_of_many_that_is_not_recorded_is_never_green(recorded: Recorded) -> None:
    recorded.record()
    recorded.write_evalset(cases=MORE, errors={"max_rate": 0.9})
    result = recorded.replay()
    assert result.ret == 7
    result.stdout.fnmatch_lines(
        ["3 errors (not recorded): there is no recording of what is asked now in new"]
    )
    said = recorded.project.report()["evalsets"][0]
    assert said["not_recorded"] == 3
    assert said["judgement"]["summary"] == "cannot judge: 3 of 15 samples are not recorded"
    assert "pytest --aioncall --aioncall-replay" in str(result.stdout)
    assert (
        recorded.project.command("gate", "--candidate", "latest", "--root", str(recorded.project.path)) == 7
    )


def test_what_a_judge_was_never_asked_has_the_letter_of_what_is_not_recorded(recorded: Recorded) -> None:
    judged_function(recorded)
    recorded.record()
    judged_function(recorded, answer="text + '!'")
    result = recorded.replay()
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*demo.eval.yaml NNNN*", "*4 not recorded*"])
    assert "--aioncall-replay --aioncall-record" in str(result.stdout)


@pytest.mark.parametrize(
    "changed",
    [
        {"rubric": "Is it short?\nMark it."},
        {"scale": [1, 4]},
        {"params": {"temperature": 0}},
        {"reply_format": "text"},
        {"reply_format": "json_object"},
        {"model": "main/judge-2"},
        {"show": []},
        {"max_chars": 100},
        {"scale": None, "labels": ["rude", "kind"]},
    ],
)
def test_a_changed_judge_never_gets_what_another_one_said(
    recorded: Recorded, changed: dict[str, object]
) -> None:
    judged_function(recorded)
    recorded.record()
    judged_function(recorded, **changed)
    assert recorded.replay().ret == 7
    assert {s["scores"][0]["value"] for s in recorded.project.last_samples()} == {None}


def test_another_parser_of_replies_is_another_judge(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_function(recorded)
    recorded.record()
    monkeypatch.setattr("pytest_aioncall.adapters.scorers.judge.PARSER", "another one")
    assert recorded.replay().ret == 7


def test_where_a_judge_draws_the_line_changes_nothing_of_what_it_was_asked(recorded: Recorded) -> None:
    judged_function(recorded)
    recorded.record()
    judged_function(recorded, pass_at=5)
    assert recorded.replay().ret == 0
    assert {(s["scores"][0]["value"], s["scores"][0]["passed"]) for s in recorded.project.last_samples()} == {
        (4.0, False)
    }


def test_two_providers_of_one_model_are_told_apart(recorded: Recorded) -> None:
    recorded.record()
    provider = {"kind": "openai", "base_url": f"{recorded.server.url}/v1", "api_key_env": "TEST_MODEL_KEY"}
    recorded.project.config(providers={"main": provider, "other": provider})
    recorded.write_evalset(target={"chat": {"model": "other/answers-1", "prompt": "{{ input }}"}})
    assert recorded.replay().ret == 7
    assert {s["error"]["kind"] for s in recorded.project.last_samples()} == {"cassette_miss"}


def test_two_evalsets_that_ask_the_same_keep_their_own_answers(recorded: Recorded) -> None:
    recorded.project.evalset(
        "twin",
        target={"chat": {"model": "main/answers-1", "prompt": "{{ input }}"}},
        cases=CASES,
        epochs=3,
        scorers=["contains"],
    )
    recorded.record()
    live = sorted((s["evalset"], s["case"], s["epoch"], s["output"]["text"]) for s in samples_of(recorded))
    assert len({text for *_, text in live}) == 24
    recorded.replay()
    assert (
        sorted((s["evalset"], s["case"], s["epoch"], s["output"]["text"]) for s in samples_of(recorded))
        == live
    )


def test_two_cases_that_ask_the_same_are_asked_once_so_that_a_replay_says_what_was_said(
    recorded: Recorded,
) -> None:
    recorded.write_evalset(cases={"a": ("q0", "Q0"), "b": ("q0", "Q0")})
    recorded.record()
    live = recorded.outputs()
    assert len(recorded.server.asked) == 3
    recorded.replay()
    assert recorded.outputs() == live


def test_a_damaged_recording_is_named_before_anything_runs(recorded: Recorded) -> None:
    recorded.record()
    lines = recorded.file.read_text().splitlines(keepends=True)
    recorded.file.write_text("".join([*lines[:3], "<<<<<<< ours\n", *lines[3:]]))
    for mode in ("--aioncall-replay", "--aioncall-record", "--aioncall-fallback"):
        result = recorded.project.run(mode)
        assert result.ret == 4
        said = str(result.stdout) + str(result.stderr)
        assert "demo.jsonl:4: a mark of an unfinished merge" in said
    recorded.file.write_text("".join(lines)[:-40])
    assert "demo.jsonl:12: is cut off" in str(recorded.replay().stderr)
    assert len(recorded.server.asked) == 12


def samples_of(recorded: Recorded) -> list[dict[str, object]]:
    return list(recorded.project.last_samples())


def test_no_secret_of_the_project_is_in_what_was_recorded_in_addition(recorded: Recorded) -> None:
    recorded.record()
    recorded.server.answer = lambda asked: f"the key is {KEY}"
    recorded.write_evalset(cases=MORE)
    recorded.replay("--aioncall-record")
    assert KEY.encode() not in recorded.cassette
    assert b"[REDACTED:secret]" in recorded.cassette
