"""A pull request cannot green itself: the stricter of merge base and branch decides each row, and is told."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from eval_project import Project

RIGHT = "def answer(text):\n    return text.upper()\n"
WORSE = (
    "def answer(text):\n    return 'no' if text in ('q01', 'q04', 'q07', 'q10', 'q13') else text.upper()\n"
)
SECRET = "def answer(text):\n    return 'Q00 secret' if text == 'q00' else text.upper()\n"
FILE = "evalsets/demo.eval.yaml"


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "id": f"c{n:02}",
            "input": f"q{n:02}",
            "expected": f"Q{n:02}",
            "slices": {"persona": "free" if n % 2 else "pro"},
        }
        for n in range(20)
    ]
    found[0]["must"] = [{"not_contains": "secret"}]
    found[2]["require"] = [{"scorer": "exact", "in": "3/3"}]
    return found


def evalset() -> dict[str, Any]:
    return {
        "evalset": "demo",
        "owner": "@ann",
        "target": {"python": "app:answer"},
        "scorers": ["exact", {"not_contains": {"as": "polite", "text": "rude"}}],
        "gates": [{"scorer": "exact", "margin": 0.05, "slices": ["persona"]}, {"scorer": "polite"}],
        "cases": cases(),
    }


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def write(project: Project, content: dict[str, Any], name: str = FILE) -> None:
    project.write(name, yaml.safe_dump(content, sort_keys=False))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves the project with its baseline on main, for the others to begin with."""
    return tmp_path_factory.mktemp("kept") / "project"


