"""What single readers make of the corners of their formats."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.results.observed import Observed, Reading
from pytest_aioncall.adapters.results.sources import read_side
from pytest_aioncall.errors import LoadError, UsageError
from pytest_aioncall.flows.imports import Imported, ImportRequest, import_sides
from result_files import FOLDER, changed

PROMPTFOO = FOLDER / "promptfoo" / "base.json"
INSPECT = FOLDER / "inspect" / "short.json"
PYDANTIC = FOLDER / "pydantic_evals" / "base.json"


def deepeval_file(run: str = "base") -> Path:
    return min((FOLDER / "deepeval" / run).iterdir())


def read(path: Path, tool: str = "auto") -> Reading:
    (result,) = read_side([str(path)], tool)
    return result.reading


def scores_of(reading: Reading, scorer: str) -> list[float | None]:
    return [score.value for one in reading.observed for score in one.scores if score.scorer == scorer]


def compare(was: Path, now: Path, **more: Any) -> Imported:
    return import_sides(ImportRequest("auto", (str(was),), (str(now),), **more))


def promptfoo(folder: Path, *results: Mapping[str, Any]) -> Reading:
    """Read promptfoo's real file, cut down to its first results, with some of their values replaced."""

    def keep(value: dict[str, Any]) -> None:
        own = value["results"]["results"]
        value["results"]["results"] = [
            {**own[n + 1], **change} for n, change in enumerate(results)
        ]  # the first one errored

    return read(changed(PROMPTFOO, folder / "new.json", keep))


# promptfoo


def test_promptfoo_jsonl_says_what_json_says() -> None:
    one, other = read(PROMPTFOO), read(FOLDER / "promptfoo" / "base.jsonl")
    assert sorted(map(repr, one.observed)) == sorted(map(repr, other.observed))


def test_a_failed_assertion_is_a_miss_although_promptfoo_calls_it_an_error() -> None:
    reading = read(FOLDER / "promptfoo" / "worse.json")
    assert scores_of(reading, "route").count(0.0) > 5
    assert sum(one.error is not None for one in reading.observed) == 1


def test_an_assertion_that_threw_is_unscored_and_promptfoos_own_verdict_with_it(tmp_path: Path) -> None:
    broken = [
        score
        for one in read(PROMPTFOO).observed
        for score in one.scores
        if score.scorer == "javascript" and score.value is None
    ]
    assert [score.error for score in broken] == ["Custom function threw error: no route in the answer"]
    judge = {"pass": False, "score": 0, "reason": "API error: 503", "metadata": {"graderError": True}}
    component = {**judge, "assertion": {"type": "llm-rubric", "metric": "helpful"}}
    grading = {"pass": False, "score": 0, "componentResults": [component, component]}
    reading = promptfoo(tmp_path, {"gradingResult": grading, "success": False, "failureReason": 1})
    assert scores_of(reading, "helpful") == [None]


def test_a_test_without_assertions_says_nothing(tmp_path: Path) -> None:
    reading = promptfoo(tmp_path, {"gradingResult": {"pass": True, "score": 1}, "success": True}, {})
    assert len(reading.observed) == 1
    assert reading.left_out == {"results without an assertion, which say nothing": 1}


def test_answers_from_a_cache_are_told_and_have_no_latency(tmp_path: Path) -> None:
    reading = promptfoo(tmp_path, {"response": {"output": "route: billing", "cached": True}})
    assert "1 of 1 answers came from promptfoo's cache" in reading.notes[0]
    assert reading.observed[0].latency_s is None


def test_components_of_one_name_are_their_weighted_mean(tmp_path: Path) -> None:
    def part(score: float, weight: float) -> dict[str, Any]:
        assertion = {"type": "similar", "metric": "close", "weight": weight}
        return {"pass": score > 0.5, "score": score, "reason": "", "assertion": assertion}

    grading = {"componentResults": [part(1, 3), part(0.2, 1), None]}
    assert scores_of(promptfoo(tmp_path, {"gradingResult": grading}), "close") == [pytest.approx(0.8)]


