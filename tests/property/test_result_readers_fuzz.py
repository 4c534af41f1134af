"""Damaged result files, of every tool: one clear refusal or a reading, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.results.sources import read_side
from pytest_aioncall.errors import LoadError, UsageError
from pytest_aioncall.flows.imports import ImportRequest, import_sides
from result_files import FOLDER, TOOLS

FILES = [tool.files()[0] for tool in TOOLS] + [
    FOLDER / "promptfoo" / "base.jsonl",
    FOLDER / "inspect" / "short.json",
    FOLDER / "junit" / "repeat.xml",
]
RAW = {path: path.read_bytes() for path in FILES}
JSON_FILES = [p for p in FILES if p.suffix == ".json"]
VALUES = {path: json.loads(RAW[path]) for path in JSON_FILES}
ODD: list[Any] = [
    None, True, 0, -1, 1e308, float("nan"), float("inf"), "", "x", "\ud800", [], {}, [[]], {"a": []}, 10**30,
]  # fmt: skip
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(path: Path) -> None:
    """Read a file as a side and compare it with its own original; refusals are what is expected."""
    try:
        read_side([str(path)], "auto")
    except (LoadError, UsageError) as error:
        assert str(error)
        assert all(line.isprintable() for line in str(error).splitlines())


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("source", FILES, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_bytes_that_were_changed(source: Path, tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(RAW[source])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.none(), st.integers(0, len(raw))))
    path = tmp_path / source.name
    path.write_bytes(raw[:end])
    read(path)


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("source", JSON_FILES, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_values_of_another_kind(source: Path, tmp_path: Path, data: st.DataObject) -> None:
    value = json.loads(RAW[source])
    for _ in range(data.draw(st.integers(1, 3))):
        replace_somewhere(value, data)
    path = tmp_path / source.name
    path.write_text(json.dumps(value), encoding="utf-8")
    read(path)
    try:
        import_sides(ImportRequest("auto", (str(source),), (str(path),)))
    except (LoadError, UsageError) as error:
        assert str(error)


def replace_somewhere(value: Any, data: st.DataObject) -> None:
    """Walk down at random, a few steps at least, and put something odd there, or take something away."""
    depth = data.draw(st.integers(1, 8))
    for level in range(depth):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if level == depth - 1 or not isinstance(value[key], dict | list):
            if data.draw(st.booleans()):
                value[key] = data.draw(st.sampled_from(ODD))
            else:
                del value[key]
            return
        value = value[key]


def test_the_originals_are_read() -> None:
    """The tests above can fail: what they damage is whole."""
    for path in FILES:
        assert read_side([str(path)], "auto")[0].reading.observed
