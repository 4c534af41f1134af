"""The reference page of the scorers: its tables are the signatures, and its examples do what they say."""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_aioncall.adapters.registry import piece_names
from pytest_aioncall.adapters.scorers.expectation import Missing
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output
from pytest_aioncall.testing import (
    ReplayWire,
    Sent,
    chat_answer,
    embedding_answer,
    make_scorer,
    piece_context,
    score_once,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "scorers.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = {
    title: body
    for title, body in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, flags=re.DOTALL | re.MULTILINE)
    if title.islower()
}


def example(name: str) -> tuple[Any, dict[str, Any]]:
    """Return the scorer of a section's example as YAML has it, and what its comments say."""
    (block,) = re.findall(r"```yaml\n(.*?)```", SECTIONS[name], flags=re.DOTALL)
    (entries,) = yaml.safe_load(block).values()
    (written,) = entries
    if isinstance(written, dict) and isinstance(written[name], dict):
        written[name].pop("as", None)
    said = dict(re.findall(r"^# (\w+): (.*)$", block, flags=re.MULTILINE))
    return written, {key: json.loads(value) for key, value in said.items()}


def factory_of(name: str) -> Any:
    from importlib.metadata import entry_points

    (entry,) = entry_points(group="aioncall.scorers", name=name)
    return entry.load()


def embed(sent: Sent) -> dict[str, Any]:
    about_parcels = [float("parcel" in text or "package" in text) for text in sent.json["input"]]
    return embedding_answer(*[[x, 1 - x] for x in about_parcels])


def mark(sent: Sent) -> dict[str, Any]:
    good = "week" in sent.json["messages"][1]["content"].rpartition("=== ANSWER")[2]
    return chat_answer(json.dumps({"reason": "as told", "score": 5 if good else 1}))


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What the examples name: a rubric, and the module whose code stands on the page."""
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "helpfulness.md").write_text("Helpful is good.")
    (code,) = re.findall(r"```python\n(.*?)```", SECTIONS["python"], flags=re.DOTALL)
    module = types.ModuleType("myapp.evals")
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, "myapp", types.ModuleType("myapp"))
    monkeypatch.setitem(sys.modules, "myapp.evals", module)
    yield tmp_path


def test_every_scorer_has_a_section_and_every_section_a_scorer() -> None:
    assert {name for name in piece_names("scorers") if not name.startswith("x_")} == set(SECTIONS)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_the_example_of_a_scorer_does_what_it_says(name: str, surroundings: Path) -> None:
    written, said = example(name)
    wire = ReplayWire({"similarity": embed, "judge": mark}.get(name, lambda _sent: {}))
    scorer = make_scorer(written, piece_context(surroundings, wire=wire))
    case = Case(id="c", input={"ticket": "?"}, expected=said.get("expected"))
    for side, holds in (("passes", True), ("fails", False)):
        given = said[side]
        output = Output.model_validate(given) if isinstance(given, dict) else Output(text=given)
        score = score_once(scorer, case, output)
        assert score.passed is holds, f"{side}: {score}"


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_the_table_of_a_scorer_lists_its_arguments_in_order_with_their_defaults(name: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| ", SECTIONS[name], flags=re.MULTILINE)
    own = [p for p in inspect.signature(factory_of(name)).parameters.values() if p.name != "context"]
    assert [argument for argument, _ in rows] == [p.name for p in own]
    for (argument, told), parameter in zip(rows, own, strict=True):
        if parameter.default is parameter.empty:
            assert told == "required", argument
        elif parameter.default is None or isinstance(parameter.default, Missing):
            assert told != "required", argument
        else:
            plain = parameter.default if isinstance(parameter.default, str) else json.dumps(parameter.default)
            assert told == f"`{plain}`", argument


def test_the_forms_at_the_top_of_the_page_are_scorers() -> None:
    block = re.search(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    assert block is not None
    for written in yaml.safe_load(block.group(1))["scorers"]:
        if isinstance(written, dict):
            for options in written.values():
                if isinstance(options, dict):
                    options.pop("as", None)
        make_scorer(written)
