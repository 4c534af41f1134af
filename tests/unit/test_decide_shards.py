"""Every machine divides an evalset alike: by names alone, clusters whole, in even shares."""

from __future__ import annotations

from collections import Counter

import pytest

from pytest_aioncall.decide.shards import plan_digest, shards_of, shards_told

EXPECTED = {"c": 2, "d": 2, "f": 3, "e": 3, "b": 1, "a": 1}
EXPECTED_PLAN = "d9625c0d4d78653c"


def lone(count: int, *, prefix: str = "case") -> dict[str, str | None]:
    return {f"{prefix}-{n}": None for n in range(count)}


def test_the_division_never_changes_between_versions() -> None:
    """Machines of one CI matrix may not agree by luck: these shards are what every release computes."""
    clusters = {"a": None, "b": None, "c": "doc", "d": "doc", "e": None, "f": None}
    assert shards_of("triage", clusters, count=3) == EXPECTED
    assert plan_digest("triage", [("a", "d1", None), ("b", "d2", "doc")], count=3) == EXPECTED_PLAN


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16, 100])
@pytest.mark.parametrize("cases", [1, 2, 10, 99, 100, 101])
def test_lone_cases_differ_by_at_most_one(cases: int, count: int) -> None:
    sizes = Counter(shards_of("demo", lone(cases), count=count).values())
    loads = [sizes[shard] for shard in range(1, count + 1)]
    assert sum(loads) == cases
    assert max(loads) - min(loads) <= 1


def test_small_evalsets_do_not_all_burden_the_first_machine() -> None:
    first = Counter(shards_of(f"evalset-{n}", lone(1), count=4)["case-0"] for n in range(200))
    assert set(first) == {1, 2, 3, 4}
    assert max(first.values()) < 80


def test_a_case_that_comes_moves_few_others() -> None:
    """Without the rule a modulus would move nearly all: 3 of 4 cases at four shards."""
    moved = 0
    for trial in range(20):
        cases = lone(100, prefix=f"t{trial}")
        before = shards_of("demo", cases, count=4)
        after = shards_of("demo", {**cases, "new": None}, count=4)
        moved += sum(before[case] != after[case] for case in cases)
    assert moved / (20 * 100) < 0.05


def test_the_plan_knows_cases_clusters_digests_and_count() -> None:
    cases = [("a", "d1", None), ("b", "d2", "doc")]
    plan = plan_digest("demo", cases, count=2)
    assert plan == plan_digest("demo", reversed(cases), count=2)
    others = [
        plan_digest("other", cases, count=2),
        plan_digest("demo", cases, count=3),
        plan_digest("demo", cases[:1], count=2),
        plan_digest("demo", [("a", "d9", None), cases[1]], count=2),
        plan_digest("demo", [("a", "d1", "doc"), cases[1]], count=2),
    ]
    assert plan not in others
    assert len(set(others)) == len(others)


def test_shards_are_named_by_number() -> None:
    assert shards_told([3], count=4) == "shard 3 of 4"
    assert shards_told([3, 2], count=4) == "shards 2, 3 of 4"
