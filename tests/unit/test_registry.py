"""Pieces by name: what YAML may say, and the plain words for what it may not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters import registry
from pytest_aioncall.adapters.imports import load_object, source_digest
from pytest_aioncall.adapters.registry import PieceError, build_scorer, build_target, piece_names
from pytest_aioncall.errors import UsageError
from pytest_aioncall.model.evalset import Case, ScorerSpec, TargetSpec
from pytest_aioncall.model.sample import Output, Score
from pytest_aioncall.protocols import PieceContext, ScorerTraits
from pytest_aioncall.testing import make_scorer, piece_context, score_once


class Always:
    """A scorer made by a factory of a user's own."""

    def __init__(self, value: float = 1.0, *, traits: Any = None) -> None:
        self.value = value
        self.traits = traits or ScorerTraits()

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score:
        return Score(scorer="", value=self.value)


def polite(words: list[str], *, at_least: int = 1, strict: bool = False, context: PieceContext) -> Always:
    assert context.evalset == "under-test"
    return Always(len(words) / 10)


def weighing(weights: Mapping[str, float], *, scale: float = 1.0) -> Always:
    return Always(sum(weights.values()) * scale)


def pair(ends: tuple[int, int]) -> Always:
    assert isinstance(ends, tuple)
    return Always(1.0)


def bare() -> bool:
    return True


def badly_typed_traits() -> Always:
    return Always(traits={"scale": (0, 1)})


def upside_down() -> Always:
    return Always(traits=ScorerTraits(scale=(1.0, 0.0)))


def crashing() -> Always:
    raise KeyError("no such thing")


def open_ended(**anything: Any) -> Always:
    return Always(float(len(anything)))


ready = Always(0.25)
a_number = 7
HERE = __name__


def error_of(written: Any) -> str:
    with pytest.raises(PieceError) as caught:
        make_scorer(written)
    assert caught.value.where == "scorers[0]"
    assert "\n" not in str(caught.value)
    return caught.value.message


# --- names --------------------------------------------------------------------------------------------------


def test_our_own_scorers_are_entry_points_like_anybody_elses() -> None:
    assert {"exact", "contains", "judge", "python", "tool_calls"} <= set(piece_names("scorers"))
    assert {"python", "http", "chat", "command", "replay"} <= set(piece_names("targets"))


def test_an_unknown_scorer_names_the_nearest_and_the_installed_ones() -> None:
    told = error_of({"contians": "x"})
    assert told.startswith("unknown scorer 'contians'; did you mean 'contains'? Installed: ")
    assert "json_valid" in told


def test_an_unknown_name_without_a_near_one_says_how_to_name_ones_own() -> None:
    assert "package.module:name" in error_of({"zzzzzz": "x"})


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(PieceError, match=r"target: unknown target 'comand'; did you mean 'command'\?"):
        build_target(TargetSpec(kind="comand"), piece_context())


def test_a_hostile_name_stays_on_one_line() -> None:
    with pytest.raises(PieceError) as caught:
        build_target(TargetSpec(kind="a\n\x1b[31m"), piece_context())
    assert caught.value.message.isprintable()


# --- arguments ----------------------------------------------------------------------------------------------


def test_a_plain_argument_fills_the_first_parameter() -> None:
    scorer = make_scorer({f"{HERE}:polite": ["please", "thanks"]})
    assert score_once(scorer, Case(id="c", input=""), "x").value == 0.2


def test_options_fill_parameters_by_name_and_the_context_is_filled_in() -> None:
    scorer = make_scorer({f"{HERE}:polite": {"words": ["please"], "at_least": 2}})
    assert score_once(scorer, Case(id="c", input=""), "x").value == 0.1


def test_yaml_cannot_set_the_context() -> None:
    told = error_of({f"{HERE}:polite": {"words": ["x"], "context": {}}})
    assert "unknown option 'context'" in told


def test_an_unknown_option_names_the_nearest_and_all() -> None:
    told = error_of({"exact": {"ignore_cas": True, "field": "a"}})
    assert "unknown option 'ignore_cas'; did you mean 'ignore_case'? it takes expected, ignore_case" in told


def test_a_missing_argument_is_named() -> None:
    assert error_of("latency_max") == "latency_max: needs seconds; it takes seconds"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"latency_max": "3"}, 'seconds: expected a number, got "3"'),
        ({"latency_max": True}, "seconds: expected a number, got true"),
        ({"exact": {"ignore_case": 1}}, "ignore_case: expected true or false, got 1"),
        ({"exact": {"ignore_case": "yes"}}, 'ignore_case: expected true or false, got "yes"'),
        ({"length": {"max": 1.5}}, "max: expected a whole number, got 1.5"),
        ({"length": {"max": "9"}}, 'max: expected a whole number, got "9"'),
        ({"length": {"max": 9, "unit": "pages"}}, "unit: expected 'characters', 'words' or 'lines'"),
        ({"contains": 1.5}, "put it in quotes"),
        ({f"{HERE}:polite": "please"}, 'words: expected a list, got "please"'),
        ({f"{HERE}:polite": ["a", 2]}, "words: expected text at item 2"),
    ],
)
def test_a_value_of_another_type_is_refused_and_never_converted(written: Any, told: str) -> None:
    assert told in error_of(written)


