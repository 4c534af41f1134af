"""`aioncall gate` judges runs, baselines and anybody's scores, exactly as pytest judges its own runs."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from eval_project import Project

JUDGEMENT_KEYS = {
    "format", "evalset", "status", "exit_code", "summary", "verdicts", "metrics", "floors", "worst",
    "newly_failing", "newly_failing_scores", "newly_failing_expected", "coverage", "errors_rate", "notes",
}  # fmt: skip
VERDICT_KEYS = {
    "scorer", "slice", "status", "gating", "claim", "reason", "baseline", "candidate", "difference", "ci",
    "p", "p_adjusted", "margin", "n_cases", "n_clusters", "mde", "needed",
}  # fmt: skip
COVERAGE_KEYS = {"cases", "compared", "planned", "judged", "errors", "new", "removed", "changed"}
METRIC_KEYS = {"metric", "status", "gating", "baseline", "candidate", "ratio", "ci", "p", "n_cases"}
UPPER = "def answer(text):\n    return text.upper()\n"
CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(12)}

Gate = Callable[..., tuple[int, dict[str, Any]]]
Row = dict[str, Any]


@pytest.fixture
def gate(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Run `aioncall gate --json` in the project; return its exit code and its one object."""
    monkeypatch.chdir(project.path)

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = project.command("gate", "--json", *arguments)
        captured = capsys.readouterr()
        assert not captured.err, captured.err
        found = json.loads(captured.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert captured.out.count("\n") == 1
        assert found["exit_code"] == code
        return code, found

    return run


@pytest.fixture
def refuse(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run `aioncall gate` that has to be refused with exit 4; return the message."""
    monkeypatch.chdir(project.path)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert project.command("gate", *arguments) == 4
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert captured.out == ""
        return captured.err

    return run


def flat(score: float | None, *, case: str, epoch: int = 0, **more: Any) -> Row:
    return {"case_id": case, "epoch": epoch, "scorer": "route", "scale": [0, 1], "score": score, **more}


def rows(scores: Iterable[float], *, epochs: int = 3, **more: Any) -> list[Row]:
    return [
        flat(score, case=f"c{n:03}", epoch=epoch, **more)
        for n, score in enumerate(scores)
        for epoch in range(epochs)
    ]


def write(project: Project, name: str, found: Iterable[Row]) -> str:
    project.write(name, "".join(json.dumps(row) + "\n" for row in found))
    return name


def both(project: Project, old: Iterable[Row], new: Iterable[Row]) -> tuple[str, ...]:
    return ("--baseline", write(project, "old.jsonl", old), "--candidate", write(project, "new.jsonl", new))


def test_the_json_is_what_the_formats_say(project: Project, gate: Gate) -> None:
    slices = {"slices": {"persona": "free"}}
    old = rows([1] * 30, **slices)
    _, found = gate(*both(project, old, rows([1] * 26 + [0] * 4, **slices)), "--slices", "persona")
    assert found.keys() >= JUDGEMENT_KEYS
    assert len(found["verdicts"]) == 2
    for verdict in found["verdicts"]:
        assert verdict.keys() >= VERDICT_KEYS
    assert [v["slice"] for v in found["verdicts"]] == [None, {"persona": "free"}]
    assert found["coverage"].keys() == COVERAGE_KEYS
    assert found["metrics"] == [] or found["metrics"][0].keys() >= METRIC_KEYS
    assert not {m["metric"] for m in found["metrics"]} & {v["scorer"] for v in found["verdicts"]}
    overall = found["verdicts"][0]
    assert (overall["baseline"], overall["candidate"]) == (1.0, pytest.approx(26 / 30))
    assert overall["difference"] == pytest.approx(-4 / 30)
    assert overall["ci"][0] < overall["difference"] < overall["ci"][1]
    assert found["coverage"]["planned"] == found["coverage"]["judged"] == 90


@pytest.mark.parametrize(
    ("new", "code", "status"),
    [
        (rows([1] * 150), 0, "pass"),
        (rows([1] * 20), 0, "inconclusive"),
        (rows([0] * 75 + [1] * 75), 1, "regressed"),
        ([flat(None, case=f"c{n:03}", epoch=e, error="503") for n in range(150) for e in range(3)], 7, None),
    ],
)
def test_exit_codes_follow_the_status(
    project: Project, gate: Gate, new: list[Row], code: int, status: str | None
) -> None:
    found_code, found = gate(*both(project, rows([1] * 150), new))
    assert found_code == code
    assert found["status"] == (status or "cannot_judge")


def test_a_required_baseline_that_is_not_there_is_exit_8(project: Project, gate: Gate) -> None:
    code, _ = gate("--candidate", write(project, "new.jsonl", rows([1] * 5)), "--require-baseline")
    assert code == 8
    code, found = gate("--candidate", "new.jsonl")
    assert code == 0
    assert found["verdicts"][0]["reason"] == "nothing_to_compare"


def test_epoch_cluster_and_slices_may_be_left_out(project: Project, gate: Gate) -> None:
    bare = [{"case_id": f"c{n}", "scorer": "route", "scale": [0, 1], "score": 1} for n in range(20)]
    code, found = gate(*both(project, bare, bare))
    assert code == 0
    assert found["verdicts"][0]["n_cases"] == found["verdicts"][0]["n_clusters"] == 20


def test_clusters_count_as_one_voice(project: Project, gate: Gate) -> None:
    def clustered(scores: list[int]) -> list[Row]:
        return [flat(s, case=f"c{n:03}", cluster=f"doc-{n // 10}") for n, s in enumerate(scores)]

    _, found = gate(*both(project, clustered([1] * 40), clustered([1] * 30 + [0] * 10)))
    assert (found["verdicts"][0]["n_cases"], found["verdicts"][0]["n_clusters"]) == (40, 4)


def test_unscored_rows_are_planned_and_not_judged(project: Project, gate: Gate) -> None:
    new = rows([1] * 50)
    new[0] = flat(None, case="c000", error="timeout")
    _, found = gate(*both(project, rows([1] * 50), new))
    coverage = found["coverage"]
    assert (coverage["planned"], coverage["judged"], coverage["errors"]) == (150, 149, 1)
    assert found["verdicts"][0]["candidate"] == 1.0


def test_several_candidates_are_shards_of_one_run(project: Project, gate: Gate) -> None:
    old, new = rows([1] * 30), rows([1] * 25 + [0] * 5)
    _, whole = gate(*both(project, old, new))
    first = write(project, "shard-1.jsonl", [r for r in new if int(r["case_id"][1:]) % 2])
    second = write(project, "shard-2.jsonl", [r for r in new if not int(r["case_id"][1:]) % 2])
    _, joined = gate("--baseline", "old.jsonl", "--candidate", first, second)
    assert joined["verdicts"] == whole["verdicts"]
    assert joined["coverage"] == whole["coverage"]


def test_a_case_in_two_shards_is_refused_by_name(project: Project, refuse: Callable[..., str]) -> None:
    name = write(project, "new.jsonl", rows([1] * 3))
    assert "c000" in refuse("--baseline", name, "--candidate", name, name)


def test_pairing_is_by_case_and_never_by_position(project: Project, gate: Gate) -> None:
    old, new = rows([1] * 20 + [0] * 10), rows([1] * 20 + [0] * 10)
    _, straight = gate(*both(project, old, new))
    random.Random(1).shuffle(new)
    _, shuffled = gate(*both(project, old, new))
    assert shuffled == straight


def test_margin_alpha_and_scorer_change_what_is_judged(project: Project, gate: Gate) -> None:
    other = [{**row, "scorer": "tone"} for row in rows([1] * 40)]
    sides = both(project, rows([1] * 40) + other, rows([1] * 35 + [0] * 5) + other)
    code, found = gate(*sides)
    assert (code, {v["scorer"] for v in found["verdicts"]}) == (1, {"route", "tone"})
    code, found = gate(*sides, "--scorer", "tone")
    assert (code, {v["scorer"] for v in found["verdicts"]}) == (0, {"tone"})
    code, found = gate(*sides, "--margin", "0.4")
    assert code == 0
    assert {v["margin"] for v in found["verdicts"]} == {0.4}
    code, found = gate(*sides, "--alpha", "1e-9")
    assert found["verdicts"][0]["status"] != "regressed"


def test_one_evalset_is_picked_from_a_file_of_several(
    project: Project, gate: Gate, refuse: Callable[..., str]
) -> None:
    mixed = [{**r, "evalset": "a"} for r in rows([1] * 9)] + [{**r, "evalset": "b"} for r in rows([0] * 9)]
    sides = both(project, mixed, mixed)
    assert "several evalsets" in refuse(*sides)
    _, found = gate(*sides, "--evalset", "b")
    assert found["verdicts"][0]["candidate"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scorer", "rotue"], "route"),
        (["--slices", "persna"], "persona"),
        (["--margin", "much"], "margin"),
        (["--alpha", "2"], "alpha"),
    ],
)
def test_an_unknown_name_or_value_is_told_with_what_is_known(
    project: Project, refuse: Callable[..., str], arguments: list[str], told: str
) -> None:
    found = rows([1] * 5, slices={"persona": "free"})
    message = refuse(*both(project, found, found), *arguments)
    assert told in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no score"),
        ('{"case_id": "a", "scorer": "s", "scale": [0, 1], "sco', "not valid JSON"),
        ('{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": NaN}', "NaN"),
        ('{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": 1e999}', "too large"),
        ('{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": ' + "9" * 5000 + "}", "digits"),
        ('{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": 7}', "outside the scale"),
        ('{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": null}', "null needs an error"),
        ('{"case_id": "a", "scorer": "s", "scale": [1, 0], "score": 1}', "scale"),
        ('{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": 1}\n' * 2, "stands in line 1 already"),
        ('{"case_id": "a", "scoer": "s", "scale": [0, 1], "score": 1}', "did you mean 'scorer'"),
        ("[1, 2, 3]", "mapping"),
        ("\x00\x01\x02", "not valid JSON"),
        ("[" * 100_000, "deep"),
    ],
)
def test_a_hostile_file_is_one_clear_line(
    project: Project, refuse: Callable[..., str], text: str, told: str
) -> None:
    write(project, "old.jsonl", rows([1] * 3))
    (project.path / "new.jsonl").write_text(text)
    message = refuse("--baseline", "old.jsonl", "--candidate", "new.jsonl")
    assert told in message
    assert message.startswith("new.jsonl")
    assert len(message) < 1000


@pytest.mark.parametrize("name", ["nowhere.jsonl", "nowhere", "."])
def test_a_candidate_that_is_not_there_is_named(refuse: Callable[..., str], name: str) -> None:
    message = refuse("--candidate", name)
    assert name in message
    assert "no such file, run folder or run" in message or "no run yet" in message


def test_runs_are_named_by_id_folder_file_or_latest(project: Project, gate: Gate) -> None:
    project.app(UPPER)
    project.evalset(cases=CASES)
    project.run()
    project.accept()
    project.app("def answer(text):\n    return text.upper() if text > 'q3' else 'no'\n")
    project.run()
    folder = project.run_folders()[-1]
    names = ["latest", folder.name, str(folder), str(folder / "run.json")]
    found = [gate("--candidate", name) for name in names]
    assert {code for code, _ in found} == {1}
    assert all(one == found[0] for one in found)
    baseline = "evalsets/baselines/demo.jsonl"
    assert gate("--baseline", baseline, "--candidate", "latest")[1]["verdicts"] == found[0][1]["verdicts"]
    first = project.run_folders()[0].name
    assert gate("--baseline", first, "--candidate", "latest")[1]["verdicts"] == found[0][1]["verdicts"]
    code, back = gate("--baseline", "latest", "--candidate", baseline)
    assert code == 0
    assert back["verdicts"][0]["difference"] == -found[0][1]["verdicts"][0]["difference"]


@pytest.mark.parametrize("worse", ["", "q3", "q9"])
def test_the_command_decides_as_pytest_did(project: Project, gate: Gate, worse: str) -> None:
    project.app(UPPER)
    cases = [
        {"id": k, "input": i, "expected": e, "slices": {"half": "old" if i < "q5" else "new"}}
        for k, (i, e) in CASES.items()
    ]
    cases[0]["must"] = [{"not_contains": "sue"}]
    gates = [{"scorer": "exact", "slices": ["half"], "min": 0.2, "margin": 0.02}]
    project.evalset(cases=cases, gates=gates)
    project.run()
    project.accept()
    project.app(f"def answer(text):\n    return 'no' if text <= {worse!r} else text.upper()\n")
    result = project.run()
    by_pytest = project.report()["evalsets"][0]["judgement"]
    code, by_command = gate("--candidate", "latest")
    assert code == result.ret
    for moved in (*by_pytest["worst"], *by_command["worst"]):
        moved.pop("why")  # told by the samples, which pytest has at hand
    assert by_command == by_pytest


def test_a_partial_run_is_not_judged(project: Project, refuse: Callable[..., str]) -> None:
    project.app(UPPER)
    project.evalset(cases=CASES)
    project.run("-k", "case-01")
    assert "11 cases of demo are in no candidate" in refuse("--candidate", "latest")


def test_a_run_of_several_evalsets_is_judged_evalset_by_evalset(project: Project, gate: Gate) -> None:
    project.app(UPPER)
    project.evalset("one")
    project.evalset("two")
    project.run()
    code, found = gate("--candidate", "latest")
    assert code == 0
    assert found.keys() == {"format", "status", "exit_code", "evalsets"}
    assert [one["evalset"] for one in found["evalsets"]] == ["one", "two"]
    assert gate("--candidate", "latest", "--evalset", "two")[1] == found["evalsets"][1]


def test_the_worst_of_several_evalsets_is_the_exit_code(
    project: Project, gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    project.app(UPPER)
    project.evalset("one", cases=CASES)
    project.evalset("two", cases=CASES)
    project.run()
    project.accept()
    project.evalset("two", cases=CASES, target={"python": "app:worse"})
    project.app(UPPER + "def worse(text):\n    return 'no'\n")
    project.run()
    code, found = gate("--candidate", "latest")
    assert (code, found["status"]) == (1, "regressed")
    assert [one["exit_code"] for one in found["evalsets"]] == [0, 1]
    assert project.command("gate", "--candidate", "latest") == 1
    assert capsys.readouterr().out.splitlines()[-2] == "2 evalsets: 1 regressed, 1 pass (exit 1)"


def test_one_baseline_for_several_evalsets_asks_which(
    project: Project, gate: Gate, refuse: Callable[..., str]
) -> None:
    project.app(UPPER)
    project.evalset("one")
    project.evalset("two")
    project.run()
    assert "one, two" in refuse("--candidate", "latest", "--baseline", "latest")
    assert gate("--candidate", "latest", "--baseline", "latest", "--evalset", "two")[1]["evalset"] == "two"


@pytest.mark.parametrize("damage", ["truncated", "torn", "format", "gone"])
def test_a_damaged_run_folder_is_one_clear_line(
    project: Project, gate: Gate, refuse: Callable[..., str], damage: str
) -> None:
    project.app(UPPER)
    project.evalset(cases=CASES)
    project.run()
    folder = project.run_folders()[-1]
    copy = project.path / "copy"
    shutil.copytree(folder, copy)
    samples = copy / "samples.jsonl"
    lines = samples.read_bytes().splitlines(keepends=True)
    if damage == "truncated":
        (copy / "run.json").write_text((copy / "run.json").read_text()[:200])
    elif damage == "torn":
        samples.write_bytes(b"".join(lines[:5]) + b'{"broken": 1}\n' + b"".join(lines[5:]))
    elif damage == "format":
        (copy / "run.json").write_text('{"format": 2}')
    else:
        samples.unlink()
    message = refuse("--candidate", "copy")
    assert message.count("\n") == 1
    assert "copy/" in message


def test_people_read_the_verdict_and_its_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.path)
    assert project.command("gate", *both(project, rows([1] * 30), rows([1] * 20 + [0] * 10))) == 1
    said = capsys.readouterr().out
    assert "gate REGRESSED" in said
    assert "100.0 % -> 66.7 %" in said
    assert "90/90 judged, 0 errors" in said


def test_the_page_of_a_run_folder_says_what_the_run_knows(project: Project, gate: Gate) -> None:
    """Its id, its owner, how it was measured, what it took, and what each case asks."""
    project.app(UPPER)
    project.evalset(cases=CASES, owner="@ann")
    project.run()
    project.accept()
    project.app("def answer(text):\n    return text.upper() if text > 'q3' else 'no'\n")
    project.run()
    by_pytest = project.report()
    gate("--candidate", "latest", "--report", "page")
    found = json.loads((project.path / "page" / "report.json").read_text(encoding="utf-8"))
    told, known = found["run"], by_pytest["run"]
    for name in ("id", "created_at", "commit", "dirty", "versions", "fingerprint"):
        assert told[name] == known[name], name
    assert told["totals"]["wall_s"] == known["totals"]["wall_s"]
    (mine,), (theirs,) = found["evalsets"], by_pytest["evalsets"]
    assert mine["planned"]["owner"] == "@ann"
    assert mine["planned"]["fingerprint"] == theirs["planned"]["fingerprint"]
    asked = [(case["case"], case["input"], case["expected"]) for case in mine["cases"]]
    assert asked == [(case["case"], case["input"], case["expected"]) for case in theirs["cases"]]
    assert all(question for _, question, _ in asked)


def test_a_case_that_asks_something_else_by_now_is_shown_without_a_question(
    project: Project, gate: Gate
) -> None:
    project.app(UPPER)
    project.evalset(cases=CASES)
    project.run()
    project.evalset(cases={**CASES, "case-03": ("another question", "Q3")})
    gate("--candidate", "latest", "--report", "page")
    (evalset,) = json.loads((project.path / "page" / "report.json").read_text(encoding="utf-8"))["evalsets"]
    asked = {case["case"]: case["input"] for case in evalset["cases"]}
    assert asked["case-03"] is None
    assert asked["case-02"] is not None
