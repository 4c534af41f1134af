"""`aioncall monitor` and `aioncall history` as a user types them, in real projects with real git."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from model_server import Fault, model_server

from eval_project import Project
from history_worlds import BRANCH, git, killed_at
from pytest_aioncall.adapters.history import HistoryBranch, HistoryFolder
from pytest_aioncall.flows import monitor as flow
from pytest_aioncall.flows.evalrun import settings_for
from pytest_aioncall.flows.history import entry_of, feed, open_history
from pytest_aioncall.flows.monitor import monitored, read_alerts
from pytest_aioncall.model.alert import AlertsFile

GOOD = "def answer(text):\n    return text.upper()\n"
WORSE = "def answer(text):\n    return 'no' if text > 'q2' else text.upper()\n"
OUTAGE = "def answer(text):\n    raise ConnectionError('refused')\n"
CASES = [
    {
        "id": f"case-{n:02}",
        "input": f"q{n:02}",
        "expected": f"Q{n:02}",
        "slices": {"half": "old" if n < 20 else "new", "persona": "free" if n % 2 else "pro"},
    }
    for n in range(40)
]


_based: Path | None = None


class Daily:
    """A project in git that runs once a day."""

    def __init__(self, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        self.project = project
        self.path = project.path
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        for name in list(os.environ):
            if name.startswith("GITHUB_") or name in ("CI", "GH_TOKEN"):
                monkeypatch.delenv(name)
        project.app(GOOD)
        project.evalset(
            "triage",
            cases=CASES,
            epochs=2,
            gates=[{"scorer": "exact", "slices": ["half"]}],
            subject={"files": ["app.py"]},
        )
        project.write(".gitignore", ".aioncall/\n__pycache__/\n")
        git(self.path, "init", "-q", "-b", "main")
        self.commit("one")

    def commit(self, message: str) -> str:
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.path, "rev-parse", "HEAD")

    def run(self, day: int, *arguments: str, hour: int = 3) -> str:
        """Run the evals on a day of November; return the run's id."""
        self.monkeypatch.setenv("AIONCALL_NOW", f"2026-11-{day:02}T{hour:02}:17:00Z")
        self.project.run(*arguments)
        return str(self.project.last_run()["id"])

    def based(self) -> Daily:
        """Give it a baseline and one good day; made once, and copied from then on."""
        global _based
        if _based is not None:
            shutil.rmtree(self.path / ".git")
            shutil.copytree(_based, self.path, dirs_exist_ok=True, symlinks=True)
            self.monkeypatch.setenv("AIONCALL_NOW", "2026-11-02T03:17:00Z")
            return self
        self.run(1)
        self.project.accept()
        self.commit("baseline")
        self.run(2)
        _based = Path(tempfile.mkdtemp(prefix="aioncall-based-"))
        atexit.register(shutil.rmtree, _based, ignore_errors=True)
        shutil.copytree(self.path, _based, dirs_exist_ok=True, symlinks=True)
        return self

    def fallen(self) -> Daily:
        """Let the answers get worse on the third, and monitor that day."""
        self.project.app(WORSE)
        self.run(3)
        self.monitor()
        return self

    def beside(self, name: str) -> Path:
        """Return a place outside of the project that no other test has."""
        return self.path.with_name(f"{self.path.name}-{name}")

    def with_remote(self) -> Path:
        """Give it a remote; return that."""
        remote = self.beside("remote.git")
        git(self.path, "init", "-q", "--bare", str(remote))
        git(self.path, "remote", "add", "origin", f"../{remote.name}")
        return remote

    def command(self, *arguments: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = self.project.command(*arguments)
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    def monitor(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code, out, err = self.command("monitor", "--json", *arguments)
        assert not err, err
        return code, json.loads(out)


@pytest.fixture
def daily(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Daily:
    return Daily(project, monkeypatch, capsys)


def test_a_good_day_is_ok_and_the_history_holds_every_run_of_this_machine(daily: Daily) -> None:
    code, out, _ = daily.based().command("monitor")
    assert code == 0
    assert out.splitlines()[0].startswith("monitor OK   1 evalset, run ")
    assert "triage  ok: 80/80 judged; the daily series learns, 1 of 14 days" in out
    _, shown, _ = daily.command("history", "show")
    assert [line.split()[0] for line in shown.splitlines()[1:3]] == ["2026-11-01", "2026-11-02"]
    assert "exact 100.0 % (80/80)" in shown


def test_a_fall_is_an_alert_with_the_commit_that_touched_the_subject(daily: Daily) -> None:
    daily.based()
    daily.project.write("README.md", "other\n")
    other = daily.commit("Readme")
    daily.project.app(WORSE)
    culprit = daily.commit("Say no more often")
    run = daily.run(3)
    code, told = daily.monitor()
    assert code == 1 == told["exit_code"]
    (condition,) = told["evalsets"]
    assert condition["state"] == "bad"
    assert condition["episode"]["first_bad"]["run"] == run
    first = condition["alerts"][0]
    assert (first["kind"], first["tier"], first["scorer"]) == ("eval_regression", 1, "exact")
    evidence = {one["value"] for one in first["evidence"]}
    assert f"{culprit[:7]} Say no more often" in evidence
    assert not any(other[:7] in value and "Readme" in value for value in evidence)
    assert read_alerts(daily.project.run_folders()[-1]).run == run
    # The history keeps no word of a scorer; the run has them, and who is on call reads them first.
    assert condition["worst"] and all(move["why"].startswith("expected ") for move in condition["worst"])
    code, out, _ = daily.command("monitor")
    assert code == 1
    assert out.splitlines()[0].startswith("monitor ALERT   1 of 1 evalset, run ")
    assert f"next:  aioncall publish issues --run {run}" in out
    assert daily.command("monitor", "--exit-zero")[0] == 0


def test_commits_that_touch_no_declared_file_are_named_where_no_other_does(daily: Daily) -> None:
    daily.based()
    daily.project.write("helper.py", "WORDS = 1\n")
    daily.project.write("app.py", WORSE)
    git(daily.path, "update-index", "--assume-unchanged", "app.py")
    other = daily.commit("Tidy words")
    daily.run(3)
    (condition,) = daily.monitor()[1]["evalsets"]
    told = [
        one["value"] for one in condition["alerts"][0]["evidence"] if one["name"] in ("commit", "commits")
    ]
    assert "and none touches the subject's files" in told[0]
    assert f"{other[:7]} Tidy words" in told[1:]


def test_the_next_command_goes_on_with_the_history_that_was_named(daily: Daily) -> None:
    """Another history has another log of what was sent: without it, everybody is paged again."""
    daily.based()
    daily.with_remote()
    out = daily.command("monitor", "--history", BRANCH)[1]
    assert f"--by SLICE --history {BRANCH} (how the slices moved)" in out
    assert out.endswith(f"aioncall history show --history {BRANCH}\n")
    daily.project.app(WORSE)
    run = daily.run(3)
    assert daily.command("monitor", "--history", BRANCH)[1].endswith(
        f"next:  aioncall publish issues --run {run} --history {BRANCH}\n"
    )
    out = daily.command("monitor", "--history", "./kept days/")[1]
    assert out.endswith(f"next:  aioncall publish issues --run {run} --history './kept days/'\n")


def test_an_incident_without_an_alert_today_is_recovering_and_no_alert(daily: Daily) -> None:
    daily.based().fallen()
    daily.project.app(GOOD)
    daily.run(3, hour=9)
    code, out, _ = daily.command("monitor")
    assert code == 0
    assert out.startswith("monitor NOT OVER   1 evalset, 1 incident not over yet, run "), "the day was bad"
    assert "makes no good day: an earlier run of 2026-11-03 was bad, judged good on 0 of 3 days" in out
    for day, good in ((4, 1), (5, 2)):
        daily.run(day)
        code, out, _ = daily.command("monitor")
        assert code == 0
        assert out.startswith("monitor OK   1 evalset, 1 incident not over yet, run ")
        assert f"triage  recovering: open since 2026-11-03, judged good on {good} of 3 days" in out
        assert "ALERT" not in out
    run = daily.run(6)
    out = daily.command("monitor")[1]
    assert out.startswith("monitor OK   1 evalset, 1 incident over, run ")
    assert "triage  recovered: the incident of 2026-11-03 ended, judged good on 3 days; 80/80 judged" in out
    assert out.endswith(f"next:  aioncall publish issues --run {run}\n")


def test_a_run_that_could_not_judge_shows_the_held_alert_as_of_its_day(daily: Daily) -> None:
    daily.based().fallen()
    daily.project.app(OUTAGE)
    daily.run(4)
    out = daily.command("monitor")[1]
    held = [line for line in out.splitlines() if "triage.daily.exact" in line]
    assert held and all(line.endswith(" (as of 2026-11-03)") for line in held)
    (errors,) = [line for line in out.splitlines() if "triage.daily.errors" in line]
    assert "as of" not in errors


def test_without_a_baseline_the_line_says_so_with_the_command_that_makes_one(daily: Daily) -> None:
    run = daily.run(1)
    code, out, _ = daily.command("monitor")
    assert code == 0
    assert out.startswith("monitor OK   1 evalset, 1 without a baseline, run ")
    (line,) = [line for line in out.splitlines() if line.startswith("  triage")]
    accept = f'aioncall baseline accept triage --run {run} --reason "first baseline"'
    assert line.startswith("  triage  learning ")
    assert line.endswith(f" of 14 days; 80/80 judged; no baseline: {accept}")
    assert daily.command(*accept.replace('"', "").split()[1:-2], "first baseline", "--by", "ann")[0] == 0
    daily.run(2)
    assert "no baseline" not in daily.command("monitor")[1]


def test_the_incident_holds_while_a_run_cannot_judge_and_the_step_is_told_apart(daily: Daily) -> None:
    daily.based().fallen()
    daily.project.app(OUTAGE)
    daily.run(4)
    code, told = daily.monitor()
    (condition,) = told["evalsets"]
    assert condition["state"] == "not_judged"
    assert "80 of 80 samples errored" in condition["because"]
    assert condition["episode"]["recovered"] is None
    assert condition["episode"]["last_bad"]["day"] == "2026-11-03"
    assert code == 1, "what was before holds on"
    _, out, _ = daily.command("monitor")
    assert out.splitlines()[0].startswith("monitor ALERT")
    assert "triage  ALERT, not judged today: 80 of 80 samples errored" in out
    assert "open since 2026-11-03" in out


def test_an_outage_alone_is_no_regression(daily: Daily) -> None:
    daily.based()
    daily.project.app(OUTAGE)
    daily.run(3)
    code, told = daily.monitor()
    assert code == 7
    assert told["evalsets"][0]["episode"] is None
    assert not [alert for alert in told["evalsets"][0]["alerts"] if alert["kind"] == "eval_regression"]
    assert daily.command("monitor")[1].startswith("monitor CANNOT JUDGE")


def test_monitoring_the_same_run_again_says_the_same_and_adds_nothing(daily: Daily) -> None:
    daily.based()
    daily.project.app(WORSE)
    daily.run(3)
    first = daily.monitor()
    entries = sorted((daily.path / ".aioncall/history/runs").rglob("*.json"))
    assert daily.monitor() == first
    assert sorted((daily.path / ".aioncall/history/runs").rglob("*.json")) == entries


def test_missing_days_are_told(daily: Daily) -> None:
    daily.based()
    daily.run(6)
    _, told = daily.monitor()
    assert told["evalsets"][0]["history_gap"] == 3
    assert "no run on the 3 days before this one" in daily.command("monitor")[1]


def test_partial_runs_shards_and_killed_runs_are_not_judged(daily: Daily) -> None:
    daily.based()
    daily.run(3, "-k", "case-0")
    code, told = daily.monitor()
    assert code == 7
    assert told["evalsets"][0]["because"] == "partial: 10 of 40 cases ran"
    daily.run(4, "--aioncall-shard", "1/2")
    code, _, err = daily.command("monitor")
    assert code == 4
    assert "aioncall runs merge" in err
    daily.run(5)
    file = daily.project.run_folders()[-1] / "run.json"
    run = json.loads(file.read_text())
    killed = {**run, "ended_at": None, "complete": False, "totals": {}}
    file.write_text(json.dumps({**killed, "evalsets": [{**e, "complete": False} for e in run["evalsets"]]}))
    code, told = daily.monitor()
    assert code == 7
    assert told["evalsets"][0]["because"].startswith("the run was killed before its end")


def test_a_run_that_its_cost_cap_stopped_says_what_it_spent_and_reports_no_errors(daily: Daily) -> None:
    daily.project.app("def answer(text):\n    return {'text': text.upper(), 'cost_usd': 1.0}\n")
    daily.run(3, "--aioncall-max-cost", "5")
    code, told = daily.monitor()
    (one,) = told["evalsets"]
    assert (code, one["state"], [alert["kind"] for alert in one["alerts"]]) == (7, "not_judged", ["cost"])
    said = {line["name"]: line["value"] for line in one["alerts"][0]["evidence"]}
    assert said["stopped"].startswith("the run stopped: cost cap of $5 reached")
    assert said["not asked"] == "75 of 80 samples"
    assert said["cost of a sample"] == "unknown -> $1.00"
    (day,) = HistoryFolder(daily.path / ".aioncall" / "history").entries()[-1].evalsets
    assert (day.asked, day.cancelled, day.cost_usd) == (5, 75, 5.0)


def test_a_must_that_broke_in_a_part_of_a_run_is_an_incident(daily: Daily) -> None:
    cases = [{**case, "must": [{"contains": "Q"}]} for case in CASES]
    daily.project.evalset("triage", cases=cases, epochs=2, gates=[{"scorer": "exact"}])
    daily.project.app(WORSE)
    daily.run(3, "-k", "case-21 or case-22")
    code, out, _ = daily.command("monitor")
    assert code == 1
    assert "2 cases broke a must" in out and "partial: 2 of 40 cases ran" in out
    assert "open since 2026-11-03" in out
    daily.project.app(GOOD)
    daily.commit("mended")
    for day in (4, 5, 6):
        daily.run(day)
    assert "recovered: the incident of 2026-11-03 ended" in daily.command("monitor")[1]


def test_merged_shards_are_one_day(daily: Daily) -> None:
    daily.based()
    shards = [daily.run(3, "--aioncall-shard", f"{n}/2", hour=3 + n) for n in (1, 2)]
    assert daily.command("runs", "merge", *shards)[0] == 0
    code, told = daily.monitor()
    assert code == 0
    assert told["evalsets"][0]["judged_samples"] == 80
    entries = HistoryFolder(daily.path / ".aioncall/history").entries()
    assert sorted(entries[-1].merged_from) == sorted(shards)


def test_no_answer_and_no_reason_of_a_scorer_is_in_the_history(daily: Daily) -> None:
    daily.project.app("def answer(text):\n    return 'SECRET-ANSWER ' + text\n")
    cases = [{**case, "must": [{"not_contains": "SECRET-ANSWER"}]} for case in CASES]
    daily.project.evalset("triage", cases=cases, epochs=1)
    daily.run(1)
    daily.monitor()
    for path in (daily.path / ".aioncall/history").rglob("*.json"):
        assert "SECRET-ANSWER" not in path.read_text()
    (entry,) = HistoryFolder(daily.path / ".aioncall/history").entries()
    assert len(entry.evalsets[0].floors) == 40
    assert all(floor.reason is None for floor in entry.evalsets[0].floors)


def test_a_run_that_is_dated_in_the_future_is_not_entered(daily: Daily) -> None:
    daily.based()
    daily.run(20)
    daily.monkeypatch.setenv("AIONCALL_NOW", "2026-11-03T03:17:00Z")
    code, _, said = daily.command("monitor", "--history", "./kept/")
    assert code == 4 and "is dated 2026-11-20T03:17" in said and "a clock or AIONCALL_NOW is wrong" in said
    assert not list(daily.path.glob("kept/**/*.json"))
    code, shown, _ = daily.command("history", "show")
    assert [line.split()[0] for line in shown.splitlines()[1:3]] == ["2026-11-01", "2026-11-02"]
    assert "2026-11-20" not in shown


def test_runs_of_pull_requests_are_kept_and_not_monitored(daily: Daily) -> None:
    daily.based()
    daily.monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    daily.project.app(WORSE)
    run = daily.run(3)
    code, told = daily.monitor("--history", "./kept/")
    assert (code, told["evalsets"]) == (0, [])
    assert "no daily run" in told["notes"][0]
    (entry,) = HistoryFolder(daily.path / "kept").entries()
    assert (entry.run, entry.kind, entry.evalsets[0].status) == (run, "other", "regressed")
    assert daily.monitor("--history", "./kept/", "--kind", "daily")[0] == 1


def test_an_entry_names_its_job(daily: Daily) -> None:
    for name, value in (("RUN_ID", "77"), ("RUN_ATTEMPT", "2"), ("REPOSITORY", "acme/bot")):
        daily.monkeypatch.setenv(f"GITHUB_{name}", value)
    daily.monkeypatch.setenv("GITHUB_EVENT_NAME", "schedule")
    daily.run(1)
    assert "goes with it; keep it on a branch" in daily.monitor()[1]["notes"][0]
    assert daily.monitor("--history", "./kept/")[1]["notes"] == []
    (entry,) = HistoryFolder(daily.path / "kept").entries()
    assert (entry.attempt, entry.kind) == (2, "daily")
    assert entry.url == "https://github.com/acme/bot/actions/runs/77"


def test_a_run_of_a_second_attempt_is_there_once_on_a_machine_that_keeps_its_runs(daily: Daily) -> None:
    daily.based()
    daily.monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    daily.monitor()
    daily.command("history", "show")
    entries = HistoryFolder(daily.path / ".aioncall/history").entries()
    assert [(entry.day, entry.attempt) for entry in entries] == [("2026-11-01", 1), ("2026-11-02", 2)]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("monitor",), 4, "no run yet"),
        (("monitor", "--run", "nope"), 4, "nope: no such"),
        (("monitor", "--now", "yesterday"), 4, "--now"),
        (("monitor", "--history", "a b"), 4, "no name of a branch"),
        (("history", "show", "--branch", "x"), 4, "takes no --branch"),
        (("history", "rebuild", "nowhere"), 4, "no such folder"),
        (("history", "rebuild", "evalsets"), 4, "no run folder in it"),
        (("history", "push", "--history", "nowhere"), 4, "no such folder"),
        (("history", "show", "--kind", "daily"), 4, "takes no --kind"),
        (("history", "show", "--history", "./app.py"), 4, "is a file"),
        (("publish", "issues", "--dry-run", "--history", "./app.py"), 4, "is a file"),
        (("history", "show", "--evalset", "x"), 4, "no evalset 'x'"),
        (("scores", "--since", "soon"), 4, "needs a span"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    daily: Daily, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = daily.command(*arguments)
    assert (found, out) == (code, "")
    assert said in err


def test_a_run_that_is_under_way_is_waited_for(daily: Daily) -> None:
    from pytest_aioncall.adapters.run_store import lock_folder

    daily.run(1)
    lock = lock_folder(daily.project.run_folders()[-1])
    assert lock is not None
    code, _, err = daily.command("monitor")
    assert (code, "still under way" in err) == (4, True)
    lock.release()
    assert daily.command("monitor")[0] == 0


def test_an_empty_history_says_what_fills_it(daily: Daily) -> None:
    assert "run: aioncall monitor" in daily.command("history", "show")[1]
    code, out, _ = daily.command("scores")
    assert code == 7
    assert "no daily run yet" in out


def test_broken_alerts_are_refused_and_the_command_that_writes_them_is_named(daily: Daily) -> None:
    from pytest_aioncall.errors import UsageError

    daily.run(1)
    folder = daily.project.run_folders()[-1]
    with pytest.raises(UsageError, match=f"aioncall monitor --run {folder.name}"):
        read_alerts(folder)
    for text, said in (
        ("{", "cannot be read"),
        ('{"format": 3}', "format 3"),
        ('{"format": 1}', "aioncall monitor"),
    ):
        (folder / "alerts.json").write_text(text)
        with pytest.raises(UsageError, match=said):
            read_alerts(folder)


# --- the heartbeat


def beats(daily: Daily, loopback: Any) -> int:
    daily.monkeypatch.setenv("AIONCALL_HEARTBEAT_URL", f"{loopback.url}/ping/secret-id")
    before = len(loopback.asked)
    daily.command("monitor")
    return len(loopback.asked) - before


def test_the_heartbeat_is_sent_after_a_judged_daily_run_and_no_other(daily: Daily, loopback: Any) -> None:
    daily.based()
    assert beats(daily, loopback) == 1
    assert loopback.asked[-1].method == "GET"
    daily.project.app(WORSE)
    daily.run(3)
    assert beats(daily, loopback) == 1, "a regressed run was judged"
    daily.project.app(OUTAGE)
    daily.run(4)
    assert beats(daily, loopback) == 0, "an outage was not"
    daily.project.app(GOOD)
    daily.run(5)
    daily.monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    assert beats(daily, loopback) == 0, "a pull request is no day"


def test_a_listener_that_fails_is_a_note_without_its_address(daily: Daily, loopback: Any, told: Any) -> None:
    loopback.tell = lambda asked: told(status=404)
    daily.based()
    daily.monkeypatch.setenv("AIONCALL_HEARTBEAT_URL", f"{loopback.url}/ping/secret-id")
    code, out, err = daily.command("monitor")
    assert code == 0
    assert "heartbeat: the listener answered with status 404" in out
    assert "secret-id" not in out + err
    daily.project.config(monitors={"heartbeat_url_env": "OUR_PING"})
    code, out, _ = daily.command("monitor")
    assert (code, "no heartbeat: OUR_PING is not set" in out) == (0, True)


# --- on a branch


def test_on_a_branch_the_entry_is_shared_before_anything_is_said(daily: Daily) -> None:
    daily.based()
    remote = daily.with_remote()
    code, told = daily.monitor("--history", BRANCH)
    assert code == 0
    assert told["run"] in git(remote, "ls-tree", "-r", "--name-only", BRANCH)
    shutil.rmtree(remote)
    run = daily.run(3)
    daily.monkeypatch.setattr("time.sleep", lambda _seconds: None)
    code, out, err = daily.command("monitor", "--history", BRANCH)
    assert (code, out) == (7, "")
    assert "was not pushed in 5 tries" in err
    assert not (daily.path / ".aioncall/runs" / run / "alerts.json").exists()


def another_runner(daily: Daily, day: int) -> None:
    """Go on with a checkout that has no run and no history, on a later day."""
    shutil.rmtree(daily.path / ".aioncall")
    daily.monkeypatch.setenv("AIONCALL_NOW", f"2026-11-{day:02}T03:17:00Z")


def test_where_nothing_ran_the_history_alone_says_what_holds(daily: Daily) -> None:
    daily.based().with_remote()
    daily.monitor("--history", BRANCH)
    (daily.path / "evalsets" / "triage.eval.yaml").write_text("evalset: triage\nbogus: key\n")
    another_runner(daily, 3)
    code, out, _ = daily.command("monitor", "--history", BRANCH)
    assert code == 7 and "  triage  not run; newest of 2026-11-02\n" in out
    assert out.startswith("monitor NO RUN   nothing ran here; the newest of the history is run 20261102-")
    another_runner(daily, 5)
    code, told = daily.monitor("--history", BRANCH)
    (one,) = told["evalsets"]
    assert (code, [alert["kind"] for alert in one["alerts"]]) == (7, ["no_data"])
    assert "no run since 2026-11-02 (3 days)" in one["alerts"][0]["title"]
    assert "nothing ran here" in told["notes"][0]
    code, out, _ = daily.command("publish", "issues", "--dry-run", "--history", BRANCH)
    assert code == 0 and "would open 'triage.daily.runs 24h: no run since 2026-11-02 (3 days)'" in out
    _, out, _ = daily.command("monitor", "--history", BRANCH)
    assert f"next:  aioncall publish issues --run latest --history {BRANCH}" in out
    assert daily.command("monitor", "--run", "20261102-031700-0000", "--history", BRANCH)[0] == 4


def test_where_nothing_ever_ran_that_is_said(daily: Daily) -> None:
    daily.with_remote()
    code, _, err = daily.command("monitor", "--history", BRANCH)
    assert code == 4 and "no run yet, and branch" in err and "run pytest --aioncall first" in err
    assert daily.command("publish", "issues", "--dry-run")[0] == 4


CLOCK = """
name: daily evals
on: {schedule: [{cron: "17 3 * * *"}]}
jobs: {daily: {runs-on: ubuntu-latest, steps: [{run: aioncall monitor --history aioncall-history}]}}
"""


def test_a_history_that_is_younger_than_the_daily_workflow_may_be_lost(daily: Daily) -> None:
    remote = daily.with_remote()
    daily.project.write(".github/workflows/daily.yml", CLOCK)
    daily.monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-01T12:00:00Z")
    daily.commit("run it each day")
    daily.run(2)
    assert not lost(daily), "it is as old as the workflow"
    git(remote, "branch", "-D", BRANCH)
    another_runner(daily, 6)
    daily.run(6)
    (said,) = lost(daily)
    assert "begins on 2026-11-06, and daily.yml has been there since 2026-11-01" in said
    assert said in read_alerts(daily.project.run_folders()[-1]).notes


def test_a_history_that_lacks_the_runs_of_this_machine_may_be_lost(daily: Daily) -> None:
    daily.run(2)
    daily.run(6)
    (said,) = lost(daily, "./elsewhere/")
    assert "this machine has run 20261102-" in said
    assert not lost(daily, None), "the history of this machine has all of its runs"


def lost(daily: Daily, where: str | None = BRANCH) -> list[str]:
    _, told = daily.monitor(*(["--history", where] if where else []))
    return [note for note in told["notes"] if "history is lost" in note]


def test_push_and_pull_carry_entries_between_machines(daily: Daily) -> None:
    daily.based().with_remote()
    code, out, _ = daily.command("history", "push")
    assert (code, out.splitlines()[0]) == (0, f"branch {BRANCH} of origin: 2 entries, 2 new or changed")
    assert daily.command("history", "push")[1].startswith(f"branch {BRANCH} of origin: 2 entries, 0 new")
    shutil.rmtree(daily.path / ".aioncall")
    code, out, _ = daily.command("history", "pull")
    assert out.startswith("this machine's history: 2 entries, 2 new or changed")
    shown = daily.command("history", "show", "--json")[1]
    assert [one["day"] for one in json.loads(shown)["entries"]] == ["2026-11-01", "2026-11-02"]


def test_a_branch_that_is_nowhere_is_refused_with_the_names_that_are_there(daily: Daily) -> None:
    daily.based()
    remote = daily.with_remote()
    daily.command("monitor", "--history", BRANCH)
    git(daily.path, "push", "-q", "origin", "main")
    wrong = "aioncall-histroy"
    for arguments in (
        ("history", "show", "--history", wrong),
        ("history", "site", "--history", wrong),
        ("history", "pull", "--branch", wrong),
        ("history", "push", "--branch", wrong),
        ("history", "rebuild", "--history", wrong),
        ("review", "--history", wrong),
        ("scores", "--history", wrong),
        ("monitor", "--history", wrong),
        ("publish", "issues", "--dry-run", "--history", wrong),
    ):
        code, out, err = daily.command(*arguments)
        assert (code, out) == (4, ""), arguments
        assert f"{arguments[-2]} {wrong}: no such branch here or on origin, did you mean {BRANCH}?" in err
        assert f"There are: {BRANCH}, main." in err
        makes = {"monitor", "push", "rebuild"} & set(arguments)
        assert ("monitors: {history: aioncall-histroy}" in err) == bool(makes)
    assert wrong not in git(remote, "branch")
    assert "did you mean" not in daily.command("review", "--history", "other")[2]


def test_the_configured_branch_may_be_read_before_the_first_run_is_on_it_and_monitor_makes_it(
    daily: Daily,
) -> None:
    """The workflow fetches the history before it spends anything, on the first day, too."""
    daily.based()
    remote = daily.with_remote()
    assert daily.command("history", "pull")[0] == 0
    assert "run: aioncall monitor" in daily.command("history", "show", "--history", BRANCH)[1]
    assert daily.command("monitor", "--history", "days-of-bot")[0] == 4
    daily.project.config(monitors={"history": "days-of-bot"})
    assert daily.command("monitor", "--history", "days-of-bot")[0] == 0
    assert "days-of-bot" in git(remote, "branch")
    daily.project.config(monitors={})
    assert daily.command("monitor", "--history", "days-of-bot")[0] == 0, "it is there now"


def test_runs_made_by_hand_are_pushed_as_other_unless_it_is_said(daily: Daily) -> None:
    daily.based()
    daily.with_remote()

    def kinds(*where: str) -> list[str]:
        shown = daily.command("history", "show", "--json", *where)[1]
        return [one["kind"] for one in json.loads(shown)["entries"]]

    _, out, _ = daily.command("history", "push")
    assert "pushed as other, so not monitored: 2 runs made outside of the scheduled job" in out
    assert "aioncall history push --kind daily" in out
    assert kinds("--history", BRANCH) == ["other", "other"]
    assert daily.command("history", "push")[1].splitlines()[0].endswith("0 new or changed")
    daily.command("history", "pull")
    assert kinds() == ["daily", "daily"], "they are days of this machine all the same"
    _, out, _ = daily.command("history", "push", "--kind", "daily")
    assert out.splitlines()[0].endswith("2 entries, 2 new or changed") and "note" not in out
    assert kinds("--history", BRANCH) == ["daily", "daily"]


@pytest.mark.parametrize(("event", "kind"), [("schedule", "daily"), ("pull_request", "other")])
def test_a_scheduled_job_pushes_days_and_a_job_of_a_change_does_not(
    daily: Daily, event: str, kind: str
) -> None:
    daily.based().with_remote()
    daily.monkeypatch.setenv("GITHUB_RUN_ID", "77")
    daily.monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    assert daily.command("history", "push")[0] == 0
    shown = daily.command("history", "show", "--json", "--history", BRANCH)[1]
    assert {one["kind"] for one in json.loads(shown)["entries"]} == {kind}


def test_killed_anywhere_and_started_again_the_monitor_ends_the_same(daily: Daily) -> None:
    """Before the entry is written, before and after it is shared, before alerts and heartbeat are.

    Before each single step of git the history itself is killed: `test_history_branch.py`.
    """
    daily.based()
    daily.project.app(WORSE)
    daily.commit("worse")
    daily.run(3)
    remote = daily.with_remote()
    daily.monkeypatch.setenv("AIONCALL_HEARTBEAT_URL", "https://beat.example/1")
    settings = settings_for(daily.path, {})
    store = daily.path / "machine"
    real = flow.write_alerts

    def work(step: Callable[[str], object]) -> list[str]:
        said: list[str] = []

        def told(name: str) -> None:
            step(name)
            said.append(name)

        def written(folder: Path, alerts: AlertsFile) -> None:
            told("alerts")
            real(folder, alerts)

        def call(*_: Any, **__: Any) -> SimpleNamespace:
            told("heartbeat")
            return SimpleNamespace(status=200)

        history = HistoryBranch(
            store, branch=BRANCH, repository=daily.path, environ=dict(os.environ), step=told
        )
        daily.monkeypatch.setattr(flow, "write_alerts", written)
        monitored("latest", history=history, settings=settings, caller=SimpleNamespace(call=call))  # type: ignore[arg-type]
        return said

    names = work(lambda _name: None)
    folder = daily.project.run_folders()[-1]
    entry = next(
        name for name in git(remote, "ls-tree", "-r", "--name-only", BRANCH).split() if "runs" in name
    )

    def ended() -> list[str]:
        shared = git(remote, "show", f"{BRANCH}:{entry}")
        tree = git(remote, "rev-parse", f"{BRANCH}^{{tree}}")
        return [*(folder / "alerts.json").read_text().splitlines(), *shared.split(","), tree]

    wanted = ended()
    assert names[-2:] == ["alerts", "heartbeat"], "nothing is said before the entry is shared"
    for name in ("write", "push", "update-ref", "alerts", "heartbeat"):
        git(remote, "update-ref", "-d", f"refs/heads/{BRANCH}")
        shutil.rmtree(store)
        (folder / "alerts.json").unlink()
        assert killed_at(names.index(name), work) == name
        assert (folder / "alerts.json").exists() == (name == "heartbeat")
        assert work(lambda _name: None)[-2:] == ["alerts", "heartbeat"], name
        assert ended() == wanted, name


# --- what a run's samples say, from pytest to the alert

NAMED = """
from pytest_aioncall import Output

def answer(text):
    return Output(text=text.upper(), model="{model}")
"""
NEW_ERROR = """
failed = set()

def answer(text):
    if text < "q03" and text not in failed:
        failed.add(text)
        raise LookupError("no shard 17")
    return text.upper()
"""


def alerts_of_day(daily: Daily, number: int) -> dict[str, dict[str, Any]]:
    """Run the evals of a day, monitor it, and return its alerts by kind."""
    daily.run(number)
    (one,) = daily.monitor()[1]["evalsets"]
    return {alert["kind"]: alert for alert in one["alerts"]}


def test_answers_of_another_model_are_a_line_with_both_names(daily: Daily) -> None:
    daily.based()
    daily.project.app(NAMED.format(model="m-1"))
    assert "provider_change" not in alerts_of_day(daily, 3)
    daily.project.app(NAMED.format(model="m-2"))
    alert = alerts_of_day(daily, 4)["provider_change"]
    assert alert["title"] == "triage.daily.model 24h: m-1 -> m-2 (100 % of 80 answers)"
    assert (alert["tier"], alert["quality"]) == (3, False)


def test_an_error_that_no_run_before_had_is_a_ticket_with_its_text(daily: Daily) -> None:
    daily.based()
    daily.run(3)
    daily.project.app(NEW_ERROR)
    alert = alerts_of_day(daily, 4)["novel_error"]
    assert alert["title"] == "triage.daily.error 24h: new: LookupError: no shard <num> (3 cases)"
    assert alert["tier"] == 2


def test_a_baseline_that_is_older_than_agreed_pages_whoever_keeps_it(daily: Daily) -> None:
    daily.based()
    daily.project.config(defaults={"baseline_max_age_days": 5})
    assert "stale_baseline" not in alerts_of_day(daily, 5)
    alert = alerts_of_day(daily, 9)["stale_baseline"]
    assert alert["title"] == "triage.daily.baseline 24h: 8 days old, limit 5"
    assert (alert["tier"], alert["quality"]) == (1, False)


def test_a_judge_that_gives_no_scores_is_an_outage_of_the_judge(daily: Daily) -> None:
    cases = {name: (name, name.upper()) for name in ("a", "b")}
    with model_server() as server:
        provider = {"kind": "openai", "base_url": f"{server.url}/v1", "max_attempts": 1}
        daily.project.config(providers={"main": provider})
        daily.project.write("rubric.md", "Is it helpful?")
        judge = {"rubric": "rubric.md", "model": "main/judge-1", "as": "helpfulness"}
        daily.project.evalset("triage", cases=cases, scorers=[{"judge": judge}])
        server.script(json.dumps({"reason": "as scripted", "score": 4}))
        assert "judge_unavailable" not in alerts_of_day(daily, 2)
        server.script(Fault(503))
        alerts = alerts_of_day(daily, 3)
    assert alerts.keys() == {"judge_unavailable"}
    alert = alerts["judge_unavailable"]
    assert alert["title"] == "triage.daily.judge 24h: unavailable (no scores for 100 % of the judge's calls)"
    assert (alert["tier"], alert["quality"]) == (1, False)


# --- rebuilding


def test_entries_are_made_again_from_run_folders_as_they_were(daily: Daily) -> None:
    daily.based().fallen()
    before = HistoryFolder(daily.path / ".aioncall/history").entries()
    shutil.copytree(daily.path / ".aioncall/runs", daily.beside("artifacts") / "many" / "runs")
    shutil.rmtree(daily.path / ".aioncall/history")
    code, out, _ = daily.command("history", "rebuild", str(daily.beside("artifacts")))
    assert (code, out.splitlines()[0]) == (0, "this machine's history: 3 entries, 3 new or changed")
    again = HistoryFolder(daily.path / ".aioncall/history").entries()
    assert [(e.run, e.day, e.evalsets[0].rows) for e in again] == [
        (e.run, e.day, e.evalsets[0].rows) for e in before
    ]
    assert again[-1].evalsets[0].status == "regressed"


def test_an_old_run_is_judged_against_the_baseline_of_its_own_commit(daily: Daily) -> None:
    daily.based()
    daily.project.app(WORSE)
    daily.commit("worse")
    daily.run(3)
    daily.monkeypatch.setenv("AIONCALL_NOW", "2026-11-03T09:00:00Z")
    daily.project.accept("the level is another one", "--accept-regression", "ACME-1")
    daily.commit("accepted")
    feed(history := HistoryFolder(daily.path / "again"), settings_for(daily.path, {}))
    statuses = [entry.evalsets[0].status for entry in history.entries()]
    assert statuses[-1] == "regressed", "as it was when it ran, not as the newest baseline has it"
    assert history.entries()[0].evalsets[0].baseline == {}


def test_shards_among_artifacts_are_put_together_day_by_day(daily: Daily) -> None:
    daily.based()
    shutil.rmtree(daily.path / ".aioncall")
    for day in (3, 4):
        for n in (1, 2):
            daily.run(day, "--aioncall-shard", f"{n}/2", hour=3)
    daily.run(5, "--aioncall-shard", "1/2")
    code, out, _ = daily.command("history", "rebuild", ".aioncall/runs", "--json")
    told = json.loads(out)
    assert (code, told["entries"]) == (0, 2)
    assert any("shard 2 of 2" in note or "2/2" in note for note in told["notes"]), told["notes"]
    entries = HistoryFolder(daily.path / ".aioncall/history").entries()
    assert [(e.day, e.evalsets[0].judged, e.evalsets[0].judged_samples) for e in entries] == [
        ("2026-11-03", True, 80), ("2026-11-04", True, 80)
    ]  # fmt: skip


def test_after_a_run_that_lacks_answers_the_next_command_asks_for_them(daily: Daily) -> None:
    daily.based()
    folder = daily.project.run_folders()[-1]
    told = json.loads((folder / "run.json").read_text())
    told["evalsets"][0]["complete"] = False
    (folder / "run.json").write_text(json.dumps({**told, "complete": False, "unfinished": 3}))
    code, out, _ = daily.command("monitor")
    assert code == 7
    assert f"ask the rest: pytest --aioncall --aioncall-resume --aioncall-run {folder.name};" in out


def test_a_run_that_was_resumed_takes_the_place_of_its_unfinished_entry(daily: Daily) -> None:
    daily.based()
    settings = settings_for(daily.path, {})
    history = HistoryFolder(daily.path / "kept")
    folder = daily.project.run_folders()[-1]
    part = entry_of(folder, settings, kind="daily", is_ours=False)
    days = tuple(day.model_copy(update={"judged": False, "because": "partial"}) for day in part.evalsets)
    history.add(part.model_copy(update={"evalsets": days, "url": "https://x/1"}))
    feed(history, settings)
    again = history.entries()[-1]
    assert again.evalsets[0].judged
    assert again.url == "https://x/1"


def test_runs_with_uncommitted_changes_are_no_days_unless_they_are_monitored_themselves(daily: Daily) -> None:
    daily.based()
    daily.project.app(WORSE)
    daily.run(3)
    daily.command("history", "show")
    kinds = [entry.kind for entry in HistoryFolder(daily.path / ".aioncall/history").entries()]
    assert kinds == ["daily", "daily", "other"]
    assert daily.monitor()[0] == 1
    entries = HistoryFolder(daily.path / ".aioncall/history").entries()
    assert [entry.kind for entry in entries] == ["daily", "daily", "daily"]


def test_runs_of_another_branch_are_no_days_unless_they_are_monitored_themselves(daily: Daily) -> None:
    daily.based()
    git(daily.path, "switch", "-q", "-c", "try")
    daily.project.app(WORSE)
    daily.commit("try it")
    daily.run(3)
    git(daily.path, "switch", "-q", "main")
    daily.run(4)
    assert daily.monitor()[1]["evalsets"][0]["episode"] is None, "what was tried is no incident of main"
    entries = HistoryFolder(daily.path / ".aioncall/history").entries()
    assert [(entry.day[-2:], entry.kind) for entry in entries[2:]] == [("03", "other"), ("04", "daily")]


def test_a_part_of_a_run_is_no_run_of_the_history_before_it_is_whole(daily: Daily) -> None:
    daily.based()
    daily.run(3, "-k", "case-0")
    shown = daily.command("history", "show")[1]
    assert "2026-11-02" in shown and "2026-11-03" not in shown
    assert daily.monitor()[1]["day"] == "2026-11-03", "unless it is monitored itself"


def test_open_history_takes_what_is_written_as_a_path_for_a_folder(daily: Daily) -> None:
    settings = settings_for(daily.path, {})
    assert type(open_history("./somewhere/", settings)) is HistoryFolder
    (daily.path / "there").mkdir()
    assert type(open_history("there", settings)) is HistoryFolder
    assert type(open_history("some-branch", settings)) is HistoryBranch


@pytest.mark.skipif(sys.platform == "win32", reason="a shell")
def test_the_verb_works_in_a_process_of_its_own(daily: Daily) -> None:
    daily.based()
    done = subprocess.run(
        [sys.executable, "-m", "pytest_aioncall", "monitor", "--json"],
        cwd=daily.path, capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["evalsets"][0]["state"] in ("good", "learning")
