"""A key that is not there: refused unless somebody said otherwise, never a mock, never green by omission."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from model_server import model_server

from eval_project import Project, project  # noqa: F401

KEY = "AIONCALL_TEST_KEY"
FORK = {
    "pull_request": {
        "number": 7,
        "head": {"sha": "a" * 40, "repo": {"full_name": "mallory/app"}},
        "base": {"repo": {"full_name": "acme/app"}},
    },
    "sender": {"login": "mallory"},
}


@pytest.fixture
def keyless(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:  # noqa: F811
    """A project whose provider needs a key that is not set."""
    monkeypatch.delenv(KEY, raising=False)
    for name in ("GITHUB_EVENT_PATH", "AIONCALL_WITHOUT_KEYS"):
        monkeypatch.delenv(name, raising=False)
    project.app("def answer(text):\n    return text.upper()\n")
    # Nobody listens there: a call that is made in spite of all fails the test.
    project.config(
        providers={"far": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key_env": KEY}},
        prices={"as_of": "2026-11-01", "far/m-1": {"input": 1.0, "output": 1.0}},
    )
    yield project


def chat(project: Project, **keys: object) -> None:  # noqa: F811
    target = {"chat": {"model": "far/m-1", "prompt": "Say {{ input }} in capitals."}}
    project.evalset("chatty", target=target, epochs=1, **keys)


def judged(project: Project, **keys: object) -> None:  # noqa: F811
    """A target of one's own code, a scorer without a model, and a judge whose key is missing."""
    project.write("rubric.md", "Is it in capitals? Answer yes or no.\n")
    scorers = ["exact", {"judge": {"as": "good", "rubric": "rubric.md", "scale": [1, 5], "model": "far/m-1"}}]
    project.evalset("mixed", scorers=scorers, **{"epochs": 1, **keys})


def event(project: Project, monkeypatch: pytest.MonkeyPatch, told: object) -> None:  # noqa: F811
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(project.write("event.json", json.dumps(told))))
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/app")


def outcome(project: Project) -> tuple[str, int, str | None]:  # noqa: F811
    report = project.report()
    return report["status"], report["exit_code"], report["evalsets"][0]["without_key"]


def test_a_missing_key_is_refused_before_anything_runs(keyless: Project) -> None:
    chat(keyless)
    result = keyless.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*environment variable {KEY} is not set*"])
    assert keyless.run_folders() == []


def test_asked_for_it_is_neutral_and_says_so(keyless: Project) -> None:
    chat(keyless)
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert result.ret == 0
    assert outcome(keyless) == ("cannot_judge", 0, KEY)
    result.stdout.fnmatch_lines([f"gate NOT RUN  live evals: no credentials ({KEY} is not set)*"])
    result.stdout.no_fnmatch_line("*gate pass*")
    assert [s["error"]["kind"] for s in keyless.last_samples()] == ["cassette_miss"] * 2


