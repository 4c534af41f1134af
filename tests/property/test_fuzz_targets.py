"""The promises of every reader, on the inputs that are kept, and on changes of them: without atheris."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import __main__ as command
from fuzz import mutations, oracle
from fuzz.readers import CUT, READERS, Reader, scratch
from pytest_aioncall.errors import LoadError, Problem

FUZZ = Path(__file__).parents[2] / "fuzz"
KEPT = sorted(path for kind in ("seeds", "found") for path in (FUZZ / kind).glob("*/*"))
BY_READER = {name: [path for path in KEPT if path.parent.name == name] for name in READERS}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: "-".join(path.parts[-3:]))
def test_every_input_that_is_kept_is_read_or_refused_as_promised(path: Path) -> None:
    """What once broke a promise stands in fuzz/found, and does not break it again."""
    oracle.run_within(READERS[path.parent.name].run, path.read_bytes(), cpu_s=5 * oracle.CPU_S)


@pytest.mark.parametrize("name", READERS)
def test_every_target_has_inputs_words_and_a_place_in_the_table(name: str) -> None:
    assert BY_READER[name], "a target without a seed starts from nothing"
    assert mutations.WORDS[name]
    assert name in command.NAMES
    assert len(command.NAMES) == len(READERS)


@pytest.mark.parametrize("name", READERS)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_changed_inputs_are_read_or_refused_as_promised(name: str, data: st.DataObject) -> None:
    """The same changes as the fuzzer's, one to four of them, from the inputs that are kept."""
    reader = READERS[name]
    raw = data.draw(st.sampled_from(BY_READER[name])).read_bytes()
    for seed in data.draw(st.lists(st.integers(0, 2**32), min_size=1, max_size=4)):
        rng = random.Random(seed)
        raw = mutations.mutated(raw, rng=rng, name=reader.name, syntax=reader.syntax)[:4096]
    oracle.run_within(reader.run, raw, cpu_s=5 * oracle.CPU_S)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(raw=st.binary(max_size=64) | st.lists(st.binary(max_size=32), max_size=3).map(CUT.join))
def test_any_bytes_are_read_or_refused_as_promised(name: str, raw: bytes) -> None:
    oracle.run_within(READERS[name].run, raw, cpu_s=5 * oracle.CPU_S)


class TestTheOracle:
    """A fuzzer that can find nothing finds nothing."""

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (LoadError([]), "without a problem"),
            (LoadError([Problem("e.yaml", 1, "", "two\nlines")]), "nobody sees"),
            (LoadError([Problem("e.yaml", 1, "", "x" * 2000)]), "characters"),
            (LoadError([Problem("other", 1, "", "is wrong")]), "of no file"),
            (LoadError([Problem("e.yaml", n, "", "is wrong") for n in range(300)]), "300 problems"),
        ],
    )
    def test_a_refusal_that_is_told_badly_is_a_finding(self, error: LoadError, said: str) -> None:
        with pytest.raises(oracle.BrokenPromise, match=said), oracle.refusals(files=("e.yaml",)):
            raise error

    def test_an_error_that_is_not_ours_is_a_finding(self) -> None:
        with pytest.raises(KeyError), oracle.refusals():
            raise KeyError

    def test_a_reader_that_does_not_end_is_stopped_by_its_own_cpu_time(self) -> None:
        def endless(_: bytes) -> None:
            while True:
                try:
                    sum(range(1000))
                except Exception:  # noqa: BLE001 - what a reader may do is no way around the oracle
                    continue

        with pytest.raises(oracle.BrokenPromise, match="was stopped"):
            oracle.run_within(endless, b"", cpu_s=0.02)

    def test_a_reader_that_is_slow_is_a_finding(self) -> None:
        with pytest.raises(oracle.BrokenPromise, match="of CPU for 1 bytes"):
            oracle.run_within(lambda _: [sum(range(1000)) for _ in range(4000)], b"x", cpu_s=0.01)

    def test_a_broken_reader_is_found_by_its_seeds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A reader that takes half a character for text is caught by what is kept."""
        monkeypatch.setattr("pytest_aioncall.adapters.baseline_store.read_json", json.loads)
        reader: Reader = READERS["baseline"]
        found = FUZZ / "found" / "baseline" / "half-a-character-in-the-header"
        with pytest.raises(UnicodeEncodeError):
            oracle.run_within(reader.run, found.read_bytes(), cpu_s=60)


class TestTheCommand:
    """`python -m fuzz` tells what it did, and what it did not do."""

    def test_a_machine_without_atheris_skips_it_visibly(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.argv", ["fuzz", "--quick"])
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        assert command.main() == 0
        assert "fuzz: SKIPPED: atheris is not installed" in capsys.readouterr().out

    def test_an_unknown_target_is_refused_by_name(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.argv", ["fuzz", "evalsets"])
        with pytest.raises(SystemExit) as ended:
            command.main()
        assert ended.value.code == 2
        assert "no such target: evalsets" in capsys.readouterr().err

    def test_a_broken_promise_ends_it_red_and_names_the_input(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        def searched(target: str, *, seconds: int, seed: int | None) -> command.Outcome:
            folder = tmp_path / "findings" / target
            folder.mkdir(parents=True)
            (folder / "abc.txt").write_text("ValueError at load.py:7\n\n", encoding="utf-8")
            return command.Outcome(target, 1_000, 10, 30, 5, ("abc",))

        monkeypatch.setattr("sys.argv", ["fuzz", "yaml"])
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
        monkeypatch.setattr(command, "search", searched)
        monkeypatch.setattr(command, "FOLDER", tmp_path)
        monkeypatch.setattr(command, "ROOT", tmp_path)
        assert command.main() == 1
        said = capsys.readouterr().out
        assert "yaml" in said
        assert "1,000" in said
        assert "+20" in said
        assert "yaml: ValueError at load.py:7" in said


def test_scratch_folders_are_of_this_process_alone() -> None:
    assert scratch().is_dir()
    assert scratch() == scratch()
