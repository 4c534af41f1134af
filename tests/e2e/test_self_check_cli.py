"""`aioncall gate --self-check` and `--aa` as people type them: what is said, what is refused, exit codes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from eval_project import Project

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(24)}
UPPER = "def answer(text):\n    return text.upper()\n"
FLAKY = (
    "import random\nR = random.Random(7)\n"
    "def answer(text):\n    return text.upper() if R.random() < .85 else 'no'\n"
)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aioncall(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `aioncall` in the project; return exit code, stdout and stderr."""
    monkeypatch.chdir(project.path)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = project.command(*arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


def accepted(project: Project, code: str = FLAKY, **keys: Any) -> None:
    project.app(code)
    project.evalset(cases=keys.pop("cases", CASES), **keys)
    project.run()
    project.accept()


def flat(project: Project, *, cases: int = 60, epochs: int = 3) -> str:
    draw = random.Random(3)
    rows = [
        {
            "case_id": f"c{n}",
            "epoch": e,
            "scorer": "route",
            "scale": [0, 1],
            "score": int(draw.random() < 0.9),
        }
        for n in range(cases)
        for e in range(epochs)
    ]
    project.write("flat.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return "flat.jsonl"


class TestSelfCheck:
    @pytest.mark.parametrize("given", [(), ("--candidate", "latest")])
    def test_with_adaptive_epochs_the_next_command_draws_all_that_an_accept_wants(
        self, project: Project, aioncall: Run, given: tuple[str, ...]
    ) -> None:
        accepted(project, epochs={"min": 1, "max": 12})
        _, out, _ = aioncall("gate", "--self-check", "--runs", "50", *given)
        assert "--aioncall-epochs 12, then aioncall baseline accept" in out.splitlines()[-1]

    def test_it_says_the_verdict_first_then_the_table_then_the_next_command(
        self, project: Project, aioncall: Run
    ) -> None:
        accepted(project, cases=[
            {"id": k, "input": i, "expected": e, "must": [{"not_contains": "zebra"}]}
            for k, (i, e) in CASES.items()
        ])  # fmt: skip
        code, out, err = aioncall("gate", "--self-check", "demo", "--runs", "40")
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert lines[0].startswith("demo: this suite cannot be trusted to see a 5 pp drop in exact (")
        assert "24 cases x 3 against baseline" in lines[1]
        assert any(line.startswith("exact") and "5 pp:" in line and "10 pp:" in line for line in lines)
        assert any(line.startswith("false alarms: ") for line in lines)
        assert any(line.startswith("the 24 musts would ring by chance in about ") for line in lines)
        assert lines[-1].startswith("next:  write ")
        assert "evalsets/demo.eval.yaml" in lines[-1]

    def test_without_a_name_every_evalset_with_a_baseline(self, project: Project, aioncall: Run) -> None:
        project.app(UPPER)
        project.evalset("one", cases=CASES)
        project.evalset("two", cases=CASES)
        project.run()
        project.accept()
        project.evalset("three", cases=CASES)
        code, out, _ = aioncall("gate", "--self-check", "--json", "--runs", "20", "--no-plan")
        found = json.loads(out)
        assert (code, found["format"]) == (0, 1)
        assert [one["evalset"] for one in found["suites"]] == ["one", "two"]

    def test_the_json_is_documented_and_the_same_each_time(self, project: Project, aioncall: Run) -> None:
        accepted(project)
        arguments = ("gate", "--self-check", "demo", "--json", "--runs", "30")
        first, second = aioncall(*arguments)[1], aioncall(*arguments)[1]
        assert first == second
        suite = json.loads(first)["suites"][0]
        assert {"alarm_any", "alarm_any_fresh", "inconclusive_any", "powers", "plans", "runs", "seed"} <= set(
            suite
        )
        assert suite["runs"] == 30
        power, plan = suite["powers"][0], suite["plans"][0]
        assert power["simulated"] is True
        assert {"alarm", "at_margin", "at_twice", "inconclusive"} <= set(power)
        assert {"status", "cases", "epochs", "calls", "cost_usd", "power"} <= set(plan)

    def test_flat_scores_and_runs_can_be_looked_at_too(self, project: Project, aioncall: Run) -> None:
        code, out, _ = aioncall(
            "gate", "--self-check", "--candidate", flat(project), "--margin", "0.1", "--runs", "20"
        )
        assert code == 0
        assert "10 pp drop in route" in out
        accepted(project)
        for given in ("latest", "evalsets/baselines/demo.jsonl"):
            code, out, _ = aioncall("gate", "--self-check", "--candidate", given, "--runs", "20", "--no-plan")
            assert code == 0
            assert out.startswith("demo: this suite")

    def test_strict_exits_7_where_the_suite_sees_less_than_half(
        self, project: Project, aioncall: Run
    ) -> None:
        accepted(project)
        plain = ("gate", "--self-check", "demo", "--runs", "40", "--no-plan")
        assert aioncall(*plain)[0] == 0
        assert aioncall(*plain, "--strict")[0] == 7
        assert aioncall(*plain, "--strict", "--margin", "0.4")[0] == 0

    def test_a_range_of_epochs_counts_as_its_most_and_says_so(self, project: Project, aioncall: Run) -> None:
        accepted(project, epochs=2)
        project.evalset(cases=CASES, epochs={"min": 2, "max": 5})
        out = aioncall("gate", "--self-check", "demo", "--runs", "20", "--no-plan")[1]
        assert "24 cases x 5 (at most) against baseline" in out

    def test_a_scorer_that_the_baseline_does_not_have_is_a_note(
        self, project: Project, aioncall: Run
    ) -> None:
        accepted(project)
        project.evalset(
            cases=CASES,
            scorers=["exact", {"length": {"max": 9}}],
            gates=[{"scorer": "exact"}, {"scorer": "length"}],
        )
        code, out, _ = aioncall("gate", "--self-check", "demo", "--runs", "20", "--no-plan")
        assert code == 0
        assert "note: length: gated, but the baseline has no scores of it" in out

    def test_mistakes_are_one_line_with_what_to_do(self, project: Project, aioncall: Run) -> None:
        assert aioncall("gate", "--self-check")[0] == 4
        project.app(UPPER)
        project.evalset(cases=CASES)
        code, _, err = aioncall("gate", "--self-check")
        assert code == 8
        assert "does not exist" in err and "--candidate latest" in err
        code, _, err = aioncall("gate", "--self-check", "dmeo")
        assert code == 4
        assert "no evalset 'dmeo'; there is: demo" in err
        assert aioncall("gate", "--self-check", "--candidate", "missing.jsonl")[0] == 4
        assert aioncall("gate", "--self-check", "--runs", "3")[0] == 4
        code, _, err = aioncall("gate", "--self-check", "--candidate", flat(project), "--scorer", "rout")
        assert (code, "no scorer 'rout'" in err) == (4, True)

    def test_the_gate_asks_one_question_at_a_time(self, project: Project, aioncall: Run) -> None:
        code, _, err = aioncall("gate")
        assert code == 4
        assert "--candidate" in err and "--self-check" in err
        assert aioncall("gate", "--self-check", "--aa", "latest")[0] == 4
        assert aioncall("gate", "--aa", "latest", "--candidate", "latest")[0] == 4

    @pytest.mark.parametrize(
        ("arguments", "stray"),
        [
            (("--candidate", "flat.jsonl", "--runs", "50"), "--runs belongs to --self-check"),
            (("--self-check", "--report", "out"), "--report does not go with --self-check"),
            (("--aa", "flat.jsonl", "--strict"), "--strict does not go with --aa"),
            (("--aa", "flat.jsonl", "--no-plan"), "--no-plan does not go with --aa"),
            (
                ("--self-check", "--candidate", "flat.jsonl", "flat.jsonl"),
                "looks at one suite, and 2 are given",
            ),
        ],
    )
    def test_no_option_is_passed_over(
        self, project: Project, aioncall: Run, arguments: tuple[str, ...], stray: str
    ) -> None:
        flat(project)
        code, _, err = aioncall("gate", *arguments)
        assert (code, stray in err) == (4, True), err


class TestAa:
    def test_a_still_instrument_holds_and_exits_0(self, project: Project, aioncall: Run) -> None:
        project.app(FLAKY)
        project.evalset(cases=CASES, epochs=6)
        project.run()
        code, out, _ = aioncall("gate", "--aa", "latest")
        assert code == 0
        assert out.startswith("instrument HOLDS   demo: ")
        assert "20 comparisons" in out

    def test_a_target_that_tires_has_moved_and_exits_1(self, project: Project, aioncall: Run) -> None:
        project.app(
            "from collections import Counter\nN = Counter()\n"
            "def answer(text):\n    N[text] += 1\n    return text.upper() if N[text] <= 3 else 'no'\n"
        )
        project.evalset(cases=CASES, epochs=6, concurrency=1)
        project.run()
        code, out, _ = aioncall("gate", "--aa", "latest")
        assert code == 1
        assert out.startswith("instrument MOVED   demo: the later epochs of exact differ")
        assert out.splitlines()[-1].startswith("next:  pytest --aioncall evalsets/demo.eval.yaml")

    def test_too_few_epochs_name_the_command_and_exit_7(self, project: Project, aioncall: Run) -> None:
        project.app(UPPER)
        project.evalset(cases=CASES)
        project.run()
        code, out, _ = aioncall("gate", "--aa", "latest")
        assert code == 7
        assert "a run of 3 epochs cannot be split" in out
        assert "pytest --aioncall evalsets/demo.eval.yaml --aioncall-epochs 6" in out

    def test_two_runs_of_one_subject_are_compared(self, project: Project, aioncall: Run) -> None:
        project.app(FLAKY)
        project.evalset(cases=CASES)
        project.run()
        project.run()
        first, second = (folder.name for folder in project.run_folders())
        code, out, _ = aioncall("gate", "--aa", first, "--aa", second, "--json")
        found = json.loads(out)
        assert (found["mode"], found["exit_code"], found["runs"]) == ("pair", code, [first, second])
        assert len(found["judgements"]) == 2

    def test_another_subject_is_refused_by_name(self, project: Project, aioncall: Run) -> None:
        project.app(UPPER)
        project.evalset(cases=CASES)
        project.run()
        project.evalset(cases=CASES, subject={"labels": {"index": "kb-2"}})
        project.run()
        first, second = (folder.name for folder in project.run_folders())
        code, _, err = aioncall("gate", "--aa", first, "--aa", second)
        assert code == 4
        assert "no A/A pair, they differ in label index: none -> kb-2" in err
        assert "aioncall gate --baseline" in err
        assert aioncall("gate", "--aa", first, "--aa", first)[0] == 4
        assert aioncall("gate", "--aa", first, "--aa", first, "--aa", second)[0] == 4
        assert aioncall("gate", "--aa", "no-such-run")[0] == 4

    def test_flat_scores_are_split_but_make_no_pair(self, project: Project, aioncall: Run) -> None:
        name = flat(project, cases=30, epochs=6)
        assert aioncall("gate", "--aa", name)[0] == 0
        found = json.loads(aioncall("gate", "--aa", name, "--json", "--alpha", "0.01", "--margin", "0.2")[1])
        assert (found["alpha"], found["mode"]) == (0.01, "split")
        code, _, err = aioncall("gate", "--aa", name, "--aa", name)
        assert code == 4
        assert "have to be runs" in err


def test_accepting_says_what_the_suite_sees_and_how_often_its_musts_ring(
    project: Project, aioncall: Run
) -> None:
    project.app(FLAKY)
    project.evalset(cases=[
        {"id": name, "input": asked, "expected": wanted, "must": [{"not_contains": "zebra"}]}
        for name, (asked, wanted) in CASES.items()
    ])  # fmt: skip
    project.run()
    code, out, _ = aioncall("baseline", "accept", "--by", "ann", "--reason", "first")
    assert code == 0
    assert "  this suite sees a 5 pp drop in exact with " in out
    assert "  the 24 musts would ring by chance in about " in out


def test_the_end_of_a_run_and_the_gate_say_what_the_suite_sees(project: Project, aioncall: Run) -> None:
    accepted(project)
    project.run().stdout.fnmatch_lines(["this suite sees a 5 pp drop in exact with *%"])
    assert "this suite sees a 5 pp drop in exact with " in aioncall("gate", "--candidate", "latest")[1]
    assert project.report()["evalsets"][0]["judgement"]["powers"][0]["at_margin"] is not None
