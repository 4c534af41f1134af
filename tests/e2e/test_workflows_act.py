"""The workflows that `aioncall init --github` writes do on this machine what they say, run by `act`.

Real git with a bare remote, a fake GitHub that is held to the official description, a feature without a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from act_runner import JobEnded, Repository, act
from fakes.github import FakeGitHub

MODULE = "support_answers.py"


class OnCall:
    """A repository with the five commands behind it, and the GitHub that it lies at."""

    def __init__(self, folder: Path, github: FakeGitHub) -> None:
        act()
        self.github = github
        self.repository = Repository(folder, github.repository)
        self.pulls = 0

    def begin(self, *options: str) -> None:
        repository = self.repository
        repository.command("pytest_aioncall", "init", "--github", "--owner", "@ann", *options)
        repository.command("pytest", "--aioncall", "-q")
        repository.command("pytest_aioncall", "baseline", "accept", "--reason", "first")
        repository.commit("Put the answers on call")

    def change_nothing_for_users(self) -> None:
        """Begin a branch that touches the feature's file and none of its answers."""
        self.repository.git("switch", "-q", "--create", "change")
        text = (self.repository.work / MODULE).read_text(encoding="utf-8")
        self.repository.write(MODULE, text + "\n\nWORDS = sorted(ANSWERS)\n")
        self.repository.commit("List the words")

    def break_the_feature(self) -> None:
        """Make the answers forget two words that users ask with."""
        text = (self.repository.work / MODULE).read_text(encoding="utf-8")
        broken = text.replace('"refund": ', '"reimbursement": ').replace('"parcel": ', '"consignment": ')
        assert broken != text
        self.repository.write(MODULE, broken)

    def mend_the_feature(self) -> None:
        self.repository.git("checkout", "-q", "origin/main~1", "--", MODULE)

    def environ(self, **more: str) -> dict[str, str]:
        told = {k: v for k, v in self.github.env().items() if k not in ("GITHUB_RUN_ID", "GITHUB_ACTIONS")}
        return told | more

    def gate(
        self, *, number: int, fork: str | None = None, secrets: dict[str, str] | None = None
    ) -> JobEnded:
        """Run the gate for the branch that is checked out, without a token that could write."""
        sha = self.repository.git("rev-parse", "HEAD")
        home = fork or self.github.repository
        payload = {
            "number": number,
            "pull_request": {
                "number": number,
                "head": {"sha": sha, "ref": "change", "repo": {"full_name": home, "fork": fork is not None}},
                "base": {"ref": "main", "repo": {"full_name": self.github.repository, "fork": False}},
            },
            "repository": {"full_name": self.github.repository, "fork": False, "default_branch": "main"},
        }
        given = self.environ() | {"GITHUB_TOKEN": "ghs_thisOneMayOnlyRead0123456789abcdef"}
        return self.repository.run_workflow(
            "aioncall-gate", "pull_request", payload, secrets=secrets, **given
        )

    def comment(self, *, fork: str | None = None) -> JobEnded:
        """Run the comment workflow as GitHub would after the gate: on main, with a token that may write."""
        sha = self.repository.git("rev-parse", "HEAD")
        run = {
            "id": int(self.repository.last_run),
            "event": "pull_request",
            "conclusion": "success",
            "head_sha": sha,
            "head_branch": "change",
            "head_repository": {"full_name": fork or self.github.repository},
            "pull_requests": [],
        }
        payload = {"workflow_run": run, "repository": {"full_name": self.github.repository}}
        self.repository.git("switch", "-q", "main")
        try:
            return self.repository.run_workflow("aioncall-comment", "workflow_run", payload, **self.environ())
        finally:
            self.repository.git("switch", "-q", "-")

    def open_pull(self, *, fork: str | None = None) -> int:
        sha = self.repository.git("rev-parse", "HEAD")
        return int(self.github.add_pull(sha, fork=fork, head_ref="change", base_ref="main").number)

    def daily(self, day: str, name: str = "aioncall-daily", **environ: str) -> JobEnded:
        given = self.environ(AIONCALL_NOW=f"{day}T04:17:00+00:00", **environ)
        payload = {"repository": {"full_name": self.github.repository, "default_branch": "main"}}
        return self.repository.run_workflow(name, "schedule", payload, **given)

    def report(self) -> dict[str, Any]:
        """What the newest workflow run kept as its artifact."""
        path = self.repository.artifacts / self.repository.last_run / "aioncall-report" / "report.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


