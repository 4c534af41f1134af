"""`aioncall check --against REF` in real repositories: what is weaker is told, and fails without a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.cli import main

EVALSET = """\
evalset: demo
owner: "@ann"
target: {python: "app:answer"}
scorers:
  - exact: {as: route}
  - contains: {as: says, text: please}
gates:
  - {scorer: route, margin: 0.05, min: 0.5, slices: [persona]}
  - {scorer: says}
cases:
  - {id: one, input: a, expected: please A, slices: {persona: free}, must: [{not_contains: sue}]}
  - {id: two, input: b, expected: please B, slices: {persona: paid}, require: [{scorer: route, in: 2/3}]}
include: ["more/*.jsonl"]
"""
REASON = "agreed with support in SUP-142"


class Repository:
    """A project in git: `main` holds the first version, `work` is checked out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.write("app.py", "def answer(text):\n    return 'please ' + text.upper()\n")
        self.write("aioncall.yaml", "format: 1\n")
        self.write("evalsets/demo.eval.yaml", EVALSET)
        self.write("evalsets/more/more.jsonl", '{"id": "three", "input": "c", "expected": "please C"}\n')

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false",
               "-c", "protocol.file.allow=always")  # fmt: skip
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.path, capture_output=True, check=True, text=True
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def edit(self, name: str, was: str, now: str) -> None:
        path = self.path / name
        text = path.read_text(encoding="utf-8")
        assert was in text
        path.write_text(text.replace(was, now, 1), encoding="utf-8")

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self) -> None:
        """Commit what there is on main, and go on from it on `work`."""
        self.commit("first")
        self.git("checkout", "-q", "-b", "work")


