"""The page of error rates is what the code simulates, and what other pages quote of it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulations.page import PAGE, page
from simulations.promises import Promise, promises
from simulations.quotes import FIGURE, MARK, WORDS, mended, pages, share_told
from simulations.results import load
from simulations.running import AGAIN, SEED
from simulations.scenarios import scenarios

ROOT = Path(__file__).parents[2]
STORED = load()
PAGES = list(pages())
# The handbook is what the demo's model reads, so its articles stay free of comments.
UNMARKED = [
    (
        ROOT / "docs" / "handbook" / "statistics.md",
        "With 45 rows and no correction four of five unchanged builds would fail",
        ("rows=45 r=3 auto unchanged", "rows", "no correction: red"),
        (0.75, 0.95),
    )
]


def test_the_page_is_made_from_the_stored_numbers() -> None:
    """Neither is edited by hand: `python -m simulations --render` writes the page again."""
    assert PAGE.read_text(encoding="utf-8") == page(STORED)


def test_the_stored_numbers_are_of_the_scenarios_that_exist() -> None:
    assert set(STORED.tallies) == set(scenarios())
    assert STORED.seed == SEED
    for name, tally in STORED.tallies.items():
        changes = scenarios()[name].changes(STORED.asked)
        assert tally.changes in (changes, AGAIN * changes), name
        known = {f"{m.name}: {label}" for m in scenarios()[name].methods for label in m.labels}
        assert set(tally.sums) <= known, name


def test_the_page_lists_every_cell_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")
    part = text.split("## What the gate promises", 1)[1].split("\n## ", 1)[0]
    listed = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| [^|]+ \| ([<>]=) ([\d.]+) \|", part, re.MULTILINE)
    signs = {"at most": "<=", "at least": ">="}
    expected = [
        (one.scenario, one.label.removeprefix("gate: "), signs[one.side], f"{100 * one.bound:g}")
        for one in promises()
    ]
    assert sorted(listed) == sorted(expected)
    assert len(expected) == len(set(expected))


@pytest.mark.parametrize("promise", promises(), ids=lambda one: one.name)
def test_every_promise_on_the_page_is_kept(promise: Promise) -> None:
    share = STORED.share(promise.scenario, promise.method, promise.label)
    assert promise.keeps(share.value, changes=share.changes, slack=2), f"{share.value:.3f}"
    assert share.changes >= 400


def test_the_grid_is_the_one_that_was_promised() -> None:
    """Both claims, both kinds of scores, every size and number of epochs, every neutral change."""
    silent = {one.scenario for one in promises() if one.side == "at most" and one.bound == 0.05}
    for kind in ("binary", "graded"):
        for cases in (50, 200, 1000):
            for epochs in (1, 3, 5):
                for what in ("unchanged", "edited", "documents move", "drop=1m"):
                    assert f"like {kind} n={cases} r={epochs} {what}" in silent
        for cases in (10, 20, 40):
            for epochs in (3, 5):
                for what in ("unchanged", "drop=1m"):
                    assert f"these {kind} n={cases} r={epochs} {what}" in silent
    found = {one.name: one.bound for one in promises() if one.side == "at least"}
    assert found["these binary n=10 r=5 broken=2 | gate: red"] == 0.89
    assert found["these binary n=10 r=3 broken=3 | gate: red"] == 0.94
    assert found["like binary n=200 r=3 drop=1m | gate: red"] == 0.94
    assert found["like graded n=200 r=1 drop=1m | gate: red"] == 0.87
    assert found["like graded n=200 r=3 drop=1m | gate: noticed"] == 0.99
    assert found["rows=45 r=3 auto slice dropped | rows: gate: found"] == 0.98
    wrong = {one.name: one.bound for one in promises() if one.bound == 0.06}
    assert wrong["rows=45 r=3 auto slice dropped | rows: gate: wrong"] == 0.06


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_quoted_number_is_the_one_on_the_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == mended(text, STORED)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_mark_is_read(path: Path) -> None:
    """A mark that is misspelt, or stands behind no figure, checks nothing."""
    text = path.read_text(encoding="utf-8")
    assert text.count(MARK) == len(FIGURE.findall(text)) + len(WORDS.findall(text))


def test_numbers_said_in_words_are_near() -> None:
    seen = [found for path in PAGES for found in WORDS.finditer(path.read_text(encoding="utf-8"))]
    assert seen
    for found in seen:
        assert float(found["low"]) <= share_told(found, STORED) <= float(found["high"]), found[0]
    for path, words, key, (low, high) in UNMARKED:
        assert words in path.read_text(encoding="utf-8")
        assert low <= STORED.share(*key).value <= high


def test_a_figure_is_mended_in_the_digits_that_it_has() -> None:
    key = "<!-- simulated: these binary n=10 r=3 broken=3, gate: red -->"
    share = STORED.share("these binary n=10 r=3 broken=3", "gate", "red").value
    assert mended(f"found in 12.3 %{key} of", STORED) == f"found in {100 * share:.1f} %{key} of"
    assert mended(f"| .123{key} |", STORED) == f"| {share:.3f}{key} |".replace("0.", ".")
    with pytest.raises(KeyError):
        mended(f"1 %{key.replace('red', 'rot')}", STORED)


def test_the_design_note_and_the_readme_quote_the_page() -> None:
    """The two pages that promise error rates are held to numbers, and to the page that has the rest."""
    for path in (ROOT / "README.md", ROOT / "docs" / "design" / "gate-statistics.md"):
        text = path.read_text(encoding="utf-8")
        assert "reference/error-rates.md" in text
        assert FIGURE.search(text)


def test_the_page_states_how_it_was_made() -> None:
    text = PAGE.read_text(encoding="utf-8").rpartition("## How the numbers are made")[2]
    for part in (STORED.date, str(STORED.seed), f"{STORED.asked:,}", STORED.versions["numpy"]):
        assert part in text
