"""Baselines move by `aioncall baseline accept` alone, and a branch is judged by the one it left."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(10)}
RIGHT = "def answer(text):\n    return text.upper()\n"
WORSE = "def answer(text):\n    return 'no' if text in ('q1', 'q4', 'q7') else text.upper()\n"
WORST = "def answer(text):\n    return 'no'\n"
BASELINE = "evalsets/baselines/demo.jsonl"

Refuse = Callable[..., str]


@pytest.fixture(autouse=True)
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project.path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("AIONCALL_NOW", "2026-11-21T12:00:00Z")
    project.write("gitconfig", "[user]\nname = Ann\nemail = ann@example.com\n[init]\ndefaultBranch = main\n")


@pytest.fixture
def refuse(project: Project, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Run `baseline accept` that has to be refused without a baseline being written; return why."""

    def run(*arguments: str, code: int = 4) -> str:
        before = baselines(project)
        capsys.readouterr()
        assert project.command("baseline", "accept", "--reason", "because", *arguments) == code
        assert baselines(project) == before
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return captured.err

    return run


def baselines(project: Project) -> dict[str, bytes]:
    folder = project.path / "evalsets" / "baselines"
    return {path.name: path.read_bytes() for path in folder.glob("*")} if folder.is_dir() else {}


def header(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.path / BASELINE).read_text().split("\n")[0])
    return found


def first_baseline(project: Project) -> None:
    project.app(RIGHT)
    project.evalset(cases=CASES)
    project.run()
    project.accept("as it should be")


