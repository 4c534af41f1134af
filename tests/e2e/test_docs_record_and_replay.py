"""The commands of docs/how-to/record-and-replay.md, run in the order of the page, do what it says there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from recorded_project import CASES, Recorded

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "record-and-replay.md"


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_the_commands_of_the_page_do_what_it_says(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    said: dict[str, str] = {}
    subprocess.run(["git", "init", "-q"], cwd=recorded.project.path, check=True)
    new = {**CASES, "new": ("qnew", "QNEW")}
    for command in commands():
        program, *arguments = shlex.split(command)
        if command.endswith("--aioncall-replay --aioncall-record"):
            recorded.write_evalset(cases=new)
            result = recorded.replay()
            assert result.ret == 7, "the page says so of what is not recorded"
            result.stdout.fnmatch_lines(
                ["gate CANNOT JUDGE  not recorded: 3 of 15 samples*", "*now in new", "next:*"]
            )
        if "list" in arguments:
            recorded.write_evalset()
        capsys.readouterr()
        if program == "pytest":
            result = recorded.project.run(*arguments[1:])
            assert result.ret == 0, command
            said[command] = str(result.stdout)
        elif program == "aioncall":
            assert recorded.project.command(*arguments, "--root", str(recorded.project.path)) == 0, command
            said[command] = capsys.readouterr().out
        else:
            subprocess.run([program, *arguments], cwd=recorded.project.path, check=True)
    assert len(said) == 6
    assert (
        "3 model calls, about $0.01, cap $5; 12 more are recorded"
        in said["pytest --aioncall --aioncall-replay --aioncall-record"]
    )
    assert "3 no longer asked for" in said["aioncall cassettes list"]
    assert "nothing is deleted yet" in said["aioncall cassettes prune"]
    assert "3 recordings deleted" in said["aioncall cassettes prune --yes"]
    assert len(recorded.cassette.splitlines()) == 12


@pytest.mark.parametrize(
    ("options", "asked", "code", "kept"),
    [
        ((), 15, 0, 12),
        (("--aioncall-record",), 15, 0, 15),
        (("--aioncall-replay",), 0, 7, 12),
        (("--aioncall-fallback",), 3, 0, 12),
        (("--aioncall-replay", "--aioncall-record"), 3, 0, 15),
    ],
)
def test_the_table_of_modes_is_true(
    recorded: Recorded, options: tuple[str, ...], asked: int, code: int, kept: int
) -> None:
    row = " ".join(options)
    assert f"| `{row}` |" in PAGE.read_text() or row == ""
    recorded.record()
    recorded.write_evalset(cases={**CASES, "new": ("qnew", "QNEW")})
    before = len(recorded.server.asked)
    assert recorded.project.run(*options).ret == code
    assert len(recorded.server.asked) - before == asked
    assert len(recorded.cassette.splitlines()) == kept
