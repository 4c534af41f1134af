"""The afternoon works as it is written: the file loads, the commands exist, and they answer as shown."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from pytest_aioncall import cli
from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.cli import main
from pytest_aioncall.decide.issues.commands import read_commands
from pytest_aioncall.decide.oncall import zone_of
from pytest_aioncall.model.ticket import Note

PAGE = Path(__file__).parents[2] / "docs" / "on-call-in-an-afternoon.md"
TEXT = PAGE.read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SHOWN = [
    (command, output.splitlines())
    for command, output in re.findall(r"```console\n\$ (.*?)\n(.*?)```", TEXT, re.DOTALL)
]
# The afternoon of the page: a Sunday, so that the first page is one outside of business hours.
NOW = "2026-11-22T12:00:00Z"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "aioncall.yaml").write_text(YAML[0], encoding="utf-8")
    evalset = tmp_path / "evalsets" / "ticket-triage.eval.yaml"
    evalset.parent.mkdir()
    evalset.write_text(
        'evalset: ticket-triage\nowner: "@triage"\ntarget: {python: "app:answer"}\nscorers: [exact]\n'
        "cases: [{id: a, input: a, expected: b}]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIONCALL_NOW", NOW)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "output"), [pair for pair in SHOWN if pair[1]], ids=[one for one, out in SHOWN if out]
)
def test_a_command_answers_as_the_page_shows(
    command: str, output: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *arguments = shlex.split(command)
    assert program == "aioncall"
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == output


def test_the_pages_in_their_order_give_the_pager_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The five commands first, without a channel; then the afternoon's file, and its own commands."""
    monkeypatch.chdir(tmp_path)
    for command in ("init -q", "config user.name Ann", "config user.email ann@example.org"):
        subprocess.run(["git", *command.split()], check=True)
    assert main(["init", "--github"]) == 0
    for command in (["add", "--all"], ["commit", "-q", "--message", "Put the answers on call"]):
        subprocess.run(["git", *command], check=True)
    (tmp_path / "aioncall.yaml").write_text(YAML[0], encoding="utf-8")
    (block,) = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    commands = [shlex.split(line, comments=True) for line in block.splitlines()]
    for program, *arguments in commands:
        if program == "aioncall" and arguments[0] != "doctor":
            assert main(arguments) == 0
    job = yaml.safe_load((tmp_path / ".github/workflows/aioncall-daily.yml").read_text())["jobs"]["daily"]
    (env,) = [step["env"] for step in job["steps"] if "publish issues" in step.get("run", "")]
    name = "SLACK_WEBHOOK_URL"
    assert env[name] == f"${{{{ secrets.{name} }}}}"
    assert ["gh", "secret", "set", name, "--env", job["environment"]["name"]] in commands


def test_the_page_shows_what_it_promises() -> None:
    assert {command.split()[1] for command, _ in SHOWN} == {"who", "oncall", "drill", "review"}
    assert len(YAML) == 2


@pytest.mark.parametrize("text", YAML, ids=["afternoon", "swap"])
def test_every_part_of_the_file_loads(text: str, tmp_path: Path) -> None:
    (tmp_path / "aioncall.yaml").write_text(text, encoding="utf-8")
    rotation = load_config(tmp_path).oncall.rotation
    assert rotation is not None and len(rotation.people) == 3


@pytest.mark.parametrize(
    "command", sorted({*re.findall(r"`(aioncall [^`]+)`", TEXT), *(command for command, _ in SHOWN)})
)
def test_every_command_that_is_named_exists(command: str) -> None:
    words = shlex.split(command)[1:]
    placeholder = words[:2] == ["init", "--github"]  # its target is the reader's own function
    cli._parser().parse_args([*words, "pkg.mod:function"] if placeholder else words)


@pytest.mark.parametrize("inline", re.findall(r"`((?:routes|monitors): \{[^`]+\})`", TEXT))
def test_every_setting_in_a_sentence_is_one(inline: str, tmp_path: Path) -> None:
    (tmp_path / "aioncall.yaml").write_text(f"{inline}\n", encoding="utf-8")
    load_config(tmp_path)


@pytest.mark.parametrize("word", sorted(set(re.findall(r"`(/\w+[^`]*)`", TEXT))))
def test_every_command_of_a_comment_is_understood(word: str) -> None:
    note = Note(id=1, body=word, author="ann", trusted=True, created_at=NOW)
    commands, unread = read_commands([note], actor="github-actions[bot]", zone=zone_of("Europe/Berlin"))
    assert len(commands) == 1 and not unread, word


def test_no_link_leads_nowhere() -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", TEXT)]
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
