"""The command line: an example in every help, exit 4 for bad usage, never a traceback, codes that stay."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_aioncall import cli, errors
from pytest_aioncall.cli import main


def verbs(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every verb and action under its full name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield f"{name} {word}".strip(), below
                yield from verbs(below, f"{name} {word}".strip())


NAMES = [name for name, _ in verbs(cli._parser())]


def test_the_verbs_that_are_promised_are_there() -> None:
    assert {"init", "check", "gate", "baseline accept", "baseline show", "baseline diff", "runs"} <= set(
        NAMES
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_help_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"example: aioncall {name.split()[0]}" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["gate", "--candidate"],
        ["gate", "--candidate", "x", "--margin", "-1"],
        ["gate", "--candidate", "x", "--margin", "nan"],
        ["gate", "--candidate", "x", "--margin", "much"],
        ["gate", "--candidate", "x", "--alpha", "0.5"],
        ["gate", "--candidate", "x", "--alpha", "0"],
        ["baseline"],
        ["baseline", "accept"],
        ["schema", "nope"],
        ["runs", "prune", "--keep", "few"],
        ["check", "--nope"],
        ["init", "--shards", "few"],
    ],
)
def test_bad_usage_is_exit_4(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 4
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "nope.eval.yaml"],
        ["gate", "--candidate", "nope"],
        ["gate", "--candidate", "binary.jsonl"],
        ["gate", "--candidate", "empty.jsonl"],
        ["baseline", "show", "nope"],
        ["baseline", "accept", "--reason", "x"],
        ["baseline", "accept", "--reason", " ", "--by", "ann"],
        ["baseline", "diff"],
        ["runs", "show"],
        ["runs", "prune", "--keep", "0"],
        ["init", "nope:nothing", "--owner", "@a"],
        ["init", "not an import string", "--owner", "@a"],
    ],
)
def test_a_users_mistake_is_a_line_and_exit_4(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "aioncall.yaml").write_text("format: 1\n")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 4
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert len((said.err + said.out).strip()) > 10


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("what to do"), 4),
        (errors.NotComparable("what to do"), 8),
        (errors.StoreError("what to do"), 7),
        (errors.TransportError("what to do"), 7),
        (PermissionError(13, "what to do", "some/file"), 4),
        (KeyboardInterrupt(), 2),
    ],
)
def test_each_error_has_its_exit_code_and_no_traceback(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object) -> object:
        raise error

    monkeypatch.setattr(cli.runs, "settings_of", fail)
    assert main(["runs", "list"]) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert ("what to do" in said) == (code != 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runs", "list"], "interrupted"),
        (["scores"], "interrupted"),
        (["monitor"], "interrupted; run it again: nothing is lost"),
        (["history", "show"], "interrupted; run it again: nothing is lost"),
        (["publish", "issues"], "interrupted; run it again: nothing is lost"),
    ],
)
def test_who_interrupts_reads_one_line_that_says_what_became_of_it(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_arguments: object, **_flags: object) -> object:
        raise KeyboardInterrupt

    for verb in (cli.runs, cli.scores, cli.monitor, cli.history, cli.publish):
        monkeypatch.setattr(verb, "settings_of", interrupted)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{said}\n")


def test_alone_it_shows_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "exit codes:" in said
    assert "2 interrupted" in said


@pytest.mark.parametrize(
    ("arguments", "code"), [(["schema", "evalset"], 0), (["check"], 4), (["gate", "--help"], 0)]
)
def test_a_reader_that_goes_away_changes_no_exit_code(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    """`aioncall check | head -0` with pipefail must not turn a refusal green, nor a success red."""
    (tmp_path / "aioncall.yaml").write_text("format: 1\n")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest_aioncall", *arguments],
            cwd=tmp_path,
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == code
    assert done.stderr == b""


def test_what_the_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "aioncall.yaml").write_text("format: 1\n")
    (tmp_path / "caf\u00e9.eval.yaml").write_text("evalset: x\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest_aioncall", "check"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 4
    assert b"caf\\xe9.eval.yaml" in done.stdout
    assert b"Traceback" not in done.stderr