def test_a_test_without_a_description_is_named_by_its_variables(tmp_path: Path) -> None:
    def strip(value: dict[str, Any]) -> None:
        for one in value["results"]["results"]:
            del one["testCase"]["description"]

    def turn_round(value: dict[str, Any]) -> None:
        strip(value)
        value["results"]["results"].reverse()
        for place, one in enumerate(value["results"]["results"]):
            one["testIdx"] = place

    one = read(changed(PROMPTFOO, tmp_path / "a.json", strip))
    other = read(changed(PROMPTFOO, tmp_path / "b.json", turn_round))
    assert {o.case for o in one.observed} == {o.case for o in other.observed}
    assert len({o.case for o in one.observed}) == 9
    assert any(o.case.startswith("I was charged twice for March. #") for o in one.observed)


def test_two_tests_of_one_name_are_told_apart_by_what_they_ask(tmp_path: Path) -> None:
    def rename(value: dict[str, Any]) -> None:
        for one in value["results"]["results"]:
            one["testCase"]["description"] = "routing"

    sides = compare(
        changed(PROMPTFOO, tmp_path / "a.json", rename),
        changed(FOLDER / "promptfoo" / "same.json", tmp_path / "b.json", rename),
    )
    cases = {row.case for row in sides.candidate.side.rows}
    assert len(cases) == 9
    assert cases == {row.case for row in sides.baseline.side.rows}
    assert all(case.startswith("routing #") for case in cases)


# inspect


def with_value(folder: Path, value: Any, **more: Any) -> Reading:
    def change(log: dict[str, Any]) -> None:
        log["samples"][0]["scores"] = {"s": {"value": value, "history": [], **more}}

    return read(changed(INSPECT, folder / "log.json", change))


@pytest.mark.parametrize(
    ("value", "score"),
    [
        ("C", 1), ("I", 0), ("P", 0.5), ("N", 0), ("yes", 1), ("False", 0), ("0.25", 0.25), (True, 1), (3, 3),
        (float("nan"), None), ("maybe", None), (None, None),
    ],
)  # fmt: skip
def test_inspect_values_are_what_inspect_makes_of_them_and_unknown_ones_are_unscored(
    tmp_path: Path, value: Any, score: float | None
) -> None:
    assert scores_of(with_value(tmp_path, value), "s") == [score]


def test_a_mapping_of_values_is_a_scorer_a_key(tmp_path: Path) -> None:
    reading = with_value(tmp_path, {"queue": "C", "polite": 0.25})
    assert (scores_of(reading, "s.queue"), scores_of(reading, "s.polite")) == ([1.0], [0.25])


def test_planned_samples_that_are_not_in_the_log_are_errors(tmp_path: Path) -> None:
    def stop_early(log: dict[str, Any]) -> None:
        log["status"] = "cancelled"
        log["eval"]["dataset"]["sample_ids"] = [s["id"] for s in log["samples"]]
        log["eval"]["config"].pop("limit", None)
        del log["samples"][-1]

    reading = read(changed(INSPECT, tmp_path / "log.json", stop_early))
    assert [one.error for one in reading.observed if one.error] == ["planned, but the log has no such sample"]
    assert reading.notes == ["the log's status is 'cancelled': inspect did not finish this run"]


def test_another_judge_makes_the_scorer_not_comparable(tmp_path: Path) -> None:
    def other_judge(log: dict[str, Any]) -> None:
        log["eval"]["scorers"][-1]["options"]["model"] = "openai/other-judge"

    sides = compare(INSPECT, changed(INSPECT, tmp_path / "log.json", other_judge))
    was, now = sides.baseline.side.scorers, sides.candidate.side.scorers
    assert was["model_graded_qa"].hash != now["model_graded_qa"].hash
    assert was["includes"].hash == now["includes"].hash


