"""An evalset file loads to one checked Evalset, or to everything that is wrong with it, line by line."""

# ruff: noqa: E501 - tables of what is written and what is said read best one row a line

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pytest_aioncall.adapters.evalset_files import json_schema, line_of, load_evalset
from pytest_aioncall.errors import LoadError
from pytest_aioncall.model.evalset import Evalset

HEAD = """\
evalset: ticket-triage
owner: "@support-ml"
target: {python: "myapp.triage:route"}
scorers:
  - exact: {as: route}
"""
DESIGN = """\
format: 1
evalset: ticket-triage
owner: "@support-ml"                  # required
description: Routes a support ticket to one of five queues.
target: {python: "myapp.triage:route"}
subject: {files: [prompts/triage.md], labels: {index: kb-2026-11-01}}
epochs: 3
errors: {max_rate: 0.02}
scorers:
  - exact: {as: route}
  - judge: {as: helpfulness, rubric: rubrics/helpfulness.md, scale: [1, 5], model: openai/MODEL-ID-WITH-DATE}
gates:
  - {scorer: route, margin: 0.05, slices: [persona, shape]}
  - {scorer: helpfulness, margin: 0.16, min: 4.0}
defaults: {slices: {feature: triage}}
cases:
  - {id: refund-late, input: {ticket: "..."}, expected: billing, slices: {persona: free, shape: long}, cluster: doc-17}
  - {id: no-legal-advice, input: {ticket: "..."}, must: [{not_contains: "you should sue"}]}
  - {id: inc-0142, input: {ticket: "..."}, require: [{scorer: helpfulness, at_least: 4, in: 2/3}]}
include: ["incidents/ticket-triage/*.yaml", "cases.jsonl"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evalsets").mkdir()
    return tmp_path / "evalsets"


def write(folder: Path, text: str, name: str = "ticket-triage.eval.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str) -> Evalset:
    return load_evalset(write(folder, text), root=folder.parent)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(LoadError) as caught:
        load(folder, text)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems), "every problem is one line"
    return [line.removeprefix("evalsets/ticket-triage.eval.yaml:") for line in lines]


def test_the_evalset_of_the_design_loads_as_written(folder: Path) -> None:
    write(folder, '{"id": "j1", "input": "x", "slices": {"tier": 2}}\n', "cases.jsonl")
    evalset = load(folder, DESIGN)
    assert (evalset.evalset, evalset.owner, evalset.epochs) == ("ticket-triage", "@support-ml", 3)
    assert evalset.file == "evalsets/ticket-triage.eval.yaml"
    assert (evalset.target.kind, evalset.target.arg) == ("python", "myapp.triage:route")
    route, judge = evalset.scorers
    assert (route.kind, route.name, route.has_arg, route.options) == ("exact", "route", False, {})
    assert (judge.name, judge.options["scale"]) == ("helpfulness", [1, 5])
    assert "as" not in judge.options
    assert [case.id for case in evalset.cases] == ["refund-late", "no-legal-advice", "inc-0142", "j1"]
    first, second, third, from_jsonl = evalset.cases
    assert first.slices == {"feature": "triage", "persona": "free", "shape": "long"}
    assert (first.cluster, first.line, first.where) == ("doc-17", 17, "cases[0]")
    assert (second.must[0].kind, second.must[0].arg) == ("not_contains", "you should sue")
    assert second.must[0].where == "cases[1].must[0]"
    assert (third.require[0].share, third.require[0].at_least) == ("2/3", 4)
    assert from_jsonl.slices == {"feature": "triage", "tier": "2"}
    assert (from_jsonl.file, from_jsonl.line) == ("evalsets/cases.jsonl", 1)
    assert evalset.subject.labels == {"index": "kb-2026-11-01"}


def test_only_the_required_keys_are_needed_and_the_rest_has_defaults(folder: Path) -> None:
    evalset = load(folder, HEAD + "cases: [{id: a, input: 1, expected: 1}]\n")
    assert (evalset.format, evalset.epochs, evalset.gates) == (1, 3, ())
    assert "epochs" not in evalset.model_fields_set


@pytest.mark.parametrize(
    ("yaml_text", "kind", "name", "has_arg", "arg", "options"),
    [
        ("exact", "exact", "exact", False, None, {}),
        ("{exact: }", "exact", "exact", False, None, {}),
        ("{contains: refund}", "contains", "contains", True, "refund", {}),
        ("{one_of: [a, no]}", "one_of", "one_of", True, ["a", "no"], {}),
        ("{latency_max: 2.5}", "latency_max", "latency_max", True, 2.5, {}),
        ("{exact: {as: r, ignore_case: true}}", "exact", "r", False, None, {"ignore_case": True}),
        ("{json_schema: {type: object}}", "json_schema", "json_schema", False, None, {"type": "object"}),
        ('{"pkg.mod:fn": {as: mine}}', "pkg.mod:fn", "mine", False, None, {}),
    ],
)
def test_the_three_short_forms_of_a_scorer_come_to_one(
    folder: Path, yaml_text: str, kind: str, name: str, has_arg: bool, arg: object, options: object
) -> None:
    head = HEAD.replace("exact: {as: route}", "other") + f"  - {yaml_text}\n"
    spec = load(folder, head + "cases: [{id: a, input: 1}]\n").scorers[1]
    assert (spec.kind, spec.name, spec.has_arg, spec.arg, spec.options) == (kind, name, has_arg, arg, options)
    assert spec.where == "scorers[1]"


@pytest.mark.parametrize(
    ("target", "kind", "arg", "options"),
    [
        ("replay", "replay", None, {}),
        ('{python: "a.b:c"}', "python", "a.b:c", {}),
        ("{chat: {model: openai/m, prompt: p.md}}", "chat", None, {"model": "openai/m", "prompt": "p.md"}),
        ("{command: [cat, -n]}", "command", ["cat", "-n"], {}),
    ],
)
def test_a_target_has_the_same_short_forms(
    folder: Path, target: str, kind: str, arg: object, options: object
) -> None:
    text = HEAD.replace('{python: "myapp.triage:route"}', target) + "cases: [{id: a, input: 1}]\n"
    spec = load(folder, text).target
    assert (spec.kind, spec.arg, spec.options) == (kind, arg, options)


def test_text_fields_take_numbers_and_words_as_they_are_written(folder: Path) -> None:
    case = load(
        folder,
        HEAD + "defaults: {slices: {release: 1.10}}\n"
        "cases: [{id: 007, input: {n: 1, on: no}, expected: no, cluster: 2026-11-01, slices: {tier: 1, beta: yes}}]\n",
    ).cases[0]
    assert (case.id, case.cluster, case.expected) == ("007", "2026-11-01", "no")
    assert case.input == {"n": 1, "on": "no"}
    assert case.slices == {"release": "1.10", "tier": "1", "beta": "yes"}


def test_scorers_of_a_case_may_replace_one_of_the_evalset_and_be_gated(folder: Path) -> None:
    evalset = load(
        folder,
        HEAD + "gates: [{scorer: route}, {scorer: polite}]\n"
        "cases: [{id: a, input: 1, scorers: [{contains: {as: route}}, {regex: {as: polite}}],"
        " require: [{scorer: polite}]}]\n",
    )
    assert [scorer.name for scorer in evalset.cases[0].scorers] == ["route", "polite"]
    assert evalset.cases[0].require[0].share == "1/1"


def test_a_case_may_have_the_same_must_twice(folder: Path) -> None:
    [case] = load(
        folder, HEAD + "cases: [{id: a, input: 1, must: [{not_contains: x}, {not_contains: y}]}]\n"
    ).cases
    assert [must.arg for must in case.must] == ["x", "y"]


# -- what is wrong


def test_the_messages_have_the_form_of_the_house(folder: Path) -> None:
    found = problems(
        folder,
        HEAD
        + "epoks: 4\ncases:\n  - id: refund-late\n    input: 1\n\n  - id: refund-late\n    inputs: 2\n    input: 2\n",
    )
    assert found == [
        "6: epoks: unknown key; did you mean 'epochs'?",
        "11: cases[1].id: 'refund-late' is taken by line 8",
        "12: cases[1].inputs: unknown key; did you mean 'input'?",
    ]


@pytest.mark.parametrize("key", ["evalset", "owner", "target"])
def test_each_required_key_is_asked_for_with_an_example(folder: Path, key: str) -> None:
    head = "".join(line + "\n" for line in HEAD.splitlines() if not line.startswith(key))
    [problem] = problems(folder, head + "cases: [{id: a, input: 1}]\n")
    assert problem.startswith(f"1: {key}: is required: ")
    assert "for example" in problem


def test_scorers_are_required_even_where_every_case_has_a_must(folder: Path) -> None:
    head = HEAD.replace("scorers:\n  - exact: {as: route}\n", "")
    [problem] = problems(folder, head + "cases: [{id: a, input: 1, must: [refusal]}]\n")
    assert problem.startswith("1: scorers: is required")


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("", "1: cases: is required (or include): an evalset without a case can only pass"),
        ("cases: []\n", "6: cases: there is no case; an empty evalset can only pass"),
        ("cases:\n", "6: cases: needs a list of cases, got nothing"),
        ("include: []\n", "1: cases: there is no case; an empty evalset can only pass"),
        (
            'include: ["incidents/nothing/*.yaml"]\n',
            "1: cases: there is no case; an empty evalset can only pass",
        ),
    ],
)
def test_an_empty_evalset_does_not_load(folder: Path, cases: str, said: str) -> None:
    assert problems(folder, HEAD + cases) == [said]


def test_a_case_to_which_nothing_applies_does_not_load(folder: Path) -> None:
    head = HEAD.replace("scorers:\n  - exact: {as: route}\n", "scorers: []\n")
    cases = "cases:\n  - {id: a, input: 1, must: [refusal]}\n  - {id: b, input: 1}\n  - {id: c, input: 1, must: []}\n"
    assert problems(folder, head + cases) == [
        "7: cases[1]: no scorer, must or require applies; such a case can only pass",
        "8: cases[2]: no scorer, must or require applies; such a case can only pass",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("format: 2", "6: format: this version reads format 1, got 2"),
        ("epochs: 0", "6: epochs: needs a whole number from 1 to 1000, or {min: 2, max: 5}, got 0"),
        ("epochs: true", "6: epochs: needs a whole number from 1 to 1000, or {min: 2, max: 5}, got true"),
        ("epochs: {min: 5, max: 2}", "6: epochs: min 5 is above max 2"),
        ("epochs: {min: 1, mx: 2}", "6: epochs.mx: unknown key; did you mean 'max'?"),
        ("concurrency: true", "6: concurrency: needs a number, got true"),
        ("concurrency: many", "6: concurrency: needs a whole number, got 'many'"),
        ("timeout_s: 0", "6: timeout_s: has to be above 0, got 0"),
        ("errors: {max_rat: 1}", "6: errors.max_rat: unknown key; did you mean 'max_rate'?"),
        ("errors: {max_rate: 2}", "6: errors.max_rate: has to be at most 1, got 2"),
        ("errors: [1]", "6: errors: needs a mapping (key: value), got a list"),
        ("outputs: ful", "6: outputs: 'ful' is not one of redacted, full, none; did you mean 'full'?"),
        ("subject: {files: prompts/*.md}", "6: subject.files: needs a list, got 'prompts/*.md'"),
        ("defaults: {slice: {a: b}}", "6: defaults.slice: unknown key; did you mean 'slices'?"),
        ("defaults: {slices: [a]}", "6: defaults.slices: needs a mapping (key: value), got a list"),
        ("file: x", "6: file: unknown key; did you mean 'include'?"),
        ("gates: [{scorer: rout}]", "6: gates[0].scorer: unknown scorer 'rout'; did you mean 'route'?"),
        (
            "gates: [{scorer: route, slices: [persna]}]",
            "6: gates[0].slices[0]: unknown slice 'persna'; did you mean 'persona'?",
        ),
        (
            "gates: [{scorer: route, slices: [persona, persona]}]",
            "6: gates[0].slices[1]: 'persona' stands twice",
        ),
        ("gates: [{scorer: route, margin: -1}]", "6: gates[0].margin: has to be at least 0, got -1"),
        ("gates: [{scorer: route, margin: true}]", "6: gates[0].margin: needs a number, got true"),
        ("gates: [{scorer: route, margn: 1}]", "6: gates[0].margn: unknown key; did you mean 'margin'?"),
        (
            "gates: [{scorer: route}, {scorer: route, margin: 1}]",
            "6: gates[1]: the gate of 'route' over the same slices stands in line 6; keep one",
        ),
        ("gates: {scorer: route}", "6: gates: needs a list, got a mapping"),
        ("gates: [{scorer: route, alpha: 0.5}]", "6: gates[0].alpha: has to be below 0.5, got 0.5"),
        ("gates: [{scorer: route, alpha: 0}]", "6: gates[0].alpha: has to be above 0, got 0"),
        (
            "gates: [{scorer: route, margin: .inf}]",
            "6: gates[0].margin: is not a finite number; quote it if it is text",
        ),
        (
            "gates: [{scorer: route, on_inconclusive: no}]",
            "6: gates[0].on_inconclusive: 'no' is not one of warn, fail",
        ),
    ],
)
def test_a_wrong_value_in_the_head_is_named_in_plain_words(folder: Path, line: str, said: str) -> None:
    cases = "cases: [{id: a, input: 1, slices: {persona: free}}]\n"
    found = problems(folder, HEAD + line + "\n" + cases)
    if line.startswith("file"):
        assert found[0].startswith("6: file: unknown key")
    else:
        assert found == [said]


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("{id: a}", "cases[0].input: is required"),
        ("{input: 1}", "cases[0].id: is required"),
        ("text", "cases[0]: needs a mapping with id and input, got text"),
        ('{id: "a\\nb", input: 1}', "cases[0].id: 'a\\nb' is no name here"),
        ('{id: "", input: 1}', "cases[0].id: is empty"),
        ("{id: a, input: 1, line: 3}", "cases[0].line: unknown key"),
        ("{id: a, input: 1, where: x}", "cases[0].where: unknown key"),
        ("{id: a, input: 1, slices: [x]}", "cases[0].slices: needs a mapping (key: value), got a list"),
        ("{id: a, input: 1, slices: {p: {q: 1}}}", "cases[0].slices.p: needs text, got a mapping"),
        ("{id: a, input: 1, slices: {p: }}", "cases[0].slices.p: needs text, got nothing"),
        (
            '{id: a, input: 1, slices: {"p=q": 1}}',
            "cases[0].slices.p=q: a slice's name has to be text without",
        ),
        ("{id: a, input: 1, must: {refusal: x}}", "cases[0].must: needs a list of scorers, got a mapping"),
        ("{id: a, input: 1, must: [[x]]}", "cases[0].must[0]: needs a scorer: name, {name: argument}"),
        ("{id: a, input: 1, must: [{}]}", "cases[0].must[0]: needs a scorer: name, {name: argument}"),
        (
            "{id: a, input: 1, must: [{exact: x, as: y}]}",
            "cases[0].must[0]: a scorer is one name with its options inside; write {exact: {as: ...}}",
        ),
        (
            "{id: a, input: 1, scorers: [{exact: {as: 3}}]}",
            "cases[0].scorers[0].exact.as: a scorer's name is text",
        ),
        ("{id: a, input: 1, scorers: [x, x]}", "cases[0].scorers[1]: the name 'x' is taken by line 6"),
        (
            "{id: a, input: 1, require: [{scorer: rout}]}",
            "cases[0].require[0].scorer: unknown scorer 'rout'; did",
        ),
        ("{id: a, input: 1, require: [{at_least: 1}]}", "cases[0].require[0].scorer: is required"),
        (
            "{id: a, input: 1, require: [{scorer: route, in: 3/2}]}",
            "cases[0].require[0].in: '3/2' is not a share",
        ),
        (
            "{id: a, input: 1, require: [{scorer: route, in: 1}]}",
            "cases[0].require[0].in: '1' is not a share",
        ),
        (
            "{id: a, input: 1, require: [{scorer: route, share: 1/1}]}",
            "cases[0].require[0].share: unknown key",
        ),
        (
            "{id: a, input: 1, require: [{scorer: route, at_least: yes}]}",
            "require[0].at_least: needs a number",
        ),
        (
            "{id: a, input: 1, require: [{scorer: route, at_least: true}]}",
            "require[0].at_least: needs a number",
        ),
        (
            "{id: a, input: 1, require: {scorer: route}}",
            "cases[0].require: needs a list of {scorer, at_least, in}",
        ),
        (
            "{id: a, input: 1, require: [route]}",
            "cases[0].require[0]: needs a mapping {scorer, at_least, in}",
        ),
        ("{id: a, input: {x: .nan}}", "cases[0].input.x: is not a finite number"),
        ("{id: a, input: 1, input: 2}", "cases[0].input: is set twice; line 6 has it first"),
        ("{id: a, input: 1, source: {incident: x}}", "cases[0]: an incident case needs a must or a require"),
        (
            "{id: a, input: 1, source: {incidnt: x}, must: [y]}",
            "cases[0].source.incidnt: unknown key; did you mean",
        ),
    ],
)
def test_a_wrong_value_in_a_case_is_named_in_plain_words(folder: Path, case: str, said: str) -> None:
    found = problems(folder, HEAD + f"cases: [{case}]\n")
    assert any(f"6: {said}" in line or f".{said}" in line for line in found), found


@pytest.mark.parametrize(
    ("scorers", "said"),
    [
        ("exact", "4: scorers: needs a list of scorers, got text; start each scorer with '- '"),
        (
            "[a, {b: {as: a}}]",
            "4: scorers[1]: the name 'a' is taken by line 4; give one of them another name",
        ),
        ("['']", "4: scorers[0]: a scorer needs a name"),
    ],
)
def test_wrong_scorers_are_named_in_plain_words(folder: Path, scorers: str, said: str) -> None:
    head = HEAD.replace("scorers:\n  - exact: {as: route}\n", f"scorers: {scorers}\n")
    [problem] = problems(folder, head + "cases: [{id: a, input: 1}]\n")
    assert problem.startswith(said)


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "a:b", "''"])
def test_an_evalset_has_a_name_that_can_be_a_file_name(folder: Path, name: str) -> None:
    head = HEAD.replace("evalset: ticket-triage", f"evalset: {name}")
    [problem] = problems(folder, head + "cases: [{id: a, input: 1}]\n")
    assert problem.startswith("1: evalset: ")


def test_all_problems_of_all_files_come_at_once(folder: Path) -> None:
    write(folder, '{"id": "a", "input": 1}\n{"id": "z", "inptu": 1}\nnot json\n', "more.jsonl")
    write(folder, "cases: [\n", "broken.yaml")
    found = problems(
        folder, HEAD + "ownr: x\ncases: [{id: a, input: 1}]\ninclude: ['more.jsonl', 'broken.yaml', 'no']\n"
    )
    assert found == [
        "evalsets/broken.yaml:1: is not valid YAML: a value is missing here",
        "evalsets/more.jsonl:1: cases[0].id: 'a' is taken by evalsets/ticket-triage.eval.yaml:7",
        "evalsets/more.jsonl:2: cases[1].inptu: unknown key; did you mean 'input'?",
        "evalsets/more.jsonl:3: is not valid JSON: Expecting value (column 1)",
        "6: ownr: unknown key; did you mean 'owner'?",
        "8: include[2]: 'no' matches no file",
    ]


def test_a_message_never_shows_hostile_text_as_it_is(folder: Path) -> None:
    found = problems(folder, HEAD + 'cases: [{id: "\\e[31m\\u202ex", input: 1, "k\\n::error::": 2}]\n')
    assert all(line.isprintable() for line in found)
    assert not any("pydantic" in line or "http" in line for line in found)


# -- includes and incidents


INCIDENT = """\
format: 1
source: {incident: 2026-11-21-1, opened: 2026-11-21, url: "https://example.org/1"}
cases:
  - {id: inc-1, input: 1, must: [{not_contains: sue}]}
