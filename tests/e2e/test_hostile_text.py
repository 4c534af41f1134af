"""Whatever a model answers, or a file holds: nothing breaks, nothing executes, nothing is shown unescaped."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from eval_project import Project
from hostile_corpus import HOSTILE, STORABLE, assert_may_stand_in_a_file, assert_may_stand_on_a_screen

APP = """
import json, logging, pathlib, sys, warnings
from pytest_aioncall import Score
TEXTS = json.loads(pathlib.Path("texts.json").read_text())
log = logging.getLogger("app")
def answer(name):
    text = TEXTS[name]
    print(text[:3000])
    print(text[:3000], file=sys.stderr)
    log.warning(text[:3000])
    try:
        raise ValueError(text[:3000])
    except ValueError:
        log.exception("refused %s", text[:3000])
    if len(text) < 1000:
        warnings.warn(text or "nothing")
    return text
def raising(name):
    local = TEXTS[name]
    raise ValueError(local)
def score(text):
    print(text[:3000])
    return Score(scorer="own", value=0.0, passed=False, reason=text, label=text[:50])
"""
HOOK = """
import json, pathlib, pytest
TEXTS = json.loads(pathlib.Path("texts.json").read_text())
@pytest.hookimpl
def pytest_aioncall_case_finished(case, samples, outcome):
    text = TEXTS[case.input]
    print(text[:3000])
    raise RuntimeError(text[:3000])
"""
ADDRESSES = ("src", "srcset", "href", "xlink:href", "action", "formaction")
LOUD = ("-vv", "-rA", "--junitxml=junit.xml", "-o", "junit_logging=all", "--showlocals", "--log-level=DEBUG")
LEVELS = {"normal": ("--junitxml=junit.xml", "-o", "junit_logging=all"), "loud": LOUD,
          "live": (*LOUD, "-s", "-o", "log_cli=true"), "coloured": (*LOUD, "--color=yes")}  # fmt: skip


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


driver = _module("chromium_driver", Path(__file__).parents[2] / "scripts" / "chromium.py")
CHROMIUM = driver.find_browser()


class Page(HTMLParser):
    """Collects what of a page could do something."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts = 0
        self.doing: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Data stands in script elements of a type that no browser runs, some more of them for more cases.
        self.scripts += tag == "script" and dict(attrs).get("type") != "application/json"
        for name, value in attrs:
            fetched = name in ADDRESSES and not (value or "").startswith(("#", "data:"))
            if name.startswith("on") or fetched:
                self.doing.append(f"<{tag} {name}={value}>")
        if tag in ("iframe", "object", "embed", "base", "form"):
            self.doing.append(f"<{tag}>")


