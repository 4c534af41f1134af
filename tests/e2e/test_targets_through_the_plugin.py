"""Every kind of target and scorer, ours and the user's, through `pytest --aioncall` with real parts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_server import Answer, Asked, Fault, ModelServer, dead_address, model_server

from eval_project import Project

CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(4)}
OWN = """
from pytest_aioncall import Output, Score, ScorerTraits, TransportError

class Shouting:
    def __init__(self, mark):
        self.mark = mark
    async def answer(self, case, *, epoch):
        if case.input == "down":
            raise TransportError("the line is dead")
        return Output(text=case.input.upper() + self.mark, cost_usd=0.25)
    def fingerprint(self):
        return {"mark": self.mark}

def shouting(mark: str = ""):
    return Shouting(mark)

class Ends:
    def __init__(self, ending):
        self.ending = ending
        self.traits = ScorerTraits(scale=(0.0, 2.0))
    async def score(self, case, output, *, epoch):
        holds = output.text.endswith(self.ending)
        return Score(scorer="", value=2.0 if holds else 0.0, passed=holds, reason=f"looked for {self.ending}")

def ends(ending: str):
    return Ends(ending)
"""


def said(result: pytest.RunResult) -> str:
    return str(result.stdout) + str(result.stderr)


def texts(project: Project) -> dict[str, str]:
    return {s["case"]: s["output"]["text"] for s in project.last_samples()}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as serving:
        yield serving


# -- http


def test_an_http_target_sends_what_yaml_says_and_reads_the_answer(
    project: Project, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_TOKEN", "token-of-the-app-1")
    reply = {"answer": {"text": "Q1"}, "docs": [{"id": "d1", "text": "one"}], "cost": 0.5}
    server.answer = lambda asked: Fault(200, json.dumps(reply).encode())
    target = {
        "url": f"{server.url}/ask/{{{{ lang }}}}",
        "headers_env": {"Authorization": "Bearer APP_TOKEN"},
        "json": {"question": "{{ text }}", "k": 3},
        "response": "$.answer.text",
        "fields": {"retrieved": "$.docs", "cost_usd": "$.cost"},
    }
    case = {"id": "a", "input": {"text": 'say "it"', "lang": "de"}, "expected": "Q1"}
    project.evalset(target={"http": target}, cases=[case], epochs=1)
    result = project.run()
    assert result.ret == 0, said(result)
    (asked,) = server.asked
    assert asked.path == "/ask/de"
    assert asked.body == {"question": 'say "it"', "k": 3}
    assert asked.headers["authorization"] == "Bearer token-of-the-app-1"
    output = project.last_samples()[0]["output"]
    assert output["retrieved"] == [{"id": "d1", "text": "one"}]
    assert output["cost_usd"] == 0.5


def test_an_http_target_that_is_down_cannot_be_judged_and_one_that_refuses_is_red(
    project: Project, server: ModelServer
) -> None:
    project.evalset(target={"http": {"url": dead_address(), "max_attempts": 1}}, cases=CASES, epochs=1)
    assert project.run().ret == 7
    server.answer = lambda asked: Fault(404, b'{"message": "no such route"}')
    project.evalset(target={"http": {"url": server.url, "max_attempts": 1}}, cases=CASES, epochs=1)
    result = project.run()
    assert result.ret == 1
    assert "no such route" in said(result)


@pytest.mark.parametrize(
    ("reply", "keys", "named"),
    [
        (
            Fault(401, b'{"message": "bad token"}'),
            {"headers_env": {"Authorization": "Bearer APP_TOKEN"}},
            "the server answered 401: bad token; check the variables of headers_env "
            "(Authorization: Bearer APP_TOKEN)",
        ),
        (
            Fault(200, b'{"answer": "A"}'),
            {"response": "$.anser"},
            "response: the reply has nothing at $.anser (there is answer)",
        ),
    ],
)
def test_what_is_named_for_a_target_that_is_set_up_wrongly_is_no_code_of_the_users(
    project: Project,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reply: Fault,
    keys: dict[str, object],
    named: str,
) -> None:
    """On the screen, for a pull request, to who accepts and in the monitor's reason."""
    monkeypatch.setenv("APP_TOKEN", "token-of-the-app-1")
    server.answer = lambda asked: reply
    project.evalset(target={"http": {"url": server.url, **keys}}, cases=CASES, epochs=1)
    result = project.run()
    assert result.ret == 1
    head = f"{len(CASES)} samples without an output: {named}"
    assert f"gate FAILED  {head} (" in result.stdout.str()
    assert "next:   mend what the errors name, then pytest --aioncall" in result.stdout.str()
    root = ("--root", str(project.path))
    capsys.readouterr()
    assert project.command("baseline", "accept", *root, "--by", "ann", "--reason", "first") == 4
    assert project.command("publish", "summary", "--dry-run", *root) == 0
    assert project.command("monitor", *root) in (1, 7)
    told = capsys.readouterr()
    assert f"could not be judged: cannot judge: {head}" in told.err
    title = told.out.splitlines()[0]
    assert title.startswith("### aioncall: failed - `demo`: ") and named.split(":")[0] in title
    assert f"not judged: {head}" in told.out
    assert "own code" not in told.out + told.err + result.stdout.str()


