"""A baseline from its acceptance to its old age: what is refused, what is said, what a diff shows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project
from pytest_aioncall.adapters.baseline_store import read_baseline

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(10)}
RIGHT = "def answer(text):\n    return text.upper()\n"
BASELINE, OUTPUTS = "evalsets/baselines/demo.jsonl", "evalsets/baselines/demo.outputs.jsonl"
Say = Callable[..., str]


@pytest.fixture(autouse=True)
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project.path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("AIONCALL_NOW", "2026-11-21T12:00:00Z")
    project.write("gitconfig", "[user]\nname = Ann\nemail = ann@example.com\n[init]\ndefaultBranch = main\n")
    project.app(RIGHT)
    project.evalset(cases=CASES)


@pytest.fixture
def said(project: Project, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command and return what it printed, stdout and stderr; `code` is what it has to exit with."""

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert project.command(*arguments) == code
        captured = capsys.readouterr()
        return captured.out + captured.err

    return run


def accept(said: Say, *arguments: str, code: int = 0) -> str:
    return said("baseline", "accept", "--reason", "because", *arguments, code=code)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


def repository(project: Project) -> None:
    project.write(".gitignore", ".aioncall/\n__pycache__/\ngitconfig\n")
    git("init", "--quiet")
    commit("first")


def header(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.path / BASELINE).read_text().split("\n")[0])
    return found


def files(project: Project) -> dict[str, bytes]:
    folder = project.path / "evalsets" / "baselines"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


# -- accept


def test_cases_that_moved_on_since_the_run_are_refused_by_name(project: Project, said: Say) -> None:
    project.run()
    cases = {**CASES, "case-03": ("another", "ANOTHER"), "case-99": ("n", "N")}
    del cases["case-07"]
    project.evalset(cases=cases)
    told = accept(said, code=4)
    for part in ("1 changed (case-03)", "1 added (case-99)", "1 removed (case-07)"):
        assert part in told
    assert "pytest --aioncall evalsets/demo.eval.yaml" in told
    assert files(project) == {}


def test_a_run_of_other_scorers_is_refused_with_what_changed(project: Project, said: Say) -> None:
    project.evalset(cases=CASES, scorers=[{"contains": {"ignore_case": True}}])
    project.run()
    project.evalset(cases=CASES, scorers=[{"contains": {"ignore_case": False}}, "exact"])
    told = accept(said, code=4)
    assert "contains (ignore_case: true -> false)" in told
    assert "exact (new)" in told
    assert f"aioncall rejudge {project.last_run()['id']}" in told


def test_an_evalset_file_that_is_gone_is_one_clear_line(project: Project, said: Say) -> None:
    project.run()
    (project.path / "evalsets" / "demo.eval.yaml").rename(project.path / "evalsets" / "other.eval.yaml")
    assert "demo.eval.yaml is not there any more" in accept(said, code=4)


def test_errored_samples_are_refused_unless_they_are_allowed_by_number(project: Project, said: Say) -> None:
    fails = "    if text == 'q4':\n        raise ConnectionError('down')\n"
    project.app(f"def answer(text):\n{fails}    return text.upper()\n")
    project.evalset(cases=CASES, errors={"max_rate": 0.2})
    project.run()
    told = accept(said, code=4)
    for part in ("3 of run", "case-04 epoch 0", "down", "--allow-errors 3"):
        assert part in told
    accept(said, "--allow-errors", "2", code=4)
    accept(said, "--allow-errors", "x", code=4)
    assert files(project) == {}
    assert "3 errored samples have no score in this baseline" in accept(said, "--allow-errors", "3")
    row = next(r for r in read_baseline(project.path / BASELINE).rows if r.case == "case-04")
    assert (row.errors, row.scores) == (3, {"exact": (None, None, None)})


