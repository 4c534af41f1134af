"""`python -m simulations` tells what is out of bounds, and stores and shows numbers without changing them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from simulations import __main__ as command
from simulations import running
from simulations.promises import promises
from simulations.results import Results, Share, load, now
from simulations.running import Tally
from simulations.scenarios import scenarios
from simulations.tables import alarms, percent, table, verdict_on

CELL = "these binary n=10 r=3 broken=3"


def results(red: int, *, changes: int = 100, asked: int = 100) -> Results:
    return now({CELL: Tally(changes, Counter({"gate: red": red}))}, asked=asked)


def test_a_cell_within_its_bound_is_ok_and_one_beyond_it_is_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.report(results(95)) == 0
    assert capsys.readouterr().out.startswith(f"ok  0.950 +- 0.022 at least 0.94  {CELL} | gate: red")
    assert command.report(results(80)) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 cells out of bounds"


def test_a_small_run_says_its_cells_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "PAGE", tmp_path / "page.md")
    assert command.main(["--only", CELL, "--changes", "20", "--workers", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 of 1 cells out of bounds"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [["--only", "nonsense"], ["--changes", "0"], ["--workers", "-1"], ["now"]])
def test_a_wrong_command_line_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as found:
        command.main(wrong)
    assert found.value.code == 2
    assert "error" in capsys.readouterr().err


def test_a_doubtful_scenario_is_drawn_anew_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is out of bounds at first gets five times as many other changes, and these count."""
    asked: list[dict[str, range]] = []

    def run(wanted: dict[str, range], *, workers: int | None = None) -> dict[str, Tally]:
        asked.append(dict(wanted))
        first = len(asked) == 1
        red = {CELL: 0.5 if first else 1.0, "like binary n=50 r=1 unchanged": 0.05}
        return {
            name: Tally(len(numbers), Counter({"gate: red": round(red[name] * len(numbers))}))
            for name, numbers in wanted.items()
        }

    monkeypatch.setattr(running, "run", run)
    found = running.settled([CELL, "like binary n=50 r=1 unchanged"], asked=100)
    assert asked[1] == {CELL: range(100, 600)}
    assert found[CELL] == Tally(500, Counter({"gate: red": 500}))
    assert found["like binary n=50 r=1 unchanged"].changes == 100


def test_numbers_come_back_from_the_file_as_they_were(tmp_path: Path) -> None:
    stored = results(37)
    stored.save(tmp_path / "results.json")
    assert load(tmp_path / "results.json") == stored
    assert stored.share(CELL, "gate", "red") == Share(0.37, 100)
    assert stored.share(CELL, "gate", "pass").value == 0.0


def test_a_part_takes_the_place_of_what_it_ran_anew_and_of_nothing_else() -> None:
    whole = now({CELL: Tally(100, Counter(a=1)), "other": Tally(100, Counter(b=2))}, asked=100)
    merged = whole.merged(results(95))
    assert merged.tallies == {CELL: Tally(100, Counter({"gate: red": 95})), "other": whole.tallies["other"]}


def test_parts_of_another_size_do_not_stand_on_one_page() -> None:
    with pytest.raises(ValueError, match="run all scenarios anew"):
        results(37).merged(results(37, asked=200))


def test_a_part_that_does_not_fit_the_page_is_refused_before_it_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load", lambda: results(37))
    monkeypatch.setattr(command, "settled", lambda *args, **more: pytest.fail("it ran"))
    with pytest.raises(SystemExit):
        command.main(["--only", CELL, "--changes", "50", "--write"])
    assert "run all scenarios anew" in capsys.readouterr().err


def test_a_share_says_its_standard_error_and_nought_is_not_certain() -> None:
    assert percent(Share(0.05, 1000)) == "5.0 ± 0.7"
    assert percent(Share(0.0, 1000)) == "0.0 ± 0.1"


def test_false_alarms_beyond_chance_are_bold() -> None:
    assert alarms(Share(0.063, 1000)) == "6.3 ± 0.8"
    assert alarms(Share(0.07, 1000)) == "**7.0 ± 0.8**"


def test_the_page_tells_a_bound_kept_plainly_from_one_kept_within_chance() -> None:
    silent = next(one for one in promises() if one.side == "at most" and one.bound == 0.05)
    words = [verdict_on(silent, Share(share, 1000)) for share in (0.05, 0.06, 0.07)]
    assert words == ["yes", "within 2 s.e.", "**NO**"]


def test_a_table_is_markdown() -> None:
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_every_promise_is_about_a_scenario_and_a_label_that_exist() -> None:
    for one in promises():
        methods = {method.name: method.labels for method in scenarios()[one.scenario].methods}
        assert one.label in methods[one.method], one.name