def git(*arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


def repository(project: Project) -> None:
    """Put the project with its first baseline on `main` of a real repository."""
    project.write(".gitignore", ".aioncall/\n__pycache__/\ngitconfig\n")
    git("init", "--quiet")
    first_baseline(project)
    commit("first")


def verdict(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = project.report()["evalsets"][0]["judgement"]["verdicts"][0]
    return found


# -- accept


def test_a_reason_is_needed(project: Project) -> None:
    project.app(RIGHT)
    project.evalset(cases=CASES)
    project.run()
    assert project.command("baseline", "accept") == 4
    assert project.command("baseline", "accept", "--reason", "  ") == 4
    assert not baselines(project)


def test_a_baseline_is_one_sorted_line_a_case_and_the_same_bytes_every_time(project: Project) -> None:
    project.app(RIGHT)
    project.evalset(cases=dict(reversed(CASES.items())))
    project.run()
    project.accept()
    first = baselines(project)
    lines = [json.loads(line) for line in first["demo.jsonl"].splitlines()]
    assert [line["case"] for line in lines[1:]] == sorted(CASES)
    assert {"format", "evalset", "accepted_by", "accepted_at", "reason", "commit", "run", "instrument",
            "subject", "scorers", "accepts", "outputs"} == lines[0].keys()  # fmt: skip
    assert {"case", "digest", "slices", "cluster", "scores", "labels", "latency_s", "cost_usd",
            "errors"} == lines[1].keys()  # fmt: skip
    assert lines[1]["scores"] == {"exact": [1.0, 1.0, 1.0]}
    assert len(first["demo.outputs.jsonl"].splitlines()) == 30
    project.accept()
    assert baselines(project) == first


def test_it_names_who_accepted_from_git(project: Project) -> None:
    git("init", "--quiet")
    project.app(RIGHT)
    project.evalset(cases=CASES)
    project.run()
    assert project.command("baseline", "accept", "--reason", "first") == 0
    assert header(project)["accepted_by"] == "Ann <ann@example.com>"
    assert header(project)["accepted_at"] == "2026-11-21T12:00:00.000Z"


def test_a_partial_run_is_refused(project: Project, refuse: Refuse) -> None:
    project.app(RIGHT)
    project.evalset(cases=CASES)
    project.run("-k", "case-01")
    assert "is partial (1 of 10 cases)" in refuse()


def test_a_run_with_errors_above_the_limit_is_refused(project: Project, refuse: Refuse) -> None:
    project.app("def answer(text):\n    raise ConnectionError('down')\n")
    project.evalset(cases=CASES)
    project.run()
    assert "could not be judged" in refuse()


def test_a_run_in_which_the_users_code_raised_is_refused(project: Project, refuse: Refuse) -> None:
    project.app("def answer(text):\n    if text == 'q1':\n        raise KeyError(text)\n    return text\n")
    project.evalset(cases=CASES)
    project.run()
    assert "exception" in refuse() or "raised" in refuse()


def test_answers_that_were_never_recorded_are_refused(project: Project, refuse: Refuse) -> None:
    project.config(providers={"main": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}})
    project.evalset(target={"chat": {"model": "main/m-1", "prompt": "{{ input }}"}}, cases=CASES)
    project.run("--aioncall-replay")
    assert "not recorded" in refuse()


def test_a_broken_floor_cannot_be_accepted_even_with_a_ticket(project: Project, refuse: Refuse) -> None:
    project.app("def answer(text):\n    return 'you should sue'\n")
    case = {"id": "a", "input": "a", "expected": "A", "must": [{"not_contains": "sue"}]}
    project.evalset(cases=[case])
    project.run()
    assert "a broken floor cannot be accepted" in refuse("--accept-regression", "T-1")


@pytest.mark.parametrize(
    "text", ["write to jane.doe@gmail.com", "call +49 151 23456789", "IBAN DE89370400440532013000"]
)
def test_personal_data_in_an_answer_is_refused(project: Project, refuse: Refuse, text: str) -> None:
    project.app(f"def answer(text):\n    return {text!r}\n")
    project.evalset(cases=CASES)
    project.run()
    message = refuse()
    assert "case-00 epoch 0" in message
    assert "outputs: none" in message
    assert text.split()[-1] not in message
    project.evalset(cases=CASES, outputs="none")
    project.run()
    project.accept()
    assert set(baselines(project)) == {"demo.jsonl"}


def test_nothing_is_written_when_one_of_several_evalsets_is_refused(project: Project, refuse: Refuse) -> None:
    project.app(RIGHT + "def leaking(text):\n    return 'jane.doe@gmail.com'\n")
    project.evalset("good", cases=CASES)
    project.evalset("leaking", cases=CASES, target={"python": "app:leaking"})
    project.run()
    assert "leaking" in refuse()
    assert project.command("baseline", "accept", "good", "--reason", "first", "--by", "ann") == 0
    assert set(baselines(project)) == {"good.jsonl", "good.outputs.jsonl"}


def test_a_regression_needs_a_ticket(project: Project, refuse: Refuse) -> None:
    first_baseline(project)
    project.app(WORSE)
    assert project.run().ret == 1
    message = refuse()
    assert "regressed" in message
    assert "--accept-regression TICKET" in message


def test_an_accepted_regression_is_the_new_measure_and_excuses_nothing_after_it(project: Project) -> None:
    """The next run compares with what was accepted; a further drop is red, ticket or not."""
    first_baseline(project)
    project.app(WORSE)
    project.run()
    project.accept("cheaper model", "--accept-regression", "T-17")
    assert header(project)["accepts"] == [{"scorer": "exact", "slice": None, "ticket": "T-17"}]
    assert project.run().ret == 0
    assert verdict(project)["reason"] == "unchanged"
    project.app(WORST)
    result = project.run()
    assert result.ret == 1
    assert (verdict(project)["status"], verdict(project)["ticket"]) == ("regressed", None)
    assert project.command("gate", "--candidate", "latest") == 1
    assert project.command("gate", "--baseline", BASELINE, "--candidate", "latest") == 1


def test_a_value_below_its_minimum_is_accepted_until_it_falls_further(project: Project) -> None:
    """Nothing but a ticket lifts a minimum; the next run names it, and it excuses no drop after that."""
    project.app(WORSE)
    project.evalset(cases=CASES, gates=[{"scorer": "exact", "min": 0.95}])
    assert project.run().ret == 1
    project.accept("known", "--accept-regression", "T-21")
    result = project.run()
    assert result.ret == 0, str(result.stdout)
    assert (verdict(project)["reason"], verdict(project)["ticket"]) == ("accepted", "T-21")
    assert "accepted T-21" in str(result.stdout)
    assert project.command("gate", "--candidate", "latest") == 0
    project.app(WORST)
    assert project.run().ret == 1
    assert verdict(project)["ticket"] is None


# -- show, diff, age


def test_show_tells_who_when_why_and_how_old(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first_baseline(project)
    monkeypatch.setenv("AIONCALL_NOW", "2027-01-10T12:00:00Z")
    capsys.readouterr()
    assert project.command("baseline", "show", "demo") == 0
    said = capsys.readouterr().out
    for told in ("demo: 10 cases", "50 days old", "older than 30 days", "ann", "as it should be", "30/30"):
        assert told in said
    assert project.command("baseline", "show", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["evalset"], found["cases"], found["age_days"]) == ("demo", 10, 50.0)
    assert project.command("baseline", "show", "dmeo") == 4
    assert "demo" in capsys.readouterr().err


def test_diff_lists_the_cases_that_moved(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first_baseline(project)
    project.app(WORSE)
    project.run()
    capsys.readouterr()
    assert project.command("baseline", "diff") == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines() if "3/3 -> 0/3" in line] == [
        "case-01",
        "case-04",
        "case-07",
    ]
    assert project.command("baseline", "diff", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {move["case"] for move in found["moves"]} == {"case-01", "case-04", "case-07"}


def test_diff_without_a_baseline_is_exit_8(project: Project) -> None:
    project.app(RIGHT)
    project.evalset(cases=CASES)
    project.run()
    assert project.command("baseline", "diff") == 8


# -- in a pull request


def test_a_branch_cannot_green_itself_by_its_own_baseline(project: Project) -> None:
    repository(project)
    git("checkout", "--quiet", "-b", "feature")
    project.app(WORSE)
    project.run()
    project.accept("it is fine", "--accept-regression", "T-17")
    text = (project.path / BASELINE).read_text()
    project.write(BASELINE, text.replace('"ticket": "T-17"', '"ticket": "T-17"').replace(
        json.dumps(header(project)["accepts"]), "[]"
    ))  # fmt: skip
    assert header(project)["accepts"] == []
    commit("worse, with a baseline that says nothing of it")
    assert project.run().ret == 0
    result = project.run("--aioncall-baseline-ref", "main")
    assert result.ret == 1
    assert (verdict(project)["status"], verdict(project)["baseline"]) == ("regressed", 1.0)
    assert project.command("gate", "--candidate", "latest", "--baseline-ref", "main") == 1


def test_a_regression_accepted_by_name_in_the_branch_passes_and_shows_its_ticket(project: Project) -> None:
    repository(project)
    git("checkout", "--quiet", "-b", "feature")
    project.app(WORSE)
    project.run()
    project.accept("cheaper model", "--accept-regression", "T-17")
    commit("worse on purpose")
    result = project.run("--aioncall-baseline-ref", "main")
    assert result.ret == 0, str(result.stdout)
    assert (verdict(project)["reason"], verdict(project)["ticket"]) == ("accepted", "T-17")
    assert "accepted T-17" in str(result.stdout)
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "feature")
    git("checkout", "--quiet", "-b", "next")
    project.app(WORST)
    assert project.run("--aioncall-baseline-ref", "main").ret == 1, "what is merged excuses nothing more"


def test_the_baseline_is_the_one_where_the_branch_left_and_not_a_later_one(project: Project) -> None:
    repository(project)
    git("branch", "feature")
    project.app(WORST)
    project.run()
    project.accept("main moved on", "--accept-regression", "T-9")
    commit("worse on main")
    git("checkout", "--quiet", "feature")
    project.app(RIGHT)
    project.run("--aioncall-baseline-ref", "main")
    assert verdict(project)["baseline"] == 1.0


@pytest.mark.parametrize("how", ["orphan", "shallow", "unknown"])
def test_no_merge_base_is_exit_4_with_the_hint(
    project: Project, how: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(project)
    ref = "main"
    if how == "orphan":
        git("checkout", "--quiet", "--orphan", "island")
        commit("an island")
    elif how == "shallow":
        git("checkout", "--quiet", "-b", "feature")
        project.write("note.txt", "more")
        commit("more")
        clone = tmp_path_factory.mktemp("shallow") / "clone"
        git("clone", "--quiet", "--depth=1", "--branch=feature", f"file://{project.path}", str(clone))
        monkeypatch.chdir(clone)
        ref = "origin/main"
    else:
        ref = "orign/main"
    before = len(project.run_folders())
    result = project.pytester.runpytest_subprocess("--aioncall", "--aioncall-baseline-ref", ref)
    assert result.ret == 4
    text = str(result.stdout) + str(result.stderr)
    said = "no merge base with 'main'" if how == "orphan" else f"{ref}: no such commit here; fetch it first"
    assert said in text
    assert "fetch-depth: 0" in text
    assert len(project.run_folders()) == before


def test_in_ci_a_known_evalset_without_a_baseline_is_exit_8(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(project)
    project.evalset("other", cases=CASES)
    commit("an evalset without a baseline")
    git("checkout", "--quiet", "-b", "feature")
    project.evalset("brand-new", cases=CASES)
    monkeypatch.setenv("CI", "true")
    base = ("--aioncall-baseline-ref", "main")
    result = project.run("evalsets/other.eval.yaml", *base)
    assert result.ret == 8
    assert "baselines/other.jsonl does not exist at" in str(result.stdout)
    assert project.run("evalsets/brand-new.eval.yaml", *base).ret == 0
    assert project.run("evalsets/other.eval.yaml").ret == 0, "without a base ref it only warns"
    monkeypatch.delenv("CI")
    assert project.run("evalsets/other.eval.yaml", *base).ret == 0


def test_an_older_baseline_is_said_to_be_old(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    first_baseline(project)
    monkeypatch.setenv("AIONCALL_NOW", "2027-01-10T12:00:00Z")
    assert "50 days old" in str(project.run().stdout)
