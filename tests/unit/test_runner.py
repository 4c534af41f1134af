"""What a runner of GitHub Actions is told: nothing that others wrote becomes a command or an output."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile_corpus import STORABLE
from pytest_aioncall.adapters.runner import (
    Annotation,
    add_outputs,
    add_summary,
    annotation_line,
    read_event,
    room_in_summary,
    stop_commands,
)
from pytest_aioncall.errors import UsageError
from pytest_aioncall.flows.publishing import for_log
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.github import GitHub
from pytest_aioncall.settings import Settings


def outputs_of(text: str) -> dict[str, str]:
    """Read outputs as the runner does: a name, a mark, lines until that mark stands alone."""
    found, lines = {}, text.split("\n")
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        name, arrows, mark = line.partition("<<")
        assert arrows, line
        value = []
        while (line := lines.pop(0)) != mark:
            value.append(line)
        found[name] = "\n".join(value)
    return found


def test_an_annotation_names_file_line_and_title() -> None:
    one = Annotation("error", "evalsets/a.eval.yaml", 31, "aioncall: must broken", "q-1: held in 1 of 3")
    assert annotation_line(one) == (
        "::error file=evalsets/a.eval.yaml,line=31,title=aioncall%3A must broken::q-1: held in 1 of 3"
    )


def test_a_note_on_a_whole_file_has_no_line() -> None:
    assert annotation_line(Annotation("warning", "a.yaml", 0, "t", "x")) == (
        "::warning file=a.yaml,title=t::x"
    )


def test_what_could_end_a_property_or_a_command_is_escaped() -> None:
    one = Annotation("error", "a,b:c%.yaml", 1, "t,line=9::x", "50 % off\nline two\r::error::y")
    assert annotation_line(one) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=1,title=t%2Cline=9%3A%3Ax::50 %25 off\\nline two\\r::error::y"
    )


@pytest.mark.parametrize("name", STORABLE)
def test_a_hostile_text_stays_inside_of_its_annotation(name: str) -> None:
    text = STORABLE[name]
    line = annotation_line(Annotation("error", text, 1, text, text))
    assert line.isprintable()
    head, _, data = line.removeprefix("::error ").partition("::")
    properties = [part.split("=", 1) for part in head.split(",")]
    assert all(len(pair) == 2 for pair in properties)
    assert [key for key, _ in properties] == [k for k in ("file", "line", "title") if k == "line" or text]
    assert len(data) < 7000


@pytest.mark.parametrize("name", STORABLE)
def test_a_hostile_text_stays_inside_of_its_output(name: str, tmp_path: Path) -> None:
    file = tmp_path / "output"
    value = f"{STORABLE[name]}\nEOF\nstatus<<x\nforged\nx\nstatus=forged"
    add_outputs(file, {"headline": value, "status": "pass"})
    add_outputs(file, {"more": "1"})
    found = outputs_of(file.read_bytes().decode("utf-8"))
    assert found == {"headline": value, "status": "pass", "more": "1"}


def test_marks_differ_each_time(tmp_path: Path) -> None:
    file = tmp_path / "output"
    add_outputs(file, {"a": "1", "b": "2"})
    lines = [line.split("<<")[1] for line in file.read_text().splitlines() if "<<" in line]
    assert len(set(lines)) == 2
    assert stop_commands()[0] != stop_commands()[0]


def test_a_summary_grows_behind_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    add_summary(file, "### one\n")
    add_summary(file, "### two\n")
    assert file.read_text() == "### one\n\n### two\n"
    file.write_text("no end of line")
    add_summary(file, "### three\n")
    assert file.read_text() == "no end of line\n\n### three\n"
    assert room_in_summary(file, 100) == 100 - len(file.read_bytes())
    assert room_in_summary(tmp_path / "none", 100) == 100


def test_no_event_is_an_empty_one(tmp_path: Path) -> None:
    assert read_event(None) == read_event(tmp_path / "none") == {}


@pytest.mark.parametrize("text", ["", "nope", "[]", '"x"', "[" * 100_000])
def test_what_is_no_event_is_a_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH"):
        read_event(file)


def settings(**told: str) -> Settings:
    return Settings(config=Config(), root=Path(), github=GitHub(**told))


def test_a_text_in_the_log_of_a_job_is_wrapped_and_tamed() -> None:
    hostile = "::error::a\n##[group]b\nfine"
    lines = for_log(hostile, settings=settings(repository="a/b", run_id="1"), commands=("::notice::ours",))
    assert lines[0] == "::notice::ours"
    mark = lines[1].removeprefix("::stop-commands::")
    assert lines[-1] == f"::{mark}::"
    assert lines[2:-1] == [": :error::a", "# #[group]b", "fine"]


def test_outside_of_actions_there_are_no_commands() -> None:
    assert for_log("x\ny\n", settings=settings(), commands=("::notice::ours",)) == ["x", "y"]
    assert for_log("", settings=settings(repository="a/b", run_id="1"), commands=("::notice::o",)) == [
        "::notice::o"
    ]
