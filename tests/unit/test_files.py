"""Whole files are written in one step, or stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_aioncall.adapters.files import add_lines, replace_all, replace_text


def test_a_write_that_fails_leaves_the_old_text_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    replace_text(path, "old")

    def full(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        replace_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b".aioncall/\n"),
        (b"*.pyc", b"*.pyc\n.aioncall/\n"),
        (b"caf\xe9\r\n", b"caf\xe9\r\n.aioncall/\n"),
        (b" .aioncall/ \r\n", b" .aioncall/ \r\n"),
    ],
)
def test_lines_are_appended_once_and_the_rest_keeps_its_bytes(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    path = tmp_path / ".gitignore"
    path.write_bytes(before)
    added = add_lines(path, [".aioncall/"])
    assert path.read_bytes() == after
    assert added == ([".aioncall/"] if before != after else [])
    assert add_lines(path, [".aioncall/"]) == []


def test_of_several_files_all_are_replaced_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    replace_all(dict.fromkeys(paths, "old"))
    write = Path.write_text

    def full(self: Path, text: str, **options: str) -> int:
        if self.name.startswith(".b."):
            raise OSError(28, "No space left on device")
        return write(self, text, **options)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space"):
            replace_all(dict.fromkeys(paths, "new"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys("abc", "old")
    replace_all({paths[0]: "new", paths[1]: None, tmp_path / "none": None})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "new", "c": "old"}
