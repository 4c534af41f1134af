"""Whatever stands in a file, a loader returns a noun or raises LoadError, and nothing else."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.adapters.evalset_files import line_of, load_evalset
from pytest_aioncall.adapters.flat_scores import read_flat_scores
from pytest_aioncall.adapters.text import log_line, one_line
from pytest_aioncall.adapters.yaml_text import lines_in, parse_yaml
from pytest_aioncall.errors import LoadError

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)

WORDS = [
    *[
        "evalset",
        "owner",
        "target",
        "scorers",
        "cases",
        "include",
        "gates",
        "defaults",
        "slices",
        "epochs",
        "errors",
    ],
    *[
        "id",
        "input",
        "expected",
        "must",
        "require",
        "scorer",
        "in",
        "at_least",
        "source",
        "incident",
        "subject",
    ],
    *[
        "providers",
        "prices",
        "as_of",
        "kind",
        "base_url",
        "api_key_env",
        "redact",
        "models",
        "min",
        "max",
        "as",
    ],
    *["case_id", "epoch", "scale", "score", "error", "cluster", "format", "exact", "route", "python", "x/y"],
]
CASE_WORDS = [
    "expected",
    "slices",
    "scorers",
    "must",
    "require",
    "source",
    "cluster",
    "note",
    "where",
    "oops",
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.sampled_from(
        [*WORDS, "1/2", "2/0", "*.yaml", "../x", "a.b:c", "2026-11-01", "::error::", "\u202e", "<<"]
    ),
)
keys = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
case_like = st.fixed_dictionaries(
    {"id": scalars, "input": scalars}, optional=dict.fromkeys(CASE_WORDS, trees)
)
HEAD_WORDS = ["include", "gates", "defaults", "epochs", "errors", "subject", "format", "concurrency", "oops"]
heads = st.fixed_dictionaries(
    {"evalset": st.just("e") | trees, "owner": st.just("x") | trees, "target": st.just("replay") | trees},
    optional={
        "scorers": st.just(["exact"]) | trees,
        "cases": st.lists(case_like, max_size=4) | trees,
        **dict.fromkeys(HEAD_WORDS, trees),
    },
)
# Scraps of YAML that parsers trip over, put together at random.
SCRAPS = [
    *[
        "a",
        ":",
        " ",
        "\n",
        "\t",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "!x ",
        ">",
        "'",
        "#",
        "%YAML 1.1\n",
        "---\n",
        "...\n",
        "1e9",
        "\\x",
    ],
    *("|", '"', "\ufeff", "\x85", "cases", ".nan", "1e999"),
]
scraps = st.lists(st.sampled_from(SCRAPS), max_size=40).map("".join)


def in_folder(name: str, raw: bytes, load: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        try:
            load(path)
        except LoadError as error:
            assert error.problems
            for problem in error.problems:
                assert str(problem).isprintable(), "a message is one line without anything unseen"
                assert problem.line >= 0


def load_all(raw: bytes) -> None:
    in_folder("e.eval.yaml", raw, lambda path: load_evalset(path, root=path.parent))
    in_folder("aioncall.yaml", raw, lambda path: load_config(path.parent))
    in_folder("s.jsonl", raw, read_flat_scores)


@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"[" * 5000)
@example(b'{"a":' * 5000)
@example(b"\x00")
@quick
def test_random_bytes_load_or_are_refused(raw: bytes) -> None:
    load_all(raw)


@given(scraps)
@quick
def test_random_scraps_of_yaml_load_or_are_refused(text: str) -> None:
    load_all(text.encode())


@given(trees | heads)
@quick
def test_random_trees_load_or_are_refused(tree: Any) -> None:
    load_all(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@given(st.lists(trees, max_size=4))
@quick
def test_random_json_lines_load_or_are_refused(rows: list[Any]) -> None:
    raw = "\n".join(json.dumps(row) for row in rows).encode()
    in_folder("s.jsonl", raw, read_flat_scores)
    head = 'evalset: e\nowner: x\ntarget: replay\nscorers: [exact]\ninclude: ["c.jsonl"]\n'

    def load(path: Path) -> None:
        (path.parent / "c.jsonl").write_bytes(raw)
        load_evalset(path, root=path.parent)

    in_folder("e.eval.yaml", head.encode(), load)


@given(st.binary(max_size=200) | scraps.map(str.encode), st.lists(st.text(max_size=20), max_size=3))
@quick
def test_a_line_is_found_or_guessed_in_any_file(raw: bytes, wanted: list[str]) -> None:
    lines = lines_in(raw, wanted)
    assert all(lines.line(where) >= 1 for where in [*wanted, ""])
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.yaml", "a.jsonl"):
            path = Path(folder) / name
            path.write_bytes(raw)
            assert line_of(path, wanted[0] if wanted else "cases[0]") >= 1


# YAML has no keys longer than 1,024 characters without a question mark before them.
json_trees = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**300), 10**300),
        st.text(),
        st.floats().filter(math.isfinite),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=50), inner, max_size=4),
    max_leaves=20,
)


@given(json_trees)
@quick
def test_json_read_as_yaml_comes_back_as_it_was(tree: Any) -> None:
    """JSON is YAML 1.2: what a program wrote means the same to us, number by number."""
    raw = json.dumps(tree, ensure_ascii=True).encode()
    if b"\\ud" in raw:
        return  # YAML spells characters beyond the first plane otherwise
    assert parse_yaml(raw, file="x").data == tree


@given(st.text(), st.integers(3, 60))
@quick
def test_text_shown_on_one_line_is_one_line_and_no_longer_than_asked(text: str, limit: int) -> None:
    for shown in (one_line(text, limit), log_line(text, limit)):
        assert len(shown) <= limit
        assert shown.isprintable()
    logged = log_line(text, limit)
    assert "##[" not in logged
    assert not logged.lstrip().startswith("::")
