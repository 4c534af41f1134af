"""Whole files are written in one step, or stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_aioncall.adapters.files import add_lines, replace_text


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