def page_of(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture
def hostile(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    project.app(APP)
    project.write("texts.json", json.dumps(HOSTILE))
    run = project.run

    def apart_from_our_own_log(*arguments: str) -> pytest.RunResult:
        # A run in this process logs to the handlers of the outer one, too, whose workers cannot send halves
        # of characters.
        ours = list(logging.root.handlers)
        for handler in ours:
            logging.root.removeHandler(handler)
        try:
            return run(*arguments)
        finally:
            for handler in ours:
                logging.root.addHandler(handler)

    monkeypatch.setattr(project, "run", apart_from_our_own_log)
    return project


def assert_harmless(project: Project, result: pytest.RunResult, *, coloured: bool = False) -> None:
    """Look at every place where a run shows text."""
    assert_may_stand_on_a_screen("\n".join(result.outlines), coloured=coloured)
    assert_may_stand_on_a_screen("\n".join(result.errlines), coloured=coloured)
    assert_junit_is_harmless(project.path / "junit.xml")
    assert_page_is_inert(project.path / ".aioncall" / "report.html")
    project.report()
    project.last_samples()
    for name in (".aioncall/report.json", ".aioncall/report.html"):
        assert_may_stand_in_a_file((project.path / name).read_text(encoding="utf-8"))


def assert_junit_is_harmless(path: Path) -> None:
    suite = ElementTree.parse(path).getroot()
    assert suite.find(".//testcase") is not None
    assert suite.find(".//testcase[@name='forged']") is None
    assert_may_stand_on_a_screen(path.read_text(encoding="utf-8"))
    for element in suite.iter():
        assert_may_stand_on_a_screen(element.text or "")


def assert_page_is_inert(path: Path) -> None:
    page = page_of(path)
    assert page.doing == []
    # The page's own script is the only one, whatever stands in it.
    assert page.scripts == 1


@pytest.mark.parametrize("level", LEVELS)
def test_hostile_answers_are_kept_and_shown_harmless(hostile: Project, level: str) -> None:
    """`must` fails every case, so every answer is shown at its longest, printed, logged and warned of."""
    cases = [{"id": n, "input": n, "expected": "x", "must": [{"contains": "nowhere"}]} for n in HOSTILE]
    hostile.evalset(cases=cases, epochs=1)
    result = hostile.run(*LEVELS[level])
    assert result.ret == 1
    kept = {s["case"]: s["output"]["text"] for s in hostile.last_samples()}
    assert len(kept) == len(HOSTILE) > 40
    assert {name: kept[name] for name in STORABLE} == STORABLE
    assert_harmless(hostile, result, coloured=level == "coloured")


def test_hostile_exceptions_of_targets_are_shown_harmless(hostile: Project) -> None:
    hostile.evalset(target={"python": "app:raising"}, cases={n: (n, "x") for n in HOSTILE}, epochs=1)
    result = hostile.run(*LOUD, "--tb=long")
    assert result.ret == 1
    assert len(hostile.last_samples()) == len(HOSTILE)
    assert_harmless(hostile, result)


@pytest.mark.parametrize("trace", ["long", "native"])
def test_hostile_exceptions_of_hooks_are_shown_harmless(hostile: Project, trace: str) -> None:
    """pytest shows the source and the locals of every frame; a few texts of each sort are enough."""
    some = ("ansi-clear", "c1-controls", "carriage-return", "bidi-override", "github-mask", "azure", "nul",
            "github-after-marks", "xml-tags", "surrogates", "script-end")  # fmt: skip
    hostile.write("conftest.py", HOOK)
    hostile.evalset(cases={n: (n, "x") for n in some}, epochs=1)
    result = hostile.run(*LOUD, f"--tb={trace}")
    assert result.ret == 1
    assert_harmless(hostile, result)


def test_hostile_reasons_of_a_scorer_are_shown_harmless(hostile: Project) -> None:
    scorer = {"python": {"as": "own", "function": "app:score"}}
    cases = [
        {"id": n, "input": n, "expected": "x", "require": [{"scorer": "own", "in": "1/1"}]} for n in HOSTILE
    ]
    hostile.evalset(scorers=[scorer], cases=cases, epochs=1)
    result = hostile.run(*LOUD)
    assert result.ret == 1
    assert_harmless(hostile, result)


def test_hostile_text_crosses_from_workers_harmless(hostile: Project) -> None:
    cases = [{"id": n, "input": n, "expected": "x", "must": [{"contains": "nowhere"}]} for n in HOSTILE]
    hostile.evalset(cases=cases, epochs=1)
    result = hostile.run_apart(*LOUD, "-n2")
    assert result.ret == 1
    assert len(hostile.last_samples()) == len(HOSTILE)
    assert_harmless(hostile, result)


def rows_of_hostile_evalset() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "id": f"c-{n}-{k}", "input": text, "expected": "x", "slices": {"kind": text[:100] or "-"},
            "note": text, "cluster": text[:50] or "-",
        }
        for n, text in STORABLE.items()
        for k in range(6 if n in ("ansi-colour", "github-error", "script-end") else 1)
    ]  # fmt: skip
    return rows + [{"id": f"e-{n}", "input": "a", "expected": t} for n, t in STORABLE.items() if t]


