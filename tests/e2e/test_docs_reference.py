"""The reference names every option, key and verb that exists, and none that does not."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from pytest_aioncall import cli, settings
from pytest_aioncall.adapters.registry import piece_names
from pytest_aioncall.model.config import Config, Defaults, Prices, Provider
from pytest_aioncall.model.evalset import Case, Evalset, Gate
from pytest_aioncall.model.oncall import Monitors, NotifierSpec, OnCall, Routes
from pytest_aioncall.plugin import hooks, hookspecs

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """Return the part of a page under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found is not None, f"no section {title!r}"
    return found[1]


def keys_in_table(text: str) -> set[str]:
    """Return what stands in the first column of the tables, without options' arguments."""
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {name.split()[0] for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def plugin_options() -> set[str]:
    parser = pytest.Parser(_ispytest=True)
    hooks.pytest_addoption(parser)
    (group,) = [g for g in parser._groups if g.name == "aioncall"]
    return {name for option in group.options for name in option.names()}


def test_every_pytest_option_is_described_and_no_other() -> None:
    text = page("pytest-options.md").split("## ", 1)[0]
    assert keys_in_table(text) == plugin_options()


def test_every_hook_is_described_and_no_other() -> None:
    described = set(re.findall(r"`(pytest_aioncall_\w+)\(", page("pytest-options.md")))
    assert described == {name for name in vars(hookspecs) if name.startswith("pytest_aioncall")}


def verbs(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield (verb, its parser) for every verb that does something."""
    deeper = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not deeper:
        yield name, parser
    for action in deeper:
        for word, inner in action.choices.items():
            yield from verbs(inner, f"{name} {word}".strip())


VERBS = dict(verbs(cli._parser()))


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_section_with_all_its_options(verb: str) -> None:
    text = section(page("cli.md"), verb)
    real = {
        name
        for action in VERBS[verb]._actions
        for name in action.option_strings
        if name.startswith("--") and name != "--help" and action.help != argparse.SUPPRESS
    }
    assert set(re.findall(r"`(--[\w-]+)", text)) == real


def test_no_section_describes_a_verb_that_is_not_there() -> None:
    titles = set(re.findall(r"^## (.+)$", page("cli.md"), re.MULTILINE))
    assert titles - {"The clock"} == set(VERBS)


@pytest.mark.parametrize(
    ("title", "model", "besides"),
    [
        ("Keys of the file", Evalset, {"defaults", "include"}),
        ("Gates", Gate, set()),
        ("Cases", Case, set()),
    ],
)
def test_every_key_of_an_evalset_is_described_and_no_other(
    title: str, model: type[BaseModel], besides: set[str]
) -> None:
    filled_in = {"file", "line", "where"}
    keys = keys_in_table(section(page("evalset.md"), title))
    assert keys == set(model.model_fields) - filled_in | besides


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("providers", Provider),
        ("defaults", Defaults),
        ("monitors", Monitors),
        ("oncall", OnCall),
        ("routes", Routes),
        ("notifiers", NotifierSpec),
    ],
)
def test_every_key_of_the_configuration_is_described_and_no_other(title: str, model: type[BaseModel]) -> None:
    assert keys_in_table(section(page("config.md"), title)) == set(model.model_fields)


def test_every_section_of_the_configuration_is_described_and_no_other() -> None:
    titles = set(re.findall(r"^## (.+)$", page("config.md"), re.MULTILINE))
    assert titles - {"Environment"} == set(Config.model_fields) - {"format"}
    assert set(Prices.model_fields) == {"as_of", "models"}


def test_every_variable_is_described_and_no_other() -> None:
    described = set(re.findall(r"`(AIONCALL_\w+)`", section(page("config.md"), "Environment")))
    assert described == settings._VARIABLES


@pytest.mark.parametrize(("name", "group"), [("scorers.md", "scorers"), ("targets.md", "targets")])
def test_every_built_in_piece_is_described(name: str, group: str) -> None:
    text = page(name)
    assert [piece for piece in piece_names(group) if f"`{piece}`" not in text] == []


def test_every_exit_code_is_described() -> None:
    assert re.findall(r"^\| (\d) \|", page("exit-codes.md"), re.MULTILINE) == ["4", "1", "7", "8", "0"]
