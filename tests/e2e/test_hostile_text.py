"""Whatever a model answers, or a file holds: nothing breaks, nothing executes, nothing is shown unescaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from eval_project import Project

HOSTILE = {
    "ansi": "\x1b[31mred\x1b[0m \x1b[2J\x1b[H \x9b31m",
    "osc-8-link": "\x1b]8;;https://evil.invalid\x07click\x1b]8;;\x07 \x1b]0;title\x07",
    "workflow-command": "::error file=app.py,line=1::from the model",
    "workflow-command-2": "fine\n::set-output name=x::y\n  ::warning::z\n##[group]g\n##[error]e",
    "azure": "##vso[task.setvariable variable=x]y ##[section]z",
    "bidi": "abc\u202edcba\u202c \u2066x\u2069 \u200f",
    "zero-width": "a\u200bb\u200dc\ufeffd\u2060e",
    "cdata-end": "]]> <![CDATA[ &amp; &#0; <!-- --> <?xml ?>",
    "nul": "a\x00b\x07c\x08d\x0b\x0c\x1f\x7f",
    "surrogates": "\ud800 half, \udfff other \ud83d",
    "script-end": "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "script-comment": "<!--<script> </textarea></style></title>",
    "braces": "{{ 7 * 7 }} {% raw %} ${jndi:x} {0.__class__} %(x)s %s",
    "markdown": "[x](javascript:alert(1)) ![](https://evil.invalid/p.png) <details> | a | `b`",
    "line-separators": "a\u2028b\u2029c\x85d\r\ne\rf",
    "long": "x" * 200_000,
    "deep": "[" * 5000,
    "empty": "",
    "blank": "\u2800\u3164 \t\n ",
    "json": '{"__proto__": {"x": 1}, "a": NaN}',
}
WHOLE = {name: text for name, text in HOSTILE.items() if name != "surrogates"}
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
APP = """
import json, pathlib
from pytest_aioncall import Score
TEXTS = json.loads(pathlib.Path("texts.json").read_text())
def answer(name):
    print(TEXTS[name][:3000])
    return TEXTS[name]
def raising(name):
    raise ValueError(TEXTS[name])
def score(text):
    return Score(scorer="own", value=0.0, passed=False, reason=text, label=text[:50])
