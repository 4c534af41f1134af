"""`aioncall gate --from TOOL A B` gives other tools' results the verdict and the page of our own runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall import cli
from pytest_aioncall.adapters.results import zipped
from pytest_aioncall.flows.imports import ImportRequest, import_sides
from result_files import FOLDER, TOOLS, Tool, changed, flat_rows

ALL = pytest.mark.parametrize("tool", TOOLS, ids=str)
# One or two bad samples of 27 or of 42 are above the default limit of 2 %.
BEARABLE = ("--max-error-rate", "0.1")
Found = tuple[int, dict[str, Any]]


@pytest.fixture(autouse=True)
def _outside_of_any_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def gate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Found]:
    """Run `aioncall gate --json`; return its exit code and its one object."""

    def run(*arguments: object) -> Found:
        capsys.readouterr()
        code = cli.main(["gate", "--json", *map(str, arguments)])
        captured = capsys.readouterr()
        assert not captured.err, captured.err
        found = json.loads(captured.out)
        assert found["exit_code"] == code
        return code, found

    return run


@pytest.fixture
def refuse(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run `aioncall gate` that has to be refused with exit 4; return its message."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        assert cli.main(["gate", *map(str, arguments)]) == 4
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        return captured.err.strip()

    return run


def row(found: dict[str, Any], scorer: str, where: dict[str, str] | None = None) -> dict[str, Any]:
    (one,) = [v for v in found["verdicts"] if v["scorer"] == scorer and v["slice"] == where]
    return dict(one)


@ALL
def test_an_unchanged_rerun_is_not_red(tool: Tool, gate: Callable[..., Found]) -> None:
    code, found = gate("--from", tool.name, tool.base, tool.same, *BEARABLE)
    assert code == 0
    assert {v["status"] for v in found["verdicts"]} <= {"pass", "inconclusive"}
    assert {v["scorer"] for v in found["verdicts"]} == tool.scorers


@ALL
def test_a_worse_prompt_is_red_in_the_score_that_it_hurts(tool: Tool, gate: Callable[..., Found]) -> None:
    code, found = gate("--from", tool.name, tool.base, tool.worse, *BEARABLE)
    assert (code, found["status"]) == (1, "regressed")
    hurt = row(found, tool.truth)
    assert hurt["status"] == "regressed"
    assert hurt["difference"] < -0.3
    assert hurt["n_cases"] == tool.cases
    code, _ = gate("--from", tool.name, tool.worse, tool.base, "--scorer", tool.truth, *BEARABLE)
    assert code == 0


@ALL
def test_errors_are_counted_and_are_no_scores(tool: Tool, gate: Callable[..., Found]) -> None:
    _, found = gate("--from", tool.name, tool.base, tool.same, *BEARABLE)
    coverage = found["coverage"]
    assert (coverage["planned"], coverage["judged"], coverage["errors"]) == (
        3 * tool.cases,
        3 * tool.cases - 1,
        1,
    )
    assert any("candidate: " in note and "1 sample without an output" in note for note in found["notes"])
    code, found = gate("--from", tool.name, tool.base, tool.same, "--max-error-rate", 0)
    assert (code, found["status"]) == (7, "cannot_judge")
    assert found["notes"][-1].startswith(
        "mend the errors and run again; if they are known and bearable: --max-err"
    )


@ALL
def test_slices_are_judged_and_point_at_the_fault(tool: Tool, gate: Callable[..., Found]) -> None:
    sides = (tool.base, tool.worse, "--slices", "persona", "--scorer", tool.truth)
    _, found = gate("--from", tool.name, *sides, *BEARABLE)
    business = row(found, tool.truth, {"persona": "business"})
    free = row(found, tool.truth, {"persona": "free"})
    assert business["difference"] < -0.5
    assert abs(free["difference"]) < 0.1


@ALL
@pytest.mark.parametrize("run", ["same", "worse"])
def test_the_verdict_is_the_one_of_the_same_scores_as_flat_rows(
    tool: Tool, run: str, gate: Callable[..., Found], tmp_path: Path
) -> None:
    new = getattr(tool, run)
    sides = import_sides(ImportRequest(tool.name, (str(tool.base),), (str(new),)))
    (tmp_path / "a.jsonl").write_text(flat_rows(sides.baseline.side), encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(flat_rows(sides.candidate.side), encoding="utf-8")
    options = ("--slices", "persona", *BEARABLE)
    code, found = gate("--from", tool.name, tool.base, new, *options)
    flat_code, flat = gate("--baseline", "a.jsonl", "--candidate", "b.jsonl", *options)
    assert (code, found["status"]) == (flat_code, flat["status"])
    by_name = {(v["scorer"], str(v["slice"])): v for v in flat["verdicts"]}
    assert len(by_name) == len(found["verdicts"])
    for verdict in found["verdicts"]:
        assert verdict == by_name[verdict["scorer"], str(verdict["slice"])]


@ALL
def test_the_report_shows_cases_with_both_answers(tool: Tool, tmp_path: Path) -> None:
    arguments = ["gate", "--from", tool.name, str(tool.base), str(tool.worse), "--report", "page", *BEARABLE]
    assert cli.main(arguments) == 1
    report = json.loads((tmp_path / "page" / "report.json").read_text(encoding="utf-8"))
    page = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    assert "Regressed" in page
    assert "pytest --aioncall" not in page
    (evalset,) = report["evalsets"]
    assert len(evalset["cases"]) == tool.cases
    assert {case["status"] for case in evalset["cases"]} & {"newly_failing", "worse"}
    if tool.name != "junit":
        case = evalset["cases"][0]
        assert case["input"]
        assert case["now"][0]["text"]
        assert case["was_text"][0]


def test_what_is_printed_starts_with_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    base, worse = FOLDER / "deepeval" / "base", FOLDER / "deepeval" / "worse"
    assert cli.main(["gate", "--from", "deepeval", str(base), str(worse)]) == 1
    first, worst, *rest = capsys.readouterr().out.splitlines()
    assert worst.startswith("  worst cases: ")
    assert rest[-1] == "next: add --report DIR for a page with every case, its answers and its scores"
    assert first.startswith("gate REGRESSED   Route dropped: 96.3 % -> 55.6 %")
    assert (
        "  baseline: 3 files of deepeval, 18 cases x 3 epochs, 1 sample without an output, 1 score missing"
        in rest
    )


def test_files_of_one_side_are_epochs_and_copies_are_refused(
    gate: Callable[..., Found], refuse: Callable[..., str], tmp_path: Path
) -> None:
    base = FOLDER / "junit" / "base"
    for n, name in enumerate(("same", "worse")):
        for file in (FOLDER / "junit" / name).iterdir():
            shutil.copy(file, tmp_path / f"{n}-{file.name}")
    _, found = gate("--from", "junit", base, "*.xml", *BEARABLE)
    assert found["coverage"]["planned"] == 6 * 18
    shutil.copy(base / "1.xml", tmp_path / "base-copy.xml")
    shutil.copy(base / "1.xml", tmp_path / "base-copy-2.xml")
    told = refuse("--from", "junit", FOLDER / "junit" / "same", "base-copy*.xml")
    assert "same content as" in told
    assert "copies of a run are no epochs" in told


def test_a_run_is_not_compared_with_itself(refuse: Callable[..., str], tmp_path: Path) -> None:
    base = FOLDER / "promptfoo" / "base.json"
    shutil.copy(base, tmp_path / "copy.json")
    told = refuse("--from", "promptfoo", base, "copy.json")
    assert told.startswith("copy.json: the same content stands on both sides")


def test_nothing_in_common_is_exit_8_with_ids_of_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(
        ["gate", "--from", "auto", str(FOLDER / "promptfoo" / "base.json"), str(FOLDER / "junit" / "base")]
    )
    lines = capsys.readouterr().out.splitlines()
    assert code == 8
    assert lines[0] == "gate NOT COMPARED   nothing was compared: no case in common"
    told = "\n".join(lines)
    assert "the baseline has app-crash, cancel-plan, card-declined, export-empty and 5 more" in told
    assert "the candidate has triage_suite::test_route[add-seats]" in told


def test_a_changed_question_is_changed_and_a_new_assertion_is_not(
    gate: Callable[..., Found], tmp_path: Path
) -> None:
    base = FOLDER / "promptfoo" / "base.json"

    def ask_another(value: dict[str, Any]) -> None:
        for one in value["results"]["results"]:
            if one["testCase"]["description"] == "refund-late":
                one["vars"]["ticket"] = "I was charged three times."

    def expect_another(value: dict[str, Any]) -> None:
        for one in value["results"]["results"]:
            if one["testCase"]["description"] == "vat-number":
                one["testCase"]["assert"][0]["value"] = "route: account"

    def assert_more(value: dict[str, Any]) -> None:
        for one in value["results"]["results"]:
            one["testCase"]["assert"].append({"type": "is-json"})

    for change, names in (
        (ask_another, ["refund-late"]),
        (expect_another, ["vat-number"]),
        (assert_more, []),
    ):
        new = changed(FOLDER / "promptfoo" / "same.json", tmp_path / f"{change.__name__}.json", change)
        _, found = gate("--from", "promptfoo", base, new, *BEARABLE)
        assert found["coverage"]["changed"] == names


def test_prompts_and_models_side_by_side_are_slices_that_gate_and_are_not_pooled(
    gate: Callable[..., Found], tmp_path: Path
) -> None:
    grid = FOLDER / "promptfoo" / "grid.json"
    new = changed(grid, tmp_path / "new.json", lambda value: value.update(evalId="another"))
    _, found = gate("--from", "promptfoo", grid, new)
    assert row(found, "route", {"provider": "router-a"})
    assert row(found, "route", {"prompt": "hasty.txt"})
    overall = row(found, "route")
    assert (overall["n_cases"], overall["n_clusters"]) == (12, 3)


def test_one_epoch_is_told_before_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [FOLDER / "junit" / "base" / "1.xml", FOLDER / "junit" / "same" / "1.xml"]
    assert cli.main(["gate", "--from", "junit", *map(str, runs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  one epoch on both sides: noise cannot be told from change")
    assert "export 3 epochs" in lines[1]


def test_a_score_off_0_to_1_asks_for_its_scale_and_less_can_be_better(
    gate: Callable[..., Found], refuse: Callable[..., str], tmp_path: Path
) -> None:
    def on_ten(value: dict[str, Any]) -> None:
        for case in value["cases"]:
            case["scores"]["brevity"]["value"] *= 10

    sides = [
        changed(FOLDER / "pydantic_evals" / f"{run}.json", tmp_path / f"{run}.json", on_ten)
        for run in ("base", "worse")
    ]
    told = refuse("--from", "pydantic-evals", *sides)
    assert "scorer 'brevity' has scores from" in told
    assert "--scale 'brevity=WORST..BEST'" in told
    code, _ = gate("--from", "pydantic-evals", *sides, "--scorer", "helpful")
    assert code == 0
    _, up = gate("--from", "pydantic-evals", *sides, "--scorer", "brevity", "--scale", "brevity=0..10")
    _, down = gate("--from", "pydantic-evals", *sides, "--scorer", "brevity", "--scale", "brevity=10..0")
    assert row(up, "brevity")["difference"] == pytest.approx(-row(down, "brevity")["difference"])
    assert row(up, "brevity")["scale"] == [0, 10]
    assert "no such scorer" in refuse("--from", "pydantic-evals", *sides, "--scale", "brevty=0..10")
    assert "is no scale" in refuse("--from", "pydantic-evals", *sides, "--scale", "brevity=3")


def test_where_less_is_better_the_score_is_turned_round(gate: Callable[..., Found]) -> None:
    _, found = gate("--from", "deepeval", FOLDER / "deepeval" / "base", FOLDER / "deepeval" / "worse")
    assert any(note.startswith("Wordiness: less is better in these files") for note in found["notes"])
    assert row(found, "Wordiness")["baseline"] < 0.3


def test_a_missing_zstandard_is_named_with_both_ways_out(
    refuse: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    monkeypatch.delattr(zipped.zipfile, "ZIP_ZSTANDARD", raising=False)
    told = refuse("--from", "inspect", FOLDER / "inspect" / "base.eval", FOLDER / "inspect" / "same.eval")
    assert "pip install zstandard" in told
    assert "inspect log convert" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "prompfoo", "a", "b"], "did you mean promptfoo?"),
        (["--from", "junit", "a"], "takes two names"),
        (["--from", "junit", "a", "b", "c"], "a pattern in quotes"),
        (["--from", "junit", "nowhere.xml", "b"], "nowhere.xml: no such file or folder"),
        (["--from", "junit", "--candidate", "b"], "compares two sides"),
        (["--from", "junit", "a", "b", "--candidate", "c"], "name the two sides once"),
        (["--from", "junit", "a", "b", "--aa", "latest"], "different questions"),
        (["a.json", "b.json"], "which tool wrote it?"),
        (["--candidate", "a.jsonl", "--scale", "x=0..5"], "--scale belongs to --from"),
        (["--candidate", "a.jsonl", "--max-error-rate", "3"], "no share"),
        ([], "name what is judged"),
    ],
)
def test_a_wrong_command_line_is_one_line_with_the_right_one(
    refuse: Callable[..., str], arguments: list[str], told: str
) -> None:
    assert told in refuse(*arguments)


def test_an_empty_folder_is_named(refuse: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty: no .xml file in this folder" in refuse("--from", "junit", "empty", "empty")


def test_flat_scores_are_sent_to_the_plain_gate(refuse: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"case_id": "a", "scorer": "s", "scale": [0, 1], "score": 1}\n')
    assert "these are flat scores" in refuse("--from", "auto", "a.jsonl", "a.jsonl")


def test_promptfoos_xml_and_junit_are_sent_to_its_json(refuse: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "own.xml").write_text("<promptfoo><evalId>eval-1</evalId></promptfoo>")
    assert "promptfoo's own XML; write JSON instead" in refuse("--from", "auto", "own.xml", "own.xml")
    junit = FOLDER / "junit" / "promptfoo.xml"
    assert "names tests by their position; write JSON instead" in refuse("--from", "junit", junit, junit)


def test_a_flat_file_without_scales_is_one_line(refuse: Callable[..., str], tmp_path: Path) -> None:
    rows = "".join(f'{{"case_id": "c{n}", "scorer": "s", "score": 1}}\n' for n in range(40))
    (tmp_path / "a.jsonl").write_text(rows)
    told = refuse("--candidate", "a.jsonl")
    assert (
        told
        == "a.jsonl:1: scale: is required: [lowest, highest], for example [0, 1] (lines 1-40, all of them)"
    )


def test_flat_scores_of_other_scorers_say_which_each_side_has(
    gate: Callable[..., Found], tmp_path: Path
) -> None:
    for name, scorer in (("a", "route"), ("b", "routing [v2]")):
        row = {"case_id": "c1", "scorer": scorer, "scale": [0, 1], "score": 1}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    _, found = gate("--baseline", "a.jsonl", "--candidate", "b.jsonl")
    assert found["summary"] == "nothing was compared: no scorer in common"
    assert "no scorer in common: the baseline has route; the candidate has routing [v2]" in found["notes"]


def test_a_report_of_flat_scores_has_the_cases(tmp_path: Path) -> None:
    for name, score in (("a", 1), ("b", 0)):
        lines = [
            {"case_id": f"c{n}", "epoch": e, "scorer": "s", "scale": [0, 1], "score": score}
            for n in range(9)
            for e in range(3)
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    code = cli.main(["gate", "--baseline", "a.jsonl", "--candidate", "b.jsonl", "--report", "page"])
    assert code == 1
    report = json.loads((tmp_path / "page" / "report.json").read_text(encoding="utf-8"))
    (evalset,) = report["evalsets"]
    assert len(evalset["cases"]) == 9
    assert evalset["cases"][0]["was_scores"] == {"s": [1, 1, 1]}
    assert [s["value"] for epoch in evalset["cases"][0]["now"] for s in epoch["scores"]] == [0, 0, 0]