@pytest.fixture
def branch(project: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose main has a baseline of right answers, on a branch that left it."""
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project.path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("AIONCALL_NOW", "2026-11-22T12:00:00Z")
    if kept.exists():
        shutil.copytree(kept, project.path, dirs_exist_ok=True)
        return project
    project.write("gitconfig", "[user]\nname = Ann\nemail = a@example.com\n[init]\ndefaultBranch = main\n")
    project.write(".gitignore", ".aioncall/\n__pycache__/\ngitconfig\n")
    git("init", "--quiet")
    project.app(RIGHT)
    write(project, evalset())
    assert project.run().ret == 0
    project.accept("as it should be")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    git("checkout", "--quiet", "-b", "work")
    shutil.copytree(project.path, kept, ignore=shutil.ignore_patterns("runs", "__pycache__"))
    return project


def run(project: Project, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the gate of a pull request; return its exit status and the report of the evalset."""
    result = project.run("--aioncall-baseline-ref", "main", *arguments)
    report = project.report()
    assert report["exit_code"] == result.ret
    found: dict[str, Any] = report["evalsets"][0]
    return int(result.ret), found | {"said": "\n".join(result.outlines), "rest": report["review"]}


def rows(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Return (status, rule) by row."""
    return {
        " ".join([v["scorer"], *(v["slice"] or {}).values()]): (v["status"], v["rule"])
        for v in found["judgement"]["verdicts"]
    }


def proposals(found: dict[str, Any]) -> list[str]:
    return [one["what"] for one in found["review"]["proposals"]]


Edit = Callable[[dict[str, Any]], None]


def _margin(it: dict[str, Any]) -> None:
    it["gates"][0]["margin"] = 0.5


def _no_gate(it: dict[str, Any]) -> None:
    del it["gates"][0]


def _no_scorer(it: dict[str, Any]) -> None:
    del it["gates"][0]
    del it["scorers"][0]
    del it["cases"][2]["require"]


def _alpha(it: dict[str, Any]) -> None:
    it["gates"][0]["alpha"] = 1e-12


def _claim(it: dict[str, Any]) -> None:
    it["gates"][0]["claim"] = "cases-like-these"


def _epochs(it: dict[str, Any]) -> None:
    it["epochs"] = 1


def _more_floors(it: dict[str, Any]) -> None:
    """A floor that always holds makes another case of it, which nobody compares."""
    for case in it["cases"]:
        case["must"] = [*case.get("must", []), {"not_contains": "zebra"}]


def _junk(it: dict[str, Any]) -> None:
    """Rows that share alpha with those that fell."""
    for number in range(5):
        it["scorers"].append({"not_contains": {"as": f"junk{number}", "text": "zebra"}})
        it["gates"].append({"scorer": f"junk{number}", "slices": ["persona"]})


WEAKER: list[tuple[Edit, str | None, str]] = [
    (_margin, "base", "margin of exact"),
    (_no_gate, "dropped", "gate of exact removed"),
    (_no_scorer, "dropped", "scorer exact removed"),
    (_alpha, "base", "alpha of exact"),
    (_claim, "base", "claim of exact"),
    (_epochs, None, "epochs"),
    (_more_floors, None, ""),
    (_junk, None, ""),
]


@pytest.mark.parametrize(("edit", "rule", "what"), WEAKER, ids=[one[0].__name__ for one in WEAKER])
def test_a_regression_stays_red_whatever_the_branch_asks_less(
    branch: Project, edit: Edit, rule: str | None, what: str
) -> None:
    """The base's rule decides the row that fell; what the branch asks less is a proposal, old against new."""
    branch.app(WORSE)
    content = evalset()
    edit(content)
    write(branch, content)
    without_base = branch.run().ret
    code, found = run(branch)
    assert code == 1, found["said"]
    assert rows(found)["exact"] == ("regressed", rule)
    if what:
        assert without_base == 0, "else nothing would be shown by this test"
        assert what in proposals(found) and what not in found["review"]["listed"]
        assert found["review"]["owner"] == "@ann"
        assert what in found["said"]
        assert what in (branch.path / ".aioncall/report.html").read_text()
    assert branch.command("gate", "--candidate", "latest", "--baseline-ref", "main") == 1


def test_a_lower_minimum_is_the_bases(branch: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A `min` that the branch takes out is asked all the same, and `aioncall gate` says the same."""
    git("checkout", "--quiet", "main")
    content = evalset()
    content["gates"][0] |= {"min": 0.95, "margin": 0.9}
    write(branch, content)
    git("commit", "--quiet", "--all", "--message", "a minimum")
    git("checkout", "--quiet", "-B", "work")
    branch.app(WORSE)
    del content["gates"][0]["min"]
    write(branch, content)
    code, found = run(branch)
    assert code == 1 and rows(found)["exact"] == ("regressed", "base")
    assert next(v for v in found["judgement"]["verdicts"] if v["scorer"] == "exact")["reason"] == "below_min"
    capsys.readouterr()
    assert branch.command("gate", "--candidate", "latest", "--baseline-ref", "main", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["verdicts"] == found["judgement"]["verdicts"]


def test_defaults_of_the_configuration_come_from_the_base(branch: Project) -> None:
    """A margin for all gates that name none is the configuration's to loosen, and the owner's to agree to."""
    content = evalset()
    del content["gates"][0]["margin"]
    git("checkout", "--quiet", "main")
    write(branch, content)
    git("commit", "--quiet", "--all", "--message", "the default margin")
    git("checkout", "--quiet", "-B", "work")
    branch.app(WORSE)
    branch.config(defaults={"margin": 0.5})
    code, found = run(branch)
    assert code == 1 and rows(found)["exact"] == ("regressed", "base")
    assert [one["what"] for one in found["rest"]["proposals"]] == ["defaults.margin"]
    assert found["rest"]["listed"] == []


def test_a_must_that_is_gone_is_asked_all_the_same(branch: Project) -> None:
    """The floor of the base breaks on what the branch answers; the case is still compared."""
    branch.app(SECRET)
    content = evalset()
    del content["cases"][0]["must"]
    write(branch, content)
    code, found = run(branch)
    assert code == 1
    (broken,) = [floor for floor in found["judgement"]["floors"] if not floor["ok"]]
    assert (broken["case"], broken["kind"]) == ("c00", "must")
    assert found["judgement"]["coverage"]["changed"] == []
    assert proposals(found) == ["must of case c00"] and found["review"]["listed"] == []


def test_a_require_that_is_gone_or_looser_is_asked_as_it_was(branch: Project) -> None:
    """2/3 in place of 3/3 is 3/3."""
    branch.app(
        "import itertools\nturn = itertools.count()\n\n\ndef answer(text):\n"
        "    return 'no' if text == 'q02' and next(turn) == 1 else text.upper()\n"
    )
    content = evalset()
    content["cases"][2]["require"] = [{"scorer": "exact", "in": "2/3"}]
    write(branch, content)
    code, found = run(branch)
    assert code == 1
    (broken,) = [floor for floor in found["judgement"]["floors"] if not floor["ok"]]
    assert (broken["case"], broken["kind"], broken["needed"]) == ("c02", "require", 3)
    assert found["judgement"]["coverage"]["changed"] == []


def test_cases_that_are_gone_are_listed_by_name(branch: Project) -> None:
    """No rule can judge a case that did not run; a reader is told that it is gone, and that it counts."""
    branch.app(WORSE)
    content = evalset()
    gone = ["c01", "c04", "c07", "c10", "c13"]
    content["cases"] = [case for case in content["cases"] if case["id"] not in gone]
    write(branch, content)
    code, found = run(branch)
    assert code == 0
    assert found["judgement"]["coverage"]["removed"] == gone
    assert proposals(found) == [f"case {case} removed" for case in gone]
    assert found["review"]["listed"] == proposals(found)
    assert "not made good: case c01 removed" in found["said"]


def test_a_case_cannot_leave_its_slice(branch: Project) -> None:
    """The base's rows have the cases that they had: relabelling hides no drop of a slice."""
    branch.app(WORSE)
    content = evalset()
    for case in content["cases"]:
        case["slices"] = {"persona": "pro"}
    write(branch, content)
    code, found = run(branch)
    assert code == 1
    assert "exact free" in rows(found)
    assert "slices of 20 cases" in proposals(found) or "slices of case c01" in proposals(found)


def test_a_stricter_branch_counts(branch: Project) -> None:
    """What the branch tightens decides at once, and so does a gate on a scorer that the base has not."""
    git("checkout", "--quiet", "main")
    content = evalset()
    content["gates"][0]["margin"] = 0.6
    write(branch, content)
    git("commit", "--quiet", "--all", "--message", "wide")
    git("checkout", "--quiet", "-B", "work")
    branch.app(WORSE)
    content["gates"][0]["margin"] = 0.05
    content["scorers"].append({"contains": {"as": "shouts", "text": "Q"}})
    content["gates"].append({"scorer": "shouts", "min": 0.99})
    write(branch, content)
    code, found = run(branch)
    assert code == 1
    assert rows(found)["exact"] == ("regressed", "head")
    assert rows(found)["shouts"] == ("regressed", "new")
    assert rows(found)["polite"][1] is None
    assert found["rest"]["strengthened"] > 0 and proposals(found) == []


def test_what_a_branch_asks_less_alone_is_green_and_told(branch: Project) -> None:
    """Without a drop a looser margin is a proposal, with the reason that the branch gives for it."""
    content = evalset()
    content["gates"][0]["margin"] = 0.5
    content["weakening"] = [{"what": "margin of exact", "reason": "agreed with support in SUP-142"}]
    write(branch, content)
    code, found = run(branch)
    assert code == 0
    (one,) = found["review"]["proposals"]
    assert (one["what"], one["was"], one["now"]) == ("margin of exact", "0.05", "0.5")
    assert one["excused_by"] == "agreed with support in SUP-142"
    assert "margin of exact: 0.05 -> 0.5 (because: agreed with support in SUP-142)" in found["said"]


def test_a_reason_does_not_make_a_regression_green(branch: Project) -> None:
    """A written reason is for the owner to read; the stricter rule decides all the same."""
    branch.app(WORSE)
    content = evalset()
    content["gates"][0]["margin"] = 0.5
    content["weakening"] = [{"what": "margin of exact", "reason": "agreed with support in SUP-142"}]
    write(branch, content)
    assert run(branch)[0] == 1


@pytest.mark.parametrize("both", [False, True])
def test_a_name_or_a_folder_takes_no_baseline_away(branch: Project, both: bool) -> None:
    """An evalset that is renamed in its file, or moved under its name, is compared with what it was."""
    branch.app(WORSE)
    content = evalset()
    if both:
        (branch.path / FILE).unlink()
        write(branch, content, "evalsets/other/demo.eval.yaml")
    else:
        content["evalset"] = "brand-new"
        write(branch, content)
    code, found = run(branch)
    assert code == 1 and rows(found)["exact"][0] == "regressed"


def test_an_evalset_that_is_gone_is_told(branch: Project) -> None:
    """Another evalset runs; the one that the branch deleted is named with the configuration's proposals."""
    (branch.path / FILE).unlink()
    branch.evalset("other", cases={"a": ("a", "A")})
    code, found = run(branch)
    assert code == 0
    assert [one["what"] for one in found["rest"]["proposals"]] == ["evalset demo removed"]
    assert found["rest"]["listed"] == ["evalset demo removed"]


def test_a_scorer_whose_code_is_gone_too_cannot_pass(
    branch: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing scores that row any more, so nothing can be said of it: exit 8 in CI."""
    git("checkout", "--quiet", "main")
    branch.write("judging.py", "def kind(case, output):\n    return 1.0\n")
    content = evalset()
    content["scorers"].append({"python": {"as": "kind", "function": "judging:kind"}})
    content["gates"].append({"scorer": "kind"})
    try:
        write(branch, content)
        assert branch.run().ret == 0
    except AssertionError:
        content["scorers"][-1] = {"python": "judging:kind"}
        content["gates"][-1] = {"scorer": "python"}
        write(branch, content)
        assert branch.run().ret == 0
    branch.accept("with another scorer")
    git("add", "--all")
    git("commit", "--quiet", "--message", "another scorer")
    git("checkout", "--quiet", "-B", "work")
    (branch.path / "judging.py").unlink()
    write(branch, evalset())
    monkeypatch.setenv("CI", "true")
    code, found = run(branch)
    assert code == 8
    lost = [v for v in found["judgement"]["verdicts"] if v["rule"] == "dropped"]
    assert [(v["status"], v["reason"], v["gating"]) for v in lost] == [
        ("inconclusive", "not_comparable", True)
    ]


def test_a_wider_error_limit_lets_no_outage_through(branch: Project) -> None:
    """Half of the samples fail, the branch says that this is fine: it cannot be judged."""
    branch.app(
        "def answer(text):\n    if text < 'q10':\n        raise OSError('down')\n    return text.upper()\n"
    )
    content = evalset()
    content["errors"] = {"max_rate": 1.0}
    del content["cases"][0]["must"]
    del content["cases"][2]["require"]
    write(branch, content)
    code, found = run(branch)
    assert code in (1, 7) and found["judgement"]["status"] in ("cannot_judge", "regressed")
    assert found["planned"]["max_error_rate"] == 0.02
    assert "errors.max_rate" in proposals(found)


def test_a_changed_baseline_is_shown_old_against_new(branch: Project) -> None:
    """With reason and owner, and that it excuses nothing where it names no regression."""
    branch.app(WORSE)
    branch.write("CODEOWNERS", "evalsets/baselines/ @quality\n")
    branch.run()
    branch.accept("cheaper model", "--accept-regression", "T-17")
    path = branch.path / "evalsets/baselines/demo.jsonl"
    head, _, rest = path.read_text().partition("\n")
    silent = json.dumps(json.loads(head) | {"accepts": []})
    path.write_text(silent + "\n" + rest)
    code, found = run(branch)
    assert code == 1
    proposal = found["review"]["baseline"]
    assert (proposal["owner"], proposal["reason"], proposal["accepts"]) == ("@quality", "cheaper model", [])
    assert [(m["scorer"], m["was"], m["now"]) for m in proposal["means"]] == [
        ("exact", 1.0, 0.75),
        ("polite", 1.0, 1.0),
    ]
    assert "accepts no regression by name, so it excuses none" in found["said"]
    path.write_text(head + "\n" + rest)
    code, found = run(branch)
    assert code == 0
    assert "T-17" in found["said"]


def test_nothing_is_marked_where_both_ask_alike(branch: Project) -> None:
    """A branch that leaves the gates alone is judged once, and no row is marked."""
    branch.app(WORSE)
    code, found = run(branch)
    assert code == 1
    assert {rule for _, rule in rows(found).values()} == {None}
    assert found["review"]["proposals"] == [] and found["review"]["baseline"] is None


def test_a_run_beside_a_base_can_become_a_baseline(branch: Project) -> None:
    """What was put back for the run is no part of it: the evalset is accepted as it is written."""
    content = evalset()
    _no_scorer(content)
    _more_floors(content)
    write(branch, content)
    code, found = run(branch)
    assert code == 0, found["said"]
    assert found["judgement"]["coverage"]["changed"] == []
    branch.accept("another suite")
    head = json.loads((branch.path / "evalsets/baselines/demo.jsonl").read_text().split("\n")[0])
    assert set(head["scorers"]) == {"polite"} and set(head["instrument"]) == {"polite"}
    result = branch.run()
    assert result.ret == 0 and branch.report()["evalsets"][0]["judgement"]["coverage"]["changed"] == []


def test_rounds_are_drawn_for_the_base_too(branch: Project) -> None:
    """A margin that every run keeps stops the branch's rounds at once; the base's row is not clear yet."""
    git("checkout", "--quiet", "main")
    content = evalset()
    content["epochs"] = {"min": 2, "max": 4}
    write(branch, content)
    git("commit", "--quiet", "--all", "--message", "adaptive")
    git("checkout", "--quiet", "-B", "work")
    branch.app(
        "import itertools\nturn = itertools.count()\n\n\ndef answer(text):\n"
        "    return 'no' if text in ('q01', 'q03') and next(turn) % 2 else text.upper()\n"
    )
    for gate in content["gates"]:
        gate["margin"] = 0.9
    write(branch, content)
    assert branch.run().ret == 0
    assert branch.report()["evalsets"][0]["judgement"]["rounds"]["epochs"] == 2
    _, found = run(branch)
    assert found["judgement"]["rounds"]["epochs"] == 4
    assert branch.command("gate", "--candidate", "latest", "--baseline-ref", "main") == 0


NARROWED = {
    "-k": ("pytest.ini", "[pytest]\naddopts = -k c02\n"),
    "-m": ("pytest.ini", "[pytest]\naddopts = -m free\n"),
    "a deselected case": ("pytest.ini", f"[pytest]\naddopts = --deselect={FILE}::c04\n"),
    "a hook": (
        "conftest.py",
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [i for i in items if 'c04' not in i.nodeid]\n",
    ),
    "a skip": (
        "conftest.py",
        "import pytest\n\ndef pytest_collection_modifyitems(items):\n"
        "    items[4].add_marker(pytest.mark.skip(reason='later'))\n",
    ),
    "an ignored file": ("pytest.ini", f"[pytest]\naddopts = --ignore={FILE}\n"),
    "a deselected file": ("pytest.ini", f"[pytest]\naddopts = --deselect={FILE}\n"),
    "collect_ignore": ("conftest.py", f"collect_ignore = [{FILE!r}]\n"),
    "norecursedirs": ("pytest.ini", "[pytest]\nnorecursedirs = evalsets\n"),
}


@pytest.fixture
def gate(branch: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The branch in CI, with answers that have regressed, and another evalset that is fine."""
    monkeypatch.setenv("CI", "true")
    branch.evalset("other", cases={"a": ("a", "A")})
    branch.app(WORSE)
    return branch


@pytest.mark.parametrize("how", NARROWED)
def test_what_the_change_leaves_out_of_the_run_is_no_green_check(gate: Project, how: str) -> None:
    """By addopts, a conftest.py or a hook: the evalset is told as not judged, and the exit status is 7."""
    gate.write(*NARROWED[how])
    result = gate.run("--aioncall-baseline-ref", "main")
    report = gate.report()
    assert result.ret == report["exit_code"] == 7
    assert report["status"] == "not_judged"
    demo = next(one for one in report["evalsets"] if one["planned"]["evalset"] == "demo")
    assert demo["judgement"] is None
    assert "not the command line" in demo["not_judged_because"]


def test_an_evalset_that_moved_out_of_the_folder_that_is_run_is_told(gate: Project) -> None:
    (gate.path / FILE).rename(gate.path / "demo2.eval.yaml")
    result = gate.run("--aioncall-baseline-ref", "main", "evalsets")
    assert result.ret == 7
    left = [one["planned"]["evalset"] for one in gate.report()["evalsets"] if one["judgement"] is None]
    assert left == ["demo"]


@pytest.mark.parametrize(
    "typed",
    [
        ("-k", "c02"),
        ("--ignore", FILE),
        (f"--deselect={FILE}",),
        ("evalsets/other.eval.yaml",),
        (f"{FILE}::c02",),
    ],
)
def test_what_is_left_out_on_the_command_line_is_a_partial_run(gate: Project, typed: tuple[str, ...]) -> None:
    assert gate.run("--aioncall-baseline-ref", "main", *typed).ret == 0


@pytest.mark.parametrize("how", ["-k", "an ignored file"])
def test_outside_of_ci_a_project_may_leave_out_what_it_likes(
    gate: Project, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.delenv("CI")
    gate.write(*NARROWED[how])
    assert gate.run("--aioncall-baseline-ref", "main").ret == 0


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--collect-only", "*--collect-only*are no gate*"),
        ("--setup-plan", "*--setup-plan*are no gate*"),
        ("--aioncall-shard 1/30", "--aioncall-shard: is set by addopts*"),
        ("--aioncall-changed HEAD", "--aioncall-changed: is set by addopts*"),
        ("--aioncall-without-keys neutral", "--aioncall-without-keys: is set by addopts*"),
    ],
)
def test_options_that_decide_are_refused_in_addopts(gate: Project, option: str, said: str) -> None:
    """Nothing runs, exit 4, and a report that lay there is gone."""
    stale = gate.write(".aioncall/report.json", "{}")
    gate.write("pytest.ini", f"[pytest]\naddopts = {option}\n")
    result = gate.run("--aioncall-baseline-ref", "main")
    assert result.ret == 4
    (result.stderr if result.stderr.lines else result.stdout).fnmatch_lines([f"*{said}"])
    assert not stale.exists()


def test_another_base_in_addopts_is_refused(gate: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job says by a variable what the base is; a flag of addopts would be above it."""
    monkeypatch.setenv("AIONCALL_BASELINE_REF", "main")
    gate.write("pytest.ini", "[pytest]\naddopts = --aioncall-baseline-ref HEAD\n")
    result = gate.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*addopts or conftest.py say HEAD, and this job says main*"])


def test_a_shard_that_the_job_asks_for_is_run_as_ever(gate: Project) -> None:
    gate.app(RIGHT)
    assert gate.run("--aioncall-baseline-ref", "main", "--aioncall-shard", "1/2").ret == 0


def test_a_run_in_ci_without_a_case_leaves_no_report_of_an_earlier_one(gate: Project) -> None:
    stale = gate.write(".aioncall/report.json", "{}")
    gate.write("tests/test_it.py", "def test_it():\n    pass\n")
    assert gate.run("tests").ret == 0
    assert not stale.exists()


OWN = "import grading\ndef mine(case, output):\n    return grading.grade(case, output)\n"
GRADE = "def grade(case, output):\n    return {}\n"
HONEST = GRADE.format("1.0 if output.text == case.expected else 0.0")


@pytest.fixture
def graded(branch: Project) -> Project:
    """A branch whose base has a scorer of its own that leaves the work to another module."""
    git("checkout", "--quiet", "main")
    branch.write("own_scorers.py", OWN)
    branch.write("grading.py", HONEST)
    content = evalset()
    content["scorers"] = [{"python": {"as": "mine", "function": "own_scorers:mine"}}]
    content["gates"] = [{"scorer": "mine", "margin": 0.05}]
    del content["cases"][2]["require"]
    write(branch, content)
    assert branch.run().ret == 0
    branch.accept("by our own scorer")
    git("add", "--all")
    git("commit", "--quiet", "--message", "own scorer")
    git("checkout", "--quiet", "-B", "work")
    return branch


def test_a_weaker_module_behind_a_scorer_is_told(graded: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The scorer's own text is as it was, so its scores are compared; what it imports gives them all away."""
    graded.app(WORSE)
    graded.write("grading.py", GRADE.format("1.0"))
    _, found = run(graded)
    assert proposals(found) == ["scorer mine: code that it imports"]
    assert found["review"]["listed"] == proposals(found)
    assert found["review"]["proposals"][0]["now"].startswith("changed: grading.py")
    capsys.readouterr()
    graded.command("publish", "comment", "--dry-run")
    assert "state=open" in capsys.readouterr().out
    graded.command("gate", "--candidate", "latest", "--baseline-ref", "main")
    assert "scorer mine: code that it imports" in capsys.readouterr().out


def test_a_module_behind_a_scorer_that_is_gone_is_told(graded: Project) -> None:
    (graded.path / "grading.py").unlink()
    graded.write("grading/__init__.py", GRADE.format("1.0"))
    assert proposals(run(graded)[1]) == ["scorer mine: code that it imports"]


@pytest.mark.parametrize(
    "grading",
    [HONEST, '"""How answers are graded."""\n# by equality\n' + HONEST],
    ids=["the same", "a comment"],
)
def test_the_subject_and_comments_behind_a_scorer_are_no_proposal(graded: Project, grading: str) -> None:
    graded.write("grading.py", grading)
    graded.app(RIGHT + "\nNAME = 'other'\n")
    assert proposals(run(graded)[1]) == []
