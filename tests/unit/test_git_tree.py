"""Files of a commit land in a folder of their own, and never anywhere else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_aioncall.adapters.git_tree import CommitTree, tree_at
from pytest_aioncall.errors import UsageError


def run(root: Path, *arguments: str, given: bytes | None = None) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, check=True, input=given)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    root = tmp_path / "repository"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    (root / "sub").mkdir()
    (root / "sub" / "a.yaml").write_bytes(b"a: 1\r\n")
    (root / "sub" / "b\n\xe4.yaml").write_bytes(b"\x00\xff")
    (root / "link.yaml").symlink_to("sub/a.yaml")
    (root / "folder").symlink_to("sub")
    (root / "out").symlink_to("../outside")
    (root / "absolute").symlink_to(tmp_path / "outside")
    (root / ".gitattributes").write_text("*.yaml export-ignore text eol=lf\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "one")
    return root


@pytest.fixture
def tree(repository: Path, tmp_path: Path) -> CommitTree:
    folder = tmp_path / "old"
    folder.mkdir()
    return CommitTree(repository, run(repository, "rev-parse", "HEAD"), folder=folder)


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_only_what_is_asked_for_is_written_byte_by_byte(tree: CommitTree) -> None:
    tree.export(["sub/b\n\xe4.yaml", "nowhere.yaml"])
    assert below(tree.folder) == ["sub", "sub/b\n\xe4.yaml"]
    assert (tree.folder / "sub/b\n\xe4.yaml").read_bytes() == b"\x00\xff"


def test_a_link_brings_what_it_points_to(tree: CommitTree) -> None:
    tree.export(["link.yaml"])
    assert (tree.folder / "link.yaml").read_bytes().splitlines() == [b"a: 1"]
    tree.export(["folder"])
    assert (tree.folder / "folder" / "a.yaml").is_file()
    assert (tree.folder / "folder").resolve() == tree.folder.resolve() / "sub"


def test_a_link_out_of_the_tree_is_not_written(tree: CommitTree, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    tree.export(["out", "absolute"])
    assert below(tree.folder) == []


def test_names_are_those_below_a_folder(tree: CommitTree) -> None:
    assert tree.names(below="sub", suffixes=(".yaml",)) == ["sub/a.yaml", "sub/b\n\xe4.yaml"]
    assert tree.names(below="su") == []
    assert "link.yaml" in tree
    assert "sub" not in tree


def test_a_path_of_the_working_tree_has_a_name_also_through_a_link(
    tree: CommitTree, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "way").symlink_to(repository)
    assert tree.name_of(repository / "sub" / "a.yaml") == "sub/a.yaml"
    assert tree.name_of(tmp_path / "way" / "sub" / "a.yaml") == "sub/a.yaml"
    assert tree.name_of(repository / "link.yaml") == "link.yaml"
    assert tree.name_of(repository) == ""
    assert tree.name_of(tmp_path) is None


def test_a_forged_tree_cannot_leave_the_folder(repository: Path, tmp_path: Path) -> None:
    blob = run(repository, "hash-object", "-w", "--stdin", given=b"owned")
    inner = run(repository, "mktree", given=f"100644 blob {blob}\tevil.yaml\n".encode())
    for name in ("..", ".git"):
        raw = b"40000 " + name.encode() + b"\0" + bytes.fromhex(inner)
        outer = run(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=raw)
        commit = run(repository, "commit-tree", outer, "-m", "forged")
        with tree_at(repository, commit) as tree:
            tree.export(tree.names())
            assert below(tree.folder) == []
            assert not (tree.folder.parent / "evil.yaml").exists()


def test_what_git_does_not_keep_can_be_taken_from_today(tree: CommitTree, repository: Path) -> None:
    (repository / "made.yaml").write_text("made")
    (repository / "sub" / "a.yaml").write_text("changed")
    tree.borrow(repository / "made.yaml")
    tree.borrow(repository / "sub" / "a.yaml")
    assert below(tree.folder) == ["made.yaml"]


def test_the_folder_goes_with_the_block(repository: Path) -> None:
    with tree_at(repository, "HEAD") as tree:
        tree.export(tree.names())
        folder = tree.folder
        assert below(folder)
    assert not folder.exists()


def test_what_git_refuses_is_said(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git ls-tree failed"):
        CommitTree(repository, "nope", folder=tmp_path)