def test_without_a_name_a_baseline_that_says_the_same_is_kept(
    project: Project, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.evalset("other", cases=CASES)
    project.run()
    accept(said)
    before = files(project)
    monkeypatch.setenv("AIONCALL_NOW", "2026-12-01T12:00:00Z")
    project.evalset("other", cases={**CASES, "case-10": ("q10", "Q10")})
    project.run()
    told = accept(said)
    assert "kept demo: unchanged" in told
    assert "accepted other: 11 cases" in told
    after = files(project)
    assert {name for name in after if after[name] != before[name]} == {"other.jsonl", "other.outputs.jsonl"}
    assert "accepted demo" in accept(said, "demo")
    assert header(project)["accepted_at"].startswith("2026-12-01")


def test_other_answers_are_no_unchanged_baseline(project: Project, said: Say) -> None:
    project.evalset(cases=CASES, scorers=["contains"])
    project.run()
    accept(said)
    project.app("def answer(text):\n    return text.upper() + '!'\n")
    project.run()
    assert "accepted demo" in accept(said)


def test_placeholder_cases_are_not_accepted_silently(project: Project, said: Say) -> None:
    project.app("def answer(text):\n    return 'the right answer'\n")
    cases = [
        {"id": "first-case", "input": "a text", "expected": "the right answer"},
        {"id": "todo", "input": "TODO: a real question", "expected": "the right answer"},
        {"id": "real", "input": "What is due?", "expected": "the right answer"},
    ]
    project.evalset(cases=cases)
    project.run()
    told = accept(said)
    assert "WARNING: EVERY CASE" in told
    cases[0]["expected"] = cases[1]["expected"] = cases[2]["expected"] = "4 EUR"
    project.evalset(cases=cases)
    project.run()
    assert "1 case of evalsets/demo.eval.yaml still asks what `aioncall init` wrote (todo)" in accept(said)


def test_a_suite_at_the_floor_is_warned_about_with_its_cases(project: Project, said: Say) -> None:
    project.app("def answer(text):\n    return 'no'\n")
    project.run()
    told = accept(said)
    assert "exact is at the worst of its scale in EVERY CASE (case-00, case-01" in told
    project.app(RIGHT)
    project.run()
    assert "EVERY CASE" not in accept(said)


def test_a_run_that_accept_would_warn_of_is_not_proposed_as_the_first_baseline(project: Project) -> None:
    project.app("def answer(text):\n    return 'no'\n")
    screen = project.run().stdout.str()
    assert "next:   mend what keeps it from being a baseline, then pytest --aioncall evalsets/" in screen
    assert "exact is at the worst of its scale in EVERY CASE" in screen
    project.app("def answer(text):\n    return 'the right answer'\n")
    case = {"id": "first-case", "input": "a text", "expected": "the right answer"}
    project.evalset(cases=[case])
    screen = project.run().stdout.str()
    assert "next:   mend what keeps it from being a baseline, then pytest --aioncall evalsets/" in screen
    assert "EVERY CASE of evalsets/demo.eval.yaml still asks what `aioncall init` wrote" in screen
    project.evalset(cases=[case, {**case, "id": "real", "input": "What is due?", "expected": "4 EUR"}])
    assert "next:   aioncall baseline accept" in project.run().stdout.str()


def test_a_baseline_of_no_commit_is_not_accepted_silently(project: Project, said: Say) -> None:
    project.app(RIGHT)
    project.run()
    assert "WARNING: the run is of no commit, so the header names none" in accept(said)


def test_the_next_run_of_a_suite_at_the_floor_says_that_it_sees_nothing(project: Project, said: Say) -> None:
    """The warning of accept is gone by then, and green would look like good news."""
    project.app("def answer(text):\n    return 'nothing of the kind'\n")
    project.run()
    accept(said)
    told = " ".join(project.run().stdout.str().split())
    assert "exact is at the worst of its scale in every case of the baseline" in told


def test_a_subject_that_is_in_no_commit_is_named(project: Project, said: Say) -> None:
    project.write("prompts/a.md", "one")
    project.evalset(cases=CASES, subject={"files": ["prompts/*.md"]})
    repository(project)
    project.run()
    assert "WARNING" not in accept(said)
    assert "dirty" not in header(project)
    project.write("prompts/a.md", "two")
    project.write("prompts/b.md", "untracked")
    project.run()
    told = accept(said)
    assert "not in commit" in told
    assert "prompts/a.md, prompts/b.md" in told
    assert header(project)["dirty"] is True
    assert "with uncommitted changes" in said("baseline", "show")


def test_a_subject_that_changed_after_the_run_is_named(project: Project, said: Say) -> None:
    project.write("prompts/a.md", "one")
    project.evalset(cases=CASES, subject={"files": ["prompts/*.md"]})
    repository(project)
    project.run()
    project.write("prompts/a.md", "two")
    told = accept(said)
    assert "changed after the run: prompts/a.md" in told


def test_a_run_of_another_commit_is_said(project: Project, said: Say) -> None:
    repository(project)
    project.run()
    project.write("note.txt", "more")
    commit("second")
    first, second = git("log", "--format=%h", "--abbrev=7", "--reverse").split()
    assert f"the run is of commit {first}, this is {second}" in accept(said)


def test_small_accepted_steps_are_summed_up(project: Project, said: Say) -> None:
    """No single step is red; the reader is told how far the whole way down is."""
    repository(project)
    project.run()
    accept(said)
    commit("first baseline")
    for wrong, before in (("q1",), "100.0 %"), (("q1", "q2"), "90.0 %"):
        project.app(f"def answer(text):\n    return 'no' if text in {wrong!r} else text.upper()\n")
        project.run()
        told = accept(said, "--accept-regression", "T-1")
        commit("a step down")
        assert f"exact: {before} ->" in told
        assert "since the baseline of 2026-11-21, over 10 cases" in told
    assert "exact: 100.0 % -> 80.0 % (-20.0 pp) since the first baseline" in told


def test_a_gate_that_was_accepted_by_name_is_counted(project: Project, said: Say) -> None:
    """It gates no more in the change that accepts it, and is one of the gates all the same."""
    project.evalset("demo", cases=CASES, gates=[{"scorer": "exact", "min": 0.95}])
    project.run()
    accept(said)
    project.app("def answer(text):\n    return 'no' if text in ('q1', 'q2', 'q3') else text.upper()\n")
    project.run()
    accept(said, "--accept-regression", "T-1")
    project.run().stdout.fnmatch_lines(["gate accepted*1 of 1 gate (*"])


def test_a_pair_of_files_that_do_not_belong_together_is_noticed(project: Project, said: Say) -> None:
    """A crash between the two files, or a merge that takes one of them, never passes for unchanged."""
    project.run()
    accept(said)
    old = files(project)
    project.app("def answer(text):\n    return text.upper() if text != 'q1' else 'no'\n")
    project.run()
    accept(said, "--accept-regression", "T-1")
    (project.path / BASELINE).write_bytes(old["demo.jsonl"])
    project.app(RIGHT)
    project.run()
    told = said("gate", "--candidate", "latest")
    assert "demo.outputs.jsonl is not the file that was written with demo.jsonl" in told
    assert "unchanged" not in told.splitlines()[1]
    assert "demo.outputs.jsonl" in said("check")
    assert "demo.outputs.jsonl" in said("baseline", "show")
    (project.path / OUTPUTS).unlink()
    assert "demo.outputs.jsonl is missing" in said("check")
    (project.path / OUTPUTS).write_bytes(old["demo.outputs.jsonl"].replace(b"\n", b"\r\n"))
    assert "outputs.jsonl" not in said("check"), "a checkout with other ends of lines is the same file"


def test_a_full_disk_leaves_both_files_as_they_were(
    project: Project, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run()
    accept(said)
    before = files(project)
    project.app("def answer(text):\n    return text.upper() + ' '\n")
    project.evalset(cases=CASES, scorers=["contains"])
    project.run()
    write = Path.write_text

    def full(path: Path, text: str, **keys: Any) -> int:
        if path.name.startswith(".demo.jsonl"):
            raise OSError(28, "No space left on device", str(path))
        return write(path, text, **keys)

    monkeypatch.setattr(Path, "write_text", full)
    accept(said, code=4)
    assert files(project) == before


# -- diff


FLAKY = """\
import itertools
COUNT = {}
def answer(text):
    n = COUNT.setdefault(text, itertools.count())
    times = next(n)
    if text == 'q1':
        return 'the answer is no'
    if text == 'q4' and times < 1:
        return 'no'
    return text.upper()
"""


@pytest.fixture
def moved(project: Project, said: Say) -> Project:
    """A run in which case-01 fell to 0/3 and case-04 to 2/3."""
    project.run()
    accept(said)
    project.app(FLAKY)
    project.evalset(cases=CASES, concurrency=1)
    project.run()
    return project


def test_diff_shows_the_largest_fall_first_with_its_noise(moved: Project, said: Say) -> None:
    told = said("baseline", "diff")
    lines = [line.split() for line in told.splitlines() if " -> " in line and line.startswith("  case-")]
    assert [(line[0], line[2], line[4]) for line in lines] == [
        ("case-01", "3/3", "0/3"), ("case-04", "3/3", "2/3"),
    ]  # fmt: skip
    first, second = (line for line in told.splitlines() if line.startswith("  case-"))
    assert "-100.0 pp [-100.0 .." in first
    assert "could be noise" not in first
    assert second.endswith("could be noise")
    assert "2 scores moved, 2 of them down; 1 could be noise" in told
    assert "accepted by Ann <ann@example.com>: because" in told
    assert "compared 10 of 10 cases" in told


def test_diff_remarks_on_a_case_that_changed_since_the_run(moved: Project, said: Say) -> None:
    """As accept does: the comparison is of yesterday's cases."""
    assert "moved on since" not in said("baseline", "diff")
    changed = {**CASES, "case-02": ("another question", "A")}
    moved.evalset(cases=changed, concurrency=1)
    told = said("baseline", "diff")
    assert "1 changed (case-02); run it again: pytest --aioncall evalsets/demo.eval.yaml" in told


def test_diff_shows_the_answers_word_by_word(moved: Project, said: Say) -> None:
    assert "---" not in said("baseline", "diff")
    told = said("baseline", "diff", "-v")
    assert "--- case-01" in told
    assert "was: Q1" in told
    assert "now: the answer is no" in told
    told = said("baseline", "diff", "--cases", "case-04")
    assert "--- case-04" in told
    assert "case-01" not in told.split("gate ")[0]
    assert "did you mean 'case-04'" in said("baseline", "diff", "--cases", "case-4", code=4)


def test_diff_as_json_leaves_nothing_out(moved: Project, said: Say) -> None:
    found = json.loads(said("baseline", "diff", "--json", "--cases", "case-01"))
    (move,) = found["moves"]
    assert (move["case"], move["difference"], move["could_be_noise"]) == ("case-01", -1.0, False)
    assert move["ci"][0] == -1.0
    assert found["texts"] == [{"case": "case-01", "baseline": "Q1", "candidate": "the answer is no"}]
    assert found["baseline"]["age_days"] == 0.0
    assert found["coverage"]["compared"] == 10


def test_diff_of_many_moves_is_cut_and_whole_with_all(project: Project, said: Say) -> None:
    project.evalset(cases={f"case-{n:03}": (f"q{n}", f"Q{n}") for n in range(100)}, epochs=1)
    project.run()
    accept(said)
    project.app("def answer(text):\n    return 'no'\n")
    project.run()
    told = said("baseline", "diff")
    assert len([line for line in told.splitlines() if line.startswith("  case-")]) == 30
    assert "and 70 more (--all)" in told
    assert "one epoch: noise cannot be told from change" in told
    whole = said("baseline", "diff", "--all")
    assert len([line for line in whole.splitlines() if line.startswith("  case-")]) == 100


def test_what_was_not_compared_is_named_everywhere(project: Project, said: Say) -> None:
    project.run()
    accept(said)
    cases = {**CASES, "case-03": ("another", "ANOTHER"), "case-99": ("n", "N")}
    del cases["case-07"]
    project.evalset(cases=cases)
    screen = str(project.run().stdout)
    assert "compared 8 of 10 cases; removed 1 case: case-07" in screen
    for told in (said("gate", "--candidate", "latest"), said("baseline", "diff")):
        assert "compared 8 of 10 cases" in told
        for case in ("case-07", "case-03", "case-99"):
            assert case in told
    assert "8 of 10 cases" in (project.path / ".aioncall" / "report.html").read_text()


def test_a_hostile_answer_stays_on_its_line(project: Project, said: Say) -> None:
    project.run()
    accept(said)
    project.app("def answer(text):\n    return 'x\\n::error::boo\\x1b[31m\\u202e'\n")
    project.run()
    told = said("baseline", "diff", "-v")
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert not [line for line in told.splitlines() if line.lstrip().startswith("::error")]


# -- age


@pytest.mark.parametrize(
    ("now", "limit", "told"),
    [
        ("2026-12-20T12:00:00Z", None, ""),
        ("2026-12-25T12:00:00Z", None, "34 days old, limit 30"),
        ("2026-12-25T12:00:00Z", 60, ""),
        ("2026-11-29T12:00:00Z", 7, "8 days old, limit 7"),
        ("2026-11-01T12:00:00Z", None, "in the future"),
    ],
)
def test_an_old_baseline_is_a_warning_with_a_command_and_never_red(
    project: Project, said: Say, monkeypatch: pytest.MonkeyPatch, now: str, limit: int | None, told: str
) -> None:
    keys = {"baseline_max_age_days": limit} if limit else {}
    project.evalset(cases=CASES, **keys)
    project.run()
    accept(said)
    monkeypatch.setenv("AIONCALL_NOW", now)
    result = project.run()
    assert result.ret == 0
    screens = [str(result.stdout), (project.path / ".aioncall" / "report.html").read_text()]
    screens += [said("gate", "--candidate", "latest"), said("baseline", "show"), said("baseline", "diff")]
    screens += [said("check")]
    for screen in screens:
        one_line = " ".join(screen.split())
        assert told in one_line
        assert told or ("old, limit" not in one_line and "in the future" not in one_line)
    if "limit" in told:
        assert "aioncall baseline accept demo" in " ".join(screens[0].split())


def test_a_time_that_is_none_is_said_and_breaks_nothing(project: Project, said: Say) -> None:
    project.run()
    accept(said)
    path = project.path / BASELINE
    path.write_text(path.read_text().replace("2026-11-21T12:00:00.000Z", "yesterday"))
    assert project.run().ret == 0
    assert "'yesterday' is no time" in said("check")
    assert "of unknown age" in said("baseline", "show")


# -- check


def test_check_names_a_baseline_without_an_evalset(project: Project, said: Say) -> None:
    project.run()
    accept(said)
    project.evalset("renamed", cases=CASES)
    (project.path / "evalsets" / "demo.eval.yaml").unlink()
    told = said("check")
    assert "evalsets/baselines/demo.jsonl: there is no evalset 'demo' beside it" in told
    assert "git rm evalsets/baselines/demo.jsonl evalsets/baselines/demo.outputs.jsonl" in told
    assert "there is no evalset" not in said("check", "evalsets/renamed.eval.yaml")


def test_check_says_that_every_case_of_a_baseline_changed(project: Project, said: Say) -> None:
    project.run()
    accept(said)
    project.evalset(cases={name: (i + "?", e + "?") for name, (i, e) in CASES.items()})
    assert "not one of its 10 cases is still as it was" in said("check")


def test_check_says_that_a_scorer_changed_and_how_it_is_judged_again(project: Project, said: Say) -> None:
    project.evalset(cases=CASES, scorers=["contains"])
    project.run()
    accept(said)
    project.evalset(cases=CASES, scorers=[{"contains": {"ignore_case": True}}])
    told = said("check")
    assert "contains changed since (ignore_case: unset -> true)" in told
    assert "aioncall rejudge demo --reason" in told


def test_check_names_outputs_that_were_left_alone(project: Project, said: Say) -> None:
    project.run()
    accept(said)
    (project.path / BASELINE).unlink()
    assert "there is no demo.jsonl beside it" in said("check")


def test_a_baseline_of_another_evalset_is_named(project: Project, said: Say) -> None:
    project.run()
    accept(said)
    project.evalset("copy", cases=CASES)
    (project.path / "evalsets/baselines/copy.jsonl").write_bytes((project.path / BASELINE).read_bytes())
    assert "is of evalset 'demo', not of 'copy'" in said("check")
