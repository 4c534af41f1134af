"""`aioncall review` as somebody runs it on Monday: text, Markdown, data; with issues and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitored import calm, day_name, entry, evalset_day, red
from pytest_aioncall.adapters.history import HistoryFolder
from pytest_aioncall.cli import main
from pytest_aioncall.decide.issues.marker import write_marker
from pytest_aioncall.errors import DeliveryError
from pytest_aioncall.flows.evalrun import settings_for
from pytest_aioncall.flows.review import review, told
from pytest_aioncall.model.issue import Ack, IssueState, Spot
from pytest_aioncall.model.ticket import Note, Ticket

NOW = f"{day_name(39)}T12:00:00Z"
Aioncall = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aioncall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Aioncall:
    (tmp_path / "aioncall.yaml").write_text("format: 1\n")
    history = HistoryFolder(tmp_path / "kept")
    for one in [*calm(38), *(entry(n, evalset_day(4.05, verdicts=(red(),))) for n in (38, 39))]:
        history.add(one)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIONCALL_NOW", NOW)
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["review", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_first_line_is_the_week_and_the_incident_follows(aioncall: Aioncall) -> None:
    code, said, _ = aioncall("--history", "./kept")
    lines = said.splitlines()
    assert code == 0
    assert lines[0].startswith(f"review {day_name(32)} .. {day_name(39)}: 1 incident open, 0 closed; ")
    assert lines[2:4] == ["Incidents", f"  summarizer: open since {day_name(38)}, owner @ann"]
    assert "  not asked: GITHUB_REPOSITORY and GITHUB_TOKEN are not set" in lines


def test_as_markdown_it_has_the_same_first_line(aioncall: Aioncall) -> None:
    _, text, _ = aioncall("--history", "./kept")
    _, page, _ = aioncall("--history", "./kept", "--markdown")
    assert page.splitlines()[0] == f"### {text.splitlines()[0]}"
    assert "**Incidents**" in page


def test_as_data_it_has_every_fact(aioncall: Aioncall) -> None:
    _, said, _ = aioncall("--history", "./kept", "--json", "--since", "3d")
    found = json.loads(said)
    assert (found["format"], found["runs"], found["judged_days"]) == (1, 3, 3)
    assert found["incidents"][0]["first_bad"]["day"] == day_name(38)
    assert found["issues"] is None


def test_a_day_may_be_named_instead_of_a_duration(aioncall: Aioncall) -> None:
    _, by_day, _ = aioncall("--history", "./kept", "--json", "--since", day_name(36))
    assert json.loads(by_day)["since"] == f"{day_name(36)}T00:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "soon"), "--since: needs a duration such as 7d or a day such as 2026-11-15, got 'soon'"),
        (("--since", "2030-01-01"), "has to lie in the 366 days before"),
        (("--since", "2001-01-01"), "has to lie in the 366 days before"),
        (("--since", "0d"), "--since: needs a duration"),
        (("--now", "later"), "--now: needs a time"),
    ],
)
def test_a_mistake_is_a_line_and_exit_4(aioncall: Aioncall, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = aioncall("--history", "./kept", *arguments)
    assert (code, out) == (4, "")
    assert said in err and "Traceback" not in err


def test_an_empty_history_is_no_failure_and_says_what_to_do(aioncall: Aioncall) -> None:
    code, said, _ = aioncall()
    assert code == 0
    assert "no daily run in the history" in said and "aioncall monitor" in said


def test_a_folder_that_is_not_there_is_named(aioncall: Aioncall) -> None:
    code, said, _ = aioncall("--history", "./nowhere/")
    assert code == 0
    assert "folder ./nowhere/" in said


def test_a_file_of_the_history_that_is_broken_is_noted_and_the_rest_is_told(aioncall: Aioncall) -> None:
    broken = next(Path("kept").rglob(f"*{day_name(33).replace('-', '')}*.json"))
    broken.write_text("{")
    code, said, _ = aioncall("--history", "./kept")
    assert code == 0
    assert f"  {day_name(33)}: no daily run" in said
    assert broken.name in said.split("Notes")[1]


class Issues:
    """A tracker with tickets in memory, of which the review only reads."""

    actor = "github-actions[bot]"

    def __init__(
        self, *tickets: Ticket, notes: dict[int, list[Note]] | None = None, dead: bool = False
    ) -> None:
        self._tickets, self._notes, self._dead = tickets, notes or {}, dead

    def tickets(self, *, label: str, closed_since: str | None = None) -> list[Ticket]:
        if self._dead:
            raise DeliveryError("GitHub answered 503")
        assert label == "aioncall"
        return list(self._tickets)

    def notes(self, number: int) -> list[Note]:
        return self._notes.get(number, [])


def issue(number: int, *, author: str = Issues.actor, ack: Ack | None = None) -> Ticket:
    state = IssueState(
        kind="incident",
        evalset="summarizer",
        episode="r",
        first_day=day_name(38),
        last_bad_day=day_name(39),
        as_of=Spot(created_at=f"{day_name(38)}T03:17:00Z", run="r"),
        fired_at=f"{day_name(38)}T03:17:00Z",
        ack=ack,
    )
    body = f"What people read.\n\n{write_marker(state)}"
    return Ticket(number=number, title=f"issue {number}", body=body, state="open", author=author)


def reviewed_with(tracker: Issues) -> str:
    settings = settings_for(Path.cwd(), {})
    return "\n".join(told(review(settings, where="./kept", tracker=tracker), markdown=False))  # type: ignore[arg-type]


def test_open_issues_are_told_with_who_took_them_and_what_is_snoozed(aioncall: Aioncall) -> None:
    snooze = Note(
        id=1, body="/snooze 2026-11-01", author="ann", trusted=True, created_at=f"{day_name(38)}T04:00:00Z"
    )
    taken = Ack(by="ann", at=f"{day_name(38)}T03:20:00Z", how="comment")
    said = reviewed_with(Issues(issue(4), issue(5, ack=taken), issue(6), notes={6: [snooze]}))
    assert "no. 4 issue 4 (nobody has taken it, not in time)" in said
    assert "no. 5 issue 5 (taken by ann)" in said
    assert "no. 6 issue 6 (nobody has taken it, not in time, snoozed until 2026-11-01 00:00 +00:00)" in said


def test_issues_that_somebody_else_wrote_are_not_ours(aioncall: Aioncall) -> None:
    assert "none open" in reviewed_with(Issues(issue(4, author="mallory")))


def test_a_tracker_that_does_not_answer_keeps_nobody_from_the_rest(aioncall: Aioncall) -> None:
    said = reviewed_with(Issues(dead=True))
    assert "could not be read: GitHub answered 503" in said
    assert "summarizer: open since" in said