def test_a_folder_of_two_tasks_asks_for_one(tmp_path: Path) -> None:
    pytest.importorskip("zstandard")
    for name in ("triage", "tone"):

        def rename(log: dict[str, Any], name: str = name) -> None:
            log["eval"]["task"] = name

        changed(INSPECT, tmp_path / f"{name}.json", rename)
    other = str(FOLDER / "inspect" / "same.eval")
    with pytest.raises(
        UsageError, match="several evalsets in these files; choose with --evalset: tone, triage"
    ):
        import_sides(ImportRequest("inspect", (other,), (str(tmp_path),)))
    sides = import_sides(ImportRequest("inspect", (other,), (str(tmp_path),), evalset="triage"))
    assert len(sides.candidate.side.rows) == 4


def test_two_models_in_one_folder_are_not_epochs_of_each_other(tmp_path: Path) -> None:
    for model in ("a", "b"):

        def rename(log: dict[str, Any], model: str = model) -> None:
            log["eval"]["model"] = f"openai/{model}"

        changed(INSPECT, tmp_path / f"{model}.json", rename)
    sides = import_sides(ImportRequest("inspect", (str(INSPECT),), (str(tmp_path),)))
    assert sides.variants == ("model",)
    assert {len(found) for found in sides.candidate.samples.values()} == {1}
    assert {row.slices["model"] for row in sides.candidate.side.rows} == {"openai/a", "openai/b"}
    assert len({row.cluster for row in sides.candidate.side.rows}) == 4