"""


ADDRESSES = ("src", "srcset", "href", "xlink:href", "action", "formaction")


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
def hostile(project: Project) -> Iterator[Project]:
    project.app(APP)
    project.write("texts.json", json.dumps(HOSTILE))
    yield project


def plain_page(project: Project) -> Page:
    """Return the page of an evalset with nothing hostile in it."""
    project.write("plain.py", "def answer(text):\n    return 'no'\n")
    project.evalset("plain", target={"python": "plain:answer"})
    project.run("evalsets/plain.eval.yaml")
    return page_of(project.path / ".aioncall" / "report.html")


def assert_harmless(project: Project, result: pytest.RunResult) -> None:
    """Look at every place where a run shows text."""
    for line in (*result.outlines, *result.errlines):
        assert not UNSEEN.search(line), ascii(line)
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line
        assert "##vso[" not in line, line
    suite = ElementTree.parse(project.path / "junit.xml").getroot()
    assert suite.find(".//testcase") is not None
    project.report()
    project.last_samples()
    page = page_of(project.path / ".aioncall" / "report.html")
    text = (project.path / ".aioncall" / "report.html").read_text(encoding="utf-8")
    assert "alert(1)</script>" not in text
    assert not UNSEEN.search(text)
    assert page.doing == []
    assert page.scripts == plain_page(project).scripts == 1


LOUD = ("-vv", "-rA", "--junitxml=junit.xml", "--showlocals")


@pytest.mark.parametrize("color", ["yes", "no"])
def test_hostile_answers_are_kept_and_shown_harmless(hostile: Project, color: str) -> None:
    """`must` fails every case, so every answer is shown at its longest."""
    cases = [{"id": n, "input": n, "expected": "x", "must": [{"contains": "nowhere"}]} for n in HOSTILE]
    hostile.evalset(cases=cases, epochs=1)
    result = hostile.run(*LOUD, "--color=no" if color == "no" else "--color=auto")
    assert result.ret == 1
    kept = {s["case"]: s["output"]["text"] for s in hostile.last_samples()}
    assert len(kept) == len(HOSTILE)
    for name, text in HOSTILE.items():
        if name != "surrogates":
            assert kept[name] == text
    assert_harmless(hostile, result)


def test_hostile_exceptions_are_shown_harmless(hostile: Project) -> None:
    hostile.evalset(target={"python": "app:raising"}, cases={n: (n, "x") for n in HOSTILE}, epochs=1)
    result = hostile.run(*LOUD)
    assert result.ret == 1
    assert len(hostile.last_samples()) == len(HOSTILE)
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


def test_hostile_text_in_the_evalset_is_shown_harmless(hostile: Project) -> None:
    """Inputs, expected answers, notes, slices and descriptions are often pasted from users."""
    hostile.app(
        "import pathlib\ndef answer(text):\n    return 'no' if pathlib.Path('worse').exists() else 'x'\n"
    )
    rows = [
        {
            "id": f"c-{n}-{k}",
            "input": text,
            "expected": "x",
            "slices": {"kind": text[:100] or "-"},
            "note": text,
        }
        for n, text in WHOLE.items()
        for k in range(12 if n in ("ansi", "workflow-command", "script-end") else 1)
    ]
    rows += [{"id": f"e-{n}", "input": "a", "expected": text} for n, text in WHOLE.items() if text]
    hostile.write("evalsets/rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    hostile.evalset(
        cases=[], include=["rows.jsonl"], epochs=2, description=HOSTILE["script-end"],
        gates=[{"scorer": "exact", "slices": ["kind"]}],
    )  # fmt: skip
    result = hostile.run(*LOUD)
    assert result.ret == 0, str(result.stdout)[-3000:]
    assert_harmless(hostile, result)
    hostile.run("evalsets/demo.eval.yaml")
    hostile.accept()
    hostile.write("worse", "")
    result = hostile.run(*LOUD, "evalsets/demo.eval.yaml")
    assert result.ret == 1
    assert_harmless(hostile, result)


@pytest.mark.parametrize("name", ["ansi", "bidi", "script-end", "nul", "surrogates"])
def test_hostile_names_are_refused_and_the_refusal_is_harmless(hostile: Project, name: str) -> None:
    row = {"id": f"a{HOSTILE[name]}", "input": "a", "expected": "b"}
    hostile.write("evalsets/rows.jsonl", json.dumps(row) + "\n")
    hostile.evalset(cases=[], include=["rows.jsonl"])
    result = hostile.run()
    assert result.ret == 4
    text = str(result.stdout) + str(result.stderr)
    assert not UNSEEN.search(text.replace("\n", ""))
    assert "rows.jsonl:1" in text


def test_the_gate_command_shows_hostile_text_harmless(
    hostile: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"case_id": f"{text[:80]} {k}", "scorer": "s", "scale": [0, 1], "score": 1,
         "slices": {"kind": text[:80] or "-"}}
        for n, text in WHOLE.items()
        for k in range(3)
    ]  # fmt: skip
    old = "".join(json.dumps(row) + "\n" for row in rows)
    new = "".join(json.dumps({**row, "score": 0}) + "\n" for row in rows[:-3])
    (hostile.path / "old.jsonl").write_text(old)
    (hostile.path / "new.jsonl").write_text(new)
    capsys.readouterr()
    assert (
        hostile.command("gate", "--baseline", "old.jsonl", "--candidate", "new.jsonl", "--slices", "kind")
        == 1
    )
    captured = capsys.readouterr()
    for line in (captured.out + captured.err).split("\n"):
        assert not UNSEEN.search(line), ascii(line)
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line
