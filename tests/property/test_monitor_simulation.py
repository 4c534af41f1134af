"""Years of daily runs through the monitor's own code: few false pages, drops found, incidents that stay open.

A few years of each scenario with fixed seeds, held against their bounds with three standard errors; `slow`
(`make simulate-tests`) simulates as many as `make simulate` does, which writes the page.
"""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from simulations import monitor as command
from simulations.daily import Daily, Seen, year
from simulations.dailycells import NEVER, Promise, effort, figures_of, promises, scenarios

QUICK = {
    "unchanged, 200 judged a day": 12,
    "unchanged, 50 judged a day": 12,
    "4.21 to 4.05, 200 judged a day": 25,
    "4.21 to 4.05, 50 judged a day": 40,
    "4.05 for ever, 200 judged a day": 6,
    "4.05 for ever, 50 judged a day": 10,
}


@pytest.mark.parametrize(
    "promise", [one for one in promises() if one.scenario in QUICK], ids=lambda p: p.scenario
)
def test_the_monitor_keeps_its_promise(promise: Promise) -> None:
    scenario = scenarios()[promise.scenario]
    found = figures_of(scenario, [year(scenario, number) for number in range(QUICK[promise.scenario])])
    assert promise.keeps(found, slack=3), found


def test_a_gate_that_is_red_by_chance_is_a_ticket_and_hardly_ever_a_page() -> None:
    """Day by day a gate at .05 would page every other week."""
    scenario = Daily("few cases", kind="binary", cases=50, gate=True, watched=60)
    seen = [year(scenario, number) for number in range(3)]
    assert sum(one.pages for one in seen) <= 3
    assert sum(one.tickets for one in seen) >= 1


def test_a_year_is_the_same_whenever_it_is_drawn() -> None:
    scenario = dataclasses.replace(scenarios()["4.21 to 4.05, 50 judged a day"], watched=20)
    assert year(scenario, 3) == year(scenario, 3)
    assert [year(scenario, n).delay for n in range(6)] != [year(scenario, 0).delay] * 6


def test_figures_are_sums_over_years() -> None:
    scenario = Daily("made up", watched=73)
    found = figures_of(
        scenario, [Seen(pages=1, delay=2, closed=0), Seen(pages=0, closed=2), Seen(pages=2, delay=4)]
    )
    assert found.pages == pytest.approx(5.0) and found.kept == pytest.approx(2 / 3)
    assert (found.delay, found.ended) == (4, NEVER)


@pytest.mark.slow
@pytest.mark.parametrize("promise", promises(), ids=lambda one: one.scenario)
def test_every_promise_is_kept_over_many_years(promise: Promise) -> None:
    found = command.run([promise.scenario], years=400)
    assert promise.keeps(found[promise.scenario])


def test_the_stored_figures_keep_every_promise_and_are_those_of_the_page() -> None:
    found, made = command.load()
    assert set(found) == set(scenarios())
    for promise in promises():
        assert promise.keeps(found[promise.scenario]), promise
    page = command.PAGE.read_text(encoding="utf-8")
    assert page == command.rendered(page, found, made)
    assert all(one.years >= 10 for one in found.values())
    assert all(0 < effort(one) <= 1 for one in scenarios().values())


def test_a_page_without_its_block_is_refused() -> None:
    found, made = command.load()
    with pytest.raises(ValueError, match="no block"):
        command.rendered("# Nothing here", found, made)


def test_the_command_says_what_is_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    name = "4.21 to 4.05, 200 judged a day"
    assert command.main(["--only", name, "--years", "4", "--workers", "1"]) == 0
    assert re.search(rf"^ok  median days .* {name}$", capsys.readouterr().out, re.MULTILINE)
    late = dataclasses.replace(command.load()[0][name], delay=30.0)
    assert command.report({name: late}) == 1
    assert "OUT median days to the page 30.00 at most 3" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--years", "1"], ["--only", "nonsense"], ["--years", "many"]])
def test_a_wrong_command_line_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main(wrong)
    assert refused.value.code == 2


def test_the_file_of_figures_is_one_scenario_a_line() -> None:
    text = command.STORED.read_text(encoding="utf-8")
    assert json.loads(text)["scenarios"].keys() == scenarios().keys()
    assert len(text.splitlines()) < len(scenarios()) + 20
