"""Bombs are refused before they grow: within half a second of CPU, in little memory, with file and line.

One process reads them all, so that importing is paid once; what counts is its own CPU time, which no
neighbour on the machine adds to. The bound leaves room for slow machines: a bomb that grows takes a minute.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bombs
import pytest

from pytest_aioncall.adapters.evalset_files import load_evalset
from pytest_aioncall.adapters.yaml_text import parse_yaml

PROMISED_S = 0.5
SLOW_MACHINE = 4
MOST_MIB = 160


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("bombs")
    done = subprocess.run(
        [sys.executable, bombs.__file__, str(folder)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_a_bomb_is_refused_with_file_and_line_before_it_grows(
    name: str, measured: dict[str, dict[str, Any]]
) -> None:
    found, bomb = measured[name], bombs.BOMBS[name]
    if bomb.says is None:
        assert not found["said"]
    else:
        assert bomb.says in found["said"]
    assert found["cpu_s"] <= PROMISED_S * SLOW_MACHINE
    assert found["more_mib"] <= MOST_MIB
    assert found["problems"] <= 101
    assert all(line.isprintable() and len(line) <= 1_000 for line in found["said"].splitlines())


def of_cases(count: int) -> str:
    rows = "".join(
        f"- {{id: a{i}, input: What now, expected: x, slices: {{p: s{i % 9}}}}}\n" for i in range(count)
    )
    return f"{bombs.HEAD}cases:\n{rows}"


def cpu_of(folder: Path, count: int) -> float:
    path = folder / f"n{count}.eval.yaml"
    path.write_text(of_cases(count))
    best = float("inf")
    for _ in range(2):
        gc.collect()
        start = time.process_time()
        assert len(load_evalset(path, root=folder).cases) == count
        best = min(best, time.process_time() - start)
    return best


def test_four_times_the_cases_take_about_four_times_the_cpu(tmp_path: Path) -> None:
    """Loading is linear: sixteen times would be quadratic."""
    cpu_of(tmp_path, 500)
    assert cpu_of(tmp_path, 16_000) <= 8 * cpu_of(tmp_path, 4_000)


def test_each_event_of_a_file_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 cases are read in one pass, counted by what is asked of the parser."""
    import yaml

    asked = 0

    class Counting(yaml.CSafeLoader):
        def get_event(self) -> Any:
            nonlocal asked
            asked += 1
            return super().get_event()

    monkeypatch.setattr(yaml, "CSafeLoader", Counting)
    counts = []
    for cases in (1_000, 10_000):
        asked = 0
        parse_yaml(of_cases(cases).encode(), file="e.yaml")
        counts.append(asked)
    per_case = (counts[1] - counts[0]) / 9_000
    assert per_case == 13  # what a case of `of_cases` is made of: 9 scalars, 2 starts and 2 ends


@pytest.mark.slow
def test_a_hundred_thousand_cases_load(tmp_path: Path) -> None:
    path = tmp_path / "e.eval.yaml"
    path.write_text(of_cases(100_000))
    assert len(load_evalset(path, root=tmp_path).cases) == 100_000


class TestAFileThatMoves:
    """What happens to a file while it is read ends in a sentence, or in what could be read."""

    def test_a_file_that_grows_past_its_limit_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pytest_aioncall.adapters.yaml_text import files
        from pytest_aioncall.errors import LoadError

        path = tmp_path / "e.yaml"
        path.write_bytes(b"x")

        def grow(*_: Any, **__: Any) -> None:
            path.write_bytes(b"x" * 100)

        monkeypatch.setattr(files, "_refuse_no_file", grow)
        with pytest.raises(LoadError, match="is larger than"):
            files.read_bytes(path, file="e.yaml", limit=50)
        assert files.read_bytes(path, file="e.yaml", limit=100) == b"x" * 100

    def test_a_file_that_vanishes_before_its_lines_are_looked_up_is_refused_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pytest_aioncall.adapters.evalset_files import load
        from pytest_aioncall.errors import LoadError

        path = tmp_path / "e.eval.yaml"
        path.write_text(bombs.HEAD + "cases: [{id: a}]\n")
        real = load.problems_of

        def vanish(*given: Any, **named: Any) -> Any:
            path.unlink()
            return real(*given, **named)

        monkeypatch.setattr(load, "problems_of", vanish)
        with pytest.raises(LoadError, match="input: is required"):
            load.load_evalset(path, root=tmp_path)


def test_the_name_of_a_file_cannot_write_lines_of_its_own(tmp_path: Path) -> None:
    """A runner would take `::error::` at the start of a line for a command."""
    from pytest_aioncall.errors import LoadError

    (tmp_path / "e.eval.yaml").write_text(bombs.HEAD + "include: ['*.jsonl']\n")
    (tmp_path / "a\n::error::x.jsonl").write_text("[]\n")
    with pytest.raises(LoadError) as refused:
        load_evalset(tmp_path / "e.eval.yaml", root=tmp_path)
    assert "a\\n::error::x.jsonl:1: needs one mapping" in str(refused.value)
    assert all(line.isprintable() for line in str(refused.value).splitlines())


def test_a_prompt_of_one_long_line_is_a_prompt_and_one_of_gigabytes_is_refused(tmp_path: Path) -> None:
    from pytest_aioncall.adapters.templates import find_text
    from pytest_aioncall.errors import UsageError

    long = "Is the answer polite, and does it say when the money comes back? " * 20
    assert find_text(long, root=tmp_path, folder=tmp_path, what="prompt") == (long, "prompt")
    bombs.sparse("p.md")(tmp_path)
    with pytest.raises(UsageError, match=r"prompt: p.md: is larger than 4 MiB"):
        find_text("p.md", root=tmp_path, folder=tmp_path, what="prompt")