def test_whole_numbers_are_numbers_and_lists_are_tuples() -> None:
    """What YAML cannot write in another way is not refused for its spelling."""
    make_scorer({"latency_max": 3})
    make_scorer({f"{HERE}:pair": [1, 5]})


def test_an_empty_value_after_the_colon_is_not_taken_for_no_argument() -> None:
    assert "the value after the colon is empty" in error_of({"contains": None})


def test_null_is_a_value_where_the_scorer_compares_with_anything() -> None:
    scorer = make_scorer({"exact": None})
    assert score_once(scorer, Case(id="c", input=""), "null").passed is True


def test_a_mapping_of_no_known_options_is_the_argument_itself() -> None:
    """`json_schema: {type: object}` is a schema, `exact: {route: billing}` an expected value."""
    make_scorer({"json_schema": {"type": "object"}})
    assert score_once(
        make_scorer({f"{HERE}:weighing": {"a": 0.25, "b": 0.25}}), Case(id="c", input=""), "x"
    ).value == pytest.approx(0.5)
    expecting_a_mapping = make_scorer({"exact": {"route": "billing"}})
    assert score_once(expecting_a_mapping, Case(id="c", input=""), '{"route": "billing"}').passed is True


def test_a_typo_beside_a_known_option_is_not_swallowed_as_data() -> None:
    assert "unknown option 'fens'" in error_of({"json_schema": {"schema": {"type": "object"}, "fens": True}})


def test_a_typo_alone_is_not_swallowed_where_anything_could_be_expected() -> None:
    assert "unknown option 'expcted'" in error_of({"exact": {"expcted": "x"}})


def test_a_factory_without_options_says_so() -> None:
    assert (
        error_of({f"{HERE}:crashing": 1}) == f"{HERE}:crashing: takes no plain argument; it takes no options"
    )


def test_a_factory_with_open_options_takes_them_all() -> None:
    scorer = make_scorer({f"{HERE}:open_ended": {"a": 1, "b": 2}})
    assert score_once(scorer, Case(id="c", input=""), "x").value == 2.0


# --- import strings -----------------------------------------------------------------------------------------


def test_a_scorer_already_made_is_taken_as_it_is_and_takes_no_options() -> None:
    assert score_once(make_scorer(f"{HERE}:ready"), Case(id="c", input=""), "x").value == 0.25
    assert "already made and takes no options" in error_of({f"{HERE}:ready": 1})


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (f"{HERE}:bare", "returned a bool, which has no score method; to score by a function, write python:"),
        (f"{HERE}:a_number", "is a int, not a factory"),
        (f"{HERE}:badly_typed_traits", "its traits are a dict, not ScorerTraits"),
        (f"{HERE}:upside_down", "its scale 1.0 to 0.0 is no range"),
        (f"{HERE}:crashing", "its factory raised KeyError: 'no such thing' ("),
        (f"{HERE}:polit", f"{HERE} has no 'polit' for the scorer; did you mean 'polite'?"),
        ("no_such_package.evals:x", "no module named 'no_such_package' for the scorer (of 'no_such_package."),
    ],
)
def test_what_an_import_string_can_get_wrong_is_told_apart(written: str, told: str) -> None:
    assert told in error_of(written)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_that_raises_names_its_exception_and_line(project: Path) -> None:
    (project / "raising_evals.py").write_text("x = 1\ny = {}['route']\n")
    with pytest.raises(UsageError) as caught:
        load_object("raising_evals:x", what="scorer")
    assert "importing raising_evals for the scorer failed: KeyError: 'route'" in str(caught.value)
    assert "raising_evals.py:2)" in str(caught.value)


def test_a_library_missing_inside_the_module_is_not_the_module_missing(project: Path) -> None:
    """The user's module is there; what it imports is not. Two different things to do."""
    (project / "leaning_evals.py").write_text("import no_such_library_at_all\n")
    with pytest.raises(UsageError, match=r"importing leaning_evals .* ModuleNotFoundError.*no_such_library"):
        load_object("leaning_evals:x", what="scorer")


def test_a_syntax_error_names_its_line(project: Path) -> None:
    (project / "broken_evals.py").write_text("def f(:\n    pass\n")
    with pytest.raises(UsageError, match=r"SyntaxError: .*broken_evals\.py:1\)"):
        load_object("broken_evals:f", what="target")


