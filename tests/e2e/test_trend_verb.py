"""`aioncall history site`: the trend as files, from real runs of several days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from days import Team, days
from eval_project import Project

FIRST = date(2026, 10, 5)


@pytest.fixture
def team(project: Project, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(project, monkeypatch, ("alpha", "beta"), {})


def test_a_site_is_written_from_the_local_history_with_the_drop_in_it(
    team: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three good days and a bad one: the index names the bad evalset first, its page shows four days."""
    team.baseline(FIRST - timedelta(days=1))
    for day in days(FIRST, 4):
        team.moods = {"alpha": "bad"} if day == FIRST + timedelta(days=3) else {}
        team.at(day)
        team.command("monitor", "--run", team.run())
    capsys.readouterr()
    assert team.command("history", "site", "--out", str(tmp_path / "site")) == 0
    out = capsys.readouterr().out
    assert "3 pages" in out and "next:  open" in out
    assert {path.name for path in (tmp_path / "site").iterdir()} == {
        ".nojekyll", "alpha.html", "beta.html", "index.html"
    }  # fmt: skip
    index = (tmp_path / "site" / "index.html").read_text()
    assert "1 of 2 evalsets REGRESSED" in index
    assert index.index("alpha.html") < index.index("beta.html")
    page = (tmp_path / "site" / "alpha.html").read_text()
    assert "100.0 % -&gt; 30.0 %" in page
    for day in days(FIRST, 4):
        assert f"<title>{day}, " in page


def test_what_a_day_took_stands_beside_what_it_scored(team: Team, tmp_path: Path) -> None:
    """Latency, cost and errors have a picture each, with one point a day."""
    team.baseline(FIRST - timedelta(days=1))
    for day in days(FIRST, 2):
        team.at(day)
        team.command("monitor", "--run", team.run())
    assert team.command("history", "site", "--out", str(tmp_path / "site")) == 0
    page = (tmp_path / "site" / "alpha.html").read_text()
    for name in ("p95 latency", "cost", "errors"):
        figure = page[page.index(f">{name}</h3>") :].partition("</figure>")[0]
        assert [figure.count(f"<title>{day}, ") for day in days(FIRST, 2)] == [1, 1], name


def test_a_history_without_a_daily_run_says_what_to_run(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert team.command("history", "site") == 4
    assert "no daily run yet" in capsys.readouterr().err


def test_an_option_of_another_action_is_refused(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    assert team.command("history", "show", "--days", "0") == 4
    assert "takes no --days" in capsys.readouterr().err
