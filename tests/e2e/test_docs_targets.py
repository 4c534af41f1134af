"""Every target that the reference shows is made as it stands there, and answers a case."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.adapters.targets.secrets import named_secrets
from pytest_aioncall.model.evalset import Case, TargetSpec
from pytest_aioncall.model.sample import Output
from pytest_aioncall.protocols import Lifecycle, Target
from pytest_aioncall.testing import ReplayWire, Sent, chat_answer, make_target, piece_context

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "targets.md").read_text(encoding="utf-8")
PROJECT = Path(__file__).parent / "docs_project"
SHOWN = [
    yaml.safe_load(text)["target"]
    for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
]
CASE = Case(id="refund-late", input={"ticket": "Where is my refund?"})


def serve(sent: Sent) -> Any:
    """Answer as the servers of the examples do: models by protocol, the application by its own shape."""
    if "/answer" in sent.url:
        return {"answer": {"text": "billing"}, "sources": [{"id": "d1"}], "usage": {"input": 7}}
    if "messages" in sent.url:
        return chat_answer("billing", kind="anthropic")
    return chat_answer("billing") if "chat" in sent.url else {"text": "billing"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "project"
    shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(root)
    yield root
    for name in [name for name in sys.modules if name.split(".")[0] == "myapp"]:
        del sys.modules[name]


async def answer(target: Target) -> Output:
    if isinstance(target, Lifecycle):
        await target.open()
    try:
        return await target.answer(CASE, epoch=0)
    finally:
        if isinstance(target, Lifecycle):
            await target.close()


@pytest.mark.parametrize("written", SHOWN, ids=str)
def test_a_target_of_the_reference_answers(written: Any, project: Path) -> None:
    ((kind, given),) = written.items()
    options = given if isinstance(given, dict) else {}
    named = (*named_secrets(TargetSpec(kind=kind, options=options)), "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    wire = ReplayWire(serve)
    wire.mode = "live"  # type: ignore[assignment]  # so that a missing variable is refused
    secrets = {name: "https://support.example.com" if name.endswith("URL") else "t" * 20 for name in named}
    context = piece_context(project, wire=wire, config=load_config(project), secrets=secrets)
    output = asyncio.run(answer(make_target(written, context)))
    assert output.text == "billing"
    if "fields" in options:
        assert (output.tokens_in, output.retrieved and output.retrieved[0].id) == (7, "d1")
    if "variables" in options:
        assert output.retrieved is not None
        assert "Refunds take 14 days." in wire.sent[0].json["system"]


def test_every_kind_and_every_option_is_shown() -> None:
    kinds = {next(iter(written)) for written in SHOWN}
    assert kinds == {"python", "chat", "http", "command", "replay"}


@pytest.mark.parametrize("kind", ["python", "chat", "http", "command", "replay"])
def test_the_tables_have_the_options_that_exist(kind: str) -> None:
    import inspect
    from importlib import import_module

    factory = getattr(import_module(f"pytest_aioncall.adapters.targets.{kind}"), kind)
    options = set(inspect.signature(factory).parameters) - {"context"}
    section = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert section is not None
    assert set(re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE)) == options
