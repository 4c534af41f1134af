"""What keeps partial runs apart is told by name, and which run of a shard counts is no matter of taste."""

from __future__ import annotations

from typing import Any

from pytest_aioncall.decide.mergeable import Progress, choose, told, unlike
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.run import Fingerprint, Run, RunEvalset, Shard
from pytest_aioncall.model.verdict import Floor

NAMES = [f"prompts/{n}.md" for n in range(9)]


def shard(index: int, *, count: int = 3, complete: bool = True, name: str = "", **more: Any) -> Run:
    part = Shard(index=index, count=count, plan={"demo": "p"}, cases={"demo": 4}, complete=complete)
    evalset = more.pop("evalset", RunEvalset(evalset="demo", cases=12, epochs=2))
    return Run(
        id=name or f"run-{index}", created_at="2026-11-22T00:00:00Z", evalsets=(evalset,), shard=part, **more
    )


def done(run: Run, cases: int = 4) -> Progress:
    return Progress(run, cases, 4)


def test_equal_parts_differ_in_nothing() -> None:
    assert unlike([shard(1), shard(2), shard(3)]) == []


def test_every_run_that_differs_from_the_first_is_named() -> None:
    found = unlike([shard(1, commit="a" * 40), shard(2, commit="b" * 40), shard(3, commit="c" * 40)])
    assert len(found) == 2
    assert "run-1" in found[0]
    assert "run-2" in found[0]
    assert "aaaaaaa and ccccccc" in found[1]


def test_differences_are_told_at_their_depth_and_no_screen_is_flooded() -> None:
    ours = RunEvalset(evalset="demo", cases=12, epochs=2, gates=(Gate(scorer="a"), Gate(scorer="b")))
    theirs = ours.model_copy(update={"gates": (Gate(scorer="a", min=0.5), Gate(scorer="b"))})
    (line,) = unlike([shard(1, evalset=ours), shard(2, evalset=theirs)])
    assert "gates[0].min: None and 0.5" in line
    was, now = (
        ours.model_copy(
            update={"fingerprint": Fingerprint(subject={"files": {key: {"sha256": one} for key in NAMES}})}
        )
        for one in "xy"
    )
    (line,) = unlike([shard(1, evalset=was), shard(2, evalset=now)])
    assert "file prompts/0.md" in line
    assert line.endswith("and 4 more")


def test_all_shards_there_and_complete_is_no_problem() -> None:
    chosen, problems = choose([done(shard(3)), done(shard(1)), done(shard(2))])
    assert problems == []
    assert [run.id for run in chosen.runs] == ["run-1", "run-2", "run-3"]
    assert chosen.passed_over == ()


def test_what_is_missing_incomplete_and_twice_is_told_at_once() -> None:
    _, problems = choose(
        [done(shard(1)), done(shard(1, name="again")), done(shard(2, complete=False), cases=1)]
    )
    assert [line.split(";")[0] for line in problems] == [
        "shard 3 of 3 is missing",
        "shard 1 of 3 is there 2 times, complete: runs run-1 and again",
        "shard 2 of 3 (run run-2) is incomplete: 1 of 4 cases",
    ]


def test_a_complete_run_counts_beside_an_interrupted_one_whichever_came_first() -> None:
    broken = Floor(kind="must", case="a", scorer="must[0]:x", ok=False, held=0, epochs=2, needed=2)
    evalset = RunEvalset(evalset="demo", cases=12, epochs=2, floors=(broken,))
    part = done(shard(2, complete=False, name="part", evalset=evalset), cases=3)
    for pair in ([part, done(shard(2))], [done(shard(2)), part]):
        chosen, problems = choose([done(shard(1)), *pair, done(shard(3))])
        assert problems == []
        assert chosen.runs[1].id == "run-2"
        (line,) = chosen.passed_over
        assert "part" in line
        assert "after 3 of 4 cases, 1 floor broken" in line


def test_a_run_that_was_killed_after_its_last_sample_is_not_complete() -> None:
    """Its floors were never written, so nobody knows whether they held."""
    _, problems = choose([done(shard(1)), done(shard(2, complete=False)), done(shard(3))])
    assert len(problems) == 1
    assert "ended before it was closed" in problems[0]
    assert "--aioncall-shard 2/3 --aioncall-resume --aioncall-run run-2" in problems[0]


def test_a_run_without_a_shard_is_named_by_its_id() -> None:
    assert told(Run(id="r1", created_at="")) == "run r1"
    assert "which is no shard" in unlike([shard(1), Run(id="r1", created_at="")])[0]