def test_what_was_never_asked_is_no_error_of_the_answers(
    keyless: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that says "errors REGRESSED" would blame the change for a key that this run may not have."""
    with model_server() as server:
        server.answer = lambda asked: asked.question.upper()
        keyless.config(
            providers={"far": {"kind": "openai", "base_url": f"{server.url}/v1", "api_key_env": KEY}}
        )
        chat(keyless)
        monkeypatch.setenv(KEY, "k-1")
        assert keyless.run().ret == 0
    keyless.accept()
    monkeypatch.delenv(KEY)
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert outcome(keyless) == ("cannot_judge", 0, KEY)
    assert "REGRESSED" not in result.stdout.str()


def test_what_was_never_asked_is_counted_as_that_and_a_next_step_is_named(
    keyless: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the screen, in the summary and on the page: no error; and what to do next."""
    judged(keyless)
    result = keyless.run("--aioncall-without-keys", "neutral")
    result.stdout.fnmatch_lines(
        [
            "0/2 judged, 2 not recorded, *",
            f"next:   set {KEY}, then pytest --aioncall evalsets/mixed.eval.yaml",
        ]
    )
    result.stdout.no_fnmatch_line("*error*")
    capsys.readouterr()
    assert keyless.command("publish", "summary") == 0
    text = capsys.readouterr().out
    assert "0 of 2 samples judged, 2 not recorded" in text and "error" not in text.lower()
    assert "`pytest --aioncall evalsets/mixed.eval.yaml`" in text

    keyless.evalset("beside")
    result = keyless.run("--aioncall-without-keys", "neutral")
    result.stdout.fnmatch_lines(["*/8 judged, 2 not recorded, *"])
    capsys.readouterr()
    assert keyless.command("publish", "summary") == 0
    assert "8 samples judged, 2 not recorded" in capsys.readouterr().out


def test_the_environment_says_it_as_well(keyless: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIONCALL_WITHOUT_KEYS", "neutral")
    chat(keyless)
    assert keyless.run().ret == 0


def test_nonsense_is_refused(keyless: Project) -> None:
    chat(keyless)
    result = keyless.run("--aioncall-without-keys", "green")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--aioncall-without-keys*needs refuse, fork or neutral, got 'green'*"])


def test_other_mistakes_stay_mistakes(keyless: Project) -> None:
    chat(keyless, scorers=["contians"])
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*unknown scorer 'contians'*"])


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (FORK, 0),
        ({**FORK, "pull_request": {**FORK["pull_request"], "head": {"repo": None}}}, 0),
        ({**FORK, "pull_request": {**FORK["pull_request"], "head": FORK["pull_request"]["base"]}}, 4),
        (
            {
                "pull_request": {"head": FORK["pull_request"]["base"], "base": FORK["pull_request"]["base"]},
                "sender": {"login": "dependabot[bot]"},
            },
            0,
        ),
        ({"ref": "refs/heads/main", "sender": {"login": "dependabot[bot]"}}, 4),
        ({}, 4),
    ],
    ids=["fork", "deleted-fork", "own-branch", "dependabot", "push", "nothing-told"],
)  # fmt: skip
def test_fork_is_neutral_only_where_github_gives_no_secrets(
    keyless: Project, monkeypatch: pytest.MonkeyPatch, told: object, code: int
) -> None:
    chat(keyless)
    event(keyless, monkeypatch, told)
    assert keyless.run("--aioncall-without-keys", "fork").ret == code


def test_a_file_that_is_no_event_is_a_line(keyless: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    chat(keyless)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(keyless.write("event.json", "[" * 100_000)))
    result = keyless.run("--aioncall-without-keys", "fork")
    assert result.ret == 4
    assert "GITHUB_EVENT_PATH" in result.stderr.str() + result.stdout.str()


def test_scorers_without_a_model_are_run_and_a_broken_must_is_red(keyless: Project) -> None:
    cases = [{"id": "a", "input": "a", "expected": "A", "must": [{"not_contains": "A"}]}]
    judged(keyless, cases=cases)
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*must BROKEN*a: not_contains*"])


def test_scorers_without_a_model_that_hold_leave_it_neutral(keyless: Project) -> None:
    judged(keyless)
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert result.ret == 0
    assert outcome(keyless) == ("cannot_judge", 0, KEY)
    judgement = keyless.report()["evalsets"][0]["judgement"]
    assert [row["scorer"] for row in judgement["verdicts"]] == ["exact"]
    assert judgement["notes"][-1] == f"not run, as {KEY} is not set: good"


