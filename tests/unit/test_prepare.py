"""An evalset becomes jobs whose every piece exists, or says everything that is wrong at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_aioncall.errors import LoadError
from pytest_aioncall.flows.evalrun import settings_for
from pytest_aioncall.flows.prepare import Prepared, prepare
from pytest_aioncall.testing import ReplayWire

JUDGE = {"judge": {"as": "tone", "rubric": "Is it kind?", "scale": [1, 5], "model": "p/m-2026-01-01"}}


@pytest.fixture(autouse=True)
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "aioncall.yaml").write_text(
        "format: 1\nproviders: {p: {kind: openai, base_url: 'http://127.0.0.1:9/v1'}}\n"
    )
    (tmp_path / "prepare_app.py").write_text(
        "def answer(text):\n    return text\n"
        "def score(text):\n    return 1.0\ndef other(text):\n    return 0.5\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("prepare_app", None)


def made(tmp_path: Path, *, cases: list[dict[str, Any]], scorers: Any = ("exact",), **keys: Any) -> Prepared:
    flags = keys.pop("flags", {})
    path = tmp_path / "demo.eval.yaml"
    content = {
        "evalset": "demo",
        "owner": "@ann",
        "target": {"python": "prepare_app:answer"},
        "scorers": list(scorers),
        "cases": cases,
        **keys,
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return prepare(path, settings=settings_for(tmp_path, flags), wire=ReplayWire())


def refused(tmp_path: Path, **keys: Any) -> str:
    with pytest.raises(LoadError) as caught:
        made(tmp_path, **keys)
    return str(caught.value)


def names(prepared: Prepared, case: str) -> list[str]:
    job = next(job for job in prepared.jobs if job.case.id == case)
    return [scorer.name for scorer in job.scorers]


def test_jobs_stand_in_the_order_of_the_file_with_all_that_a_run_needs(tmp_path: Path) -> None:
    cases = [{"id": name, "input": name, "expected": name} for name in ("z", "a", "m")]
    prepared = made(tmp_path, cases=cases, epochs={"min": 2, "max": 5}, timeout_s=7)
    assert [(job.case.id, job.epochs, job.timeout_s) for job in prepared.jobs] == [
        ("z", 5, 7.0),
        ("a", 5, 7.0),
        ("m", 5, 7.0),
    ]
    assert {id(job.target) for job in prepared.jobs} == {id(prepared.target)}
    assert [gate.scorer for gate in prepared.gates] == ["exact"]


def test_the_number_of_epochs_is_the_sessions_before_the_evalsets(tmp_path: Path) -> None:
    cases = [{"id": "a", "input": "a", "expected": "a"}]
    assert made(tmp_path, cases=cases, epochs=4).jobs[0].epochs == 4
    assert made(tmp_path, cases=cases, epochs=4, flags={"epochs": 2}).jobs[0].epochs == 2


def test_a_scorer_that_needs_expected_does_not_apply_where_there_is_none(tmp_path: Path) -> None:
    cases = [{"id": "with", "input": "a", "expected": "a"}, {"id": "without", "input": "a"}]
    prepared = made(tmp_path, cases=cases, scorers=["exact", {"contains": "a"}])
    assert names(prepared, "with") == ["exact", "contains"]
    assert names(prepared, "without") == ["contains"]


def test_a_case_that_no_scorer_judges_does_not_load(tmp_path: Path) -> None:
    told = refused(tmp_path, cases=[{"id": "bare", "input": "a"}])
    assert "no scorer applies to 'bare'" in told
    assert "demo.eval.yaml:" in told


def test_a_must_stands_under_its_number_and_is_no_scorer_of_the_evalset(tmp_path: Path) -> None:
    cases = [{"id": "a", "input": "a", "must": [{"not_contains": "x"}, {"not_contains": "y"}]}]
    prepared = made(tmp_path, cases=cases)
    assert names(prepared, "a") == ["must[0]:not_contains", "must[1]:not_contains"]
    assert set(prepared.infos) == {"exact"}


def test_a_must_that_asks_a_model_is_refused(tmp_path: Path) -> None:
    told = refused(tmp_path, cases=[{"id": "a", "input": "a", "expected": "a", "must": [JUDGE]}])
    assert "a must has to be deterministic; use require" in told


def test_a_must_whose_own_code_is_not_deterministic_is_refused(tmp_path: Path) -> None:
    own = {"python": {"function": "prepare_app:score", "deterministic": False}}
    assert "deterministic" in refused(tmp_path, cases=[{"id": "a", "input": "a", "must": [own]}])


def test_a_require_of_a_scorer_that_does_not_score_the_case_names_those_that_do(tmp_path: Path) -> None:
    case = {"id": "a", "input": "a", "require": [{"scorer": "exact"}]}
    told = refused(tmp_path, cases=[case], scorers=["exact", {"contains": "a"}])
    assert "'exact' does not score this case; those that do: contains" in told


def test_a_cases_own_scorer_takes_the_place_of_its_namesake(tmp_path: Path) -> None:
    cases = [
        {"id": "common", "input": "a", "expected": "a"},
        {"id": "own", "input": "a", "expected": "a", "scorers": [{"contains": "only here"}]},
    ]
    prepared = made(tmp_path, cases=cases, scorers=["exact", {"contains": "a"}])
    common, own = (dict(zip(names(prepared, c), prepared.jobs[n].scorers, strict=True))
                   for n, c in enumerate(("common", "own")))  # fmt: skip
    assert list(own) == ["exact", "contains"]
    assert own["exact"] is common["exact"]
    assert own["contains"] is not common["contains"]


def test_one_name_for_two_kinds_is_refused(tmp_path: Path) -> None:
    cases = [
        {"id": "a", "input": "a", "expected": "a", "scorers": [{"regex": {"as": "exact", "pattern": "a"}}]}
    ]
    assert "scorer 'exact' is regex here and exact elsewhere" in refused(tmp_path, cases=cases)


def test_one_name_on_two_scales_is_refused(tmp_path: Path) -> None:
    def own(function: str, scale: list[int]) -> dict[str, Any]:
        return {"python": {"as": "own", "function": f"prepare_app:{function}", "scale": scale}}

    cases = [{"id": "a", "input": "a", "scorers": [own("other", [0, 5])]}]
    assert "give one of them another name" in refused(tmp_path, cases=cases, scorers=[own("score", [0, 1])])


def test_all_problems_come_at_once_with_their_lines(tmp_path: Path) -> None:
    told = refused(
        tmp_path,
        cases=[{"id": "a", "input": "a", "expected": "a", "must": [{"regex": "("}]}],
        scorers=["contians", "exact"],
        target={"python": "prepare_app:nothing"},
    )
    assert len(told.splitlines()) == 3
    for part in ("prepare_app has no 'nothing'", "did you mean 'contains'", "must[0]"):
        assert part in told


CASE = {"id": "a", "input": {"question": "a"}, "expected": "a", "slices": {"persona": "free"}}


def test_a_misspelt_scorer_is_named_and_not_the_gate_that_names_it_right(tmp_path: Path) -> None:
    told = refused(tmp_path, cases=[CASE], scorers=["contians"], gates=[{"scorer": "contains"}])
    (line,) = told.splitlines()
    assert "scorers[0]: unknown scorer 'contians'; did you mean 'contains'?" in line


def test_a_misspelt_gate_over_a_scorer_that_there_is_is_named(tmp_path: Path) -> None:
    told = refused(tmp_path, cases=[CASE], scorers=["contains"], gates=[{"scorer": "contians"}])
    (line,) = told.splitlines()
    assert "gates[0].scorer: unknown scorer 'contians'; did you mean 'contains'?" in line


def test_a_wrong_key_hides_no_mistake_in_a_piece(tmp_path: Path) -> None:
    asked = {"http": {"url": "http://127.0.0.1:9/x", "methd": "GET", "respons": "$.a"}}
    told = refused(tmp_path, cases=[CASE], scorers=["exact"], target=asked, ownr="@ben")
    assert len(told.splitlines()) == 2
    for part in ("ownr: unknown key", "did you mean 'method'?", "did you mean 'response'?"):
        assert part in told


def test_a_wrong_key_in_a_gate_hides_neither_its_scorer_nor_its_slices(tmp_path: Path) -> None:
    gate = {"scorer": "exakt", "margn": 0.05, "slices": ["persna"]}
    told = refused(tmp_path, cases=[CASE], scorers=["exact"], gates=[gate], epochs=0)
    assert len(told.splitlines()) == 4
    for part in ("did you mean 'margin'?", "did you mean 'exact'?", "did you mean 'persona'?", "epochs: "):
        assert part in told


def asking(**options: Any) -> dict[str, Any]:
    return {"http": {"url": "http://127.0.0.1:9/x", **options}}


def test_a_template_that_no_case_fills_in_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    target = asking(json={"q": "{{ qestion }}"})
    (line,) = refused(tmp_path, cases=[CASE, {**CASE, "id": "b"}], target=target).splitlines()
    assert "demo.eval.yaml:3: target: http: json.q: 'qestion' is undefined (did you mean 'question'?)" in line
    chat = {"chat": {"model": "p/m-2026-01-01", "prompt": "Answer {{ input.qestion }}"}}
    assert "target: chat: prompt: 'dict object' has no attribute 'qestion'" in refused(
        tmp_path, cases=[CASE], target=chat
    )


def test_a_case_that_leaves_a_template_open_is_refused_by_itself(tmp_path: Path) -> None:
    cases = [CASE, {**CASE, "id": "b", "input": {"text": "a"}}, {**CASE, "id": "c", "input": {"text": "b"}}]
    (line,) = refused(tmp_path, cases=cases, target=asking(json={"q": "{{ question }}"})).splitlines()
    assert "cases[1].input: cannot be asked: json.q: 'question' is undefined" in line


def test_a_template_with_a_default_takes_every_case(tmp_path: Path) -> None:
    cases = [CASE, {**CASE, "id": "b", "input": "plain"}]
    target = asking(json={"q": "{{ question | default(input) }}", "n": "{{ epoch }} of {{ case }}"})
    assert len(made(tmp_path, cases=cases, target=target).jobs) == 2


def test_ten_thousand_alike_cases_share_their_scorers(tmp_path: Path) -> None:
    cases = [{"id": f"c{n}", "input": "a", "expected": "a"} for n in range(50)]
    assert len({id(job.scorers) for job in made(tmp_path, cases=cases).jobs}) == 1