@pytest.fixture
def oncall(tmp_path: Path) -> Iterator[OnCall]:
    with FakeGitHub("acme/app") as github:
        yield OnCall(tmp_path / "github", github)


def bodies(github: FakeGitHub, number: int) -> list[str]:
    return [comment.body for comment in github.comments(number)]


def verdicts(oncall: OnCall) -> list[str]:
    """How the checks called `aioncall` ended on the commit that is checked out, as GitHub keeps them."""
    head = oncall.repository.git("rev-parse", "HEAD")
    told = [run["told"] for run in oncall.github.check_runs]
    return [one["conclusion"] for one in told if (one["name"], one["head_sha"]) == ("aioncall", head)]


def test_a_pull_request_that_makes_answers_worse_is_red_and_is_told_why_in_one_comment(
    oncall: OnCall,
) -> None:
    oncall.begin()
    oncall.repository.git("switch", "-q", "--create", "change")
    oncall.break_the_feature()
    oncall.repository.commit("Tidy the words up")
    number = oncall.open_pull()
    gate = oncall.gate(number=number)
    assert not gate.green
    assert gate.steps["Run what the change can affect, and judge it"] == "failure", gate.log
    assert gate.steps["Say what came out"] == "success", gate.log
    assert gate.steps["Keep the report, for readers and for the comment"] == "success"
    comment = oncall.comment()
    assert comment.green, comment.log
    (body,) = bodies(oncall.github, number)
    assert "REGRESSED" in body
    assert "refund" in body
    assert verdicts(oncall) == ["failure"]


@pytest.mark.slow
def test_once_it_is_mended_the_same_comment_says_so(oncall: OnCall) -> None:
    oncall.begin()
    oncall.repository.git("switch", "-q", "--create", "change")
    oncall.break_the_feature()
    oncall.repository.commit("Tidy the words up")
    number = oncall.open_pull()
    assert not oncall.gate(number=number).green
    assert oncall.comment().green
    (red,) = oncall.github.comments(number)
    oncall.repository.git("checkout", "-q", "main", "--", MODULE)
    oncall.repository.commit("Put the words back")
    oncall.github.issue(number).pull.head_sha = oncall.repository.git("rev-parse", "HEAD")
    assert oncall.gate(number=number).green
    comment = oncall.comment()
    assert comment.green, comment.log
    (now,) = oncall.github.comments(number)
    assert now.id == red.id, "edited in place"
    assert "REGRESSED" not in now.body
    assert verdicts(oncall) == ["neutral"], "it is main again: nothing is affected, and nothing was judged"


@pytest.mark.slow
def test_a_pull_request_that_changes_nothing_for_users_is_judged_green_and_silent(oncall: OnCall) -> None:
    oncall.begin()
    oncall.change_nothing_for_users()
    number = oncall.open_pull()
    gate = oncall.gate(number=number)
    assert gate.green, gate.log
    (evalset,) = oncall.report()["evalsets"]
    assert evalset["judgement"]["status"] == "pass"
    comment = oncall.comment()
    assert comment.green, comment.log
    assert bodies(oncall.github, number) == []
    assert verdicts(oncall) == ["success"]


@pytest.mark.slow
def test_a_pull_request_that_touches_nothing_is_green_free_and_silent(oncall: OnCall) -> None:
    oncall.begin()
    oncall.repository.git("switch", "-q", "--create", "change")
    oncall.repository.write("README.md", "hello\n")
    oncall.repository.commit("Say hello")
    number = oncall.open_pull()
    gate = oncall.gate(number=number)
    assert gate.green, gate.log
    assert "unaffected" in gate.log
    comment = oncall.comment()
    assert comment.green, comment.log
    assert bodies(oncall.github, number) == []
    assert verdicts(oncall) == ["neutral"], "nothing was judged, so nothing says that all is well"


