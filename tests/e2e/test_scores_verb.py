"""`aioncall scores`: the first question of every page, answered from the history."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.history import HistoryFolder
from pytest_aioncall.cli import main
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.history import CaseDay, EvalsetDay, HistoryEntry


class Days:
    """A project with a history, and the command."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.capsys = capsys
        (path / "aioncall.yaml").write_text("format: 1\n")
        self.history = HistoryFolder(path / "days")

    def add(
        self,
        day: int,
        *,
        free: float = 1.0,
        pro: float = 1.0,
        judged: bool = True,
        hour: int = 3,
        scale: tuple[float, float] = (0.0, 1.0),
        cases: int = 30,
        file: str = "",
        **keys: Any,
    ) -> None:
        found = tuple(
            CaseDay(
                case=f"c{n}",
                digest="d",
                slices={"persona": "free" if n < 10 else "pro", "\x1b[2J": "x"},
                scores={"route": (free if n < 10 else pro, None)},
            )
            for n in range(cases)
        )
        one = EvalsetDay(
            evalset="triage",
            judged=judged,
            file=file,
            cases=found,
            scorers={"route": ScorerInfo(kind="exact", scale=scale)},
        )
        moment = f"2026-11-{day:02}T{hour:02}:17:00Z"
        self.history.add(
            HistoryEntry(run=f"r{day}-{hour}", created_at=moment, day=moment[:10], evalsets=(one,), **keys)
        )

    def scores(self, *arguments: str, now: str = "2026-11-22T09:00:00Z") -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(
            [
                "scores",
                "--root",
                str(self.path),
                "--history",
                str(self.history.path),
                "--now",
                now,
                *arguments,
            ]
        )
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err


@pytest.fixture
def days(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Days:
    monkeypatch.delenv("AIONCALL_NOW", raising=False)
    return Days(tmp_path, capsys)


def test_the_slice_that_carries_the_drop_is_said_and_each_mean_has_its_counts(days: Days) -> None:
    days.add(21)
    days.add(22, free=0.0)
    code, out, _ = days.scores("--by", "persona")
    lines = out.splitlines()
    assert code == 0
    assert (
        lines[0]
        == "scores of the last 24h (1 run of 2026-11-22) against the span before (1 run of 2026-11-21)"
    )
    assert "triage.route" in lines[1] and "100.0 % -> 66.7 % (-33.3 pp" in lines[1]
    assert "30 cases in both; 30/60 judged, before 30/60  FELL" in lines[1]
    assert "persona=free" in lines[2] and "100.0 % -> 0.0 %" in lines[2]
    assert "persona=free carries 100 % of the drop, with 33.3 % of the cases" in out


def test_json_has_every_row_and_the_hint(days: Days) -> None:
    days.add(21)
    days.add(22, free=0.0)
    told = json.loads(days.scores("--by", "persona", "--json")[1])
    (one,) = told["scorers"]
    assert [row["slice"] for row in one["rows"]] == [None, {"persona": "free"}, {"persona": "pro"}]
    assert one["hint"] == {"kind": "carries", "slice": {"persona": "free"}}
    assert one["rows"][1]["share"] == 1.0


def test_only_judged_live_daily_runs_count_and_what_is_left_out_is_told(days: Days) -> None:
    days.add(21)
    days.add(22, free=0.0, pro=0.0, kind="other")
    days.add(22, free=0.0, pro=0.0, replayed=True, hour=4)
    days.add(22, free=0.0, pro=0.0, judged=False, hour=5)
    days.add(22, hour=6)
    _, out, _ = days.scores()
    assert "100.0 % -> 100.0 %" in out
    assert "not in the means, since it could not be judged: 1 run" in out


def test_without_a_run_in_the_span_before_the_newest_one_before_it_is_taken_and_told(days: Days) -> None:
    days.add(15, free=0.5)
    days.add(16, judged=False)
    days.add(22)
    _, out, _ = days.scores()
    assert "compared with the one before it, of 2026-11-15" in out
    assert "(1 run of 2026-11-15)" in out


def test_longer_spans_and_times_are_taken(days: Days) -> None:
    for day in range(9, 23):
        days.add(day, free=1.0 if day < 16 else 0.5)
    assert "(7 runs of 2026-11-16 to 2026-11-22)" in days.scores("--since", "7d")[1]
    assert "(3 runs of 2026-11-20 to 2026-11-22)" in days.scores("--since", "2026-11-20T00:00:00Z")[1]


def test_a_span_without_a_run_says_which_one_has_one(days: Days) -> None:
    days.add(15)
    code, out, _ = days.scores()
    assert code == 7
    assert "the newest one is of 2026-11-15: --since 8d" in out
    assert days.scores("--since", "8d")[0] == 0


def test_scales_other_than_rates_are_no_percent(days: Days) -> None:
    days.add(21, free=4.2, pro=4.2, scale=(1.0, 5.0))
    days.add(22, free=4.0, pro=4.0, scale=(1.0, 5.0))
    assert "4.20 -> 4.00 (-0.20" in days.scores()[1]


def test_the_committed_baseline_can_be_the_other_side_and_its_absence_is_told(days: Days) -> None:
    days.add(22)
    code, out, _ = days.scores("--against", "baseline")
    assert code == 0
    assert "against the committed baseline" in out
    assert "triage has no baseline" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--by", "persone"), "no slice 'persone' in the history; did you mean persona?"),
        (("--scorer", "rout"), "did you mean route?"),
        (("--evalset", "x"), "no evalset 'x' in the history; there are: triage"),
        (("--since", "0d"), "needs a span"),
        (("--since", "2026-11-23T00:00:00Z"), "a time of the past"),
        (("--since", "-1d"), ""),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(days: Days, arguments: tuple[str, ...], said: str) -> None:
    days.add(21)
    days.add(22)
    code, out, err = days.scores(*arguments)
    assert (code, out) == (4, "")
    assert said in err
    assert err.replace("\n", "").isprintable()


def test_names_that_others_wrote_are_shown_as_text(days: Days) -> None:
    days.add(21)
    days.add(22)
    _, out, _ = days.scores("--by", "\x1b[2J")
    assert "\\x1b[2J=x" in out
    assert "\x1b" not in out


def test_an_interval_is_named_by_its_level_and_lies_on_the_scale(days: Days) -> None:
    days.add(21)
    days.add(22, free=0.0)
    _, out, _ = days.scores("--by", "persona")
    found = re.findall(r"(\d+) % interval ([-+]?[\d.]+) \.\. ([-+]?[\d.]+) pp", out)
    assert len(found) == 3
    assert {level for level, _, _ in found} == {"90"}
    for _, low, high in found:
        assert -100 <= float(low) < float(high) <= 100


def test_of_one_case_there_is_no_interval_and_its_count_is_told(days: Days) -> None:
    days.add(21, cases=1)
    days.add(22, cases=1, free=0.0)
    assert "(-100.0 pp, 90 % interval -), 1 case in both" in days.scores()[1]


def test_the_level_is_that_of_the_scorers_gate(days: Days) -> None:
    (days.path / "t.eval.yaml").write_text(
        "evalset: triage\nowner: ann\ntarget: {python: 'a:b'}\nscorers: [{exact: {as: route}}]\n"
        "gates: [{scorer: route, alpha: 0.01}]\ncases: [{id: c0, input: a, expected: a}]\n"
    )
    days.add(21, file="t.eval.yaml")
    days.add(22, free=0.0, file="t.eval.yaml")
    assert "98 % interval" in days.scores()[1]
