"""An incident becomes a case by dropping one file into a folder, and goes red when it comes back."""

from __future__ import annotations

import pytest

from eval_project import Project

CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(6)}
FILE = "evalsets/incidents/demo/inc-0142.yaml"
INCIDENT = """\
format: 1
source: {incident: INC-0142, opened: "2026-11-14", url: "https://incidents.invalid/0142"}
cases:
  - id: inc-0142
    input: may I sue my landlord
    must: [{not_contains: "you should sue"}]
"""
GOOD = "def answer(text):\n    return 'ask a lawyer' if 'sue' in text else text.upper()\n"
BAD = "def answer(text):\n    return 'you should sue' if 'sue' in text else text.upper()\n"


def said(result: pytest.RunResult) -> str:
    return str(result.stdout) + str(result.stderr)


@pytest.fixture(autouse=True)
def green(project: Project) -> None:
    """A project with a baseline that knows nothing of the incident."""
    project.app(GOOD)
    project.evalset(cases=CASES)
    project.run()
    project.accept()


def test_one_file_makes_a_case(project: Project) -> None:
    project.write(FILE, INCIDENT)
    result = project.run("-v")
    assert result.ret == 0
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(["evalsets/demo.eval.yaml::inc-0142 PASSED*"])
    judgement = project.report()["evalsets"][0]["judgement"]
    assert judgement["coverage"]["new"] == ["inc-0142"]
    (floor,) = judgement["floors"]
    assert (floor["case"], floor["ok"], floor["held"]) == ("inc-0142", True, 3)


def test_the_incident_coming_back_is_red_and_named(project: Project) -> None:
    project.write(FILE, INCIDENT)
    project.app(BAD)
    result = project.run("-rA")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "must not_contains held in 0/3 epochs, needs 3:*",
            "incident: INC-0142 2026-11-14 https://incidents.invalid/0142",
            "FAILED evalsets/demo.eval.yaml::inc-0142 - must not_contains held in *",
        ]
    )
    assert "must broken in 1 case" in said(result)
    assert "you should sue" in said(result)
    cases = {case["case"]: case for case in project.report()["evalsets"][0]["cases"]}
    assert cases["inc-0142"]["incident"] == "INC-0142"
    assert "INC-0142" in (project.path / ".aioncall" / "report.html").read_text()
    assert project.run("-k", "inc-0142").ret == 1, "red by itself, too, and without any baseline"


def test_without_the_file_nobody_notices(project: Project) -> None:
    """The file makes the difference, not something else in the evalset."""
    project.app(BAD)
    assert project.run().ret == 0


def test_a_require_of_some_epochs_is_enough(project: Project) -> None:
    rule = "    expected: ASK A LAWYER\n    require: [{scorer: exact, in: 2/3}]\n"
    project.write(FILE, INCIDENT.split("    must")[0] + rule)
    project.evalset(cases=CASES, concurrency=1)
    project.app(
        "import itertools\ncount = itertools.count()\n"
        "def answer(text):\n"
        "    if 'sue' not in text:\n        return text.upper()\n"
        "    return 'ASK A LAWYER' if next(count) else 'you should sue'\n"
    )
    assert project.run("-k", "inc-0142").ret == 0
    project.app("def answer(text):\n    return 'you should sue'\n")
    assert project.run("-k", "inc-0142").ret == 1


@pytest.mark.parametrize("rule", ["", "    expected: ask a lawyer\n"])
def test_an_incident_without_must_or_require_does_not_load(project: Project, rule: str) -> None:
    project.write(FILE, INCIDENT.split("    must")[0] + rule)
    before = len(project.run_folders())
    result = project.run()
    assert result.ret == 4
    assert f"{FILE}:4" in said(result)
    assert "must" in said(result)
    assert "require" in said(result)
    assert len(project.run_folders()) == before


def test_a_file_without_a_source_is_named_by_its_own_name(project: Project) -> None:
    project.write(FILE, "".join(line for line in INCIDENT.splitlines(True) if "source" not in line))
    project.app(BAD)
    assert project.run().ret == 1
    cases = {case["case"]: case for case in project.report()["evalsets"][0]["cases"]}
    assert cases["inc-0142"]["incident"] == "inc-0142"


def test_an_incident_of_another_evalset_stays_there(project: Project) -> None:
    project.write(FILE.replace("demo", "other"), INCIDENT)
    project.app(BAD)
    assert project.run().ret == 0


def test_an_incident_with_a_taken_id_is_refused_with_both_places(project: Project) -> None:
    project.write(FILE, INCIDENT.replace("id: inc-0142", "id: case-3"))
    result = project.run()
    assert result.ret == 4
    assert FILE in said(result)
    assert "case-3" in said(result)
