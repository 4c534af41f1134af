"""The page of speed is what the stored runs say, and what other pages quote of it stands there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.clients import OURS, OURS_FAST, RAW
from benchmarks.page import NEVER, PAGE, PARTS, page, stored
from benchmarks.promises import PROMISES, broken, told
from benchmarks.quotes import MARKS, mended, pages
from benchmarks.results import Results, load, now
from benchmarks.run import PARTS as MEASURED
from benchmarks.run import main
from benchmarks.tables import contest_figures, contest_table, figures, growth_figures, noise, races

ROOT = Path(__file__).parents[2]
STORED = stored()
PAGES = list(pages())


def run(client: str, wall_s: float, **more: object) -> dict[str, object]:
    """Return one run of 1,000 cases as it is stored."""
    return {
        "cases": 1000, "judge": False, "client": client, "round": 0, "wall_s": wall_s, "cpu_s": wall_s / 2,
        "peak_mib": 100.0, "other_s": 0.01, "requests": 1000, "max_in_flight": 32, "server_cpu_s": 0.1,
        **more,
    }  # fmt: skip


def contest(*runs: dict[str, object], **absent: str) -> Results:
    return now("contest", runs, absent=absent)


def test_the_page_is_made_from_the_stored_runs() -> None:
    """Neither is edited by hand: `python benchmarks/run.py --render` writes the page again."""
    assert PAGE.read_text(encoding="utf-8") == page(STORED)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_quoted_figure_is_the_one_on_the_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == mended(text, STORED)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_mark_is_read(path: Path) -> None:
    """A mark that is misspelt, or stands behind no figure, checks nothing."""
    text = path.read_text(encoding="utf-8")
    assert text.count(MARKS.opening) == len(MARKS.figure.findall(text))


def test_no_stored_run_is_invalid() -> None:
    """A client that did not do exactly the work asked for is no comparison."""
    assert [run for part in STORED.values() for run in part.runs if "invalid" in run] == []


def test_the_page_tells_machine_date_and_versions_of_each_part() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for results in STORED.values():
        assert f"{results.date}; {results.machine}; Python {results.versions['Python']}" in text


def test_every_part_has_its_place_and_what_was_not_measured_says_so() -> None:
    assert set(MEASURED) | {"soak"} == set(PARTS)
    assert page({}).count(NEVER) == len(PARTS)
    assert "not measured" in told(PROMISES[0], {})


def test_a_figure_is_mended_in_the_digits_that_it_has() -> None:
    parts = {"contest": contest(run(RAW, 2.0), run(OURS, 2.5))}
    mark = f"<!-- measured: contest 1000, {OURS}: x raw httpx -->"
    assert mended(f"takes 9.9{mark} times", parts) == f"takes 1.2{mark} times"
    assert mended(f"takes 9.99{mark} times", parts) == f"takes 1.25{mark} times"
    with pytest.raises(KeyError):
        mended(f"takes 9.9{mark.replace('1000', '7')} times", parts)


def test_ratios_are_of_the_same_round() -> None:
    """A machine that slows down between rounds slows both; the ratio stays."""
    found = contest(
        run(RAW, 2.0), run(OURS, 3.0), run(RAW, 8.0, round=1), run(OURS, 12.0, round=1),
        run(RAW, 2.0, round=2), run(OURS, 3.0, round=2),
    )  # fmt: skip
    assert contest_figures(found, 1000, judge=False)[OURS]["x raw httpx"] == pytest.approx(1.5)


def test_the_ideal_is_full_waves_of_requests_and_twice_that_with_a_judge() -> None:
    found = contest(run(OURS, 3.2), run(OURS, 6.4, judge=True))
    assert races(found) == [(1000, False), (1000, True)]
    for judge in (False, True):
        assert contest_figures(found, 1000, judge=judge)[OURS]["x ideal"] == pytest.approx(2.0)


def test_an_invalid_run_is_shown_and_counts_for_nothing() -> None:
    found = contest(run(RAW, 2.0), run(OURS, 0.1, invalid="requests 999, not 1000"))
    assert OURS not in contest_figures(found, 1000, judge=False)
    assert re.search(rf"\| {OURS} +\| INVALID", contest_table(found, 1000, judge=False))
    assert "requests 999, not 1000" in page({"contest": found})


def test_who_is_absent_is_listed_with_the_reason() -> None:
    assert "promptfoo: not installed" in page({"contest": contest(run(RAW, 2.0), promptfoo="not installed")})


def test_a_run_on_a_loaded_machine_says_so() -> None:
    quiet, loud = contest(run(RAW, 2.0)), contest(run(RAW, 2.0), run(OURS, 3.0, other_s=1.0))
    assert "quiet machine" in noise(quiet)
    assert "A loaded machine" in noise(loud)
    assert "3.00*" in contest_table(loud, 1000, judge=False)


def test_a_broken_promise_is_told_and_fails_the_command() -> None:
    fast = {"contest": contest(run(RAW, 2.0), run(OURS, 2.2))}
    slow = {"contest": contest(run(RAW, 2.0), run(OURS, 4.4))}
    assert broken(fast) == []
    (one,) = broken(slow)
    assert told(one, slow) == ("2.20", "**no**")
    assert "**no**" in page(slow)


def test_every_promise_names_a_figure_that_its_part_has() -> None:
    """A promise with a misspelt name would never be measured."""
    both = [run(client, 2.0, cases=cases, judge=judge) for client in (RAW, OURS, OURS_FAST)
            for cases in (1000, 10_000) for judge in (False, True)]  # fmt: skip
    sizes = [{"cases": n, "wall_s": n / 1e3, "cpu_s": n / 1e3, "peak_mib": n / 1e3, "round": 0}
             for n in (100, 1000, 10_000, 30_000, 100_000)]  # fmt: skip
    judged = [{"cases": c, "slices": s, "clustered": k, "read_s": 1.0, "judge_s": 2.0}
              for c, s in ((10_000, 50), (500, 200)) for k in (False, True)]  # fmt: skip
    known = {"contest": contest(*both), "growth": now("growth", sizes), "gates": now("gates", judged)}
    assert [one for one in PROMISES if one.found(known) is None] == []


def test_growth_is_told_for_each_case_further_than_the_size_before() -> None:
    sizes = [{"cases": n, "wall_s": 1.0, "cpu_s": c, "peak_mib": m, "round": 0}
             for n, c, m in ((100, 1.0, 50.0), (1124, 2.024, 54.0))]  # fmt: skip
    found = growth_figures(now("growth", sizes))
    assert found["1124"]["ms"] == pytest.approx(1.0)
    assert found["1124"]["KiB"] == pytest.approx(4.0)


def test_stored_runs_are_read_as_they_were_written(tmp_path: Path) -> None:
    found = contest(run(RAW, 2.0), run(OURS, 3.0), promptfoo="not installed")
    found.save(tmp_path)
    assert load("contest", tmp_path) == replace(found, versions=dict(found.versions))
    assert load("growth", tmp_path) is None


def test_figures_of_every_stored_part_can_be_named() -> None:
    names = figures(STORED)
    assert {name.split()[0] for name in names} == set(STORED) - {"soak"}


@pytest.mark.parametrize("arguments", [["nonsense"], ["--quick", "--write"]])
def test_a_wrong_command_line_measures_nothing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error:" in capsys.readouterr().err