def test_a_scorer_without_a_model_that_regressed_is_red(
    keyless: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge cannot be asked; that is no reason to overlook what can be seen without it."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    cases = {f"{a}{b}": (a + b, (a + b).upper()) for a in "abc" for b in letters[:14]}
    keyless.evalset("mixed", epochs=3, cases=cases)
    assert keyless.run().ret == 0
    keyless.accept()
    scorers = ["exact", {"judge": {"as": "good", "rubric": "rubric.md", "scale": [1, 5], "model": "far/m-1"}}]
    keyless.write("rubric.md", "Is it in capitals?\n")
    keyless.evalset("mixed", epochs=3, cases=cases, scorers=scorers)
    keyless.app("def answer(text):\n    return text\n")
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert result.ret == 1
    assert outcome(keyless) == ("regressed", 1, None)


def test_a_judge_that_one_case_brings_itself_is_found(keyless: Project) -> None:
    keyless.write("rubric.md", "Is it in capitals?\n")
    judge = {"judge": {"as": "good", "rubric": "rubric.md", "scale": [1, 5], "model": "far/m-1"}}
    cases = [
        {"id": "a", "input": "a", "expected": "A"},
        {"id": "b", "input": "b", "expected": "B", "scorers": [judge]},
    ]
    keyless.evalset("mixed", epochs=1, cases=cases)
    assert keyless.run().ret == 4
    assert keyless.run("--aioncall-without-keys", "neutral").ret == 0
    assert outcome(keyless) == ("cannot_judge", 0, KEY)


def test_what_is_recorded_is_judged_as_ever(keyless: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missing then: no neutral state, and no call."""
    with model_server() as models:
        keyless.config(
            providers={"far": {"kind": "openai", "base_url": models.url, "api_key_env": KEY}},
        )
        monkeypatch.setenv(KEY, "k" * 20)
        chat(keyless, scorers=[{"regex": "."}])
        assert keyless.run("--aioncall-record").ret == 0
        asked = len(models.asked)
        keyless.accept()
        monkeypatch.delenv(KEY)
        result = keyless.run("--aioncall-without-keys", "neutral")
        assert result.ret == 0
        assert len(models.asked) == asked
    assert outcome(keyless)[2] is None
    result.stdout.fnmatch_lines(["*replayed from recordings of*"])


def test_a_key_that_is_there_is_used(keyless: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neutral is no mode of its own: with the key, a model that cannot be reached is an outage."""
    monkeypatch.setenv(KEY, "k" * 20)
    keyless.config(
        providers={
            "far": {
                "kind": "openai",
                "base_url": "http://127.0.0.1:9/v1",
                "api_key_env": KEY,
                "max_attempts": 1,
            }
        },
    )
    chat(keyless)
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert result.ret == 7
    assert outcome(keyless) == ("cannot_judge", 7, None)


def test_recording_needs_the_key(keyless: Project) -> None:
    chat(keyless)
    assert keyless.run("--aioncall-without-keys", "neutral", "--aioncall-record").ret == 4


def test_nothing_is_estimated_for_what_is_not_asked(keyless: Project) -> None:
    chat(keyless, cases={f"c{n}": (f"c{n}", "X") for n in range(20)})
    result = keyless.run("--aioncall-without-keys", "neutral", "--aioncall-max-cost", "0.000001")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*model calls, about*")


def test_an_evalset_beside_it_is_judged_as_ever(keyless: Project) -> None:
    chat(keyless)
    keyless.evalset("own", epochs=3)
    result = keyless.run("--aioncall-without-keys", "neutral")
    assert result.ret == 0
    states = {one["planned"]["evalset"]: one["without_key"] for one in keyless.report()["evalsets"]}
    assert states == {"chatty": KEY, "own": None}


@pytest.mark.slow
def test_workers_go_without_as_one_process_does(keyless: Project) -> None:
    pytest.importorskip("xdist")
    chat(keyless)
    result = keyless.run_apart("--aioncall-without-keys", "neutral", "-n", "2")
    assert result.ret == 0
    assert outcome(keyless) == ("cannot_judge", 0, KEY)


def test_no_file_of_the_project_can_ask_for_it(keyless: Project) -> None:
    """A pull request brings its own aioncall.yaml: there it would be asking for its own green."""
    keyless.config(defaults={"without_keys": "neutral"})
    chat(keyless)
    result = keyless.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*defaults.without_keys: unknown key*"])


@pytest.mark.parametrize(("answer", "code"), [("text", 1), ("text.upper()", 0)], ids=["regressed", "held"])
def test_the_merge_base_is_asked_for_what_can_be_judged(keyless: Project, answer: str, code: int) -> None:
    """The base gates a judge, too: without its key that gate is left out, and the others decide as ever."""
    letters = "abcdefghijklmn"
    cases = {f"{a}{b}": (a + b, (a + b).upper()) for a in "abc" for b in letters}
    keyless.evalset("mixed", epochs=3, cases=cases)
    assert keyless.run().ret == 0
    keyless.accept()
    judged(keyless, cases=cases, epochs=3)
    git(keyless, "init", "-q", "-b", "main")
    git(keyless, "add", ".")
    git(keyless, "commit", "-qm", "base")
    git(keyless, "switch", "-qc", "change")
    keyless.app(f"def answer(text):\n    return {answer}\n")
    git(keyless, "commit", "-qam", "change", "--allow-empty")
    result = keyless.run("--aioncall-without-keys", "neutral", "--aioncall-baseline-ref", "main")
    assert result.ret == code
    assert outcome(keyless) == (("regressed", 1, None) if code else ("cannot_judge", 0, KEY))


def git(project: Project, *arguments: str) -> None:  # noqa: F811
    """Run git as somebody whom no configuration of this machine names."""
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=project.path, check=True)
