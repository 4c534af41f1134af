"""What stands behind a name is read and never run: a rubric's text, a scorer's code with what it uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_aioncall.adapters.named_texts import definition_in, names_in, text_behind
from pytest_aioncall.model.evalset import Evalset

MODULE = '''
import re
from os import path as way

LIMIT = 3
OTHER = 4

def own(output):
    """Doc."""
    return helper(output) and way

def helper(output):
    return len(output.text) < LIMIT

def unrelated():
    return OTHER

class Scorer:
    def score(self): return helper
'''


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        ('"""Doc."""', '"""Another."""', True),
        ("return OTHER", "return 5", True),
        ("OTHER = 4", "OTHER = 5", True),
        ("def own(output):", "# a comment\n\ndef own(output):", True),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("len(output.text) <", "len(output.text) <=", False),
        ("from os import path as way", "from sys import path as way", False),
        ("import re\n", "import json\n", True),
    ],
)
def test_a_definition_is_what_it_says_and_what_it_uses(was: str, now: str, *, same: bool) -> None:
    assert was in MODULE
    changed = MODULE.replace(was, now)
    assert (definition_in(MODULE, "own") == definition_in(changed, "own")) is same


def test_a_module_that_does_not_parse_is_taken_as_it_is() -> None:
    assert definition_in("def broken(", "broken") == "def broken("


def test_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("raise SystemExit('ran')\ndef own(): pass\n")
    assert text_behind("own:own", root=tmp_path, folder=tmp_path) is not None


def test_a_file_is_found_from_the_root_then_beside_the_evalset(tmp_path: Path) -> None:
    beside = tmp_path / "evalsets"
    beside.mkdir()
    (beside / "r.md").write_text("beside")
    assert text_behind("r.md", root=tmp_path, folder=beside) == "beside"
    (tmp_path / "r.md").write_text("\ufeffroot", encoding="utf-8")
    assert text_behind("r.md", root=tmp_path, folder=beside) == "root"


def test_what_is_not_there_or_outside_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "out.md").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    assert text_behind("../out.md", root=inside, folder=inside) is None
    assert text_behind("nope.md", root=inside, folder=inside) is None
    assert text_behind("json:loads", root=inside, folder=inside) is None


def test_packages_are_looked_for_in_the_root_and_in_src(tmp_path: Path) -> None:
    package = tmp_path / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def own(): return 1\n")
    assert "value=1" in (text_behind("shop:own", root=tmp_path, folder=tmp_path) or "")


def test_names_are_those_of_scorers_musts_and_own_scorers() -> None:
    spec = {"kind": "judge", "name": "j", "options": {"rubric": "r.md", "deep": {"x": ["schema.json", "no"]}}}
    must = {"kind": "pkg.mod:rule", "name": "m"}
    own = {"kind": "python", "name": "p", "has_arg": True, "arg": "pkg:own"}
    evalset = Evalset.model_validate(
        {
            "evalset": "e", "owner": "me", "target": {"kind": "python"}, "scorers": [spec],
            "cases": [{"id": "a", "input": "x", "must": [must], "scorers": [own]}],
        }
    )  # fmt: skip
    assert names_in(evalset) == ["r.md", "schema.json", "pkg:own", "pkg.mod:rule"]
