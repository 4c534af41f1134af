"""Text of others, made safe: one line or many, nothing unseen, everything legible kept."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pytest_aioncall.adapters.text import did_you_mean, many_lines, one_line

anything = st.text(alphabet=st.characters(), max_size=300)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(anything, st.integers(0, 200))
def test_one_line_is_one_line_within_its_limit_with_nothing_unseen(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert not [c for c in line if unicodedata.category(c) in UNSEEN]


@given(anything)
def test_many_lines_keeps_line_ends_and_tabs_only(text: str) -> None:
    shown = many_lines(text)
    assert not [c for c in shown if unicodedata.category(c) in UNSEEN and c not in "\n\t"]
    shown.encode("utf-8")


def test_what_a_person_can_read_is_left_alone() -> None:
    legible = ("Gr\u00fc\u00dfe, \u00e7a va?", "\u65e5\u672c\u8a9e", "\u05e9\u05dc\u05d5\u05dd", "\U0001f600")
    for text in ("refund-late", *legible):
        assert one_line(text) == text == many_lines(text)


def test_escapes_show_what_was_there() -> None:
    assert one_line("a\x1b[31mb\r\nc\td") == "a\\x1b[31mb\\r\\nc\\td"
    assert one_line("\u202egnp.exe\u200b\ufeff\U000e0041") == "\\u202egnp.exe\\u200b\\ufeff\\U000e0041"
    assert one_line("a\u3164b\u00a0c") == "a\\u3164b c"
    assert many_lines("a\r\nb\x07\ud800") == "a\nb\\x07\\ud800"


def test_a_cut_says_so() -> None:
    assert one_line("x" * 200, 10) == "xxxxxxx..."
    assert one_line("x" * 10, 10) == "x" * 10


def test_the_nearest_known_word_is_offered_and_nothing_far() -> None:
    known = ["contains", "exact", "regex"]
    assert did_you_mean("contians", known) == "contains"
    assert did_you_mean("Exact", known) == "exact"
    assert did_you_mean("zzz", known) is None
    assert did_you_mean("x", []) is None
