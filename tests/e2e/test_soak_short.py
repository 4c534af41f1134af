"""What `make soak` promises of a long run, on a short one: nothing grows, nothing is lost or made up.

The same code as the long soak: pytest --aioncall in a process of its own, against a server that answers 5 %
of the requests badly, as few cases with many epochs and as many cases.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from benchmarks.soak.__main__ import main
from benchmarks.soak.checks import Check, Soaked, checks
from benchmarks.soak.running import pace_of, soak
from benchmarks.soak.shapes import KIB_A_CASE, KIB_AN_EPOCH, Shape, shapes
from benchmarks.soak.watching import Look, growth_kib, rise, warm

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
SHORT = [
    (Shape("few cases x many epochs", 25, 40, KIB_AN_EPOCH), "httpx"),
    (Shape("many cases", 1000, 1, KIB_A_CASE), "auto"),
]


@pytest.mark.parametrize(("shape", "client"), SHORT, ids=lambda one: getattr(one, "name", one))
def test_a_run_through_faults_loses_nothing_and_does_not_grow(
    shape: Shape, client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIONCALL_HTTP_CLIENT", client)
    soaked, found = soak(tmp_path / "soak", shape, seconds=4, faults=0.05, retry_after_s=0)
    broken = [f"{check.promise}: {check.seen}" for check in found if not check.kept]
    assert not broken, "\n".join([*broken, (soaked.folder / "pytest.log").read_text()[-2000:]])
    assert {"too_many", "http_500", "reset", "slow", "truncated"} == set(soaked.server["faults"])
    assert len(found) == 11


def looks(*, kib_a_sample: float, count: int = 40, wobble: int = 0) -> list[Look]:
    return [
        Look(
            at_s=n, answered=100 * n, rss_kib=80_000 + round(100 * n * kib_a_sample) + wobble * (n % 5 == 0),
            files=40, threads=4,
        )
        for n in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("wobble", [0, 30_000])
def test_growth_is_found_through_what_the_allocator_does_now_and_then(wobble: int) -> None:
    """A fifth of the looks lie 30 MiB higher; the slope stays what it is."""
    assert growth_kib(looks(kib_a_sample=3.0, wobble=wobble)) == pytest.approx(3.0, abs=0.2)


def test_looks_before_warm_up_and_after_the_last_answers_do_not_count() -> None:
    kept = warm(looks(kib_a_sample=0, count=41), samples=4000)
    assert (kept[0].answered, kept[-1].answered) == (1000, 3900)


def test_a_rise_is_told_from_a_jump_there_and_back() -> None:
    assert rise([5, 5, 5, 90, 5, 5, 5, 5]) == 0
    assert rise([5, 5, 5, 6, 7, 9, 9, 9]) == 4


def finished(tmp_path: Path, *, samples: list[dict[str, object]], retries: int, **server: object) -> Soaked:
    """Return a soak of two samples that ended as told."""
    folder = tmp_path / ".aioncall" / "runs" / "1"
    folder.mkdir(parents=True)
    (folder / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in samples))
    (folder / "run.json").write_text(json.dumps({"complete": True, "totals": {"retries": retries}}))
    rows = [{"scorer": name, "status": "pass"} for name in ("contains", "steady")]
    report = {"status": "pass", "evalsets": [{"judgement": {"verdicts": rows}}]}
    (tmp_path / ".aioncall" / "report.json").write_text(json.dumps(report))
    seen = {"requests": 2, "faults": {}, **server}
    return Soaked(Shape("two", 2, 1, 1.0), tmp_path, 0, [], [], seen)


def sample(case: str, *, attempts: int = 1) -> dict[str, object]:
    scores = [{"scorer": "contains", "passed": True}]
    return {"case": case, "epoch": 0, "attempts": attempts, "error": None, "scores": scores}


def kept(found: list[Check], words: str) -> bool:
    (check,) = [check for check in found if words in check.promise]
    return check.kept


def test_a_sample_kept_twice_is_noticed(tmp_path: Path) -> None:
    soaked = finished(tmp_path, samples=[sample("a"), sample("b"), sample("a")], retries=0)
    assert not kept(list(checks(soaked)), "exactly once")


def test_a_sample_that_is_missing_is_noticed(tmp_path: Path) -> None:
    assert not kept(list(checks(finished(tmp_path, samples=[sample("a")], retries=0))), "exactly once")


def test_a_request_that_nobody_counted_is_noticed(tmp_path: Path) -> None:
    soaked = finished(tmp_path, samples=[sample("a"), sample("b")], retries=0, requests=3)
    assert not kept(list(checks(soaked)), "add up to what the server saw")


def test_a_fault_that_nobody_saw_is_noticed(tmp_path: Path) -> None:
    """A 500 taken for an answer would leave no retry and no error."""
    soaked = finished(tmp_path, samples=[sample("a"), sample("b")], retries=0, faults={"http_500": 1})
    assert not kept(list(checks(soaked)), "faults that were injected")


def test_a_retry_for_each_fault_is_how_it_should_be(tmp_path: Path) -> None:
    soaked = finished(
        tmp_path, samples=[sample("a", attempts=2), sample("b")], retries=1,
        faults={"http_500": 1, "slow": 4}, requests=3,
    )  # fmt: skip
    found = list(checks(soaked))
    assert kept(found, "faults that were injected")
    assert kept(found, "add up to what the server saw")


def test_the_shapes_share_out_the_samples() -> None:
    few, many = shapes(100_000)
    assert (few.cases, few.epochs) == (100, 500)
    assert (many.cases, many.epochs) == (50_000, 1)


def test_the_pace_makes_up_for_the_pauses_that_the_server_asks_for() -> None:
    """100,000 samples in half an hour: 1 request in 100 stops all for a second, the rest is for answers."""
    few, _ = shapes(100_000)
    pace = pace_of(few, seconds=900, faults=0.05, retry_after_s=1)
    assert few.samples * 1.05 * (1 / pace + 0.01) == pytest.approx(900)
    assert pace_of(few, seconds=1, faults=0.05, retry_after_s=1) == 2000


@pytest.mark.parametrize("arguments", [["--samples", "10"], ["--minutes", "0"], ["--faults", "5"]])
def test_a_soak_that_would_show_nothing_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "needs --minutes over 0" in capsys.readouterr().err