def test_a_deflated_log_is_read_like_one_with_zstandard(tmp_path: Path) -> None:
    pytest.importorskip("zstandard")
    from pytest_aioncall.adapters.results.zipped import open_zip

    source = FOLDER / "inspect" / "base.eval"
    packed = open_zip(source.read_bytes())
    with zipfile.ZipFile(tmp_path / "log.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in packed.names:
            archive.writestr(name, packed.read(name))
    assert read(tmp_path / "log.eval").observed == read(source).observed


# deepeval


def test_deepeval_names_made_of_a_position_are_not_ids(tmp_path: Path) -> None:
    def number(value: dict[str, Any]) -> None:
        for place, case in enumerate(value["testCases"]):
            case["name"] = f"test_case_{place}"

    found = read(changed(deepeval_file(), tmp_path / "run.json", number)).observed
    assert len({one.case for one in found}) == 18
    assert not any("test_case" in one.case for one in found)


def test_deepeval_cases_of_one_test_function_are_told_apart(tmp_path: Path) -> None:
    def one_name(value: dict[str, Any]) -> None:
        for case in value["testCases"]:
            case["name"] = "test_route"

    sides = compare(
        changed(deepeval_file(), tmp_path / "a.json", one_name),
        changed(deepeval_file("worse"), tmp_path / "b.json", one_name),
    )
    assert len(sides.candidate.side.rows) == 18
    assert {r.case for r in sides.baseline.side.rows} == {r.case for r in sides.candidate.side.rows}


def test_deepeval_metric_that_is_neither_way_round_is_judged_by_pass_and_fail(tmp_path: Path) -> None:
    def muddle(value: dict[str, Any]) -> None:
        for place, case in enumerate(value["testCases"]):
            metric = case["metricsData"][0]
            metric |= {"threshold": 0.5, "score": 0.6, "success": place % 2 == 0}

    sides = compare(deepeval_file("worse"), changed(deepeval_file(), tmp_path / "run.json", muddle))
    values = [row.scores["Route"][0] for row in sides.candidate.side.rows]
    assert sorted(v for v in values if v is not None) == [0.0] * 9 + [1.0] * 9
    assert any("its pass or fail is judged" in note for note in sides.notes)


# pydantic-evals


def test_pydantic_evals_failures_of_an_evaluator_are_unscored_in_what_it_makes() -> None:
    broken = [s for one in read(PYDANTIC).observed for s in one.scores if s.value is None]
    assert [(s.scorer, "no route in the answer" in (s.error or "")) for s in broken] == [("Route", True)]


def test_pydantic_evals_unnamed_cases_are_named_by_their_inputs(tmp_path: Path) -> None:
    def unname(value: dict[str, Any]) -> None:
        ids: dict[str, int] = {}
        for case in value["cases"] + value["failures"]:
            place = ids.setdefault(case["source_case_name"], len(ids) + 1)
            case["name"] = case["name"].replace(case["source_case_name"], f"Case {place}")
            case["source_case_name"] = f"Case {place}"

    found = read(changed(PYDANTIC, tmp_path / "report.json", unname)).observed
    assert len({one.case for one in found}) == 18
    assert not any(one.case.startswith("Case ") for one in found)


def test_labels_are_left_out_and_counted() -> None:
    assert read(PYDANTIC).left_out == {"labels, which have no better and worse": 53}


# JUnit


def junit(folder: Path, inner: str) -> list[Observed]:
    path = folder / "junit.xml"
    path.write_text(f"<testsuites><testsuite name='s'>{inner}</testsuite></testsuites>")
    return read(path).observed


def test_repeats_of_pytest_repeat_are_epochs_and_a_skipped_one_breaks_no_row() -> None:
    found = read(FOLDER / "junit" / "repeat.xml")
    cases = {one.case for one in found.observed}
    assert cases == {f"triage_suite::test_route[{c}]" for c in ("refund-late", "card-declined", "vat-number")}
    assert found.left_out == {"skipped tests": 1}


def test_parameters_that_only_look_like_repeats_stay_cases(tmp_path: Path) -> None:
    tests = "".join(f"<testcase classname='m' name='test_range[{k}-9]'/>" for k in (1, 5))
    assert {one.case for one in junit(tmp_path, tests)} == {"m::test_range[1-9]", "m::test_range[5-9]"}


def test_of_a_retried_test_the_first_try_counts(tmp_path: Path) -> None:
    (one,) = junit(
        tmp_path,
        "<testcase classname='m' name='t'><flakyFailure message='no'/></testcase>",
    )
    assert [score.value for score in one.scores] == [0.0]


def test_scores_outputs_and_slices_may_be_properties(tmp_path: Path) -> None:
    named = {"score.tone": "0.7", "output": "hello", "input": "hi", "persona": "free"}
    properties = "".join(f"<property name='{k}' value='{v}'/>" for k, v in named.items())
    (one,) = junit(
        tmp_path, f"<testcase classname='m' name='t'><properties>{properties}</properties></testcase>"
    )
    assert {score.scorer: score.value for score in one.scores} == {"pass": 1.0, "tone": 0.7}
    assert (one.text, one.input, one.slices) == ("hello", "hi", {"persona": "free"})


def test_an_error_in_teardown_is_no_second_epoch(tmp_path: Path) -> None:
    error = "<error message='failed on teardown with \"boom\"'/>"
    found = junit(
        tmp_path, f"<testcase classname='m' name='t'/><testcase classname='m' name='t'>{error}</testcase>"
    )
    assert [(one.case, one.error) for one in found] == [("m::t", None)]


def test_jest_files_are_read() -> None:
    found = read(FOLDER / "junit" / "jest.xml").observed
    assert len(found) == 8
    assert "route refund-late" in {one.case for one in found}


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><testsuites>&b;</testsuites>",
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><testsuites/>",
        "<!DOCTYPE testsuites><testsuites/>",
    ],
)
def test_a_document_type_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(text)
    with pytest.raises(LoadError, match="document type"):
        read(path, "junit")


def test_deep_and_broken_files_are_refused_in_a_line(tmp_path: Path) -> None:
    for name, text, told in (
        ("deep.xml", "<a>" * 5000, "too many elements"),
        ("deep.json", "[" * 100_000, "nested|cut off"),
        ("deeper.json", '{"a":' * 300 + "1" + "}" * 300, "nested more than 200 deep"),
        ("bad.json", '{"a": 1,, "b": 2}', "not valid JSON"),
        ("bytes.json", "{", "cut off"),
        ("zip.eval", "PK\x03\x04 nothing more", "zip that is cut off or damaged"),
    ):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(LoadError, match=told):
            read(path, "auto")


def test_hostile_names_do_not_move_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text("<testsuite><testcase classname='m' name='&#x202e;evil'/></testsuite>", encoding="utf-8")
    (one,) = read(path).observed
    assert one.case == "m::\\u202eevil"
    assert json.dumps(one.case)
