"""`aioncall runbook`: printed with commands to copy, written to be made one's own, linked by alerts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_aioncall.cli import main
from pytest_aioncall.flows.runbooks import KINDS, place_of
from pytest_aioncall.model.alert import Alert
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.github import GitHub
from pytest_aioncall.settings import Settings

RED = Alert(kind="eval_regression", tier=1, evalset="triage", title="t")


def settings(root: Path, runbooks: str | None = None) -> Settings:
    config = Config.model_validate({"oncall": {"runbooks": runbooks}} if runbooks else {})
    return Settings(config=config, root=root, github=GitHub(repository="acme/app"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page_with_commands_filled_in(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", kind, "--evalset", "triage", "--run", "r-1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# ")
    steps = out.partition("## What to look at")[2].partition("## What to do")[0]
    assert "aioncall" in steps or "pytest" in steps
    listed = [line for line in steps.splitlines() if line[:1].isdigit()]
    assert listed and not any("EVALSET" in line or " RUN" in line for line in listed)
    assert "EVALSET" not in out and " RUN " not in out, "what is known is asked of nobody"
    assert "](" not in out, "a terminal follows no link"


def test_the_owners_command_to_accept_is_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "eval_regression", "--evalset", "help desk", "--run", "r-1"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "`aioncall baseline accept 'help desk' --run r-1 --reason" in out


def test_without_a_kind_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook"]) == 0
    assert set(KINDS) <= set(capsys.readouterr().out.split())


def test_a_kind_that_is_none_has_a_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "latencyy"]) == 4
    assert "did you mean 'latency'?" in capsys.readouterr().err


def test_pages_are_written_once_and_never_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "docs" / "runbooks"
    assert main(["runbook", "--write", str(folder)]) == 0
    (folder / "latency.md").write_text("ours")
    (folder / "cost.md").unlink()
    assert main(["runbook", "--write", str(folder)]) == 0
    assert "1 pages written" in capsys.readouterr().out
    assert (folder / "latency.md").read_text() == "ours"
    assert {path.stem for path in folder.glob("*.md")} == set(KINDS)


def test_no_link_of_a_written_page_leads_out_of_its_folder(tmp_path: Path) -> None:
    assert main(["runbook", "--write", str(tmp_path)]) == 0
    for page in tmp_path.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert (tmp_path / link).is_file(), f"{page.name}: {link}"
    text = (tmp_path / "eval_regression.md").read_text(encoding="utf-8")
    assert "From an incident to a case (how-to/incident-to-case.md in the documentation" in " ".join(
        text.split()
    )


def test_an_alert_names_the_command_where_there_is_no_page(tmp_path: Path) -> None:
    told = place_of(RED, run="r-1", settings=settings(tmp_path))
    assert told == "aioncall runbook eval_regression --evalset triage --run r-1"


def test_an_alert_links_to_the_page_that_the_team_keeps(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "runbooks" / "eval_regression.md"
    page.parent.mkdir(parents=True)
    page.write_text("ours")
    here = settings(tmp_path)
    address = "https://github.com/acme/app/blob/HEAD/docs/runbooks/eval_regression.md"
    assert place_of(RED, run="r-1", settings=here) == address
    alone = replace(here, github=GitHub())
    assert place_of(RED, run="r-1", settings=alone) == "docs/runbooks/eval_regression.md"


def test_an_alert_links_to_an_address_that_is_configured(tmp_path: Path) -> None:
    told = place_of(RED, run="r-1", settings=settings(tmp_path, "https://wiki.example/on-call/"))
    assert told == "https://wiki.example/on-call/eval_regression.md"


@pytest.mark.parametrize("place", ["/etc", "../elsewhere", "http://plain.example"])
def test_runbooks_are_in_the_repository_or_behind_tls(place: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="runbooks needs a folder"):
        settings(tmp_path, place)
