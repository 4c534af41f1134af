"""Thirty days of a team with five evalsets, day by day: which issues open, speak and close, who is paged.

Everything is real but the people and GitHub: pytest runs the evals, `monitor` and `publish issues` follow,
and the fake GitHub is held to the official description. The same month is lived in three worlds: one where
all works, one where a fifth of GitHub's calls fail, and one where five runs publish at once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from days import Team
from eval_project import Project
from fakes.github import FakeGitHub
from pytest_aioncall.adapters.history import HistoryFolder
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.adapters.trackers import GitHubTracker
from pytest_aioncall.flows.evalrun import settings_for
from pytest_aioncall.flows.issues import Published, publish_issues

FIRST = date(2026, 10, 5)
NAMES = ("alpha", "beta", "gamma", "delta", "epsilon")
STORM = NAMES[:4]


class Clock:
    """The time of a fake GitHub: that of the commands."""

    now = datetime.fromisoformat("2026-10-04T04:23:00+00:00")

    def __call__(self) -> datetime:
        return self.now


class World:
    """A GitHub, a history and a pager; `told` is what happened there, by day, in words."""

    def __init__(self, github: FakeGitHub, folder: Path, *, publishers: int = 1) -> None:
        self.github, self.folder, self.publishers = github, folder, publishers
        self.told: dict[int, list[str]] = {}

    def publish(self, project: Path, run: str, number: int, now: datetime) -> None:
        """Publish until everything has arrived, as the next runs of a workflow would."""
        before, pages = self.issues(), len(self.pages())
        for _ in range(12):
            with ThreadPoolExecutor(self.publishers) as pool:
                ends = list(pool.map(lambda _: self._once(project, run, now), range(self.publishers)))
            if all(one.exit_code == 0 for one in ends):
                break
        else:
            raise AssertionError(ends)
        self.told.setdefault(number, []).extend(self._events(before, pages))

    def _once(self, project: Path, run: str, now: datetime) -> Published:
        settings = settings_for(project, {"now": now})
        pager = settings.config.notifiers["pager"].model_copy(update={"path": str(self.pages_file)})
        config = settings.config.model_copy(update={"notifiers": {"pager": pager}})
        settings = replace(settings, github=self.github.as_github(), config=config)
        with Caller(sleep=lambda _: None) as caller:
            return publish_issues(
                run,
                settings=settings,
                history=HistoryFolder(self.folder / "history", where="a folder"),
                tracker=GitHubTracker(settings.github, caller=caller),
                pause=lambda _: None,
            )

    @property
    def pages_file(self) -> Path:
        return self.folder / "pages.jsonl"

    def pages(self) -> list[dict[str, Any]]:
        """Return everything that was delivered, oldest first."""
        file = self.pages_file
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []

    def issues(self) -> dict[int, tuple[str, int]]:
        """Return state and number of comments of each issue that is no closed twin of another."""
        return {
            issue.number: (issue.state, len(self.github.comments(issue.number)))
            for issue in self.github.issues
            if issue.state_reason != "duplicate" and "duplicate of #" not in issue.body.casefold()
        }

    def _events(self, before: dict[int, tuple[str, int]], pages: int) -> list[str]:
        found = []
        for number, now in self.issues().items():
            was = before.get(number)
            if was is None:
                found.append(f"opens {self.name(number)}")
            elif was[0] != now[0]:
                found.append(f"{'closes' if now[0] == 'closed' else 'reopens'} {self.name(number)}")
            elif now[1] > was[1]:
                found.append(f"speaks in {self.name(number)}")
        sent = Counter(f"{page['action']} {page['evalset']}" for page in self.pages()[pages:])
        return [*found, *sorted(sent)]

    def name(self, number: int) -> str:
        """Name an issue by what it is about: its first word, and how many of that were before it."""
        order = sorted(self.issues())
        words = [self.github.issue(one).title.split(".")[0].split(" since")[0] for one in order]
        at = order.index(number)
        return f"{words[at]} ({words[: at + 1].count(words[at])})"


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[Clock, dict[str, World]]]:
    clock = Clock()
    with ExitStack() as stack:
        made = {}
        for name, publishers in (("calm", 1), ("failing", 1), ("crowded", 5)):
            github = stack.enter_context(FakeGitHub("acme/app", now=clock))
            github.add_user("cy")
            folder = tmp_path / name
            folder.mkdir()
            made[name] = World(github, folder, publishers=publishers)
        made["failing"].github.fail(rate=0.2, seed=11)
        yield clock, made


CALENDAR: dict[int, dict[str, Any]] = {
    4: {"bad": ("alpha",)},
    5: {"bad": ("alpha",)},
    6: {"outage": NAMES},
    11: {"bad": ("alpha",)},  # again, within two weeks
    17: {"bad": STORM},
    21: {"bad": ("beta",)},  # the night before, clocks went back in Berlin
    22: {"bad": ("beta",)},
    23: {"outage": ("beta",)},
    25: {"bad": ("beta",)},
}
DROPPED = 15
"""The day on which the scheduler started nothing."""
TWICE = 14
"""The day on which it started two runs."""

EXPECTED: dict[int, list[str]] = {
    4: ["opens alpha (1)", "trigger alpha"],
    5: ["speaks in alpha (1)", "update alpha"],
    # The incident goes on, and the four others have one page together and no issue.
    6: ["speaks in alpha (1)", "trigger storm", "update alpha"],
    7: ["speaks in alpha (1)", "resolve storm", "update alpha"],
    8: ["speaks in alpha (1)", "update alpha"],
    9: ["closes alpha (1)", "resolve alpha"],
    11: ["reopens alpha (1)", "trigger alpha"],
    12: ["speaks in alpha (1)", "update alpha"],
    13: ["speaks in alpha (1)", "update alpha"],
    14: ["closes alpha (1)", "resolve alpha"],
    17: ["opens 4 features at once (1)", "trigger storm"],
    18: ["speaks in 4 features at once (1)", "update storm"],
    19: ["speaks in 4 features at once (1)", "update storm"],
    20: ["closes 4 features at once (1)", "resolve storm"],
    21: ["opens beta (1)", "trigger beta"],
    22: ["speaks in beta (1)", "acknowledge beta", "update beta"],
    # It could not be judged: that is said, nothing is closed, and nobody is paged for what is known.
    23: ["speaks in beta (1)", "update beta"],
    24: ["speaks in beta (1)", "update beta"],
    25: ["speaks in beta (1)", "update beta"],
    26: ["speaks in beta (1)", "update beta"],
    27: ["speaks in beta (1)", "update beta"],
    28: ["closes beta (1)", "resolve beta"],
}


def test_thirty_days_make_exactly_these_issues_comments_pages_and_closings(
    project: Project, monkeypatch: pytest.MonkeyPatch, worlds: tuple[Clock, dict[str, World]]
) -> None:
    """One issue a cause, none from an outage, none closed by a run that could not judge; no page is lost and
    no issue doubled where a fifth of the calls fail, or five runs publish at once."""
    clock, made = worlds
    team = Team(project, monkeypatch, NAMES, {})
    team.baseline(FIRST - timedelta(days=1))
    for number in range(1, 31):
        if number == DROPPED:
            continue
        told = CALENDAR.get(number, {})
        team.moods = {
            **dict.fromkeys(told.get("bad", ()), "bad"),
            **dict.fromkeys(told.get("outage", ()), "outage"),
        }
        for hour in (4, 16) if number == TWICE else (4,):
            clock.now = team.at(FIRST + timedelta(days=number - 1), hour)
            run = team.run()
            team.command("monitor", "--run", run)
            for world in made.values():
                world.publish(project.path, run, number, clock.now)
        if number == 21:
            for world in made.values():
                world.github.comment(max(world.issues()), "/ack", login="cy")
    for world in made.values():
        happened = {number: events for number, events in world.told.items() if events}
        assert without_repeats(happened) == EXPECTED
    assert made["calm"].told == {**{n: [] for n in range(1, 31) if n != DROPPED}, **EXPECTED}
    # At least once is the promise: a page may come twice where its record was lost, under the same key.
    once = [{page["id"] for page in world.pages()} for world in made.values()]
    assert once[0] == once[1] == once[2]
    assert len(made["calm"].pages()) == len(once[0])
    for world in made.values():
        assert not [issue for issue in world.github.issues if issue.state == "open"]


def without_repeats(told: dict[int, list[str]]) -> dict[int, list[str]]:
    """Return the events of each day once each, in their order."""
    return {number: list(dict.fromkeys(events)) for number, events in told.items()}
