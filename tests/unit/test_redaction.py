"""Secrets are taken out of what is stored; personal data is found before it is committed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_aioncall.adapters.redaction import Redactor, find_personal_data, find_secrets
from pytest_aioncall.errors import UsageError

# Put together here, so that nobody's scanner takes this file for a leak.
SECRETS = {
    "api-key": [
        "sk-" + "proj-abcDEF0123456789abcdEF",
        "sk-" + "ant-api03-" + "a1b2c3d4e5f6g7h8i9j0",
        "gsk_" + "a1" * 20,
    ],
    "stripe-key": ["sk_" + "live_" + "a1" * 12, "whsec_" + "a1" * 16],
    "aws-key": ["AKIA" + "ABCDEFGHIJKLMNOP"],
    "github-token": ["ghp_" + "a1B2" * 9, "github_" + "pat_" + "a1" * 30],
    "gitlab-token": ["glpat-" + "a1" * 12],
    "slack-token": ["xoxb-" + "1234567890-abcdef"],
    "google-key": ["AIza" + "a1B2c" * 7],
    "huggingface-token": ["hf_" + "aB" * 17],
    "sendgrid-key": ["SG." + "a" * 22 + "." + "b" * 43],
    "jwt": ["eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxIn0" + ".c2lnbmF0dXJl"],
    "private-key": ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"],
}
EACH = [(kind, secret) for kind, secrets in SECRETS.items() for secret in secrets]


@pytest.mark.parametrize(("kind", "secret"), EACH)
def test_keys_of_the_usual_vendors_become_a_stable_placeholder(kind: str, secret: str) -> None:
    assert Redactor().text(f"before {secret} after") == f"before [REDACTED:{kind}] after"
    assert [found.kind for found in find_secrets(f"before {secret} after")] == [kind]


def test_a_private_key_that_was_cut_off_goes_to_the_end() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nMIIE\nabc"
    assert Redactor().text(f"x {text}") == "x [REDACTED:private-key]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer " + "a1" * 12, "Authorization: Bearer [REDACTED:bearer-token]"),
        ("postgres://joe:s3cret@db/x", "postgres://[REDACTED:url-password]@db/x"),
        ('{"api_key": "' + "a1" * 10 + '"}', '{"api_key": "[REDACTED:api-key]"}'),
        ("API-KEY=" + "a1" * 10 + "&x=1", "API-KEY=[REDACTED:api-key]&x=1"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "scikit-learn is sk-learn-contrib-imbalanced-learn",
        "Bearer authentication is described below",
        "the secret of a good token is the key",
        "mail joe@example.com, see https://example.com/a:b",
        "api_key: your-key-goes-right-here",
        "eyJ is how a token begins",
    ],
)
def test_ordinary_text_is_left_alone_and_is_the_same_object(text: str) -> None:
    assert Redactor(["0123456789"], ["ACME-[0-9]{6}"]).text(text) is text


def test_known_values_are_taken_out_longest_first_and_short_ones_are_not_looked_for() -> None:
    redactor = Redactor(["hunter2-long", "hunter2", "on", ""])
    assert redactor.text("hunter2-long on hunter2") == "[REDACTED:secret] on [REDACTED:secret]"


def test_own_patterns_come_on_top() -> None:
    assert Redactor([], [r"ACME-\d{6}"]).text("ACME-123456!") == "[REDACTED:pattern]!"


@pytest.mark.parametrize(
    ("pattern", "message"), [("(", "not a regular expression"), ("a*", "matches the empty text")]
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Redactor([], [pattern])


def test_json_is_redacted_in_keys_values_and_fields_whose_name_says_it() -> None:
    secret = SECRETS["github-token"][0]
    found = Redactor().json(
        {"a": [f"x {secret}", 1, None], "Authorization": "anything", "password": "", secret: {"api-key": "k"}}
    )
    assert found == {
        "a": ["x [REDACTED:github-token]", 1, None],
        "Authorization": "[REDACTED:field]",
        "password": "",
        "[REDACTED:github-token]": {"api-key": "[REDACTED:field]"},
    }


def test_json_without_a_secret_is_the_same_object() -> None:
    value = {"a": ["b", {"c": 1.5}], "password": {"type": "string"}}
    assert Redactor().json(value) is value


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_of_any_shape_is_redacted_once_and_for_all(value: object) -> None:
    redactor = Redactor(["0000000"], ["zz+"])
    once = redactor.json(value)
    assert redactor.json(once) == once


PERSONAL = [
    ("email", "write to jane.doe+x@firma.de now"),
    ("phone number", "call +49 30 901820 today"),
    ("phone number", "call (212) 664-7665"),
    ("IBAN", "pay to DE89 3704 0044 0532 0130 00"),
    ("IBAN", "GB82WEST12345698765432"),
    ("credit card number", "card 4111 1111 1111 1111"),
    ("credit card number", "card 5500-0055-5555-5559."),
    ("IP address", "from 8.8.8.8"),
    ("IP address", "from 2001:4860:4860::8888"),
]


@pytest.mark.parametrize(("kind", "text"), PERSONAL)
def test_personal_data_is_found(kind: str, text: str) -> None:
    (found,) = find_personal_data(text)
    assert found.kind == kind
    assert kind in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "write to help@example.com or x@sub.example.org or a@b.test",
        "call 212-555-0123",
        "DE88 3704 0044 0532 0130 00 fails its check",
        "4111 1111 1111 1112 fails its check",
        "order 1234567890123",
        "from 127.0.0.1, 10.1.2.3, 192.168.1.1, 203.0.113.7, ::1, fe80::1",
        "version 1.2.3.4.5 of 2026-11-21T12:30:45",
        "pi is 3.14159265358979",
        "@mention and a@b",
    ],
)
def test_what_only_looks_like_it_is_passed_over(text: str) -> None:
    assert find_personal_data(text) == []


def test_of_two_that_overlap_one_is_told_and_all_are_in_order() -> None:
    found = find_personal_data("a@firma.de then 4111111111111111 then b@firma.de")
    assert [one.kind for one in found] == ["email", "credit card number", "email"]
    assert [one.start for one in found] == sorted(one.start for one in found)


@pytest.mark.parametrize(
    "text",
    [
        word * 50_000
        for word in (
            "sk-", "eyJ-", "SG.", "a@", "api_key ", "1 ", "://", "-----BEGIN PRIVATE KEY-----", "Bearer ",
            "+1 ", "a.a@", ":", "AB12 ", "1.1.", "xoxb-", "://a:",
        )
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion_to_its_length(text: str) -> None:
    """Quadratic patterns would need minutes for these; the bound is far above what a slow machine needs."""
    started = time.process_time()
    Redactor().text(text)
    find_secrets(text)
    find_personal_data(text)
    assert time.process_time() - started < 20


@pytest.mark.parametrize("ending", ["", "...", "...; check the key"])
@pytest.mark.parametrize("kept", [8, 15, 27])
def test_a_secret_that_a_cut_message_holds_a_part_of_is_taken_out(ending: str, kept: int) -> None:
    secret = "plainWordsNobodyWouldSuspect"
    assert Redactor([secret]).text(f"key {secret[:kept]}{ending}") == f"key [REDACTED:secret]{ending}"


def test_the_beginning_of_a_secret_inside_a_text_is_left_alone() -> None:
    text = "plainWords are no secret, plainWordsNo neither"
    assert Redactor(["plainWordsNobodyWouldSuspect"]).text(text) == text


def test_a_key_that_a_quoted_answer_was_cut_in_is_taken_out() -> None:
    assert Redactor().text("got 'AKIAQWERTYUIOPA...'") == "got '[REDACTED:cut-key]...'"
    assert Redactor().text("write sk-... there") == "write sk-... there"