Check = Callable[..., tuple[int, Any]]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "CI", "AIONCALL_NOW"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "app", raising=False)
    found = Repository(tmp_path / "project")
    monkeypatch.chdir(found.path)
    return found


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Run `aioncall check --against main --json` and return its exit code and what it says."""

    def run(*arguments: str, against: str = "main") -> tuple[int, Any]:
        capsys.readouterr()
        code = main(["check", "--against", against, "--json", *arguments])
        captured = capsys.readouterr()
        found = json.loads(captured.out) if captured.out else captured.err
        sys.modules.pop("app", None)
        return code, found

    return run


def baseline() -> str:
    header = {
        "format": 1,
        "evalset": "demo",
        "accepted_by": "ann",
        "accepted_at": "2026-11-01T00:00:00Z",
        "reason": "first",
        "scorers": {},
    }
    return json.dumps(header) + "\n"


def names(found: Any) -> list[str]:
    return [one["what"] for one in found["weakenings"]]


def test_a_change_that_weakens_nothing_passes(repository: Repository, check: Check) -> None:
    repository.branch()
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.04")
    code, found = check()
    assert (code, found["weakenings"], found["strengthened"]) == (0, [], 1)
    assert found["against"] == {"ref": "main", "commit": repository.git("rev-parse", "main")}


def test_each_weakening_is_told_with_its_line_and_the_entry_to_paste(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.branch()
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.2")
    repository.edit("evalsets/demo.eval.yaml", ", must: [{not_contains: sue}]", "")
    (repository.path / "evalsets/more/more.jsonl").write_text(
        '{"id": "four", "input": "d", "expected": "x"}\n'
    )
    assert main(["check", "--against", "main"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = f"main@{repository.git('rev-parse', 'main')[:7]}"
    assert lines[0] == f"3 weakenings without a reason in 1 evalset (against {at})"
    assert "evalsets/demo.eval.yaml:8: margin of route: 0.05 -> 0.2" in lines
    assert "evalsets/demo.eval.yaml:11: must of case one: not_contains sue -> none" in lines
    assert f"{at[5:]}:evalsets/more/more.jsonl:1: case three removed: input c -> no case" in lines
    assert '  - {what: "margin of route", reason: "WHY"}' in lines


def test_what_is_pasted_and_given_a_reason_passes_and_shows_the_reason(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.branch()
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.2")
    main(["check", "--against", "main"])
    lines = capsys.readouterr().out.splitlines()
    pasted = "\n".join(lines[lines.index("weakening:") :]) + "\n"
    evalset = repository.path / "evalsets/demo.eval.yaml"
    evalset.write_text(evalset.read_text() + pasted)
    assert main(["check", "--against", "main"]) == 1, "a placeholder is no reason"
    capsys.readouterr()
    evalset.write_text(evalset.read_text().replace("WHY", REASON))
    assert main(["check", "--against", "main"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 weakening, with a reason (against main@")
    assert f"because: {REASON}" in said


def test_an_entry_that_was_merged_excuses_no_later_change(repository: Repository, check: Check) -> None:
    entry = f'weakening: [{{what: "margin of route", reason: "{REASON}"}}]\n'
    repository.write("evalsets/demo.eval.yaml", EVALSET + entry)
    repository.branch()
    assert check()[0] == 0, "history may stay"
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.2")
    code, found = check()
    assert code == 1
    assert "there before" in found["weakenings"][0]["not_excused"]
    repository.write("evalsets/demo.eval.yaml", EVALSET)
    assert check()[0] == 0, "and may go"


def test_the_working_tree_is_compared_committed_or_not(repository: Repository, check: Check) -> None:
    repository.branch()
    repository.edit("evalsets/demo.eval.yaml", ", min: 0.5", "")
    assert names(check()[1]) == ["min of route"]
    repository.commit()
    assert names(check()[1]) == ["min of route"]
    before = repository.git("status", "--porcelain")
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.05, min: 0.5")
    assert check()[0] == 0
    assert before == ""
    assert repository.git("stash", "list") == ""


def test_what_main_did_since_is_not_this_change(repository: Repository, check: Check) -> None:
    repository.branch()
    repository.git("checkout", "-q", "main")
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.01")
    repository.commit("stricter on main")
    repository.git("checkout", "-q", "work")
    assert check()[1]["weakenings"] == []


def test_a_moved_evalset_is_the_same_evalset(repository: Repository, check: Check) -> None:
    repository.branch()
    (repository.path / "evalsets/deep").mkdir()
    repository.git("mv", "evalsets/demo.eval.yaml", "evalsets/deep/other.eval.yaml")
    repository.git("mv", "evalsets/more", "evalsets/deep/more")
    assert check()[1]["weakenings"] == []
    repository.edit("evalsets/deep/other.eval.yaml", "margin: 0.05", "margin: 0.2")
    code, found = check()
    assert (code, names(found)) == (1, ["margin of route"])
    assert found["weakenings"][0]["file"] == "evalsets/deep/other.eval.yaml"


def test_a_new_evalset_weakens_nothing(repository: Repository, check: Check) -> None:
    repository.branch()
    text = EVALSET.replace("evalset: demo", "evalset: second").replace("margin: 0.05", "margin: 0.9")
    repository.write("evalsets/second.eval.yaml", text)
    code, found = check()
    assert (code, found["weakenings"], found["strengthened"]) == (0, [], 1)


def test_a_deleted_evalset_is_one_line_and_excused_in_the_configuration(
    repository: Repository, check: Check
) -> None:
    rows = [json.dumps({"id": f"c{i}", "input": "x", "expected": "y"}) for i in range(500)]
    repository.write("evalsets/more/more.jsonl", "\n".join(rows) + "\n")
    repository.write("evalsets/keep.eval.yaml", EVALSET.replace("evalset: demo", "evalset: keep"))
    repository.branch()
    (repository.path / "evalsets/demo.eval.yaml").unlink()
    code, found = check()
    assert code == 1
    (gone,) = found["weakenings"]
    assert (gone["what"], gone["was"]) == ("evalset demo removed", "2 gates, 502 cases")
    assert gone["entry_file"] == "aioncall.yaml"
    repository.write(
        "aioncall.yaml", f'format: 1\nweakening: [{{what: "evalset demo removed", reason: "{REASON}"}}]\n'
    )
    assert check()[0] == 0


def test_an_evalset_that_nobody_asked_about_is_not_told_as_deleted(
    repository: Repository, check: Check
) -> None:
    repository.write("evalsets/keep.eval.yaml", EVALSET.replace("evalset: demo", "evalset: keep"))
    repository.branch()
    (repository.path / "evalsets/demo.eval.yaml").unlink()
    assert names(check("evalsets/keep.eval.yaml")[1]) == []
    assert names(check("evalsets")[1]) == ["evalset demo removed"]


def test_the_configuration_is_compared(repository: Repository, check: Check) -> None:
    repository.write(
        "aioncall.yaml", 'format: 1\ndefaults: {require_baseline: true}\nredact: ["ACME-[0-9]+"]\n'
    )
    repository.branch()
    repository.write("aioncall.yaml", "format: 1\ndefaults: {alpha: 0.01}\n")
    code, found = check()
    assert code == 1
    told = {one["what"]: (one["at_base"], one["line"]) for one in found["weakenings"]}
    assert told == {
        "defaults.alpha": (False, 2),
        "defaults.require_baseline": (True, 2),
        "redact ACME-[0-9]+": (True, 3),
    }
    assert found["weakenings"][0]["evalset"] is None


def test_a_configuration_that_is_gone_is_compared_too(repository: Repository, check: Check) -> None:
    repository.write("aioncall.yaml", "format: 1\ndefaults: {on_inconclusive: fail}\n")
    repository.branch()
    (repository.path / "aioncall.yaml").unlink()
    assert names(check()[1]) == ["defaults.on_inconclusive"]


def test_a_configuration_in_a_folder_of_the_repository_is_compared(
    repository: Repository, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("service/aioncall.yaml", "format: 1\ndefaults: {on_inconclusive: fail}\n")
    repository.write("service/app.py", "def answer(text):\n    return text\n")
    repository.write("service/evalsets/inner.eval.yaml", EVALSET.replace('include: ["more/*.jsonl"]\n', ""))
    repository.branch()
    monkeypatch.chdir(repository.path / "service" / "evalsets")
    repository.edit("service/evalsets/inner.eval.yaml", "margin: 0.05", "margin: 0.2")
    repository.write("service/aioncall.yaml", "format: 1\n")
    code, found = check()
    assert code == 1
    assert [(w["what"], w["file"]) for w in found["weakenings"]] == [
        ("margin of route", "evalsets/inner.eval.yaml"),
        ("defaults.on_inconclusive", "aioncall.yaml"),
    ]


def test_rubrics_and_code_are_read_as_they_were(repository: Repository, check: Check) -> None:
    own = "def polite(output):\n    return helped(output)\n\n"
    own += "def helped(output):\n    return 'please' in output.text\n"
    repository.write("own.py", own)
    repository.write("rubrics/kind.md", "Is the answer kind?\n")
    repository.write("aioncall.yaml", "format: 1\nproviders: {local: {base_url: 'http://127.0.0.1:9/v1'}}\n")
    scorers = (
        "scorers:\n  - python: {as: polite, function: \"own:polite\"}\n"
        "  - judge: {rubric: rubrics/kind.md, model: local/judge}\n"
    )  # fmt: skip
    repository.edit("evalsets/demo.eval.yaml", "scorers:\n", scorers)
    repository.branch()
    repository.edit(
        "own.py", "def polite(output):\n", 'def polite(output):\n    """Say please."""\n    # a comment\n'
    )
    assert names(check()[1]) == [], "a comment is no change of the code"
    repository.edit("own.py", "'please' in output.text", "True")
    assert names(check()[1]) == ["scorer polite"]
    repository.write("rubrics/kind.md", "Is the answer there?\n")
    code, found = check()
    assert code == 1
    assert [(w["kind"], w["what"]) for w in found["weakenings"]] == [
        ("scorer_loosened", "scorer polite"),
        ("judge_swapped", "judge judge"),
    ]


def test_an_incident_case_that_moves_or_goes_is_told(repository: Repository, check: Check) -> None:
    case = "{id: inc-1, input: d, expected: please D, must: [{contains: please}]}"
    repository.write("evalsets/incidents/demo/inc-1.yaml", f"cases:\n  - {case}\n")
    repository.branch()
    (repository.path / "evalsets/incidents/demo/inc-1.yaml").unlink()
    assert names(check()[1]) == ["incident case inc-1 removed"]
    repository.write("evalsets/demo.eval.yaml", EVALSET.replace("cases:\n", f"cases:\n  - {case}\n"))
    assert names(check()[1]) == ["incident of case inc-1"]


def test_a_deleted_baseline_is_told(repository: Repository, check: Check) -> None:
    repository.write("evalsets/baselines/demo.jsonl", baseline())
    repository.branch()
    (repository.path / "evalsets/baselines/demo.jsonl").unlink()
    code, found = check()
    assert (code, names(found)) == (1, ["baseline removed"])
    assert found["weakenings"][0]["file"] == "evalsets/baselines/demo.jsonl"


def test_a_baseline_that_moves_is_told_since_the_gate_looks_elsewhere_for_the_old_one(
    repository: Repository, check: Check
) -> None:
    repository.write("evalsets/baselines/demo.jsonl", baseline())
    repository.branch()
    (repository.path / "evalsets/deep").mkdir()
    for name in ("demo.eval.yaml", "more", "baselines"):
        repository.git("mv", f"evalsets/{name}", f"evalsets/deep/{name}")
    code, found = check()
    assert (code, names(found)) == (1, ["baseline moved"])


def test_a_configuration_that_comes_between_is_compared_with_the_one_above(
    repository: Repository, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("aioncall.yaml", "format: 1\ndefaults: {require_baseline: true}\n")
    repository.branch()
    repository.write("evalsets/aioncall.yaml", "format: 1\ndefaults:\n  alpha: 0.01\n")
    repository.write("evalsets/app.py", "def answer(text):\n    return text\n")
    monkeypatch.chdir(repository.path / "evalsets")
    code, found = check()
    assert code == 1
    assert [(w["what"], w["file"], w["line"]) for w in found["weakenings"]] == [
        ("defaults.alpha", "aioncall.yaml", 3),
        ("defaults.require_baseline", "../aioncall.yaml", 2),
    ]


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
def test_a_file_name_cannot_talk_to_the_runner(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    path = repository.write(
        "evalsets/more/x\n::error::owned.jsonl", '{"id": "u", "input": "x", "expected": "y"}\n'
    )
    repository.branch()
    path.write_text('{"id": "u", "input": "x", "expected": "z"}\n')
    assert main(["check", "--against", "main"]) == 1
    said = capsys.readouterr().out
    assert "expected of case u" in said
    assert not any(line.lstrip().startswith("::") for line in said.splitlines())


@pytest.mark.parametrize(
    "content", [b"\x00\xff\xfe binary", b"evalset: [demo", b"evalset: demo\nwhat: is this\n"]
)
def test_an_old_version_that_cannot_be_read_counts_as_all_removed(
    repository: Repository, check: Check, content: bytes
) -> None:
    path = repository.path / "evalsets/demo.eval.yaml"
    path.write_bytes(content)
    repository.branch()
    path.write_text(EVALSET)
    code, found = check()
    (told,) = found["weakenings"]
    assert (code, told["what"]) == (1, "old version of evalsets/demo.eval.yaml")
    assert told["was"].startswith(
        "cannot be read, so every gate of it counts as removed: evalsets/demo.eval.yaml"
    )
    path.write_text(EVALSET + f'weakening: [{{what: "{told["what"]}", reason: "{REASON}"}}]\n')
    assert check()[0] == 0


def test_ordinary_problems_come_first(
    repository: Repository, check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.branch()
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margn: 0.2")
    code, found = check()
    assert code == 4
    assert "margn" in found["problems"][0]
    assert "weakenings" not in found
    assert main(["check", "--against", "main"]) == 4
    said = capsys.readouterr().out
    assert "Not compared with main: mend this first." in said


def test_a_ref_that_is_not_there_says_how_to_get_it(repository: Repository, check: Check) -> None:
    repository.branch()
    for ref in ("origin/main", "--all", "-x"):
        code = main(["check", f"--against={ref}"])
        assert code == 4
    code, said = check(against="origin/main")
    assert code == 4
    assert said == (
        "--against origin/main: no such commit here; fetch it first: git fetch origin main "
        "(in GitHub Actions: actions/checkout with fetch-depth: 0)\n"
    )


@pytest.mark.parametrize("ref", ["", "origin/"])
def test_an_empty_base_says_that_a_push_has_none(repository: Repository, check: Check, ref: str) -> None:
    repository.branch()
    code, said = check(against=ref)
    assert code == 4
    assert "names no branch" in said


def test_a_shallow_clone_says_to_fetch_the_history(
    repository: Repository, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.branch()
    repository.commit("second")
    repository.git("checkout", "-q", "main")
    repository.commit("on main")
    clone = tmp_path / "clone"
    repository.git(
        "clone", "-q", "--depth", "1", "--no-single-branch", f"file://{repository.path}", str(clone)
    )
    subprocess.run(["git", "checkout", "-q", "work"], cwd=clone, check=True)
    monkeypatch.chdir(clone)
    code, said = check(against="origin/main")
    assert code == 4
    assert "fetch-depth: 0" in said


def test_outside_a_repository_it_says_so(
    repository: Repository, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain"
    (plain / "evalsets" / "more").mkdir(parents=True)
    for name in ("app.py", "aioncall.yaml", "evalsets/demo.eval.yaml", "evalsets/more/more.jsonl"):
        (plain / name).write_text((repository.path / name).read_text())
    monkeypatch.chdir(plain)
    code, said = check()
    assert code == 4
    assert "no repository with a commit" in said


def test_links_are_followed_inside_and_not_out_of_the_project(
    repository: Repository, check: Check, tmp_path: Path
) -> None:
    shared = repository.write("shared/cases.jsonl", '{"id": "s1", "input": "x", "expected": "y"}\n')
    (repository.path / "evalsets/more/link.jsonl").symlink_to("../../shared/cases.jsonl")
    (repository.path / "evalsets/linked").symlink_to("../shared")
    repository.edit("evalsets/demo.eval.yaml", 'include: ["', 'include: ["linked/*.jsonl", "')
    repository.branch()
    assert check()[1]["weakenings"] == []
    shared.write_text('{"id": "s2", "input": "z", "expected": "y"}\n')
    assert names(check()[1]) == ["case s1 removed"]


def test_an_old_link_out_of_the_project_is_not_followed(
    repository: Repository, check: Check, tmp_path: Path
) -> None:
    (tmp_path / "secret.jsonl").write_text('{"id": "secret", "input": "x", "expected": "y"}\n')
    link = repository.path / "evalsets/more/out.jsonl"
    link.symlink_to(tmp_path / "secret.jsonl")
    repository.branch()
    link.unlink()
    code, found = check()
    assert "secret" not in json.dumps(found["weakenings"])
    assert code == 0


def test_a_submodule_is_taken_as_it_is_today(repository: Repository, check: Check, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    (other / "cases.jsonl").write_text('{"id": "sub", "input": "x", "expected": "y"}\n')
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, "add", "."], cwd=other, check=True)
    subprocess.run(["git", *who, "commit", "-q", "-m", "one"], cwd=other, check=True)
    repository.git("submodule", "add", "-q", str(other), "evalsets/sub")
    repository.edit("evalsets/demo.eval.yaml", 'include: ["', 'include: ["sub/*.jsonl", "')
    repository.branch()
    assert check()[1]["weakenings"] == []
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.2")
    assert names(check()[1]) == ["margin of route"]


def test_an_include_beside_the_configuration_takes_no_other_file(
    repository: Repository, check: Check
) -> None:
    """Files far below that no pattern names are not read, however broken or large they are."""
    text = EVALSET.replace("evalset: demo", "evalset: top").replace("more/*.jsonl", "*.jsonl")
    repository.write("top.eval.yaml", text)
    repository.write("top.jsonl", '{"id": "t", "input": "x", "expected": "y"}\n')
    repository.write("recordings/deep/x.jsonl", "not json at all\n")
    repository.branch()
    assert check()[1]["weakenings"] == []
    repository.write("top.jsonl", '{"id": "t2", "input": "z", "expected": "y"}\n')
    assert names(check()[1]) == ["case t removed"]


@pytest.mark.parametrize(
    "pattern", ["more/**/*.jsonl", "**/more.jsonl", "./more/more.jsonl", "more/m?re.json[l]"]
)
def test_every_form_of_a_glob_finds_the_old_files(repository: Repository, check: Check, pattern: str) -> None:
    repository.edit("evalsets/demo.eval.yaml", "more/*.jsonl", pattern)
    repository.branch()
    assert check()[1]["weakenings"] == []
    repository.edit("evalsets/more/more.jsonl", "please C", "please D")
    assert names(check()[1]) == ["expected of case three"]


def test_a_rubric_by_its_full_path_is_no_crash(repository: Repository, check: Check) -> None:
    rubric = repository.write("rubrics/kind.md", "Is the answer kind?\n")
    repository.write("aioncall.yaml", "format: 1\nproviders: {local: {base_url: 'http://127.0.0.1:9/v1'}}\n")
    judge = f"scorers:\n  - judge: {{rubric: {json.dumps(str(rubric))}, model: local/judge}}\n"
    repository.edit("evalsets/demo.eval.yaml", "scorers:\n", judge)
    repository.branch()
    code, found = check()
    assert (code, found["weakenings"]) == (0, [])


def test_a_shared_file_is_told_once_for_each_evalset(repository: Repository, check: Check) -> None:
    repository.write("evalsets/second.eval.yaml", EVALSET.replace("evalset: demo", "evalset: second"))
    repository.branch()
    (repository.path / "evalsets/more/more.jsonl").write_text(
        '{"id": "new", "input": "d", "expected": "x"}\n'
    )
    told = [(w["evalset"], w["what"]) for w in check()[1]["weakenings"]]
    assert told == [("demo", "case three removed"), ("second", "case three removed")]


def test_files_with_spaces_and_other_letters_are_found(repository: Repository, check: Check) -> None:
    repository.write("evalsets/mehr Fälle/ä b.jsonl", '{"id": "u", "input": "x", "expected": "y"}\n')
    repository.edit("evalsets/demo.eval.yaml", "more/*.jsonl", "mehr Fälle/*.jsonl")
    repository.branch()
    repository.edit("evalsets/mehr Fälle/ä b.jsonl", '"expected": "y"', '"expected": "z"')
    code, found = check()
    assert (code, names(found)) == (1, ["expected of case u"])
    assert found["weakenings"][0]["file"] == "evalsets/mehr Fälle/ä b.jsonl"


def test_ten_thousand_cases_are_one_line_when_half_are_gone(repository: Repository, check: Check) -> None:
    rows = [json.dumps({"id": f"c{i}", "input": f"q{i}", "expected": "y"}) for i in range(10_000)]
    path = repository.write("evalsets/more/more.jsonl", "\n".join(rows) + "\n")
    repository.branch()
    path.write_text("\n".join(rows[::2]) + "\n")
    code, found = check()
    assert (code, names(found)) == (1, ["5000 cases removed"])


def test_nothing_is_left_behind(
    repository: Repository, check: Check, tmp_path: Path, monkeypatch: Any
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    repository.branch()
    before = sorted(p for p in repository.path.rglob("*") if "__pycache__" not in p.parts)
    repository.edit("evalsets/demo.eval.yaml", "margin: 0.05", "margin: 0.2")
    assert check()[0] == 1
    assert list(scratch.iterdir()) == []
    assert sorted(p for p in repository.path.rglob("*") if "__pycache__" not in p.parts) == before


def test_a_hostile_case_cannot_talk_to_the_runner(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\\n::error::owned\\u001b[31m ##[group]x"
    (repository.path / "evalsets/more/more.jsonl").write_text(
        f'{{"id": "three", "input": "c", "expected": "{hostile}"}}\n'
    )
    repository.branch()
    (repository.path / "evalsets/more/more.jsonl").write_text(
        '{"id": "three", "input": "c", "expected": "x"}\n'
    )
    main(["check", "--against", "main"])
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert not any(line.lstrip().startswith("::") for line in said.splitlines())
    assert "##[" not in said
