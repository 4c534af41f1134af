"""Shards cover every case once and keep clusters whole; put together they say what the whole run says."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.run_store import RunStore
from pytest_aioncall.decide.shards import plan_digest, shards_of
from pytest_aioncall.flows.evalrun import settings_for
from pytest_aioncall.flows.gating import GateRequest, gated_all, tell
from pytest_aioncall.flows.merging import find_sources, merged, write_merged
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.evalset import Gate
from pytest_aioncall.model.run import Run, RunEvalset, Shard, Totals
from pytest_aioncall.model.sample import Output, Sample, SampleError, Score
from pytest_aioncall.model.verdict import Floor

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Content = tuple[str | None, str, list[float | None], bool]
"""One case: its cluster, its slice, a score an epoch, and whether its floor holds."""

names = st.text("abcdefgh-", min_size=1, max_size=6)
clustered = st.dictionaries(names, st.none() | st.sampled_from(["x", "y", "z"]), max_size=40)


@given(clustered, st.integers(1, 12), st.randoms())
@settings(max_examples=200, deadline=None)
def test_a_division_is_whole_balanced_and_blind_to_order(
    clusters: dict[str, str | None], count: int, random: object
) -> None:
    found = shards_of("demo", clusters, count=count)
    assert found.keys() == clusters.keys()
    assert all(1 <= shard <= count for shard in found.values())
    shards_of_cluster: dict[str, set[int]] = {}
    for case, cluster in clusters.items():
        if cluster is not None:
            shards_of_cluster.setdefault(cluster, set()).add(found[case])
    assert all(len(shards) == 1 for shards in shards_of_cluster.values())
    sizes = Counter(cluster if cluster is not None else f"case {case}" for case, cluster in clusters.items())
    largest = max(sizes.values(), default=0)
    heaviest = max(Counter(found.values()).values(), default=0)
    assert heaviest <= len(clusters) / count + max(1, largest)
    order = list(clusters)
    random.shuffle(order)  # type: ignore[attr-defined]
    assert shards_of("demo", {case: clusters[case] for case in order}, count=count) == found


cases = st.dictionaries(
    st.integers(0, 30).map(lambda n: f"c{n:02d}"),
    st.tuples(
        st.none() | st.sampled_from(["doc-1", "doc-2"]),
        st.sampled_from(["free", "paid"]),
        # A score of each epoch; None is an outage, -1 the user's exception.
        st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, None, -1.0]), min_size=2, max_size=2),
        st.booleans(),
    ),
    min_size=1,
    max_size=16,
)


def sample_of(case: str, epoch: int, value: float | None, cluster: str | None, part: str) -> Sample:
    error = None
    if value is None:
        error = SampleError(kind="transport", type="TimeoutError", message="no answer")
    elif value < 0:
        error = SampleError(kind="user", type="ValueError", message="bad")
    output, scores = None, ()
    if error is None:
        output = Output(text=f"{case} {value}", latency_s=0.1 * (epoch + 1), cost_usd=0.01)
        scores = (Score(scorer="exact", value=value, passed=value == 1.0),)
    return Sample(
        evalset="demo",
        case=case,
        digest=f"d-{case}",
        epoch=epoch,
        slices={"part": part},
        cluster=cluster,
        output=output,
        scores=scores,
        error=error,
    )


def write_run(runs: Path, content: dict[str, Content], *, shard: Shard | None, total: int) -> Path:
    store = RunStore.create(runs, now=NOW)
    samples = [
        sample_of(case, epoch, value, cluster, part)
        for case, (cluster, part, values, _) in content.items()
        for epoch, value in enumerate(values)
    ]
    floors = tuple(
        Floor(kind="must", case=case, scorer="must[0]:contains", ok=holds, held=2 * holds, epochs=2, needed=2)
        for case, (_, _, _, holds) in content.items()
    )
    planned = RunEvalset(
        evalset="demo",
        epochs=2,
        cases=total,
        samples=len(samples) if shard is not None else None,
        complete=shard is None,
        max_error_rate=0.2,
        scorers={"exact": ScorerInfo(kind="exact")},
        gates=(Gate(scorer="exact", slices=("part",), min=0.2),),
        floors=floors,
    )
    errors = sum(sample.error is not None for sample in samples)
    store.append(samples)
    store.write_run(
        Run(
            id=store.run_id,
            evalsets=(planned,),
            created_at="2026-11-22T00:00:00Z",
            commit="a1b2c3d",
            complete=shard is None,
            shard=shard,
            ended_at="2026-11-22T00:01:00Z",
            totals=Totals(
                planned=len(samples), judged=len(samples) - errors, errors=errors, cost_usd=0.01, wall_s=1.0
            ),
        )
    )
    store.close()
    return store.folder


def said(root: Path, candidates: Sequence[Path], baseline: Path) -> str:
    request = GateRequest(candidates=tuple(map(str, candidates)), baseline=str(baseline))
    return tell(gated_all(request, settings_for(root, {}))).judgements[0].model_dump_json()


@given(cases, cases, st.integers(1, 5), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_division_of_a_run_is_judged_bit_for_bit_as_the_run(
    now: dict[str, Content], was: dict[str, Content], count: int, random: object
) -> None:
    plan = plan_digest("demo", ((case, f"d-{case}", one[0]) for case, one in now.items()), count=count)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "aioncall.yaml").write_text("format: 1\n")
        whole = write_run(root / "whole", now, shard=None, total=len(now))
        baseline = write_run(root / "baseline", was, shard=None, total=len(was))
        # Not only our own division: where a case was drawn decides nothing.
        order = list(now)
        random.shuffle(order)  # type: ignore[attr-defined]
        parts: list[dict[str, Content]] = [{} for _ in range(count)]
        for case in order:
            parts[random.randrange(count)][case] = now[case]  # type: ignore[attr-defined]
        shards = [
            write_run(
                root / "parts",
                part,
                shard=Shard(
                    index=n + 1, count=count, plan={"demo": plan}, cases={"demo": len(part)}, complete=True
                ),
                total=len(now),
            )
            for n, part in enumerate(parts)
        ]
        random.shuffle(shards)  # type: ignore[attr-defined]
        expected = said(root, [whole], baseline)
        assert said(root, shards, baseline) == expected
        assert said(root, [root / "parts"], baseline) == expected
        run, written = write_merged([str(root / "parts")], settings_for(root, {}))
        assert said(root, [written], baseline) == expected
        assert run.run.totals.judged + run.run.totals.errors == 2 * len(now)
        sources = find_sources([str(one) for one in shards], settings_for(root, {}))
        assert merged(sources).run.evalsets[0].cases == len(now)
