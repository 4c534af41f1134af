"""The word-level difference keeps both texts whole and its work bounded."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from pytest_aioncall.adapters.render.diffs import Run, Work, side_by_side


def joined(runs: tuple[Run, ...]) -> str:
    return "".join(text for _, text in runs)


def kept(runs: tuple[Run, ...]) -> str:
    return "".join(text for changed, text in runs if not changed)


texts = st.lists(st.sampled_from(["a", "bb", " ", "\n", ".", "die", "\u00fc"]), max_size=40).map("".join)


@given(texts, texts)
def test_both_sides_spell_their_whole_text_and_agree_on_what_was_kept(was: str, now: str) -> None:
    sides = side_by_side(was, now, Work())
    assert joined(sides.was) == was
    assert joined(sides.now) == now
    if not sides.rewritten:
        assert kept(sides.was) == kept(sides.now)
    assert sides.same == (was == now)
    for runs in (sides.was, sides.now):
        assert all(one[0] != other[0] for one, other in itertools.pairwise(runs))


def test_changed_words_are_marked_as_one_run_with_the_space_between() -> None:
    sides = side_by_side("the red fox runs home today", "the blue dog runs home today", Work())
    assert sides.was == ((0, "the "), (1, "red fox"), (0, " runs home today"))
    assert sides.now == ((0, "the "), (1, "blue dog"), (0, " runs home today"))


def test_texts_with_little_in_common_are_shown_unmarked() -> None:
    sides = side_by_side("alpha beta gamma delta epsilon", "one two three four five six", Work())
    assert sides.rewritten
    assert sides.was == ((0, "alpha beta gamma delta epsilon"),)


def test_long_texts_fall_back_to_lines_and_very_long_ones_to_no_marks() -> None:
    generator = random.Random(7)
    lines = [" ".join(str(generator.randrange(50)) for _ in range(30)) + "\n" for _ in range(60)]
    other = [*lines[:10], "changed\n", *lines[11:40], "changed too\n", *lines[41:]]
    sides = side_by_side("".join(lines), "".join(other), Work())
    assert not sides.rewritten
    assert [text for changed, text in sides.now if changed] == ["changed\n", "changed too\n"]
    noise = "".join(f"{generator.random()}\n" for _ in range(2_000))
    assert side_by_side(noise, noise[::-1], Work()).rewritten


def test_the_work_of_a_page_is_counted_and_ends() -> None:
    work = Work(left=100)
    assert not side_by_side("a b c d e f", "a b x d y f", work).rewritten
    assert work.left < 100
    work.left = 0
    sides = side_by_side("a b c d e f", "a b x d y f", work)
    assert sides.rewritten
    assert joined(sides.now) == "a b x d y f"
