"""The tutorial works as it stands: its files, its commands in its order, with the exit codes it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
STEP = re.compile(r"<!-- (file|exits): (\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def steps() -> Iterator[tuple[str, str, str]]:
    """Yield (file or exits, path or code, text) in the order of the page."""
    for found in STEP.finditer(PAGE.read_text(encoding="utf-8")):
        yield found[1], found[2], found[3]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `pytest ...` or `aioncall ...` with this environment's interpreter, or git."""
    program, *arguments = shlex.split(command)
    modules = {"pytest": "pytest", "aioncall": "pytest_aioncall"}
    start = ["git"] if program == "git" else [sys.executable, "-m", modules[program]]
    keep = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    return subprocess.run(
        [*start, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=180, check=False,
        env={**keep, "HOME": str(folder), "COLUMNS": "110", "PYTHONUTF8": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Follow the tutorial in an empty folder; return what each command printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / ".gitconfig").write_text("[user]\nname = A Reader\nemail = a@reader\n", encoding="utf-8")
    printed: list[str] = []
    for what, argument, text in steps():
        if what == "file":
            path = folder / argument
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            continue
        for command in re.findall(r"^\$ (.+)$", text, re.MULTILINE):
            ended = run(command, folder)
            said = ended.stdout + ended.stderr
            assert ended.returncode == int(argument), f"$ {command}\nexited {ended.returncode}:\n{said}"
            printed += [] if command.startswith("git ") else [said]
    return printed


def test_every_command_exits_as_the_page_says(outputs: list[str]) -> None:
    assert len(outputs) == 5


def test_the_first_run_has_nothing_to_compare_with(outputs: list[str]) -> None:
    assert "no baseline" in outputs[1]


def test_the_baseline_names_the_commit_that_it_is_of(outputs: list[str]) -> None:
    assert "WARNING" not in outputs[2]


def test_the_same_code_passes_as_unchanged(outputs: list[str]) -> None:
    assert "unchanged" in outputs[3]


def test_the_worse_version_is_stopped_and_its_cases_are_named(outputs: list[str]) -> None:
    assert "REGRESSED" in outputs[4]
    for line in ("cannot-log-in 3/3 -> 0/3", "refund-late 3/3 -> 0/3"):
        assert line in outputs[4]
    assert '-k "cannot-log-in or refund-late"' in outputs[4]


def test_what_the_page_shows_is_what_is_printed(outputs: list[str]) -> None:
    """Each line of a shown output is printed, apart from times, commits and run ids."""

    def shape(line: str) -> str:
        line = re.sub(r" p95 [^,]+,", "", " ".join(line.split()))
        return re.sub(r"[\d.]+ m?s$|baseline \S+,", "#", line)

    printed = {shape(line) for output in outputs for line in output.splitlines()}
    shown = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    for line in "".join(shown).splitlines():
        assert shape(line) in printed, line
