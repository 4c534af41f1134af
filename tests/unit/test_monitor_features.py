"""Features of free text and templates of error text: what they tell apart, and that nothing breaks them."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile_corpus import HOSTILE
from pytest_aioncall.decide.monitor.error_texts import (
    LONGEST,
    MOST_TEMPLATES,
    OTHER,
    is_one_kind,
    masked,
    templates_of,
)
from pytest_aioncall.decide.monitor.features import features_of

NAMES = {"length", "refusal", "language", "citations", "format"}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("", "length", "empty"),
        ("", "format", "empty"),
        ("a" * 40, "length", "1-40"),
        ("a" * 41, "length", "41-160"),
        ("a" * 100_000, "length", "over 2560"),
        ("I'm sorry, but I can\u2019t help with that.", "refusal", "yes"),
        ("I cannot share this.", "refusal", "yes"),
        ("Es tut mir leid, aber das geht nicht.", "refusal", "yes"),
        ("You can reset it in the settings. " * 12 + "I cannot say more.", "refusal", "no"),
        ("The answer is in the manual for this model.", "language", "en"),
        ("Die Antwort ist nicht in dem Handbuch, und das ist gut.", "language", "de"),
        ("La r\u00e9ponse est dans le manuel et les notes.", "language", "fr"),
        ("\u3053\u3093\u306b\u3061\u306f\u4e16\u754c", "language", "ja"),
        ("\u4f60\u597d\u4e16\u754c", "language", "zh"),
        ("\u041f\u0440\u0438\u0432\u0435\u0442", "language", "cyrillic"),
        ("12 345", "language", "none"),
        ("Xyzzy plugh.", "language", "unknown"),
        ("As written in [doc-17].", "citations", "yes"),
        ("See https://example.com/a.", "citations", "yes"),
        ("- [x] done\n- [ ] open", "citations", "no"),
        ('{"values": [1, 2, 3]}', "citations", "no"),
        ('{"values": [1, 2, 3]}', "format", "json"),
        ("[not json", "format", "prose"),
        ("Look:\n```py\nprint(1)\n```", "format", "code"),
        ("- one\n- two\n- three", "format", "list"),
        ("1. one\n2. two", "format", "list"),
        ("One sentence - and a dash.", "format", "prose"),
        ('{"a": "' + "b" * 30_000, "format", "json"),
    ],
)
def test_a_feature_tells_what_it_is_for(text: str, name: str, expected: str) -> None:
    assert features_of(text)[name] == expected


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_has_every_feature_and_a_short_printable_template(text: str) -> None:
    assert set(features_of(text)) == NAMES
    assert masked(text).isprintable() and len(masked(text)) <= LONGEST


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_has_every_feature_and_a_template(text: str) -> None:
    assert set(features_of(text)) == NAMES
    assert templates_of([("c", text)])[0].samples == 1


BOMBS = [
    "[",
    "[a,",
    "'",
    '"',
    "/a",
    "a@",
    "1",
    "1,",
    "- ",
    "{",
    "token ",
    "a1",
    "a-",
    "://a",
    "=",
    "0x",
    "\u0300",
]


@pytest.mark.parametrize("part", BOMBS)
def test_time_does_not_explode_with_the_text(part: str) -> None:
    """CPU time, and far from what a pattern that backtracks would take for 200,000 characters."""
    text = part * (200_000 // len(part))
    before = time.process_time()
    features_of(text)
    masked(text)
    templates_of([("c", text)] * 20)
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no answer within 60 s (4 attempts)", "no answer within <num> s (<num> attempts)"),
        ("HTTP 503: overloaded", "HTTP 503: overloaded"),
        ("401 Unauthorized", "401 Unauthorized"),
        ("took 503 ms", "took <num> ms"),
        ("id 123e4567-e89b-12d3-a456-426614174000 unknown", "id <uuid> unknown"),
        ("can't open '/etc/x' for bob", "can't open <text> for bob"),
        ("open /srv/app/main.py:33", "open <path>:<num>"),
        ("from 10.0.0.1:8080 at 2026-11-22T03:00:00Z", "from <ip> at <time>"),
        ("object 0xdeadbeef", "object <hex>"),
        ("see https://x.example/a?key=1", "see <url>"),
        ("mail bob@example.com", "mail <email>"),
        ("line\nbreak\x1b[m", "line break [m"),
    ],
)  # fmt: skip
def test_values_are_masked_and_words_stay(text: str, expected: str) -> None:
    assert masked(text) == expected


SECRETS = [
    "sk-abc123def456ghi789jkl", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123", "xoxb-123456789012-abcdefGHIJ",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around", ["invalid key {}", "Authorization: Bearer {}", "token={}", "api_key: '{}'", 'got "{}"', "({})"]
)
def test_no_secret_survives(secret: str, around: str) -> None:
    assert secret[8:] not in masked(around.format(secret))


def test_short_secrets_are_masked_by_their_name() -> None:
    for text in ("password=hunter2", "pwd: abc", "secret = x1"):
        assert masked(text).endswith("<secret>"), text


def test_errors_of_one_kind_are_one_template_in_any_order() -> None:
    errors = [
        ("c1", "timeout after 3 s on host alpha now"),
        ("c2", "timeout after 4 s on host beta now"),
        ("c2", "timeout after 5 s on host beta now"),
        ("c3", "connection refused"),
    ]
    found = templates_of(errors)
    assert [(one.template, one.samples, one.cases) for one in found] == [
        ("timeout after <num> s on host <*> now", 3, 2),
        ("connection refused", 1, 1),
    ]
    assert all(templates_of(order) == found for order in itertools.permutations(errors))


def test_the_number_of_templates_is_bounded_and_nothing_is_lost() -> None:
    words = ["alpha", "beta", "gamma", "delta", "kappa", "sigma", "omega", "theta"]
    errors = [
        (f"c{at}", f"{a} {b} {c} failed") for at, (a, b, c) in enumerate(itertools.permutations(words, 3))
    ]
    found = templates_of(errors)
    assert len(found) <= MOST_TEMPLATES + 1
    many = [(f"c{at}", "x" * at + " stopped") for at in range(1, 120)]
    found = templates_of(many)
    assert len(found) == MOST_TEMPLATES + 1 and found[-1].template == OTHER
    assert sum(one.samples for one in found) == 119 and found[-1].cases == 69


def test_templates_of_two_runs_are_matched_by_their_kind() -> None:
    assert is_one_kind("timeout on host alpha now", "timeout on host <*> now")
    assert not is_one_kind("timeout on host alpha now", "refused on host alpha now")
    assert not is_one_kind("timeout", "timeout now")
    assert templates_of([]) == ()