def test_an_http_target_is_recorded_and_replayed(project: Project, server: ModelServer) -> None:
    def answer(asked: Asked) -> Answer:
        return str(asked.body["input"]).upper()

    server.answer = answer
    project.evalset(target={"http": {"url": server.url, "response": "$.text"}}, cases=CASES, epochs=1)
    assert project.run("--aioncall-record").ret == 0
    live = texts(project)
    server.close()
    result = project.run("--aioncall-replay")
    assert result.ret == 0, said(result)
    assert texts(project) == live == {k: e for k, (_, e) in CASES.items()}


# -- command


def test_a_command_answers_on_its_stdout(project: Project) -> None:
    project.write("answer.py", "import json, sys\nprint(json.load(sys.stdin).upper())\n")
    project.evalset(target={"command": [sys.executable, "answer.py"]}, cases=CASES, epochs=1)
    result = project.run()
    assert result.ret == 0, said(result)
    result.assert_outcomes(passed=4, skipped=1)


def test_a_command_that_fails_is_red_and_shows_its_words_and_75_is_an_outage(project: Project) -> None:
    project.write("answer.py", "import sys\nsys.exit('no such model')\n")
    project.evalset(target={"command": [sys.executable, "answer.py"]}, cases={"a": ("a", "A")}, epochs=1)
    result = project.run()
    assert result.ret == 1
    assert "no such model" in said(result)
    project.write("answer.py", "import sys\nsys.exit(75)\n")
    assert project.run().ret == 7


def test_a_command_never_sees_a_shell(project: Project) -> None:
    project.write("answer.py", "import sys\nprint(sys.argv[1])\n")
    argv = [sys.executable, "answer.py", "$(touch made-by-a-shell); `touch x`"]
    project.evalset(target={"command": argv}, cases={"a": ("a", argv[2])}, epochs=1)
    assert project.run().ret == 0
    assert not (project.path / "made-by-a-shell").exists()


# -- replay


def test_outputs_of_another_system_are_judged_without_calling_it(project: Project) -> None:
    rows = [
        {"case": case, "text": expected if epoch else "no"}
        for case, (_, expected) in CASES.items()
        for epoch in range(2)
    ]
    project.write("outputs.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    project.evalset(target={"replay": "outputs.jsonl"}, cases=CASES, epochs=2)
    result = project.run()
    assert result.ret == 0, said(result)
    assert [s["scores"][0]["value"] for s in project.last_samples() if s["case"] == "case-0"] == [0.0, 1.0]
    assert "replayed from recordings" in said(result)
    project.evalset(target={"replay": "outputs.jsonl"}, cases=CASES, epochs=3)
    result = project.run()
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*4 not recorded*"])


def test_a_run_is_judged_again_with_another_scorer(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper() + '!'\n")
    project.evalset(cases=CASES, epochs=2)
    project.run()
    samples = (project.run_folders()[-1] / "samples.jsonl").read_text()
    project.write("samples.jsonl", samples)
    project.app("def answer(text):\n    raise AssertionError('nobody asks')\n")
    project.evalset(target={"replay": "samples.jsonl"}, cases=CASES, epochs=2, scorers=["contains"])
    result = project.run()
    result.assert_outcomes(passed=4, skipped=1)


# -- the user's own, by import string and by entry point


def test_an_own_target_and_scorer_by_import_string(project: Project) -> None:
    project.write("own.py", OWN)
    project.evalset(
        target={"own:shouting": {"mark": "!"}},
        scorers=[{"own:ends": {"as": "loud", "ending": "!"}}, "contains"],
        cases={**CASES, "down": ("down", "x")},
        errors={"max_rate": 0.5},
        epochs=1,
    )
    result = project.run()
    assert result.ret == 0, said(result)
    result.stdout.fnmatch_lines(["*4 passed*1 unjudged*"])
    samples = {s["case"]: s for s in project.last_samples()}
    assert samples["down"]["error"]["kind"] == "transport"
    loud = samples["case-0"]["scores"][0]
    assert (loud["scorer"], loud["value"], loud["scale"]) == ("loud", 2.0, [0.0, 2.0])
    assert project.last_run()["totals"]["cost_usd"] == 1.0


def install(site: Path) -> None:
    """Lay a package with entry points into a folder, as an installer does."""
    site.mkdir()
    (site / "shoutlib.py").write_text(OWN)
    info = site / "shoutlib-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shoutlib\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[aioncall.targets]\nshouting = shoutlib:shouting\n"
        "[aioncall.scorers]\nends = shoutlib:ends\nbroken = shoutlib:nowhere\n"
    )


def test_an_own_target_and_scorer_by_entry_point(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path_factory.mktemp("site") / "packages"
    install(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    project.evalset(
        target={"shouting": {"mark": "!"}}, scorers=[{"ends": {"ending": "!"}}], cases=CASES, epochs=1
    )
    result = project.run_apart()
    assert result.ret == 0, said(result)
    result.assert_outcomes(passed=4, skipped=1)
    project.evalset(target={"shoutin": {}}, scorers=["broken", {"ends": {"endin": "!"}}], cases=CASES)
    result = project.run_apart()
    assert result.ret == 4
    assert "unknown target 'shoutin'; did you mean 'shouting'?" in said(result)
    assert "scorer 'broken' of package shoutlib 1.2 does not load" in said(result)
    assert "endin" in said(result)
    assert "Traceback" not in said(result)
