"""The history on an orphan branch, with real git: shared by many, lost by none, no user's file touched."""

from __future__ import annotations

import base64
import os
import random
import signal
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from history_worlds import BRANCH, World, git, killed_at, made_entry
from pytest_aioncall.adapters.history import HistoryBranch, entry_path
from pytest_aioncall.cli import main
from pytest_aioncall.errors import StoreError, UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, signals and executable hooks")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    return World(tmp_path)


def hook(folder: Path, name: str, script: str) -> None:
    path = folder / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def runs(history: HistoryBranch) -> list[str]:
    return [entry.run for entry in history.entries()]


def test_the_branch_is_made_as_an_orphan_when_there_is_something_to_share(world: World) -> None:
    history = world.branch()
    history.sync()
    assert BRANCH not in git(world.remote, "branch")
    history.add(made_entry(1))
    assert history.pending == (entry_path(made_entry(1)),)
    assert runs(history) == [made_entry(1).run]
    history.sync()
    assert world.files() == [".aioncall-history", "README.md", entry_path(made_entry(1))]
    assert git(world.remote, "rev-list", "--count", BRANCH) == "1"
    assert history.pending == ()
    assert history.where == f"branch {BRANCH} of origin"
    assert "was not there on origin and is made now" in history.notes[0]
    again = world.branch()
    again.add(made_entry(2))
    again.sync()
    assert again.notes == ()


def test_another_machine_reads_it_and_adds_to_it(world: World) -> None:
    one, two = world.branch("one"), world.branch("two")
    one.add(made_entry(1))
    one.sync()
    two.fetch()
    assert runs(two) == [made_entry(1).run]
    assert not two.add(made_entry(1))
    two.add(made_entry(2))
    two.sync()
    assert runs(one) == [made_entry(1).run]
    one.sync()
    assert runs(one) == runs(two) == [made_entry(1).run, made_entry(2).run]
    assert git(world.remote, "rev-list", "--count", BRANCH) == "2"