def test_a_module_that_exits_does_not_end_the_run(project: Path) -> None:
    (project / "exiting_evals.py").write_text("raise SystemExit(0)\n")
    with pytest.raises(UsageError, match=r"importing exiting_evals for the target failed: SystemExit"):
        load_object("exiting_evals:f", what="target")


@pytest.mark.parametrize("path", ["json", "json:", ":loads", "json.loads", "json:loads()", "os; x:y", ""])
def test_what_is_no_import_string_is_refused_before_any_import(path: str) -> None:
    with pytest.raises(UsageError, match=r"no import string; write package\.module:name"):
        load_object(path, what="scorer")


def test_a_dotted_attribute_is_walked() -> None:
    assert load_object("pathlib:Path.cwd") == Path.cwd


# --- hashes -------------------------------------------------------------------------------------------------


def hash_of(written: Any) -> str:
    return make_scorer(written).hash


def test_a_hash_stands_for_kind_and_arguments_and_not_for_the_name() -> None:
    assert hash_of({"contains": "a"}) == hash_of({"contains": "a"})
    assert hash_of({"contains": "a"}) != hash_of({"contains": "b"})
    assert hash_of({"contains": "a"}) != hash_of({"not_contains": "a"})
    named = build_scorer(ScorerSpec(kind="contains", name="other", has_arg=True, arg="a"), piece_context())
    assert named.name == "other"
    assert named.hash == hash_of({"contains": "a"})


def test_a_changed_source_changes_the_hash_of_own_code(project: Path) -> None:
    """A baseline scored by other code is another instrument, though its name is the same."""
    hashes = set()
    for version, limit in enumerate([10, 20]):
        name = f"own_evals_{version}"
        (project / f"{name}.py").write_text(f"def is_short(text):\n    return len(text) < {limit}\n")
        load_object(f"{name}:is_short")
        sys.modules["own_evals"] = sys.modules[name]
        hashes.add(hash_of({"python": "own_evals:is_short"}))
    assert len(hashes) == 2


def test_a_source_digest_ignores_where_the_code_stands() -> None:
    def inner(text: str) -> bool:
        return bool(text)

    assert source_digest(inner) is not None
    assert source_digest(Always(1.0)) == source_digest(Always)
    assert source_digest(len) is None


# --- packages of others -------------------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points as if packages were installed."""
    entries: list[EntryPoint] = []
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [entry for entry in entries if entry.group == group]
    )
    registry._installed.cache_clear()
    yield entries
    registry._installed.cache_clear()


def scorer_entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "aioncall.scorers")


def test_a_package_of_others_is_found_by_its_name(installed: list[EntryPoint]) -> None:
    installed.append(scorer_entry("x_polite", f"{HERE}:polite"))
    assert piece_names("scorers") == ["x_polite"]
    assert make_scorer({"x_polite": ["a"]}).kind == "x_polite"


def test_a_broken_package_of_others_is_named_with_its_exception(
    installed: list[EntryPoint], project: Path
) -> None:
    (project / "acme_evals.py").write_text("import no_such_library_at_all\n")
    installed.append(scorer_entry("acme", "acme_evals:acme"))
    told = error_of("acme")
    assert "scorer 'acme' of a package (acme_evals:acme) does not load: ModuleNotFoundError" in told


def test_one_name_in_two_packages_is_not_decided_by_chance(installed: list[EntryPoint]) -> None:
    installed += [scorer_entry("exact", f"{HERE}:polite"), scorer_entry("exact", f"{HERE}:pair")]
    assert "name the one you mean as package.module:name" in error_of("exact")


def test_the_same_entry_found_twice_is_one(installed: list[EntryPoint]) -> None:
    installed += [scorer_entry("x", f"{HERE}:pair")] * 2
    assert make_scorer({"x": [1, 2]}).kind == "x"


def test_no_entry_points_at_all_says_what_to_do(installed: list[EntryPoint]) -> None:
    assert "reinstall pytest-aioncall" in error_of("exact")


@pytest.mark.parametrize(
    ("written", "module", "package"),
    [
        ({"levenshtein": "x"}, "rapidfuzz", "rapidfuzz"),
        ({"rouge_l": "x"}, "rouge_score", "rouge-score"),
        ({"json_schema": {"type": "object"}}, "jsonschema", "jsonschema"),
        ({"json_path": "$.a"}, "jsonpath", "python-jsonpath"),
    ],
)
def test_a_missing_library_names_the_command_that_installs_it(
    written: Any, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [m for m in sys.modules if m == module or m.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    told = error_of(written)
    assert (
        f'needs the library {package}, which is not installed: pip install "pytest-aioncall[scorers]"' in told
    )
