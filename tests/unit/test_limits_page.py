"""The page of limits says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_aioncall.adapters import baseline_store, templates
from pytest_aioncall.adapters.evalset_files import includes, load
from pytest_aioncall.adapters.results import opened, xml_tree
from pytest_aioncall.adapters.yaml_text import document, files, json_lines, positions, problems

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "limits.md").read_text(encoding="utf-8")
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("aioncall.yaml`) | {} MiB", files.MAX_BYTES // MIB),
        ("its outputs | {} MiB", json_lines.MAX_BYTES // MIB),
        ("its outputs | {} MiB", baseline_store.MAX_BYTES // MIB),
        ("`run.json` | {} MiB", json_lines.MAX_LINE_BYTES // MIB),
        ("`.jsonl` file | {:,}", includes.MAX_CASES),
        ("pattern matches | {:,}", includes._MAX_FILES),
        ("in one pattern | {}", includes._MOST_STARS),
        ("of its zip | {} MiB", opened.MAX_BYTES // MIB),
        ("(JUnit) | {} MiB", xml_tree.MAX_BYTES // MIB),
        ("depth | {}", positions.MAX_DEPTH),
        ("values in a file | {:,}", document.MAX_NODES),
        ("keys of one mapping | {:,}", positions.MAX_KEYS),
        ("aliases repeat | {:,}", document.MAX_REPEATED),
        ("(`<<`) | {:,}", document.MAX_MERGES),
        ("the first {} are told", document.MAX_TOLD),
        ("every case | {}", load._MOST_SLICES),
        ("most {} deep in one another", templates.DEEPEST),
        ("most {:,} characters", templates.LONGEST),
        ("at most {} problems", problems.MOST_TOLD),
    ],
)
def test_a_limit_on_the_page_is_the_limit_in_the_code(said: str, limit: int) -> None:
    assert said.format(limit) in " ".join(PAGE.split())