def test_a_fresh_clone_is_told_where_the_daily_runs_are(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = world.branch()
    shared.add(made_entry(1))
    shared.sync()
    clone = world.folder / "fresh"
    git(world.folder, "clone", "-q", "remote.git", "fresh")
    (clone / "aioncall.yaml").write_text("format: 1\n")
    monkeypatch.chdir(clone)
    monkeypatch.setenv("AIONCALL_NOW", "2026-01-02T09:00:00Z")

    def said(*arguments: str, code: int) -> str:
        assert main([*arguments]) == code
        told = capsys.readouterr()
        return " ".join((told.out + told.err).split())

    pull, read = "aioncall history pull", f"--history {BRANCH}"
    for verb, code in (
        (("scores",), 7),
        (("review",), 0),
        (("history", "show"), 0),
        (("history", "site"), 4),
    ):
        told = said(*verb, code=code)
        assert pull in told and read in told, verb
        assert "run the evals" not in told and "pytest --aioncall" not in told
    assert "triage" in said("review", "--history", BRANCH, code=0)
    said("history", "pull", code=0)
    assert pull not in said("review", code=0)


def test_reading_pushes_nothing(world: World) -> None:
    history = world.branch()
    history.add(made_entry(1))
    history.fetch()
    assert BRANCH not in git(world.remote, "branch")
    assert history.pending


def test_a_fresh_machine_fetches_one_commit_and_has_every_file(world: World) -> None:
    one = world.branch("one")
    for number in range(3):
        one.add(made_entry(number))
        one.sync()
    two = world.branch("two")
    two.fetch()
    assert len(runs(two)) == 3
    assert git(two.path / "repository", "rev-list", "--count", f"refs/remotes/aioncall/{BRANCH}") == "1"
    two.add(made_entry(9))
    two.sync()
    assert git(world.remote, "rev-list", "--count", BRANCH) == "4"


@pytest.mark.parametrize("how", [["--depth=1"], ["--filter=blob:none"]])
def test_a_shallow_or_partial_clone_is_enough(world: World, how: list[str]) -> None:
    world.branch("one").sync()
    git(world.remote, "config", "uploadpack.allowFilter", "true")
    git(world.folder, "clone", "-q", *how, f"file://{world.remote}", "shallow")
    one = world.branch("one")
    one.add(made_entry(1))
    one.sync()
    history = world.branch("two", repository=world.folder / "shallow")
    history.add(made_entry(2))
    history.sync()
    assert runs(history) == [made_entry(1).run, made_entry(2).run]


def test_the_users_tree_index_configuration_and_branches_stay_as_they_are(world: World) -> None:
    (world.user / "app.py").write_text("changed\n")
    (world.user / "staged.py").write_text("staged\n")
    git(world.user, "add", "staged.py")
    before = {path: path.read_bytes() for path in sorted(world.user.rglob("*")) if path.is_file()}
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    history.add(made_entry(2))
    history.sync()
    assert {path: path.read_bytes() for path in sorted(world.user.rglob("*")) if path.is_file()} == before


def test_no_hook_of_the_user_runs(world: World) -> None:
    for name in ("pre-push", "pre-commit", "commit-msg", "reference-transaction", "post-commit"):
        hook(world.user / ".git", name, f"touch {world.folder}/hooked; exit 1")
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    assert not (world.folder / "hooked").exists()


def test_without_a_configured_identity_it_has_its_own_and_else_the_users(world: World) -> None:
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    assert (
        git(world.remote, "log", "-1", "--format=%an <%ae> %cn", BRANCH)
        == "aioncall <aioncall@localhost> aioncall"
    )
    git(world.user, "config", "user.name", "Bo")
    git(world.user, "config", "user.email", "bo@example.org")
    history = world.branch()
    history.add(made_entry(2))
    history.sync()
    assert git(world.remote, "log", "-1", "--format=%an <%ae>", BRANCH) == "Bo <bo@example.org>"


def test_without_a_remote_it_is_a_local_branch_and_says_so(world: World) -> None:
    git(world.user, "remote", "remove", "origin")
    hook(world.user / ".git", "pre-receive", "exit 1")
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    assert "no remote" in history.notes[0]
    assert entry_path(made_entry(1)) in git(world.user, "ls-tree", "-r", "--name-only", BRANCH)
    assert git(world.user, "status", "--porcelain") == ""
    again = world.branch("two")
    again.fetch()
    assert runs(again) == [made_entry(1).run]


def test_outside_of_a_repository_a_folder_is_asked_for(world: World, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    environ = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    with pytest.raises(UsageError, match="name a folder instead: --history DIR"):
        world.branch(repository=tmp_path / "plain", environ=environ).sync()


def test_several_remotes_without_an_origin_are_refused_and_one_alone_is_taken(world: World) -> None:
    git(world.user, "remote", "rename", "origin", "company")
    world.branch("one").sync()
    git(world.user, "remote", "add", "mine", "../remote.git")
    with pytest.raises(UsageError, match="several remotes"):
        world.branch("two").sync()
    git(world.user, "config", "branch.main.remote", "mine")
    history = world.branch("three")
    history.add(made_entry(1))
    history.sync()
    assert history.where.endswith("of mine")


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "a~1", ""])
def test_a_name_that_is_no_branch_is_refused(world: World, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a branch"):
        HistoryBranch(world.folder / "h", branch=name, repository=world.user, environ=dict(os.environ))


def test_a_branch_that_holds_code_is_refused_before_anything_is_written(world: World) -> None:
    history = HistoryBranch(
        world.folder / "h", branch="main", repository=world.user, environ=dict(os.environ)
    )
    history.add(made_entry(1))
    with pytest.raises(UsageError, match=r"holds something else \(app.py\)"):
        history.sync()
    assert git(world.remote, "ls-tree", "-r", "--name-only", "main") == "app.py"


PROTECTED = """echo "error: GH013: Repository rule violations found for refs/heads/aioncall-history." >&2
echo "- Changes must be made through a pull request." >&2
exit 1"""


def test_a_protected_branch_is_told_with_what_to_do_and_the_entry_is_kept(world: World) -> None:
    hook(world.remote, "pre-receive", PROTECTED)
    history = world.branch()
    history.add(made_entry(1))
    with pytest.raises(StoreError) as refused:
        history.sync()
    said = str(refused.value)
    assert "GH013: Repository rule violations" in said
    assert "add GitHub Actions to those who may bypass it" in said
    assert "aioncall history rebuild" in said
    assert history.pending and runs(history) == [made_entry(1).run]
    (world.remote / "hooks" / "pre-receive").unlink()
    history.sync()
    assert entry_path(made_entry(1)) in world.files()


def test_a_remote_that_is_gone_is_a_store_error_after_five_tries(world: World) -> None:
    steps: list[str] = []
    history = world.branch(step=steps.append)
    history.add(made_entry(1))
    world.remote.rename(world.folder / "elsewhere")
    with pytest.raises(StoreError, match="not pushed in 5 tries: origin cannot be reached"):
        history.sync()
    assert steps.count("ls-remote") == 5
    with pytest.raises(StoreError, match="not fetched in 5 tries: origin cannot be reached"):
        history.fetch()
    (world.folder / "elsewhere").rename(world.remote)
    history.sync()
    assert entry_path(made_entry(1)) in world.files()


def test_who_meets_another_push_puts_its_entry_on_top(world: World) -> None:
    others = iter([2, 3, 4])

    def meet(name: str) -> None:
        number = next(others, None) if name == "push" else None
        if number is not None:
            other = world.branch(f"other{number}")
            other.add(made_entry(number))
            other.sync()

    history = world.branch(step=meet)
    history.add(made_entry(1))
    history.sync()
    assert len(runs(history)) == 4
    assert git(world.remote, "rev-list", "--count", BRANCH) == "4"


def test_who_meets_another_push_five_times_gives_up_and_keeps_its_entry(world: World) -> None:
    number = iter(range(100))

    def meet(name: str) -> None:
        if name == "push":
            mine = next(number)
            other = world.branch(f"other{mine}")
            other.add(made_entry(mine + 2))
            other.sync()

    history = world.branch(step=meet)
    history.add(made_entry(1))
    with pytest.raises(StoreError, match="5 tries"):
        history.sync()
    assert history.pending == (entry_path(made_entry(1)),)
    again = world.branch()
    again.sync()
    assert len(runs(again)) == 6


def test_two_machines_that_change_one_record_lose_neither_change(world: World) -> None:
    one, two = world.branch("one"), world.branch("two")
    one.write_record("outbox", "page", {"tries": 1, "sent": ["github"]})
    one.sync()
    two.fetch()
    one.write_record("outbox", "page", {"tries": 2, "sent": ["github", "slack"]})
    two.write_record("outbox", "page", {"tries": 3, "sent": ["github", "pagerduty"], "acked": True})
    one.sync()
    two.sync()
    one.fetch()
    merged = {"tries": 3, "sent": ["github", "pagerduty", "slack"], "acked": True}
    assert one.records("outbox") == two.records("outbox") == {"page": merged}
    one.write_record("outbox", "page", {"tries": 4, "sent": []})
    one.sync()
    assert one.records("outbox") == {"page": {"tries": 4, "sent": []}}


def test_a_rewritten_branch_is_told_and_what_is_there_now_holds(world: World) -> None:
    history = world.branch("one")
    for number in (1, 2):
        history.add(made_entry(number))
        history.sync()
    git(world.remote, "update-ref", "-d", f"refs/heads/{BRANCH}")
    fresh = world.branch("two")
    fresh.add(made_entry(2))
    fresh.sync()
    history.add(made_entry(3))
    history.sync()
    assert runs(history) == [made_entry(2).run, made_entry(3).run]
    assert "was rewritten on origin" in history.notes[-1]
    assert "1 files that were on it are not there now" in history.notes[-1]
    assert entry_path(made_entry(1)) in history.notes[-1]


def test_a_branch_that_somebody_deleted_is_told_and_made_again(world: World) -> None:
    history = world.branch("one")
    history.add(made_entry(1))
    history.sync()
    git(world.remote, "update-ref", "-d", f"refs/heads/{BRANCH}")
    history.add(made_entry(2))
    history.sync()
    assert "is gone from origin" in history.notes[-1]
    assert world.files() == [
        ".aioncall-history",
        "README.md",
        entry_path(made_entry(1)),
        entry_path(made_entry(2)),
    ]


def test_the_repository_of_ours_may_be_deleted_or_broken_at_any_time(world: World) -> None:
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    history.add(made_entry(2))
    for path in sorted((history.path / "repository").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else None
    (history.path / "state.json").write_text("{broken")
    again = world.branch()
    again.sync()
    assert runs(again) == [made_entry(1).run, made_entry(2).run]


@pytest.mark.parametrize("broken", ["objects", "HEAD", "config"])
def test_what_a_power_cut_left_of_our_repository_is_made_anew(world: World, broken: str) -> None:
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    history.add(made_entry(2))
    place = history.path / "repository" / broken
    for path in [place] if place.is_file() else list(place.rglob("*")):
        if path.is_file():
            path.chmod(0o644)
            path.write_text("")
    history.sync()
    assert runs(history) == [made_entry(1).run, made_entry(2).run]
    assert len(world.files()) == 4


def test_a_folder_that_cannot_be_written_is_a_store_error(world: World) -> None:
    (world.folder / "file").write_text("")
    history = HistoryBranch(
        world.folder / "file" / "x", branch=BRANCH, repository=world.user, environ=dict(os.environ)
    )
    with pytest.raises(StoreError, match="cannot be written"):
        history.sync()
    with pytest.raises(StoreError, match="cannot be written"):
        history.add(made_entry(1))


def test_links_and_submodules_on_the_branch_are_not_followed(world: World) -> None:
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    git(world.folder, "clone", "-q", "-b", BRANCH, str(world.remote), "hostile")
    hostile = world.folder / "hostile"
    link = hostile / entry_path(made_entry(2))
    link.symlink_to("/etc/passwd")
    (hostile / "runs/2026/01/03-x-1.json").write_text('{"format": 1}')
    git(hostile, "add", ".")
    git(hostile, "commit", "-q", "-m", "hostile")
    git(hostile, "push", "-q")
    history.fetch()
    assert runs(history) == [made_entry(1).run]
    told = {problem.file: problem.message for problem in history.problems}
    assert told[entry_path(made_entry(2))] == "is a link or a submodule; not read"
    assert "Field required" in told["runs/2026/01/03-x-1.json"]


# --- kill -9


def steps_of(world: World) -> list[str]:
    names: list[str] = []
    history = world.branch("counted", step=names.append)
    history.add(made_entry(1))
    history.write_record("log", "page", {"sent": True})
    history.sync()
    return names


def test_killed_between_any_two_steps_the_next_start_comes_to_the_same_end(
    world: World, tmp_path: Path
) -> None:
    """The process is ended by SIGKILL before each of its steps in turn; then it is started again."""
    steps = steps_of(world)
    assert {
        "init",
        "ls-remote",
        "write",
        "hash-object",
        "commit-tree",
        "state",
        "push",
        "update-ref",
        "drop",
    } <= set(steps)
    wanted = world.content()
    seen = []
    for number in range(len(steps)):
        place = World(_made(tmp_path / f"kill{number}"))

        def work(step: object, place: World = place) -> None:
            history = place.branch(step=step)  # type: ignore[arg-type]
            history.add(made_entry(1))
            history.write_record("log", "page", {"sent": True})
            history.sync()

        seen.append(killed_at(number, work))
        work(lambda _name: None)
        assert place.content() == wanted, f"killed before step {number}, {seen[-1]}"
        assert git(place.remote, "rev-list", "--count", BRANCH) == "1", seen[-1]
        history = place.branch()
        assert history.pending == ()
        assert runs(history) == [made_entry(1).run]
    assert seen == steps


def test_killed_after_the_push_an_older_version_does_not_undo_what_others_wrote_since(
    world: World, tmp_path: Path
) -> None:
    """The record was shared, then changed by somebody else: a restart does not share its own again."""
    for number, name in [
        (n, s) for n, s in enumerate(steps_of(world)) if s in ("update-ref", "drop", "state")
    ]:
        place = World(_made(tmp_path / f"late{number}"))

        def work(step: object, place: World = place) -> None:
            history = place.branch(step=step)  # type: ignore[arg-type]
            history.add(made_entry(1))
            history.write_record("log", "page", {"state": "waiting"})
            history.sync()

        killed_at(number, work)
        if BRANCH not in git(place.remote, "branch"):
            continue
        other = place.branch("other")
        other.fetch()
        other.write_record("log", "page", {"state": "acked"})
        other.sync()
        again = place.branch()
        again.sync()
        assert again.records("log") == {"page": {"state": "acked"}}, f"killed before step {number}, {name}"


def test_locks_that_a_killed_git_left_are_removed(world: World) -> None:
    history = world.branch()
    history.add(made_entry(1))
    history.sync()
    bare = history.path / "repository"
    ref = bare / f"refs/remotes/aioncall/{BRANCH}.lock"
    for lock in (bare / "packed-refs.lock", bare / "shallow.lock", ref, history.path / "index.lock"):
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.write_text("")
    history.add(made_entry(2))
    history.sync()
    assert entry_path(made_entry(2)) in world.files()


def test_five_processes_that_push_at_once_lose_nothing(world: World) -> None:
    children = []
    for number in range(5):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                # Two of them share a working folder, as two jobs on one machine may.
                history = HistoryBranch(
                    world.folder / f"machine{number % 4}" / "history",
                    branch=BRANCH,
                    repository=world.user,
                    environ=dict(os.environ),
                )
                for part in range(2):
                    history.add(made_entry(number * 2 + part))
                    if number < 4:
                        known = history.records("log").get("all", {})
                        history.write_record("log", "all", {**known, f"job{number}": part})
                    history.sync()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 5
    reader = world.branch("reader")
    reader.fetch()
    assert len(runs(reader)) == 10
    assert reader.records("log") == {"all": {f"job{number}": 1 for number in range(4)}}
    assert int(git(world.remote, "rev-list", "--count", BRANCH)) <= 10
    assert git(world.remote, "rev-list", "--count", "--merges", BRANCH) == "0"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# --- credentials


def asked_with(world: World, tmp_path: Path) -> tuple[dict[str, str], list[str]]:
    """Put a `git` before the real one that notes how it is called; return environment and command lines."""
    told = tmp_path / "told"
    told.mkdir()
    real = next(
        path for folder in os.environ["PATH"].split(os.pathsep) if (path := Path(folder) / "git").is_file()
    )
    bin_folder = _made(tmp_path / "bin")
    script = bin_folder / "git"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >> {told}/lines\nenv > {told}/env.$$\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    environ = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    return environ, [str(told)]


def test_the_token_of_a_job_is_given_through_the_environment_and_is_nowhere_else(
    world: World, tmp_path: Path, loopback: Any
) -> None:
    """checkout with persist-credentials: false leaves no rights; the token of the job is used, and hidden."""
    server = loopback.url
    git(world.user, "remote", "set-url", "origin", f"{server}/owner/name.git")
    token = "ghs_" + "x" * 36
    environ, (told,) = asked_with(world, tmp_path)
    history = world.branch(environ=environ, token=token, server_url=server)
    history.add(made_entry(1))
    with pytest.raises(StoreError) as refused:
        history.sync()
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    asked = [one.headers.get("authorization") for one in loopback.asked]
    assert asked and set(asked) == {f"basic {basic}"}
    lines = (Path(told) / "lines").read_text()
    assert "ls-remote" in lines
    for secret in (token, basic):
        assert secret not in lines
        assert secret not in str(refused.value)
        for path in [*history.path.rglob("*"), *world.user.rglob("*")]:
            assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_the_token_that_checkout_left_in_an_included_file_is_used_and_no_second_one(
    world: World, tmp_path: Path, loopback: Any
) -> None:
    """checkout v6 and later keep it in a file that is included for the user's repository alone."""
    server = loopback.url
    git(world.user, "remote", "set-url", "origin", f"{server}/owner/name.git")
    kept = tmp_path / "git-credentials.config"
    kept.write_text(f'[http "{server}/"]\n\textraheader = AUTHORIZATION: basic Y2hlY2tvdXQ=\n')
    git(world.user, "config", f"includeIf.gitdir:{world.user}/.git.path", str(kept))
    history = world.branch(token="ghs_other", server_url=server)
    history.add(made_entry(1))
    with pytest.raises(StoreError):
        history.sync()
    asked = [one.headers.get("authorization") for one in loopback.asked]
    assert asked and set(asked) == {"basic Y2hlY2tvdXQ="}


def test_the_token_is_not_sent_to_another_server(world: World, loopback: Any) -> None:
    git(world.user, "remote", "set-url", "origin", f"{loopback.url}/owner/name.git")
    history = world.branch(token="ghs_secret", server_url="https://github.example")
    history.add(made_entry(1))
    with pytest.raises(StoreError):
        history.sync()
    assert not any("authorization" in one.headers for one in loopback.asked)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "does not know who asks"), (403, "permissions: contents: write"), (500, "5 tries")],
)
def test_a_server_that_refuses_is_told_with_what_to_do(
    world: World, loopback: Any, told: Any, status: int, said: str
) -> None:
    loopback.tell = lambda asked: told(status=status)
    git(world.user, "remote", "set-url", "origin", f"{loopback.url}/owner/name.git")
    history = world.branch()
    history.add(made_entry(1))
    with pytest.raises(StoreError) as refused:
        history.sync()
    assert said in str(refused.value)
    assert history.pending