"""


def test_an_incident_becomes_a_case_by_dropping_one_file(folder: Path) -> None:
    write(folder, INCIDENT, "incidents/ticket-triage/2026-11-21-1.yaml")
    write(folder, INCIDENT.replace("inc-1", "inc-9"), "incidents/another/2026-11-21-1.yaml")
    evalset = load(folder, HEAD + "cases: [{id: a, input: 1}]\n")
    assert [case.id for case in evalset.cases] == ["a", "inc-1"]
    source = evalset.cases[1].source
    assert source is not None
    assert (source.incident, source.opened, source.url) == (
        "2026-11-21-1",
        "2026-11-21",
        "https://example.org/1",
    )
    assert evalset.cases[1].file == "evalsets/incidents/ticket-triage/2026-11-21-1.yaml"


def test_an_incident_file_that_is_listed_too_counts_once(folder: Path) -> None:
    write(folder, INCIDENT, "incidents/ticket-triage/one.yaml")
    text = HEAD + "include: ['incidents/ticket-triage/*.yaml', 'incidents/**/*.yaml']\n"
    assert [case.id for case in load(folder, text).cases] == ["inc-1"]


def test_an_incident_file_without_a_source_is_named_by_its_file(folder: Path) -> None:
    write(
        folder, "cases: [{id: i, input: 1, require: [{scorer: route}]}]\n", "incidents/ticket-triage/x-7.yaml"
    )
    [case] = load(folder, HEAD + "include: ['incidents/*/*.yaml']\n").cases
    assert case.source is not None
    assert case.source.incident == "x-7"


def test_an_incident_case_without_must_or_require_does_not_load(folder: Path) -> None:
    write(folder, "cases: [{id: i, input: 1}]\n", "incidents/ticket-triage/x.yaml")
    [problem] = problems(folder, HEAD + "cases: [{id: a, input: 1}]\n")
    assert problem == (
        "evalsets/incidents/ticket-triage/x.yaml:1: cases[0]: an incident case needs a must or a require, "
        "or nothing keeps it from coming back"
    )


def test_plain_case_files_may_be_included_and_need_no_must(folder: Path) -> None:
    write(folder, "cases: [{id: b, input: 1}]\n", "more/b.yaml")
    assert [case.source for case in load(folder, HEAD + "include: ['more/*.yaml']\n").cases] == [None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: needs a mapping with 'cases', got nothing"),
        ("cases: []\n", ":1: cases: holds no case"),
        ("format: 1\n", ":1: cases: is required"),
        ("csaes: []\n", ":1: csaes: unknown key; did you mean 'cases'?"),
        ("format: 3\ncases: [{id: b, input: 1}]\n", ":1: format: this version reads format 1, got 3"),
        ("source: {opened: x}\ncases: [{id: b, input: 1, must: [x]}]\n", ":1: source.incident: is required"),
    ],
)
def test_a_wrong_incident_file_is_named(folder: Path, text: str, said: str) -> None:
    write(folder, text, "more/b.yaml")
    assert f"evalsets/more/b.yaml{said}" in problems(folder, HEAD + "include: ['more/*.yaml']\n")


def test_an_include_never_leaves_the_project(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside, '{"id": "secret", "input": 1}\n', "out.jsonl")
    (folder / "linked.jsonl").symlink_to(outside / "out.jsonl")
    (folder / "linked").symlink_to(outside)
    for pattern in ("linked.jsonl", "linked/*.jsonl", f"../../{outside.name}/*.jsonl"):
        [problem] = problems(folder, HEAD + f"cases: [{{id: a, input: 1}}]\ninclude: ['{pattern}']\n")
        assert "lies outside the project; copy it into the repository" in problem
    [problem] = problems(folder, HEAD + f"cases: [{{id: a, input: 1}}]\ninclude: ['{outside}/*.jsonl']\n")
    assert "has to be a path relative to this file" in problem


def test_a_file_above_the_evalset_but_inside_the_project_may_be_included(folder: Path) -> None:
    write(folder.parent, '{"id": "up", "input": 1}\n', "common/up.jsonl")
    assert load(folder, HEAD + "include: ['../common/*.jsonl']\n").cases[0].file == "common/up.jsonl"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("more/*.yaml", "'more/*.yaml' matches no file"),
        ("notes.txt", "'evalsets/notes.txt' is neither *.yaml nor *.jsonl"),
        ("*.yaml", "'evalsets/other.eval.yaml' is an evalset of its own, not a file of cases"),
        ("", "has to be a path relative to this file"),
        ('"\\0"', "\\x00"),
    ],
)
def test_an_include_that_brings_nothing_is_named(folder: Path, pattern: str, said: str) -> None:
    write(folder, "x", "notes.txt")
    write(folder, HEAD, "other.eval.yaml")
    shown = pattern if pattern.startswith('"') else f"'{pattern}'"
    [problem] = problems(folder, HEAD + f"cases: [{{id: a, input: 1}}]\ninclude: [{shown}]\n")
    assert problem.startswith("7: include[0]: ")
    assert said in problem


def test_an_evalset_outside_the_root_is_named_by_its_own_path(folder: Path, tmp_path: Path) -> None:
    path = write(folder, "a: [")
    with pytest.raises(LoadError) as caught:
        load_evalset(path, root=tmp_path / "elsewhere")
    assert caught.value.problems[0].file == path.as_posix()


def test_the_line_of_a_path_is_found_in_yaml_and_json_lines(folder: Path) -> None:
    path = write(folder, HEAD + "cases:\n  - id: a\n    input: 1\n    must:\n      - refusal\n")
    assert line_of(path, "scorers[0]") == 5
    assert line_of(path, "cases[0].must[0]") == 10
    assert line_of(path, "cases[7]") == 6
    rows = write(folder, '\n{"id": "a", "input": 1}\n\n{"id": "b", "input": 1}\n', "c.jsonl")
    assert line_of(rows, "cases[1].must[0]") == 4
    assert line_of(folder / "missing.yaml", "a") == 1


def test_a_large_evalset_keeps_every_line_and_shares_what_cases_have_in_common(folder: Path) -> None:
    text = (
        HEAD + "cases:\n" + "".join(f"  - id: c{i}\n    input: {i}\n    expected: {i}\n" for i in range(2500))
    )
    cases = load(folder, text).cases
    assert [case.line for case in cases[::500]] == [7 + 3 * i for i in range(0, 2500, 500)]
    assert len({id(case.model_fields_set) for case in cases}) <= 3
    assert cases[0].model_fields_set >= {"id", "input", "expected"}


# -- schemas


def schema_errors(kind: Any, document: str, **names: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(json_schema(kind, **names))
    return [error.message for error in validator.iter_errors(yaml.safe_load(document))]


@pytest.mark.parametrize("kind", ["evalset", "config", "incident"])
def test_each_schema_is_a_json_schema(kind: Any) -> None:
    schema = json_schema(kind, scorers=["exact"], targets=["python"])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_the_evalset_of_the_design_fits_its_schema() -> None:
    names = {"scorers": ["exact", "judge", "not_contains"], "targets": ["python"]}
    assert schema_errors("evalset", DESIGN, **names) == []
    assert schema_errors("evalset", DESIGN.replace("exact", "pkg.mod:exact"), **names) == []
    assert schema_errors("evalset", DESIGN.replace("epochs: 3", "epochs: {min: 2, max: 5}"), **names) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner:", "ownr:"),
        ("exact:", "exct:"),
        ("python:", "pyton:"),
        ("epochs: 3", "epochs: 0"),
        ("in: 2/3", "in: often"),
        ("in: 2/3", "share: 2/3"),
        ("cluster: doc-17", "file: x"),
        ("margin: 0.05", "margin: -1"),
        ("feature: triage", "feature: [a]"),
        ("format: 1", "format: 2"),
        ("{max_rate: 0.02}", "{max_rate: 2}"),
    ],
)
def test_a_wrong_evalset_does_not_fit_the_schema(old: str, new: str) -> None:
    names = {"scorers": ["exact", "judge", "not_contains"], "targets": ["python"]}
    assert schema_errors("evalset", DESIGN.replace(old, new, 1), **names)


def test_an_evalset_without_cases_and_include_does_not_fit_the_schema() -> None:
    assert schema_errors("evalset", HEAD)
    assert not schema_errors("evalset", HEAD + "include: [a.jsonl]\n")


def test_incident_files_fit_their_schema_only_with_must_or_require() -> None:
    assert schema_errors("incident", INCIDENT.replace("2026-11-21,", "'2026-11-21',")) == []
    assert schema_errors("incident", "cases: [{id: a, input: 1}]")
    assert schema_errors("incident", "cases: []")