def test_hostile_text_in_the_evalset_is_shown_harmless_by_runs_and_commands(
    hostile: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inputs, expected answers, notes, slices and descriptions are often pasted from users."""
    hostile.app(
        "import pathlib\ndef answer(text):\n    return 'no' if pathlib.Path('worse').exists() else 'x'\n"
    )
    rows = "".join(json.dumps(row) + "\n" for row in rows_of_hostile_evalset())
    hostile.write("evalsets/rows.jsonl", rows)
    hostile.evalset(
        cases=[], include=["rows.jsonl"], epochs=2, description=HOSTILE["script-end"],
        gates=[{"scorer": "exact", "slices": ["kind"]}],
    )  # fmt: skip
    result = hostile.run(*LOUD)
    assert result.ret == 0, str(result.stdout)[-3000:]
    hostile.accept(f"why {HOSTILE['github-error']}")
    hostile.write("worse", "")
    result = hostile.run(*LOUD)
    assert result.ret == 1
    assert_harmless(hostile, result)
    monkeypatch.chdir(hostile.path)
    capsys.readouterr()
    root = ("--root", str(hostile.path))
    for command in (
        ("baseline", "show", "demo"), ("baseline", "diff", "demo"), ("baseline", "list"), ("runs", "list"),
        ("runs", "show"), ("gate",), ("check",), ("rejudge", "latest", "--all"),
    ):  # fmt: skip
        hostile.command(*command, *root)
        captured = capsys.readouterr()
        assert captured.out + captured.err
        assert_may_stand_on_a_screen(captured.out)
        assert_may_stand_on_a_screen(captured.err)


COMMAND_IDS = ("::error::x", "::add-mask::a", "::stop-commands::t", "::group::g", " ::notice::n", "a::b")


def test_case_ids_that_are_commands_to_a_runner_start_no_line(
    hostile: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.app(
        "import pathlib\ndef answer(text):\n    return 'no' if pathlib.Path('worse').exists() else 'x'\n"
    )
    rows = [
        {"id": f"{name.strip()}-{k}", "input": "a", "expected": "x", "slices": {"kind": name}}
        for name in COMMAND_IDS for k in range(4)
    ]  # fmt: skip
    hostile.evalset(cases=rows, epochs=3, gates=[{"scorer": "exact", "slices": ["kind"]}])
    assert hostile.run("-q").ret == 0
    hostile.accept()
    hostile.write("worse", "")
    result = hostile.run(*LOUD, "-W", "default")
    assert result.ret == 1
    assert_harmless(hostile, result)
    monkeypatch.chdir(hostile.path)
    capsys.readouterr()
    root = ("--root", str(hostile.path))
    for command in (("baseline", "diff", "demo"), ("baseline", "show", "demo"), ("runs", "show"), ("gate",)):
        hostile.command(*command, *root)
        captured = capsys.readouterr()
        assert_may_stand_on_a_screen(captured.out + captured.err)


@pytest.mark.parametrize("name", ["ansi-colour", "bidi-override", "script-end", "nul", "surrogates"])
def test_hostile_names_are_refused_and_the_refusal_is_harmless(hostile: Project, name: str) -> None:
    row = {"id": f"a{HOSTILE[name]}", "input": "a", "expected": "b"}
    hostile.write("evalsets/rows.jsonl", json.dumps(row) + "\n")
    hostile.evalset(cases=[], include=["rows.jsonl"])
    result = hostile.run()
    assert result.ret == 4
    text = str(result.stdout) + str(result.stderr)
    assert_may_stand_on_a_screen(text)
    assert "rows.jsonl:1" in text


def test_the_gate_command_shows_hostile_text_of_imported_scores_harmless(
    hostile: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {
            "case_id": f"{text[:80]} {n} {k}", "scorer": "s", "scale": [0, 1], "score": 1,
            "slices": {"kind": text[:80] or "-"},
        }
        for n, text in STORABLE.items()
        for k in range(3)
    ]  # fmt: skip
    old = "".join(json.dumps(row) + "\n" for row in rows)
    new = "".join(json.dumps({**row, "score": 0}) + "\n" for row in rows[:-3])
    (hostile.path / "old.jsonl").write_text(old)
    (hostile.path / "new.jsonl").write_text(new)
    capsys.readouterr()
    command = ("gate", "--baseline", "old.jsonl", "--candidate", "new.jsonl", "--slices", "kind")
    assert hostile.command(*command) == 1
    captured = capsys.readouterr()
    assert_may_stand_on_a_screen(captured.out)
    assert_may_stand_on_a_screen(captured.err)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the report page was not opened")
def test_a_browser_runs_nothing_of_a_hostile_report(hostile: Project) -> None:
    """Every case is opened: what it holds is built by the page's script only then."""
    cases = [
        {"id": n, "input": text, "expected": text, "must": [{"contains": "nowhere"}], "slices": {"k": n}}
        for n, text in STORABLE.items()
        if text.strip() and len(text) < 2000
    ]
    hostile.app(
        "from pytest_aioncall import Score\n"
        "def answer(text):\n    return text\n"
        "def score(text):\n"
        "    return Score(scorer='own', value=0.0, passed=False, reason=text, label=text[:50])\n"
    )
    own = {"python": {"as": "own", "function": "app:score"}}
    hostile.evalset(cases=cases, epochs=1, scorers=[own, "exact"], description=HOSTILE["svg"])
    hostile.run("-q")
    page = hostile.path / ".aioncall" / "report.html"
    with driver.running_browser(CHROMIUM) as browser:
        browser.open(page)
        title = browser.value("document.title")
        browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
        browser.value("new Promise(done => setTimeout(done, 100))")
        assert browser.value("document.querySelectorAll('.case').length") == len(cases)
        assert browser.value("window.pwned") in (None, "undefined")
        live = "iframe, object, embed, base, form, svg animate, img, math, meta[http-equiv=refresh]"
        assert browser.value(f"document.querySelectorAll({live!r}).length") == 0
        assert browser.value("getComputedStyle(document.body).display") != "none"
        assert browser.value("document.title") == title
        assert browser.problems == []
        fetched = [u for u in browser.requests if u != page.as_uri() and not u.startswith("data:")]
        assert fetched == []
