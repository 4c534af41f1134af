"""Each way of weakening a gate is told when it happens, and its opposite never is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pytest_aioncall.decide import weakerconfig
from pytest_aioncall.decide.weakenings import (
    LISTED,
    compare_evalsets,
    count_strengthened,
    excuse,
    removed_evalset,
    says_why,
)
from pytest_aioncall.decide.weakerconfig import compare_configs
from pytest_aioncall.decide.weakergates import Version
from pytest_aioncall.model.config import Config, Defaults
from pytest_aioncall.model.evalset import Case, Evalset, Gate
from pytest_aioncall.model.weakening import Weakening, WeakeningEntry


def scorer(kind: str, name: str = "", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name or kind, **more}


def case(name: str = "a", **keys: Any) -> dict[str, Any]:
    return {"id": name, "input": "hello", "expected": "yes", **keys}


def version(
    *,
    defaults: Defaults | None = None,
    texts: dict[str, str] | None = None,
    scales: dict[str, tuple[float, float]] | None = None,
    **keys: Any,
) -> Version:
    content = {
        "evalset": "demo",
        "owner": "@ann",
        "target": {"kind": "python", "has_arg": True, "arg": "app:answer"},
        "scorers": [scorer("exact")],
        "cases": [case()],
        "file": "demo.eval.yaml",
        **keys,
    }
    return Version(Evalset.model_validate(content), defaults or Defaults(), texts or {}, scales or {})


def gates(**keys: Any) -> dict[str, Any]:
    return {"gates": [{"scorer": "exact", **keys}]}


def sliced(*names: str) -> dict[str, Any]:
    return {**gates(slices=names), "cases": [case(slices={"persona": "free", "shape": "long"})]}


def musts(*specs: dict[str, Any]) -> dict[str, Any]:
    return {"cases": [case(must=list(specs))]}


def required(**keys: Any) -> dict[str, Any]:
    return {"cases": [case(require=[{"scorer": "exact", **keys}])]}


def expecting(kind: str, expected: Any) -> dict[str, Any]:
    return {"scorers": [scorer(kind)], "cases": [case(expected=expected)]}


def one(kind: str, **options: Any) -> dict[str, Any]:
    return {"scorers": [scorer(kind, options=options)]}


def argument(kind: str, value: Any) -> dict[str, Any]:
    return {"scorers": [scorer(kind, has_arg=True, arg=value)]}


TWO = [scorer("exact"), scorer("length", has_arg=True, arg=9)]

# (kind, how an entry names it, the stricter version, the weaker one)
ONE_WAY: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("gate_removed", "gate of length removed", {"scorers": TWO}, {"scorers": TWO, **gates()}),
    (
        "gate_removed",
        "gate of length removed",
        {"scorers": TWO, "gates": [{"scorer": "exact"}, {"scorer": "length"}]},
        {"scorers": TWO, **gates()},
    ),
    ("slice_removed", "slice persona of gate exact removed", sliced("persona", "shape"), sliced("shape")),
    ("margin_up", "margin of exact", gates(margin=0.05), gates(margin=0.06)),
    ("margin_up", "margin of exact", gates(), gates(margin=0.06)),
    ("margin_up", "margin of exact", gates(margin=0.01), {}),
    ("min_down", "min of exact", gates(min=0.9), gates(min=0.8)),
    ("min_down", "min of exact", gates(min=0.9), gates()),
    ("alpha_down", "alpha of exact", gates(alpha=0.05), gates(alpha=0.01)),
    ("alpha_down", "alpha of exact", gates(), gates(alpha=0.01)),
    (
        "inconclusive_passes",
        "on_inconclusive of exact",
        gates(on_inconclusive="fail"),
        gates(on_inconclusive="warn"),
    ),
    ("error_rate_up", "errors.max_rate", {}, {"errors": {"max_rate": 0.1}}),
    ("error_types_added", "errors.transport", {}, {"errors": {"transport": ["app:Busy"]}}),
    ("fewer_epochs", "epochs", {"epochs": 3}, {"epochs": 2}),
    ("fewer_epochs", "epochs", {}, {"epochs": 1}),
    ("fewer_epochs", "epochs", {"epochs": {"min": 2, "max": 5}}, {"epochs": {"min": 2, "max": 4}}),
    ("fewer_epochs", "epochs", {"epochs": {"min": 3, "max": 5}}, {"epochs": {"min": 2, "max": 5}}),
    ("baseline_age_up", "baseline_max_age_days", {}, {"baseline_max_age_days": 60}),
    ("baseline_age_up", "baseline_max_age_days", {"baseline_max_age_days": 10}, {}),
    ("scorer_removed", "scorer length removed", {"scorers": TWO}, {}),
    ("scorer_loosened", "scorer exact", {}, one("exact", ignore_case=True)),
    ("scorer_loosened", "scorer exact", {}, one("exact", whitespace="collapse")),
    ("scorer_loosened", "scorer contains", argument("contains", ["a", "b"]), argument("contains", ["a"])),
    ("scorer_loosened", "scorer contains", argument("contains", "a b"), argument("contains", "a")),
    ("scorer_loosened", "scorer contains", one("contains", all=["a", "b"]), one("contains", any=["a", "b"])),
    (
        "scorer_loosened",
        "scorer contains",
        one("contains", any=["a", "b"]),
        one("contains", any=["a", "b", "c"]),
    ),
    (
        "scorer_loosened",
        "scorer not_contains",
        argument("not_contains", ["a", "b"]),
        argument("not_contains", "a"),
    ),
    (
        "scorer_loosened",
        "scorer not_contains",
        one("not_contains", text="a", ignore_case=True),
        one("not_contains", text="a"),
    ),
    ("scorer_loosened", "scorer one_of", argument("one_of", ["a"]), argument("one_of", ["a", "b"])),
    ("scorer_loosened", "scorer regex", argument("regex", ["a", "b"]), argument("regex", ["a"])),
    ("scorer_loosened", "scorer regex", one("regex", pattern="a", full=True), one("regex", pattern="a")),
    ("scorer_loosened", "scorer numeric", one("numeric"), one("numeric", tolerance=0.5)),
    ("scorer_loosened", "scorer numeric", one("numeric", relative=0.1), one("numeric", relative=0.2)),
    ("scorer_loosened", "scorer length", argument("length", 50), argument("length", 60)),
    ("scorer_loosened", "scorer length", one("length", max=50, min=5), one("length", max=50)),
    ("scorer_loosened", "scorer latency_max", argument("latency_max", 1.0), argument("latency_max", 2)),
    (
        "scorer_loosened",
        "scorer levenshtein",
        one("levenshtein", pass_at=0.9),
        one("levenshtein", pass_at=0.8),
    ),
    ("scorer_loosened", "scorer pii_absent", one("pii_absent"), one("pii_absent", allow=["@example.com"])),
    ("scorer_loosened", "scorer json_valid", argument("json_valid", "object"), one("json_valid")),
    (
        "scorer_loosened",
        "scorer json_schema",
        one("json_schema", schema={}, fence=False),
        one("json_schema", schema={}),
    ),
    ("scorer_loosened", "scorer tool_calls", one("tool_calls", order="same"), one("tool_calls")),
    ("scorer_loosened", "scorer retrieval_hit", one("retrieval_hit", k=3), one("retrieval_hit", k=5)),
    (
        "scorer_loosened",
        "scorer citations_present",
        one("citations_present", at_least=2),
        one("citations_present"),
    ),
    (
        "scorer_loosened",
        "scorer judge",
        one("judge", rubric="r", pass_at=4),
        one("judge", rubric="r", pass_at=3),
    ),
    ("case_removed", "case b removed", {"cases": [case(), case("b")]}, {}),
    (
        "incident_removed",
        "incident case b removed",
        {"cases": [case(), case("b", source={"incident": "inc-1"})]},
        {},
    ),
    (
        "incident_unmarked",
        "incident of case a",
        {"cases": [case(source={"incident": "inc-1"})]},
        {},
    ),
    ("expected_loosened", "expected of case a", {}, {"cases": [case(expected=None)]}),
    ("expected_loosened", "expected of case a", expecting("one_of", ["x"]), expecting("one_of", ["x", "y"])),
    (
        "expected_loosened",
        "expected of case a",
        expecting("contains", ["x", "y"]),
        expecting("contains", ["x"]),
    ),
    (
        "expected_loosened",
        "expected of case a",
        expecting("not_contains", ["x", "y"]),
        expecting("not_contains", ["x"]),
    ),
    ("must_loosened", "must of case a", musts(scorer("not_contains", has_arg=True, arg="x")), {}),
    (
        "must_loosened",
        "must of case a",
        musts(scorer("not_contains", has_arg=True, arg=["x", "y"])),
        musts(scorer("not_contains", has_arg=True, arg=["x"])),
    ),
    (
        "must_loosened",
        "must of case a",
        musts(*[scorer("length", has_arg=True, arg=limit) for limit in (5, 9)]),
        musts(scorer("length", has_arg=True, arg=5)),
    ),
    ("require_loosened", "require of case a", required(), {}),
    (
        "require_loosened",
        "require of case a",
        {"cases": [case(require=[{"scorer": "exact", "in": "3/3"}])]},
        {"cases": [case(require=[{"scorer": "exact", "in": "2/3"}])]},
    ),
    ("require_loosened", "require of case a", required(at_least=4), required(at_least=3)),
    (
        "case_scorer_loosened",
        "scorers of case a",
        {},
        {"cases": [case(scorers=[scorer("exact", options={"ignore_case": True})])]},
    ),
    ("slices_left", "slices of case a", sliced("persona"), {**gates(slices=["persona"])}),
]


@pytest.mark.parametrize(
    ("kind", "what", "strict", "loose"), ONE_WAY, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_weakening_is_told_and_its_opposite_is_not(
    kind: str, what: str, strict: dict[str, Any], loose: dict[str, Any]
) -> None:
    before, after = version(**strict), version(**loose)
    forward, backward = compare_evalsets(before, after), compare_evalsets(after, before)
    assert [(w.kind, w.what, w.evalset) for w in forward] == [(kind, what, "demo")]
    assert backward == []
    assert count_strengthened(backward, forward) == 1
    assert forward[0].was != forward[0].now


def test_a_slice_left_is_not_told_where_the_case_only_joins_one() -> None:
    joined = compare_evalsets(version(**gates(slices=["persona"])), version(**sliced("persona")))
    assert joined == []


JUDGE = {"rubric": "Be kind.", "model": "x/judge-2026-01-01", "scale": [1, 5]}

# (kind, how an entry names it, one version, another): nobody can tell which of them asks for more
EITHER_WAY: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("claim_changed", "claim of exact", gates(claim="these-cases"), gates(claim="cases-like-these")),
    (
        "judge_swapped",
        "judge judge",
        one("judge", **JUDGE),
        one("judge", **{**JUDGE, "model": "x/judge-2026-02-02"}),
    ),
    ("judge_swapped", "judge judge", one("judge", **JUDGE), one("judge", **{**JUDGE, "rubric": "Be short."})),
    ("judge_swapped", "judge judge", one("judge", **JUDGE), one("judge", **{**JUDGE, "scale": [0, 1]})),
    ("judge_swapped", "judge judge", one("judge", **JUDGE), one("judge", **JUDGE, params={"temperature": 1})),
    (
        "judge_swapped",
        "judge q",
        {"scorers": [scorer("judge", "q", options=JUDGE)]},
        {"scorers": [scorer("exact", "q")]},
    ),
    (
        "scorer_swapped",
        "scorer q",
        {"scorers": [scorer("exact", "q")]},
        {"scorers": [scorer("contains", "q")]},
    ),
    ("scorer_loosened", "scorer regex", argument("regex", "a"), argument("regex", "b")),
    ("scorer_loosened", "scorer app:own", one("app:own", depth=1), one("app:own", depth=2)),
    ("scorer_loosened", "scorer contains", argument("contains", "cat"), argument("contains", "dog")),
    ("input_changed", "input of case a", {}, {"cases": [case(input="another question")]}),
    ("expected_loosened", "expected of case a", {}, {"cases": [case(expected="no")]}),
    ("expected_loosened", "expected of case a", expecting("app:own", "x"), expecting("app:own", "y")),
    (
        "must_loosened",
        "must of case a",
        musts(scorer("regex", has_arg=True, arg="x")),
        musts(scorer("regex", has_arg=True, arg="y")),
    ),
    ("require_loosened", "require of case a", required(at_least=4), required()),
    ("cluster_changed", "cluster of case a", {}, {"cases": [case(cluster="doc-1")]}),
]


@pytest.mark.parametrize(
    ("kind", "what", "one", "other"), EITHER_WAY, ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_cannot_be_told_counts_either_way(
    kind: str, what: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    for before, after in ((one, other), (other, one)):
        forward = compare_evalsets(version(**before), version(**after))
        assert [(w.kind, w.what) for w in forward] == [(kind, what)]


# What decides nothing, or is stricter for sure.
NEITHER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a new case", {}, {"cases": [case(), case("b")]}),
    ("a new scorer with its gate", {}, {"scorers": TWO}),
    ("other words", {"description": "x", "owner": "@bo"}, {"description": "y"}),
    ("another note", {}, {"cases": [case(note="seen on Monday")]}),
    (
        "a slice that no gate asks for",
        {"cases": [case(slices={"x": "1"})]},
        {"cases": [case(slices={"x": "2"})]},
    ),
    ("the gate that holds without one", {}, gates()),
    ("the same margin said", gates(), gates(margin=0.05)),
    ("another target", {}, {"target": {"kind": "http"}}),
    ("a default said", {}, {"errors": {"max_rate": 0.02}}),
    ("an option's default said", {}, one("exact", ignore_case=False, whitespace="trim")),
    (
        "gates in another order",
        {"scorers": TWO, "gates": [{"scorer": "exact"}, {"scorer": "length"}]},
        {"scorers": TWO, "gates": [{"scorer": "length"}, {"scorer": "exact"}]},
    ),
    (
        "musts in another order",
        musts(scorer("length", has_arg=True, arg=5), scorer("not_contains", has_arg=True, arg="x")),
        musts(scorer("not_contains", has_arg=True, arg="x"), scorer("length", has_arg=True, arg=5)),
    ),
    ("a short form written out", argument("length", 5), one("length", max=5)),
    ("an entry for a weakening", {}, {"weakening": [{"what": "x", "reason": "y"}]}),
]


@pytest.mark.parametrize(("before", "after"), [n[1:] for n in NEITHER], ids=[n[0] for n in NEITHER])
def test_what_is_no_weaker_is_not_told(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert compare_evalsets(version(**before), version(**after)) == []


def test_a_target_that_only_replays_is_a_weakening() -> None:
    (found,) = compare_evalsets(version(), version(target={"kind": "replay"}))
    assert (found.kind, found.what) == ("target_replays", "target")
    assert compare_evalsets(version(target={"kind": "replay"}), version()) == []


def test_a_rubric_is_compared_by_its_text_and_not_by_its_name() -> None:
    inline = version(**one("judge", **JUDGE))
    named = {**JUDGE, "rubric": "rubric.md"}
    moved = version(**one("judge", **named), texts={"rubric.md": "Be kind.\n"})
    edited = version(**one("judge", **named), texts={"rubric.md": "Be kind to customers."})
    assert compare_evalsets(inline, moved) == []
    (found,) = compare_evalsets(moved, edited)
    assert (found.kind, found.what) == ("judge_swapped", "judge judge")
    assert "another text behind it" in found.now


def test_code_behind_a_scorer_counts_also_in_a_must() -> None:
    own = musts(scorer("app:own"))
    before = version(**own, texts={"app:own": "return fits(output)"})
    after = version(**own, texts={"app:own": "return True"})
    (found,) = compare_evalsets(before, after)
    assert (found.kind, found.what) == ("must_loosened", "must of case a")


def test_a_margin_on_a_judge_scale_has_its_own_default() -> None:
    content = one("judge", **JUDGE)
    told = {
        margin: compare_evalsets(
            version(**content, scales={"judge": (1, 5)}),
            version(**content, gates=[{"scorer": "judge", "margin": margin}], scales={"judge": (1, 5)}),
        )
        for margin in (0.16, 0.2)
    }
    assert told[0.16] == []
    assert [w.kind for w in told[0.2]] == ["margin_up"]


def test_a_default_that_changes_is_told_once_and_by_the_configuration() -> None:
    before = version(defaults=Defaults(margin=0.02))
    after = version(defaults=Defaults(margin=0.2))
    assert compare_evalsets(before, after) == []
    explicit = version(defaults=Defaults(margin=0.2), **gates(margin=0.1))
    assert [w.kind for w in compare_evalsets(before, explicit)] == ["margin_up"]


def test_a_slice_has_its_own_line_only_where_its_rule_differs() -> None:
    cases = [case(slices={"persona": "free"})]
    whole = [{"scorer": "exact", "margin": 0.1, "slices": ["persona"]}]
    strict = [{"scorer": "exact", "margin": 0.05, "slices": ["persona"]}]
    split = [{"scorer": "exact", "margin": 0.05}, {"scorer": "exact", "margin": 0.2, "slices": ["persona"]}]
    told = compare_evalsets(version(cases=cases, gates=strict), version(cases=cases, gates=whole))
    assert [w.what for w in told] == ["margin of exact"]
    told = compare_evalsets(version(cases=cases, gates=strict), version(cases=cases, gates=split))
    assert [w.what for w in told] == ["margin of exact by persona"]


def test_a_case_with_another_id_is_said_to_be_renamed() -> None:
    (found,) = compare_evalsets(version(), version(cases=[case("b")]))
    assert found.what == "case a removed"
    assert "renamed to b" in found.now


def test_a_renamed_evalset_is_told_since_it_loses_its_baseline() -> None:
    (found,) = compare_evalsets(version(), version(evalset="other"))
    assert (found.kind, found.what, found.evalset) == ("evalset_renamed", "evalset demo renamed", "other")


CONFIG: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("defaults.alpha", {"defaults": {"alpha": 0.1}}, {}),
    ("defaults.on_inconclusive", {"defaults": {"on_inconclusive": "fail"}}, {}),
    ("defaults.margin", {"defaults": {"margin": 0.01}}, {"defaults": {"margin": 0.02}}),
    ("defaults.margin", {"defaults": {"margin": 0.01}}, {}),
    ("defaults.min", {"defaults": {"min": 0.9}}, {"defaults": {"min": 0.8}}),
    ("defaults.min", {"defaults": {"min": 0.9}}, {}),
    ("defaults.baseline_max_age_days", {}, {"defaults": {"baseline_max_age_days": 60}}),
    ("defaults.latency_p95_ratio", {}, {"defaults": {"latency_p95_ratio": 3}}),
    ("defaults.cost_ratio", {}, {"defaults": {"cost_ratio": 3}}),
    ("defaults.epochs", {}, {"defaults": {"epochs": 2}}),
    ("defaults.epochs", {"defaults": {"epochs": {"min": 3, "max": 6}}}, {"defaults": {"epochs": 3}}),
    ("defaults.tokens_ratio", {}, {"defaults": {"tokens_ratio": 3}}),
    ("defaults.retrieved_ratio", {}, {"defaults": {"retrieved_ratio": 3}}),
    ("defaults.mode", {}, {"defaults": {"mode": "replay"}}),
    ("defaults.require_baseline", {"defaults": {"require_baseline": True}}, {}),
    ("defaults.baseline_ref", {"defaults": {"baseline_ref": "origin/main"}}, {}),
    ("redact ACME-[0-9]+", {"redact": ["ACME-[0-9]+", "x"]}, {"redact": ["x"]}),
]


@pytest.mark.parametrize(("what", "strict", "loose"), CONFIG)
def test_the_configuration_is_compared_both_ways(
    what: str, strict: dict[str, Any], loose: dict[str, Any]
) -> None:
    before, after = Config.model_validate(strict), Config.model_validate(loose)
    assert [w.what for w in compare_configs(before, after, file="aioncall.yaml")] == [what]
    assert compare_configs(after, before, file="aioncall.yaml") == []


def test_epochs_that_the_configuration_gave_count_when_the_evalset_says_its_own() -> None:
    before = version(defaults=Defaults(epochs=5))
    told = compare_evalsets(before, version(epochs=4))
    assert [(w.kind, w.was, w.now) for w in told] == [("fewer_epochs", "5", "4")]
    assert compare_evalsets(version(epochs=4), before) == []


def test_somebody_has_decided_of_every_key_whether_it_can_weaken() -> None:
    """A key that is added to a model has to be compared, or named here as one that decides nothing."""
    no_matter = {
        Defaults: {"max_cost_usd", "concurrency", "keep_runs", "report_dir", "http_client"},
        Gate: {"scorer"},
        Evalset: {"format", "owner", "description", "subject", "concurrency", "timeout_s", "outputs"}
        | {"weakening", "file"},
        Case: {"id", "note", "file", "line", "where"},
    }
    compared = {
        Defaults: set(weakerconfig._DEFAULTS),
        Gate: {"margin", "slices", "min", "claim", "alpha", "on_inconclusive"},
        Evalset: {
            "evalset",
            "target",
            "epochs",
            "errors",
            "baseline_max_age_days",
            "scorers",
            "gates",
            "cases",
        },
        Case: {"input", "expected", "slices", "cluster", "scorers", "must", "require", "source"},
    }
    for model, keys in compared.items():
        assert set(model.model_fields) == keys | no_matter[model], model.__name__


def test_another_server_under_the_same_name_is_told_either_way() -> None:
    one = Config.model_validate({"providers": {"x": {"base_url": "https://a.example"}, "y": {}}})
    two = Config.model_validate({"providers": {"x": {"base_url": "http://127.0.0.1:1"}, "z": {}}})
    for before, after in ((one, two), (two, one)):
        told = compare_configs(before, after, file="aioncall.yaml")
        assert [(w.kind, w.what) for w in told] == [("provider_changed", "provider x")]
    slower = Config.model_validate({"providers": {"x": {"base_url": "https://a.example", "concurrency": 1}}})
    assert compare_configs(one, slower, file="aioncall.yaml") == []


def test_what_costs_or_stores_is_no_matter_of_strictness() -> None:
    before = Config.model_validate({"defaults": {"max_cost_usd": 1, "keep_runs": 5, "concurrency": 2}})
    assert compare_configs(before, Config(store="elsewhere"), file="aioncall.yaml") == []


def test_an_evalset_that_is_gone_is_one_line_with_what_it_held() -> None:
    many = [case(f"c{i}", source={"incident": "i"} if i < 2 else None) for i in range(500)]
    gone = removed_evalset(version(scorers=TWO, cases=many).evalset)
    assert gone.what == "evalset demo removed"
    assert gone.was == "2 gates, 500 cases, 2 of them of incidents"


TODAY = date(2026, 11, 22)
WEAKER = Weakening(kind="margin_up", evalset="demo", what="margin of exact", was="0.05", now="0.1")
GOOD = "agreed with support in SUP-142"


def excused(weaker: list[Weakening], *now: dict[str, str], was: tuple[dict[str, str], ...] = ()) -> Any:
    entries = [[WeakeningEntry.model_validate(e) for e in side] for side in (was, now)]
    return excuse(weaker, was=entries[0], now=entries[1], today=TODAY)


def test_an_entry_of_this_change_that_names_it_excuses() -> None:
    (found,), idle = excused([WEAKER], {"what": " margin  of exact ", "reason": GOOD})
    assert (found.excused_by, idle) == (GOOD, [])


def test_an_entry_that_was_there_before_excuses_nothing_new() -> None:
    entry = {"what": "margin of exact", "reason": GOOD}
    (found,), idle = excused([WEAKER], entry, was=(entry,))
    assert found.excused_by is None
    assert "there before" in (found.not_excused or "")
    assert idle == [], "history may stay"
    (found,), _ = excused([WEAKER], entry, {**entry, "reason": "and now for the new model"}, was=(entry,))
    assert found.excused_by == "and now for the new model"


@pytest.mark.parametrize(
    "reason", ["WHY", "TODO", "todo: write this", "...", "<reason>", "xxxxxxxxxxxx", "ok", "because"]
)
def test_a_placeholder_is_no_reason(reason: str) -> None:
    assert not says_why(reason)
    (found,), _ = excused([WEAKER], {"what": "margin of exact", "reason": reason})
    assert found.excused_by is None
    assert "says nothing" in (found.not_excused or "")


@pytest.mark.parametrize("reason", [GOOD, "smaller model", "新しいモデルの余白を広げる", "SUP-14255 agreed"])
def test_a_sentence_in_any_language_is_a_reason(reason: str) -> None:
    assert says_why(reason)


def test_an_entry_that_is_over_excuses_nothing() -> None:
    entry = {"what": "margin of exact", "reason": GOOD}
    (found,), _ = excused([WEAKER], {**entry, "until": "2026-11-21"})
    assert found.not_excused == "its entry ended on 2026-11-21"
    (found,), _ = excused([WEAKER], {**entry, "until": "2026-11-22"})
    assert found.excused_by == GOOD


def test_an_entry_for_something_else_excuses_nothing_and_is_told() -> None:
    (found,), idle = excused([WEAKER], {"what": "margin of exac", "reason": GOOD})
    assert (found.excused_by, found.not_excused) == (None, None)
    assert [entry.what for entry in idle] == ["margin of exac"]


def gone(count: int) -> list[Weakening]:
    before = version(cases=[case(f"c{i}") for i in range(count + 1)])
    return compare_evalsets(before, version(cases=[case(f"c{count}")]))


def test_many_of_a_kind_are_one_line_with_one_entry() -> None:
    found, _ = excused(gone(LISTED))
    assert len(found) == LISTED
    (found,), _ = excused(gone(500))
    assert found.what == "500 cases removed"
    assert len(found.cases) == 500
    assert found.was == "c0, c1, c2 and 497 more"


def test_an_entry_for_many_counts_them_so_that_no_other_slips_in() -> None:
    entry = {"what": "500 cases removed", "reason": GOOD}
    (found,), _ = excused(gone(500), entry)
    assert found.excused_by == GOOD
    (found,), idle = excused(gone(501), entry)
    assert found.excused_by is None
    assert len(idle) == 1


def test_entries_for_single_cases_are_taken_out_of_the_many() -> None:
    found, _ = excused(gone(500), {"what": "case c7 removed", "reason": GOOD})
    assert sorted((w.what, w.excused_by) for w in found) == [
        ("499 cases removed", None),
        ("case c7 removed", GOOD),
    ]


def test_few_may_be_excused_as_many() -> None:
    (found,), idle = excused(gone(3), {"what": "3 cases removed", "reason": GOOD})
    assert (found.excused_by, idle) == (GOOD, [])