def test_a_password_in_the_address_is_never_shown(world: World) -> None:
    git(world.user, "remote", "set-url", "origin", "http://ann:hunter2@127.0.0.1:1/x.git")
    history = world.branch()
    history.add(made_entry(1))
    with pytest.raises(StoreError) as refused:
        history.sync()
    assert "hunter2" not in str(refused.value)


@pytest.mark.slow
def test_killed_with_all_its_children_at_any_moment_the_next_start_comes_to_the_same_end(
    world: World, tmp_path: Path
) -> None:
    """Not between two steps but at random: git itself dies in the middle of a fetch, a write, a push."""
    history = world.branch("wanted")
    history.add(made_entry(1))
    history.write_record("log", "page", {"sent": True})
    history.sync()
    wanted, rng, ended = world.content(), random.Random(2026), 0
    for number in range(60):
        place = World(_made(tmp_path / f"moment{number}"))

        def work(place: World = place) -> None:
            history = place.branch()
            history.add(made_entry(1))
            history.write_record("log", "page", {"sent": True})
            history.sync()

        child = os.fork()
        if child == 0:
            os.setsid()
            try:
                work()
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0.0, 0.5))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        ended += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        work()
        assert place.content() == wanted, number
        assert git(place.remote, "rev-list", "--count", BRANCH) == "1", number
    assert ended < 60, "some were killed"
