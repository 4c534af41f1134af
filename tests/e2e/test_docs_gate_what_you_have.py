"""The commands of "Gate what you already have" do what the page says, on files that the tools wrote."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from pytest_aioncall import cli
from pytest_aioncall.adapters.results.sources import TOOLS as READERS
from result_files import TOOLS, Tool

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "gate-what-you-have.md").read_text(encoding="utf-8")
TITLES = {"promptfoo": "promptfoo", "inspect": "inspect", "deepeval": "deepeval",
          "pydantic-evals": "pydantic-evals", "junit": "JUnit"}  # fmt: skip


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def commands(text: str) -> list[list[str]]:
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("aioncall ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


EVERY = [(tool, command) for tool in TOOLS for command in commands(section(TITLES[tool.name]))]


def put(source: Path, target: Path) -> None:
    """Put a tool's results where the page says that they are: a file, or a folder of files."""
    if target.suffix:
        shutil.copy(source, target)
    elif source.is_dir():
        shutil.copytree(source, target)
    else:
        target.mkdir()
        shutil.copy(source, target)


def test_every_tool_has_its_section_and_a_command() -> None:
    assert {tool.name for tool, _ in EVERY} == READERS.keys()


@pytest.mark.parametrize(("tool", "command"), EVERY, ids=lambda value: str(value))
def test_a_command_of_the_page_tells_worse_from_unchanged(
    tool: Tool, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for run, expected in (("worse", 1), ("same", 0)):
        folder = tmp_path / run
        folder.mkdir()
        monkeypatch.chdir(folder)
        names = [word for word in command if word.startswith(("main", "branch"))]
        for name in names:
            put(tool.base if name.startswith("main") else getattr(tool, run), folder / name)
        assert cli.main(command) == expected
        told = capsys.readouterr()
        assert not told.err
        if "--report" in command:
            assert (folder / "page" / "report.html").is_file()
        if run == "worse" and tool.name == "promptfoo" and "--slices" not in command:
            shown = re.search(r"^(gate REGRESSED.*)\n(  worst cases: .*)$", PAGE, re.MULTILINE)
            assert shown is not None
            assert list(shown.groups()) == told.out.splitlines()[:2]


def test_every_option_that_the_page_names_exists() -> None:
    parser = cli._parser()
    text = parser.format_help()
    assert "gate" in text
    own = {"--repeat", "--no-cache", "--epochs", "--log-dir", "--to", "--output-dir", "--junitxml", "--count"}
    with pytest.raises(SystemExit):
        parser.parse_args(["gate", "--help"])
    named = set(re.findall(r"(--[a-z][\w-]+)", PAGE)) - own
    gate = next(
        choice
        for action in parser._actions
        if hasattr(action, "choices") and action.choices and "gate" in action.choices
        for choice in [action.choices["gate"]]  # type: ignore[index]
    )
    assert named <= {option for action in gate._actions for option in action.option_strings}
