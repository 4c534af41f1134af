"""What git is asked, in real repositories: base of a branch, files as they were, owners."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_aioncall.adapters import git


def run(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, check=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    root = tmp_path / "repository"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    (root / "sub").mkdir()
    (root / "sub" / "base.jsonl").write_text("old\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "one")
    return root


def test_the_commit_of_a_ref_and_none_for_no_ref(repository: Path) -> None:
    assert git.commit_of(repository) == run(repository, "rev-parse", "HEAD")
    assert git.commit_of(repository, "nope") is None


def test_dirty_means_tracked_files_that_differ(repository: Path) -> None:
    (repository / "untracked").write_text("")
    assert not git.is_dirty(repository)
    (repository / "sub" / "base.jsonl").write_text("new\n")
    assert git.is_dirty(repository)


def test_a_file_is_read_as_it_was_where_the_branch_left(repository: Path) -> None:
    left = run(repository, "rev-parse", "HEAD")
    path = repository / "sub" / "base.jsonl"
    run(repository, "checkout", "-q", "-b", "branch")
    path.write_text("branch\n")
    run(repository, "commit", "-q", "-am", "two")
    run(repository, "checkout", "-q", "main")
    path.write_text("moved on\n")
    run(repository, "commit", "-q", "-am", "three")
    run(repository, "checkout", "-q", "branch")
    base = git.merge_base(repository, "main")
    assert base == left
    assert git.file_at(repository, left, path) == "old\n"
    assert git.file_at(repository, "main", path) == "moved on\n"
    assert git.file_at(repository / "sub", left, path) == "old\n"


def test_a_file_is_found_through_a_link_to_the_repository(repository: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(repository)
    assert git.file_at(link, "HEAD", link / "sub" / "base.jsonl") == "old\n"


def test_links_are_followed_as_they_were_and_not_as_they_are(repository: Path, tmp_path: Path) -> None:
    """A branch that turns a file, or its folder, into a link does not choose what the base had there."""
    path = repository / "sub" / "base.jsonl"
    (repository / "other").mkdir()
    (repository / "other" / "base.jsonl").write_text("kinder\n")
    (repository / "was").symlink_to("sub")
    (repository / "one").symlink_to("sub/base.jsonl")
    (repository / "out").symlink_to("/etc/hostname")
    (repository / "loop").symlink_to("loop")
    (repository / "no end").write_text("a\r\n\n b")
    run(repository, "add", ".")
    run(repository, "commit", "-q", "-m", "links")
    path.unlink()
    path.symlink_to("../other/base.jsonl")
    assert git.file_at(repository, "HEAD", path) == "old\n"
    path.unlink()
    path.parent.rmdir()
    (repository / "sub").symlink_to("other")
    link = tmp_path / "link"
    link.symlink_to(repository)
    for root in (repository, link):
        assert git.file_at(root, "HEAD", root / "sub" / "base.jsonl") == "old\n"
        assert git.file_at(root, "HEAD", root / "was" / "base.jsonl") == "old\n"
        assert git.file_at(root, "HEAD", root / "one") == "old\n"
        assert git.file_at(root, "HEAD", root / "no end") == "a\r\n\n b"
        assert git.file_at(root, "HEAD", root / "other" / ".." / "other" / "base.jsonl") == "kinder\n"
        for name in ("out", "loop", "other", "sub/base.jsonl/x", "a\nb"):
            assert git.file_at(root, "HEAD", root / name) is None


def test_what_is_not_there_is_none(repository: Path, tmp_path: Path) -> None:
    assert git.file_at(repository, "HEAD", repository / "nope") is None
    assert git.file_at(repository, "HEAD", tmp_path / "outside") is None
    assert git.merge_base(repository, "nope") is None


def test_outside_a_repository_everything_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "plain"
    folder.mkdir()
    assert git.commit_of(folder) is None
    assert git.merge_base(folder, "main") is None
    assert not git.is_dirty(folder)
    assert git.file_at(folder, "HEAD", folder / "x") is None


def test_without_git_everything_is_none(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert git.commit_of(repository) is None
    assert git.user_of(repository) is None


def test_who_works_here(repository: Path) -> None:
    assert git.user_of(repository) is None
    run(repository, "config", "user.name", "Ann")
    assert git.user_of(repository) == "Ann"
    run(repository, "config", "user.email", "ann@example.org")
    assert git.user_of(repository) == "Ann <ann@example.org>"


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("*", "evalsets/a.eval.yaml", True),
        ("*.yaml", "evalsets/deep/a.eval.yaml", True),
        ("*.yaml", "evalsets/a.json", False),
        ("evalsets/", "evalsets/a.eval.yaml", True),
        ("evalsets/", "packages/evalsets/a.eval.yaml", True),
        ("/evalsets/", "packages/evalsets/a.eval.yaml", False),
        ("/evalsets/", "evalsets/deep/a.eval.yaml", True),
        ("/evalsets", "evalsets/a.eval.yaml", True),
        ("evalsets", "packages/evalsets/a.eval.yaml", True),
        ("evalsets/*", "evalsets/a.eval.yaml", True),
        ("evalsets/*", "evalsets/deep/a.eval.yaml", False),
        ("evalsets/deep", "packages/evalsets/deep/a.eval.yaml", False),
        ("evalsets/**", "evalsets/deep/a.eval.yaml", True),
        ("**/evalsets", "evalsets/a.eval.yaml", True),
        ("**/evalsets", "packages/evalsets/a.eval.yaml", True),
        ("packages/**/evalsets/", "packages/evalsets/a.eval.yaml", True),
        ("packages/**/evalsets/", "packages/one/two/evalsets/a.eval.yaml", True),
        ("evalsets/a.eval.yaml", "evalsets/a.eval.yaml", True),
        ("evalsets/a.eval.yaml", "evalsets/ab.eval.yaml", False),
        ("evalsets/a?eval.yaml", "evalsets/a.eval.yaml", True),
        ("evalsets/a?eval.yaml", "evalsets/a/eval.yaml", False),
    ],
)
def test_patterns_of_codeowners(tmp_path: Path, pattern: str, path: str, *, owned: bool) -> None:
    (tmp_path / "CODEOWNERS").write_text(f"{pattern} @team\n")
    assert git.code_owner(tmp_path, path) == ("@team" if owned else None)


def test_the_last_line_that_matches_wins_also_where_it_names_nobody(tmp_path: Path) -> None:
    lines = "# owners\n* @all\n/evalsets/ @evals @more  # both\n/evalsets/free.eval.yaml\n"
    (tmp_path / "CODEOWNERS").write_text(lines)
    assert git.code_owner(tmp_path, "src/a.py") == "@all"
    assert git.code_owner(tmp_path, "evalsets/a.eval.yaml") == "@evals"
    assert git.code_owner(tmp_path, "evalsets/free.eval.yaml") is None


def test_the_file_under_github_comes_before_others(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "CODEOWNERS").write_text("* @github\n")
    (tmp_path / "CODEOWNERS").write_text("* @root\n")
    assert git.code_owner(tmp_path, "a") == "@github"


def test_without_the_file_nobody_owns(tmp_path: Path) -> None:
    assert git.code_owner(tmp_path, "a") is None


def test_files_that_a_commit_does_not_have_as_they_are(repository: Path) -> None:
    same, edited, untracked = (repository / "sub" / name for name in ("same.md", "a b.md", "new.md"))
    for path in (same, edited):
        path.write_text("one")
    run(repository, "add", ".")
    run(repository, "commit", "-q", "-m", "two")
    edited.write_text("two")
    untracked.write_text("three")
    commit = run(repository, "rev-parse", "HEAD")
    assert git.changed_since(repository, commit, [same, edited, untracked]) == [edited, untracked]
    assert git.changed_since(repository, commit, []) == []
    assert git.changed_since(repository, "nope", [same]) is None


def test_the_first_version_of_a_file_is_the_one_that_came_in_first(repository: Path) -> None:
    path = repository / "sub" / "base.jsonl"
    first = run(repository, "rev-parse", "HEAD")
    path.write_text("newer\n")
    run(repository, "commit", "-q", "-a", "-m", "two")
    found = git.first_version(repository, path)
    assert found is not None
    assert (found[0], found[2]) == (first, "old\n")
    assert git.first_version(repository, repository / "none") is None
    assert git.first_version(repository.parent, path) is None


def test_the_commits_between_two_are_those_that_touch_what_is_named(repository: Path) -> None:
    old = run(repository, "rev-parse", "HEAD")
    for name, text, subject in (
        ("p.md", "a", "Prompt: \x1b[2J"),
        ("q.md", "b", "Other"),
        ("*.md", "c", "Star"),
    ):
        (repository / name).write_text(text)
        run(repository, "add", ".")
        run(repository, "commit", "-q", "-m", subject)
    new = run(repository, "rev-parse", "HEAD")
    found = git.commits_between(repository, old, new)
    assert found is not None
    assert [subject for _, subject in found] == ["Star", "Other", "Prompt: \x1b[2J"]
    assert found[0][0] == new
    assert [s for _, s in git.commits_between(repository, old, new, paths=["*.md"]) or []] == ["Star"]
    assert len(git.commits_between(repository, old, new, most=2) or []) == 2
    assert git.commits_between(repository, new, new) == []
    assert git.commits_between(repository, "0" * 40, new) is None
    assert git.commits_between(repository, "--output=x", new) is None


def test_byte_code_that_a_run_leaves_is_no_change(repository: Path) -> None:
    """A repository without a .gitignore would else be changed by looking at it."""
    commit = git.commit_of(repository)
    assert commit is not None
    before = git.files_differing(repository, commit)
    (repository / "shop" / "__pycache__").mkdir(parents=True)
    (repository / "shop" / "__pycache__" / "words.cpython-311.pyc").write_text("")
    assert git.files_differing(repository, commit) == before
    (repository / "shop" / "words.pyc").write_text("a module without its source")
    assert git.files_differing(repository, commit) == sorted([*(before or []), "shop/words.pyc"])
