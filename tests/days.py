"""Days of a small team: evalsets that are good, bad or out of reach, a clock, and the daily commands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from eval_project import Project

CASES = 10
_APP = """
    import json, pathlib

    HERE = pathlib.Path(__file__).parent

    def _answer(name, question):
        mood = json.loads((HERE / "state.json").read_text()).get(name, "good")
        if mood == "outage":
            raise TimeoutError("the model does not answer")
        if mood == "bad" and int(question) < 7:
            return "I am not sure"
        return f"answer {question}"
"""


class Team:
    """A project with evalsets, one function each; `morning` is what the scheduled workflow does.

    Pages go to `pages.jsonl`, so that they are told from issues.
    """

    def __init__(
        self, project: Project, monkeypatch: pytest.MonkeyPatch, names: Iterable[str], env: dict[str, str]
    ) -> None:
        self.project = project
        self.monkeypatch = monkeypatch
        self.names = tuple(names)
        self.moods: dict[str, str] = {}
        self.pages_file = project.path / "pages.jsonl"
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        project.config(
            defaults={"max_cost_usd": 0},
            monitors={"recovery_days": 3, "storm": 3},
            oncall={
                "timezone": "Europe/Berlin",
                "rotation": {"start": "2026-10-05", "people": ["@ann", "@bo", "@cy"]},
            },
            notifiers={"pager": {"kind": "file", "path": "pages.jsonl"}},
            routes={"tier1": ["pager", "github"], "tier2": ["github"], "tier3": ["review"]},
        )
        functions = "\n".join(f"    def {name}(q): return _answer({name!r}, q)" for name in self.names)
        project.app(_APP + "\n" + functions + "\n")
        for name in self.names:
            project.evalset(
                name,
                target={"python": f"app:{name}"},
                cases={f"c{i}": (str(i), f"answer {i}") for i in range(CASES)},
            )

    def at(self, day: date, hour: int = 4, minute: int = 23) -> datetime:
        """Set the clock of everything, and return it."""
        now = datetime.combine(day, time(hour, minute), tzinfo=UTC)
        self.monkeypatch.setenv("AIONCALL_NOW", now.isoformat())
        return now

    def run(self) -> str:
        """Run all evalsets as they are today; return the run's id."""
        (self.project.path / "state.json").write_text(json.dumps(self.moods))
        self.project.run("-q")
        return self.project.run_folders()[-1].name

    def baseline(self, day: date) -> None:
        """Accept what is there as the baseline."""
        self.at(day)
        self.run()
        self.project.accept("the first one")

    def command(self, *arguments: str) -> int:
        return self.project.command(*arguments, "--root", str(self.project.path))

    def morning(self, day: date, *, hour: int = 4, minute: int = 23) -> tuple[str, int, int]:
        """Do what the scheduled workflow does; return the run and the exit codes of monitor and publish."""
        self.at(day, hour, minute)
        run = self.run()
        monitored = self.command("monitor", "--run", run)
        published = self.command("publish", "issues", "--run", run)
        return run, monitored, published

    def pages(self) -> list[dict[str, Any]]:
        """Return every page that was delivered, oldest first."""
        if not self.pages_file.is_file():
            return []
        return [json.loads(line) for line in self.pages_file.read_text().splitlines() if line]

    @property
    def history(self) -> Path:
        return self.project.path / ".aioncall" / "history"


def days(first: date, count: int) -> list[date]:
    """Return so many days from the first one on."""
    return [first + timedelta(days=n) for n in range(count)]
