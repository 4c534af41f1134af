"""What every reader of another tool's results promises, checked on files that the tools wrote themselves."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from pytest_aioncall.adapters.results.observed import Observed
from pytest_aioncall.adapters.results.sources import TOOLS as READERS
from pytest_aioncall.adapters.results.sources import read_side
from pytest_aioncall.errors import LoadError
from result_files import FOLDER, TOOLS, Tool

ALL = pytest.mark.parametrize("tool", TOOLS, ids=str)


def observed(tool: Tool, run: str = "base") -> list[Observed]:
    results = read_side([str(getattr(tool, run))], tool.name)
    return [one for result in results for one in result.reading.observed]


def test_there_is_a_file_for_every_reader() -> None:
    assert {tool.name for tool in TOOLS} == READERS.keys()


@ALL
def test_every_case_is_there_with_three_epochs(tool: Tool) -> None:
    for run in ("same", "worse"):
        counts = Counter(one.case for one in observed(tool, run))
        assert len(counts) == tool.cases
        assert set(counts.values()) == {3}


@ALL
def test_a_case_has_the_same_id_and_digest_in_every_run(tool: Tool) -> None:
    runs = [{(one.case, one.digest) for one in observed(tool, run)} for run in ("base", "same", "worse")]
    assert runs[0] == runs[1] == runs[2]
    assert len(runs[0]) == tool.cases


@ALL
def test_scorers_have_the_tools_own_names(tool: Tool) -> None:
    for run in ("base", "same", "worse"):
        assert {score.scorer for one in observed(tool, run) for score in one.scores} == tool.scorers


@ALL
def test_an_error_is_an_error_with_its_reason_and_no_score_of_zero(tool: Tool) -> None:
    for run in ("base", "same", "worse"):
        (failed,) = [one for one in observed(tool, run) if one.error]
        assert "app-crash" in failed.case
        assert failed.error
        assert failed.scores == ()
        assert failed.text is None


@ALL
def test_what_a_scorer_could_not_score_is_unscored_with_its_reason(tool: Tool) -> None:
    unscored = [score for one in observed(tool) for score in one.scores if score.value is None]
    absent = sum(
        len(tool.scorers) - len(one.scores) for one in observed(tool) if not one.error
    )  # inspect leaves such a score away
    assert len(unscored) + absent == tool.unscored
    assert all(score.error for score in unscored)


@ALL
def test_the_worse_prompt_is_worse_in_the_score_that_it_hurts(tool: Tool) -> None:
    def mean(run: str) -> float:
        scores = [s.value for one in observed(tool, run) for s in one.scores if s.scorer == tool.truth]
        known = [value for value in scores if value is not None]
        return sum(known) / len(known)

    assert mean("base") > 0.9
    assert mean("same") > 0.9
    assert mean("worse") < 0.65


@ALL
def test_metadata_become_slices(tool: Tool) -> None:
    for run in ("base", "same", "worse"):
        known = [one.slices for one in observed(tool, run) if not one.error]
        assert {slices["persona"] for slices in known} == {"business", "free"}
        assert {slices["shape"] for slices in known} == {"short", "long"}


@ALL
def test_outputs_and_inputs_are_there_where_the_file_has_them(tool: Tool) -> None:
    for one in observed(tool):
        if tool.name == "junit" or one.error:
            continue
        assert one.text
        assert one.input
        assert one.text.startswith("route:") or one.text == "???"


@ALL
def test_reading_twice_says_the_same(tool: Tool) -> None:
    assert observed(tool) == observed(tool)


@ALL
def test_auto_finds_the_reader(tool: Tool) -> None:
    for result in read_side([str(tool.base)], "auto"):
        assert result.reading.tool == tool.name


@ALL
def test_another_tools_file_is_named_with_the_option_that_reads_it(tool: Tool) -> None:
    for other in TOOLS:
        if other is not tool:
            with pytest.raises(LoadError, match=rf"looks like an? {tool.name} \w+: use --from {tool.name}$"):
                read_side([str(tool.files()[0])], other.name)


@ALL
def test_a_cut_file_is_refused_in_one_line(tool: Tool, tmp_path: Path) -> None:
    source = tool.files()[0]
    raw = source.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        cut = tmp_path / source.name
        cut.write_bytes(raw[: int(len(raw) * share)])
        with pytest.raises(LoadError, match="cut off") as caught:
            read_side([str(cut)], tool.name)
        assert str(caught.value).startswith(cut.as_posix())
        assert "\n" not in str(caught.value)


@ALL
def test_an_empty_file_and_a_foreign_one_are_refused(tool: Tool, tmp_path: Path) -> None:
    for text, told in (("", "is empty"), ("{}", "is no result file of"), ("hello", "neither JSON nor XML")):
        path = tmp_path / "file.json"
        path.write_text(text)
        with pytest.raises(LoadError, match=told):
            read_side([str(path)], tool.name)


@ALL
def test_a_folder_and_a_pattern_mean_the_same_files(tool: Tool, tmp_path: Path) -> None:
    for source in tool.files():
        shutil.copy(source, tmp_path)
    by_folder = read_side([str(tmp_path)], tool.name)
    by_pattern = read_side([str(tmp_path / "*")], tool.name)
    assert [one.path for one in by_folder] == [one.path for one in by_pattern]
    assert len(by_folder) == len(tool.files())


def test_no_fixture_is_large() -> None:
    assert [p for p in FOLDER.rglob("*") if p.is_file() and p.stat().st_size > 150 * 1024] == []