@pytest.mark.slow
def test_a_pull_request_beside_a_red_main_is_neutral_for_what_it_did_not_do(oncall: OnCall) -> None:
    oncall.begin()
    assert oncall.daily("2026-11-23").green
    oncall.break_the_feature()
    oncall.repository.commit("Tidy the words up")
    assert not oncall.daily("2026-11-24").green
    oncall.repository.git("fetch", "-q", "origin")
    oncall.change_nothing_for_users()
    number = oncall.open_pull()
    gate = oncall.gate(number=number)
    assert gate.green, gate.log
    assert "already regressed on main" in gate.log
    assert oncall.comment().green
    assert verdicts(oncall) == ["neutral"]


CHAT = """
evalset: small-talk
owner: "@ann"
target: {chat: {model: main/small-2026-01-01, prompt: prompts/talk.md}}
scorers: [contains]
cases:
  - {id: hello, input: {question: "Hello?"}, expected: "hello"}
  - {id: bye, input: {question: "Bye?"}, expected: "hello"}
"""


def test_a_fork_without_a_key_is_neutral_and_is_told_so(oncall: OnCall, loopback: Any, told: Any) -> None:
    answer = {"message": {"role": "assistant", "content": "hello to you"}, "finish_reason": "stop"}
    body = {"id": "1", "model": "small-2026-01-01", "choices": [{"index": 0, **answer}]}
    loopback.script(told(body=body))
    repository = oncall.repository
    # An address that is not this machine would cost; the server is at one that the test chose.
    provider = f"main: {{kind: openai, base_url: {loopback.url}/v1, api_key_env: MAIN_KEY}}"
    repository.write("aioncall.yaml", f"format: 1\nproviders: {{{provider}}}\n")
    repository.write("evalsets/small-talk.eval.yaml", CHAT)
    repository.write("prompts/talk.md", "Answer: {{ question }}\n")
    repository.command("pytest_aioncall", "init", "--github", "--owner", "@ann")
    repository.command("pytest", "--aioncall", "-q", MAIN_KEY="sk-main")
    repository.command("pytest_aioncall", "baseline", "accept", "--reason", "first", MAIN_KEY="sk-main")
    repository.commit("Put the talk on call")
    repository.git("switch", "-q", "--create", "change")
    repository.write("prompts/talk.md", "Answer kindly: {{ question }}\n")
    repository.commit("Be kind")
    asked = len(loopback.asked)
    number = oncall.open_pull(fork="stranger/app")
    gate = oncall.gate(number=number, fork="stranger/app")
    assert gate.green, gate.log
    assert "::set-output:: status=not_run" in gate.log
    assert "live evals not run: no credentials" in gate.log
    assert len(loopback.asked) == asked, "nobody was asked without a key"
    comment = oncall.comment(fork="stranger/app")
    assert comment.green, comment.log
    (body,) = bodies(oncall.github, number)
    assert "live evals not run: no credentials" in body, "a state of its own, and reviewers are told"
    assert verdicts(oncall) == ["neutral"]
    # The same change with the key is judged; without it, on a branch of our own, it is refused.
    judged = oncall.gate(number=number, secrets={"MAIN_KEY": "sk-main-0123456789"})
    assert judged.green, judged.log
    assert len(loopback.asked) > asked
    own = oncall.gate(number=number)
    assert not own.green, "a key that is missing where secrets are given is a mistake, not a state"


@pytest.mark.slow
def test_a_gate_that_is_made_weaker_without_a_reason_is_red_before_anything_is_asked(oncall: OnCall) -> None:
    oncall.begin()
    repository = oncall.repository
    repository.git("switch", "-q", "--create", "change")
    evalset = "evalsets/support-answers.eval.yaml"
    text = (repository.work / evalset).read_text(encoding="utf-8")
    repository.write(evalset, text + "gates: [{scorer: contains, margin: 0.9}]\n")
    repository.commit("Be less strict")
    gate = oncall.gate(number=oncall.open_pull())
    assert not gate.green
    assert gate.steps["Ask for a reason where a gate became weaker"] == "failure", gate.log
    assert "Run what the change can affect, and judge it" not in gate.steps
    comment = oncall.comment()
    assert comment.green, "no report was kept, so there is nothing to say: " + comment.log
    assert verdicts(oncall) == []


