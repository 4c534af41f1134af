"""Gates are tests to pytest: counted, in JUnit, failed when regressed, skipped when they cannot decide."""

from __future__ import annotations

from xml.etree import ElementTree

from eval_project import Project

CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(10)}


def test_gates_stand_in_junit_with_their_verdicts(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.run()
    project.accept()
    project.app("def answer(text):\n    return 'no' if text < 'q5' else text.upper()\n")
    result = project.run("--junitxml=junit.xml", "-rA")
    assert result.ret == 1
    suite = ElementTree.parse(project.path / "junit.xml").getroot()[0]
    assert suite.get("failures") == "1"
    assert suite.get("tests") == "11"
    gate = next(case for case in suite if case.get("name") == "gate[exact]")
    failure = gate.find("failure")
    assert failure is not None
    assert "REGRESSED" in (failure.get("message") or "") + (failure.text or "")
    result.stdout.fnmatch_lines(["*FAILED evalsets/demo.eval.yaml::gate[[]exact[]]*"])


def test_without_a_baseline_the_gate_is_skipped_and_says_the_next_command(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    result = project.run("-rs")
    assert result.ret == 0
    result.assert_outcomes(passed=10, skipped=1)
    assert "aioncall baseline accept demo --reason" in result.stdout.str()


def test_strict_makes_an_inconclusive_gate_exit_7(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper() + ' one'\n")
    project.evalset(cases=CASES, scorers=["contains"])
    project.run()
    project.accept()
    project.app("def answer(text):\n    return text.upper() + ' two, longer'\n")
    assert project.run().ret == 0
    assert project.run("--aioncall-strict").ret == 7


def test_an_ordinary_failing_test_beside_evals_is_exit_1(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.write("test_ordinary.py", "def test_ordinary():\n    assert 0\n")
    assert project.run().ret == 1


def test_a_broken_must_is_red_without_any_baseline_and_names_its_reason(project: Project) -> None:
    project.app("def answer(text):\n    return 'you should sue'\n")
    project.evalset(cases=[{"id": "no-advice", "input": "x", "must": [{"not_contains": "you should sue"}]}])
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*must*not_contains*0/3*"])
    assert "no-advice" in result.stdout.str()


def test_require_takes_any_scorer_in_k_of_n_epochs(project: Project) -> None:
    project.app(
        "import itertools\ncount = itertools.count()\n"
        "def answer(text):\n    return 'A' if next(count) % 3 else 'x'\n"
    )
    case = {"id": "a", "input": "a", "expected": "A", "require": [{"scorer": "exact", "in": "2/3"}]}
    project.evalset(cases=[case], concurrency=1)
    assert project.run().ret == 0
    case["require"] = [{"scorer": "exact", "in": "3/3"}]
    project.evalset(cases=[case], concurrency=1)
    assert project.run().ret == 1


def test_new_removed_and_changed_cases_are_said_by_name(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.run()
    project.accept()
    changed = {k: v for k, v in CASES.items() if k != "case-0"} | {
        "case-1": ("zz", "ZZ"),
        "extra": ("e", "E"),
    }
    project.evalset(cases=changed)
    result = project.run()
    assert result.ret == 0
    coverage = project.report()["evalsets"][0]["judgement"]["coverage"]
    assert (coverage["new"], coverage["removed"], coverage["changed"]) == (["extra"], ["case-0"], ["case-1"])
    for name in ("extra", "case-0", "case-1"):
        assert name in result.stdout.str()


def test_a_gate_on_a_slice_names_the_cases_of_its_slice_only(project: Project) -> None:
    def case(n: int) -> dict[str, object]:
        shape = "long" if n < 12 else "short"
        return {
            "id": f"case-{n:02d}",
            "input": f"q{n:02d}",
            "expected": f"Q{n:02d}",
            "slices": {"shape": shape},
        }

    project.app("def answer(text):\n    return text.upper()\n")
    gates = [{"scorer": "exact", "slices": ["shape"]}]
    project.evalset(cases=[case(n) for n in range(24)], gates=gates)
    project.run()
    project.accept()
    broken = ("q00", "q01", "q02", "q03", "q04", "q05", "q20")
    project.app(f"def answer(text):\n    return 'no' if text in {broken!r} else text.upper()\n")
    result = project.run("--junitxml=junit.xml")
    assert result.ret == 1
    suite = ElementTree.parse(project.path / "junit.xml").getroot()[0]
    told = {
        name: (failure.text or "")
        for found in suite
        if (name := found.get("name") or "").startswith("gate[")
        and (failure := found.find("failure")) is not None
    }
    assert {"gate[exact]", "gate[exact shape=long]"} <= set(told)
    assert "case-20: 3/3 -> 0/3" in told["gate[exact]"]
    assert "case-05: 3/3 -> 0/3" in told["gate[exact shape=long]"]
    assert "case-20" not in told["gate[exact shape=long]"]
    assert "worst: " in result.stdout.str()
