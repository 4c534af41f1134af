"""A history does not depend on the order in which files came, nor merging records on who was first."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from history_worlds import made_entry
from pytest_aioncall.adapters.history import HistoryFolder, entry_path, entry_text
from pytest_aioncall.adapters.history.merging import merged_record
from pytest_aioncall.adapters.history.names import file_stem
from pytest_aioncall.adapters.history.reading import read_entry
from pytest_aioncall.decide.monitor import conditions
from pytest_aioncall.model.history import CaseDay, EvalsetDay, HistoryEntry, MeanRow
from pytest_aioncall.model.oncall import Monitors

ENTRIES = [
    made_entry(n, attempt=attempt).model_copy(
        update={
            "evalsets": (
                EvalsetDay(
                    evalset="triage",
                    judged=n % 7 != 3,
                    status="regressed" if n in (17, 18) else "pass",
                    rows=(
                        MeanRow(
                            scorer="route", mean=0.9 + 0.01 * (n % 3), n_cases=40, judged=120, planned=120
                        ),
                    ),
                ),
            )
        }
    )
    for n, attempt in [*((n, 1) for n in range(24)), (5, 2), (17, 2)]
]
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(range(len(ENTRIES))), again=st.lists(st.integers(0, len(ENTRIES) - 1), max_size=5)
)
def test_any_order_and_any_repetition_of_arrival_give_the_same_history_and_the_same_alerts(
    order: list[int], again: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = HistoryFolder(Path(folder))
        for number in [*order, *again]:
            history.add(ENTRIES[number])
        found = history.entries()
    assert found == sorted(ENTRIES, key=lambda one: (one.created_at, one.run, one.attempt))
    told = conditions(found, run=found[-1].run, attempt=1, monitors=Monitors(), now=NOW)
    mixed = [ENTRIES[number] for number in [*order, *again]]
    assert told == conditions(mixed, run=found[-1].run, attempt=1, monitors=Monitors(), now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(base=JSON, ours=JSON, theirs=JSON)
def test_merging_does_not_depend_on_who_was_first(base: Any, ours: Any, theirs: Any) -> None:
    merged = merged_record(base, ours, theirs)
    assert merged == merged_record(base, theirs, ours)
    assert merged_record(base, ours, ours) == ours


@given(base=JSON.filter(lambda one: one is not None), changed=JSON)
def test_what_one_side_alone_changed_is_as_that_side_has_it(base: Any, changed: Any) -> None:
    assert merged_record(base, changed, base) == changed
    assert merged_record(base, base, changed) == changed


def test_no_key_that_either_side_added_is_lost() -> None:
    base = {"sent": [], "tries": 1, "gone": 1}
    ours = {"sent": ["a"], "tries": 2, "note": "x"}
    theirs = {"sent": ["b"], "tries": 5, "gone": 1, "acked": True}
    assert merged_record(base, ours, theirs) == {
        "sent": ["a", "b"], "tries": 5, "note": "x", "acked": True
    }  # fmt: skip


@given(
    run=st.text(min_size=1, max_size=40),
    case=st.text(max_size=20),
    value=st.floats(allow_nan=False, allow_infinity=False),
)
def test_whatever_an_entry_says_is_read_back(run: str, case: str, value: float) -> None:
    if any("\ud800" <= char <= "\udfff" for char in run + case):
        return
    cases = (CaseDay(case=case, scores={"s": (value, None)}, labels={"s": (case, None)}),)
    entry: HistoryEntry = made_entry(4, run=run).model_copy(
        update={"evalsets": (EvalsetDay(evalset=case, judged=True, cases=cases),)}
    )
    assert read_entry(entry_text(entry).encode(), path=entry_path(entry)) == entry


@given(first=st.text(max_size=100), second=st.text(max_size=100))
def test_two_names_never_share_a_file(first: str, second: str) -> None:
    assert (file_stem(first).casefold() == file_stem(second).casefold()) == (first == second)