def days_of(repository: Repository) -> list[str]:
    """The files of the history, as they lie at GitHub."""
    names = repository.git(
        "ls-tree", "-r", "--name-only", "aioncall-history", at=repository.bare
    ).splitlines()
    return [name for name in names if name.startswith("runs/")]


@pytest.mark.slow
def test_a_bad_day_opens_an_issue_and_three_good_ones_close_it(oncall: OnCall) -> None:
    oncall.begin()
    first = oncall.daily("2026-11-23")
    assert first.green, first.log
    assert oncall.github.issues == []
    assert len(days_of(oncall.repository)) == 1
    oncall.break_the_feature()
    oncall.repository.commit("Tidy the words up")
    bad = oncall.daily("2026-11-24")
    assert not bad.green, "red, and not in silence"
    assert bad.steps["Run every evalset"] == "failure", bad.log
    assert bad.steps["Open, update or close issues, and page"] == "success", bad.log
    (issue,) = oncall.github.open_issues
    assert "support-answers" in issue.title
    assert bad.steps["Keep the report"] == "success"
    oncall.daily("2026-11-25")
    assert [one.number for one in oncall.github.open_issues] == [issue.number], "one issue for one cause"
    oncall.mend_the_feature()
    oncall.repository.commit("Put the words back")
    for day in ("2026-11-26", "2026-11-27"):
        good = oncall.daily(day)
        assert good.steps["Run every evalset"] == "success", good.log
        assert oncall.github.open_issues, "not yet: three good days are needed"
    last = oncall.daily("2026-11-28")
    assert last.green, last.log
    assert oncall.github.open_issues == []
    assert oncall.github.issue(issue.number).state_reason == "completed"
    assert len(days_of(oncall.repository)) == 6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aioncall-daily", "aioncall-daily-sharded"])
def test_nights_on_which_no_run_begins_open_an_issue_until_one_is_judged(oncall: OnCall, name: str) -> None:
    oncall.begin(*(["--shards", "2"] if name.endswith("sharded") else []))
    assert oncall.daily("2026-11-23", name).green
    work = oncall.repository.work
    (file,) = (work / "evalsets").glob("*.eval.yaml")
    text = file.read_text(encoding="utf-8")
    oncall.repository.write(str(file.relative_to(work)), text + "\nbogus: key\n")
    oncall.repository.commit("Add a key that there is not")
    silent = oncall.daily("2026-11-26", name)
    assert not silent.green
    assert silent.steps["Judge the days together, and keep this one"] == "failure", silent.log
    assert silent.steps["Open, update or close issues, and page"] == "success", silent.log
    (issue,) = oncall.github.open_issues
    assert "no run since 2026-11-23" in issue.title
    oncall.repository.write(str(file.relative_to(work)), text)
    oncall.repository.commit("Take it out")
    assert oncall.daily("2026-11-27", name).green
    assert oncall.github.open_issues == []


def test_a_daily_run_on_several_machines_is_one_day(oncall: OnCall) -> None:
    oncall.begin("--shards", "2")
    good = oncall.daily("2026-11-23", "aioncall-daily-sharded")
    assert good.green, good.log
    (day,) = days_of(oncall.repository)
    entry = json.loads(oncall.repository.git("show", f"aioncall-history:{day}", at=oncall.repository.bare))
    assert [(e["evalset"], e["planned"], e["judged_samples"]) for e in entry["evalsets"]] == [
        ("support-answers", 18, 18)
    ]
    oncall.break_the_feature()
    oncall.repository.commit("Tidy the words up")
    bad = oncall.daily("2026-11-24", "aioncall-daily-sharded")
    assert bad.steps["Judge it"] == "failure", bad.log
    assert len(oncall.github.open_issues) == 1
