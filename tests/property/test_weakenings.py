"""Whatever two versions look like: nothing is weaker than itself, and what got stricter is never told."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_aioncall.decide.strictness import differences, together
from pytest_aioncall.decide.weakenings import compare_evalsets, count_strengthened
from pytest_aioncall.decide.weakergates import Version
from pytest_aioncall.model.config import Defaults
from pytest_aioncall.model.evalset import Case, Evalset, Gate, Require, ScorerSpec, TargetSpec
from pytest_aioncall.model.weakening import WeakeningEntry

NAMES = ("exact", "contains", "length")
shares = st.sampled_from(["1/3", "2/3", "3/3"])
texts = st.sampled_from(["a", "b", "a b"])
limits = st.one_of(st.none(), st.integers(0, 9))


@st.composite
def specs(draw: st.DrawFn, kind: str | None = None) -> ScorerSpec:
    kind = kind or draw(st.sampled_from(NAMES))
    options: dict[str, Any] = {}
    if kind == "length":
        options = {"max": draw(st.integers(10, 20))}
        if (low := draw(limits)) is not None:
            options["min"] = low
    else:
        if draw(st.booleans()):
            options["ignore_case"] = draw(st.booleans())
        if kind == "contains":
            options[draw(st.sampled_from(["text", "all", "any"]))] = draw(
                st.lists(texts, min_size=1, max_size=3)
            )
    return ScorerSpec(kind=kind, name=kind, options=options)


@st.composite
def cases(draw: st.DrawFn, name: str) -> Case:
    return Case(
        id=name,
        input=draw(texts),
        expected=draw(st.one_of(st.none(), texts, st.lists(texts, min_size=1))),
        slices=draw(st.dictionaries(st.sampled_from(["persona", "shape"]), texts)),
        cluster=draw(st.one_of(st.none(), texts)),
        must=tuple(draw(st.lists(specs(), max_size=3))),
        require=tuple(
            Require(scorer="exact", at_least=at_least, share=share)
            for at_least, share in draw(st.lists(st.tuples(limits, shares), max_size=2))
        ),
    )


@st.composite
def versions(draw: st.DrawFn) -> Version:
    kinds = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    gated = draw(st.lists(st.sampled_from(kinds), unique=True))
    rule = st.builds(
        Gate,
        scorer=st.just("exact"),
        margin=st.one_of(st.none(), st.floats(0, 0.5)),
        min=st.one_of(st.none(), st.floats(0, 1)),
        alpha=st.one_of(st.none(), st.floats(0.01, 0.4)),
        claim=st.sampled_from([None, "these-cases", "cases-like-these"]),
        on_inconclusive=st.sampled_from([None, "warn", "fail"]),
        slices=st.lists(st.sampled_from(["persona", "shape"]), unique=True).map(tuple),
    )
    ids = draw(st.lists(st.sampled_from("abcd"), min_size=1, unique=True))
    evalset = Evalset(
        evalset="demo",
        owner="@ann",
        target=TargetSpec(kind=draw(st.sampled_from(["python", "replay"]))),
        epochs=draw(st.integers(1, 5)),
        scorers=tuple(draw(specs(kind)) for kind in kinds),
        gates=tuple(draw(rule).model_copy(update={"scorer": name}) for name in gated),
        cases=tuple(draw(cases(name)) for name in ids),
    )
    return Version(evalset, Defaults(), {}, {})


@settings(max_examples=40, deadline=None)
@given(versions())
def test_nothing_is_weaker_than_itself(one: Version) -> None:
    assert compare_evalsets(one, one) == []


@settings(max_examples=40, deadline=None)
@given(versions(), versions())
def test_every_name_is_unique_and_every_place_is_of_the_right_side(was: Version, now: Version) -> None:
    found = compare_evalsets(was, now)
    assert len({one.what for one in found}) == len(found)
    assert all(
        one.what == WeakeningEntry(what=one.what, reason="x").what and one.evalset == "demo" for one in found
    )


@settings(max_examples=40, deadline=None)
@given(versions(), versions())
def test_what_is_stricter_is_counted_and_never_told(was: Version, now: Version) -> None:
    forward, backward = compare_evalsets(was, now), compare_evalsets(now, was)
    strengthened = count_strengthened(forward, backward)
    both = {(one.kind, one.what) for one in forward} & {(one.kind, one.what) for one in backward}
    assert strengthened == len(backward) - len(both)


@settings(max_examples=40, deadline=None)
@given(versions(), versions())
def test_cases_that_were_not_there_before_weaken_nothing(was: Version, now: Version) -> None:
    """Taking the new version and adding cases to it tells nothing more."""
    extra = Case(id="added", input="x", expected="y")
    more = now.evalset.model_copy(update={"cases": (*now.evalset.cases, extra)})
    told = [
        [(one.kind, one.what) for one in compare_evalsets(was, after)]
        for after in (now, Version(more, now.defaults, {}, {}))
    ]
    assert told[0] == told[1]


@given(specs(), specs(), specs())
def test_stricter_is_an_order(one: ScorerSpec, two: ScorerSpec, three: ScorerSpec) -> None:
    """Never stricter both ways, and what is stricter than the stricter one is not looser than the first."""

    def change(was: ScorerSpec, now: ScorerSpec) -> str:
        if was.kind != now.kind:
            return "unclear"
        return together(d.change for d in differences(was, now, was_texts={}, now_texts={}))

    assert change(one, one) == "same"
    if change(one, two) == "stricter":
        assert change(two, one) in ("looser", "unclear")
        if change(two, three) in ("same", "stricter"):
            assert change(one, three) not in ("looser", "same")
