"""Secrets are taken out of what is stored; personal data is found before it is committed."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_aioncall.adapters.redaction import Redactor, find_personal_data, find_secrets
from pytest_aioncall.adapters.redaction.patterns import FAMILIES
from pytest_aioncall.errors import UsageError
from pytest_aioncall.model.config import RedactRule

# Put together here, so that nobody's scanner takes this file for a leak.
SECRETS = {
    "api-key": [
        "sk-" + "proj-abcDEF0123456789abcdEF",
        "sk-" + "svcacct-" + "aB1_" * 30,
        "sk-" + "admin-" + "aB1-" * 20,
        "sk-" + "a1B2" * 6 + "T3BlbkFJ" + "c3D4" * 5,
        "sk-" + "ant-api03-" + "a1b2c3d4e5f6g7h8i9j0",
        "sk-" + "ant-oat01-" + "a1B2_c3-" * 11 + "AA",
        "sk-" + "or-v1-" + "0a" * 32,
        "sk-" + "lf-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
        "sk_" + "0a1b" * 12,
        "gsk_" + "a1" * 26,
        "pplx-" + "a1B2" * 12,
        "xai-" + "a1B2" * 20,
        "nvapi-" + "a1B2-_" * 10,
        "csk-" + "a1b2" * 12,
        "tvly-" + "dev-" + "a1B2" * 8,
        "r8_" + "a1B2" * 9 + "c",
        "fw_" + "a1B2" * 6,
        "pcsk_" + "a1B2_" * 14,
        "tgp_v1_" + "a1B2-" * 8,
        "lsv2_pt_" + "0a" * 16 + "_" + "0a" * 5,
        "bedrock-api-key-" + "YmVkcm9j" * 12,
    ],
    "stripe-key": ["sk_" + "live_" + "a1" * 12, "rk_" + "test_" + "a1B2" * 24, "whsec_" + "a1" * 16],
    "aws-key": [
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ASIA" + "ABCDEFGHIJKLMNO2",
        "ABSK" + "QmVkcm9ja0FQSUtleS" + "a1B2" * 24,
        "IQoJb3JpZ2lu" + "X2VjEa1/+" * 40,
        "FwoGZXIvYXdz" + "EBYaDA1/+" * 40,
    ],
    "azure-key": [
        "a1B2" * 13 + "JQQJ99BAACYeBjFX" + "AAABACOG" + "a1B2",
        "aB3" + "8Q~" + "a1B2.-_~" * 4,
    ],
    "github-token": [
        "ghp_" + "a1B2" * 9,
        "github_" + "pat_" + "a1" * 30,
        "ghs_" + "12345_eyJh" + "a1B2" * 30,
    ],
    "gitlab-token": ["glpat-" + "a1" * 12, "gldt-" + "a1B2_" * 5, "glpat-" + "a1B2" * 7 + ".01.0a1b2c3d4"],
    "slack-token": ["xoxb-" + "1234567890-abcdef", "xapp-" + "1-A1B2C3-456-abcdef"],
    "google-key": [
        "AIza" + "a1B2c" * 7,
        "ya29." + "a0AfH6S" * 10,
        "GOCSPX-" + "a1B2_-" * 5,
        "AQ." + "Ab8RN6" + "a1B2_-" * 8,
    ],
    "twilio-key": ["SK" + "0a1b" * 8],
    "huggingface-token": ["hf_" + "aB" * 17],
    "package-token": [
        "npm_" + "a1B2" * 9,
        "pypi-" + "AgEIcHlwaS5vcmc" + "a1B2-_" * 20,
        "dckr_" + "pat_" + "a1B2-_" * 5,
    ],
    "service-token": [
        "hvs." + "CAESI" + "a1B2_-" * 15,
        "dapi" + "0a1b" * 8,
        "shpat_" + "0a1b" * 8,
        "ATATT3" + "xFfGF0" + "a1B2_-" * 30,
        "12345678:AA" + "a1B2_-x" * 4 + "abcde",
    ],
    "sendgrid-key": ["SG." + "a" * 22 + "." + "b" * 43],
    "jwt": ["eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxIn0" + ".c2lnbmF0dXJl"],
    "private-key": [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQdG\n-----END PGP PRIVATE KEY BLOCK-----",
        "AGE-SECRET-" + "KEY-1" + "QPZRY9X8GF2TVDW0S3JN" * 3,
    ],
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
        ("authorization: bearer " + "a1" * 12, "authorization: bearer [REDACTED:bearer-token]"),
        ("-H 'Authorization: Basic dXNlcjpwYXNz'", "-H 'Authorization: Basic [REDACTED:bearer-token]'"),
        ("postgres://joe:s3cret@db/x", "postgres://[REDACTED:url-password]@db/x"),
        ("redis://:hunter2@cache:6379/0", "redis://[REDACTED:url-password]@cache:6379/0"),
        ("mongodb+srv://a:b%40c@h.net", "mongodb+srv://[REDACTED:url-password]@h.net"),
        ("https://x-access-token:abc@github.com/a", "https://[REDACTED:url-password]@github.com/a"),
        ("Server=db;User=joe;Password=hunter2;", "Server=db;User=joe;Password=[REDACTED:url-password];"),
        ('{"api_key": "' + "a1" * 10 + '"}', '{"api_key": "[REDACTED:api-key]"}'),
        ("MISTRAL_API_KEY=" + "a1B2" * 8, "MISTRAL_API_KEY=[REDACTED:api-key]"),
        ("api-key: " + "0a1b" * 8, "api-key: [REDACTED:api-key]"),
        ("aws_secret_access_key = " + "a1/+" * 10, "aws_secret_access_key = [REDACTED:api-key]"),
        ("AccountKey=" + "a1/+" * 21 + "ab==;X=1", "AccountKey=[REDACTED:api-key];X=1"),
        ("TWILIO_AUTH_TOKEN: '" + "0a1b" * 8 + "'", "TWILIO_AUTH_TOKEN: '[REDACTED:api-key]'"),
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
        "550e8400-e29b-41d4-a716-446655440000 and 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "commit 8f14e45fceea167a5a36dedd4bea2543deadbeef, tree e9e0cc8, sha256:" + "0a1b" * 16,
        'md5 d41d8cd98f00b204e9800998ecf8427e; etag W/"0815-abc"; build 20261122.1',
        "from huggingface_hub import hf_hub_download; npm_config_registry_of_this_project = 1",
        "key: value, token: the-next-word, secret = os.environ['SECRET_OF_THE_PROJECT']",
        "token_count_of_the_answer=1234, primary_key: customer_identifier_column",
        "https://example.com/a/very/long/path-2026-11-22/report.html?page=2&sort=name",
        "Basic understanding of arithmetic; the Basic authentication-scheme, Basic training12",
        "The risk-adjusted-return-of-the-portfolio2026 is task-specific-instructions-v2",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4",
        "password = get_password(); f(password=password, pwd=None); Password: please choose",
        "ftp://host:21/x and http://[::1]:8080/ and a:b@c and git@github.com:org/repo.git",
        "price: 98765432109876543210 and id=order_1234567890123456",
        "Dear Mr. Smith, SK is a country code; SG. A is not; the HMS. Vault-of-heaven-2026",
        "model: claude-sonnet-4-20250514, gpt-4o-mini-2024-07-18, gemini-2.5-flash-preview-05-20",
        "chatcmpl-" + "a1B2" * 7 + ", req_" + "a1b2" * 6 + ", msg_" + "01A1b2C3" * 3 + ", call_" + "a1B2" * 6,
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


FORMS: dict[str, Callable[[str], str]] = {
    "json": lambda v: json.dumps({"k": v}),
    "json in json": lambda v: json.dumps(json.dumps({"k": v})),
    "repr": lambda v: repr([v]),
    "repr in repr": lambda v: repr(repr({"k": v})),
    "address": lambda v: f"https://h/?k={quote(v, safe='')}&x=1",
    "form": lambda v: f"k={quote_plus(v)}&x",
    "html": lambda v: f"<b>{html.escape(v)}</b>",
    "basic": lambda v: "Basic " + base64.b64encode(f"user:{v}".encode()).decode(),
    "base64 1": lambda v: base64.b64encode(f"a{v}b".encode()).decode(),
    "base64 2": lambda v: base64.urlsafe_b64encode(f"ab{v}".encode()).decode(),
    "base64 3": lambda v: base64.b64encode(f"abc{v}xyz".encode()).decode(),
    "cut at the end": lambda v: f"key {v[: len(v) * 2 // 3]}...; check it",
    "cut at the start": lambda v: f"key ...{v[-len(v) * 2 // 3 :]} was sent",
    "cut in the middle": lambda v: f"'{v[:10]}...{v[-10:]}'",
    "cut by a letter": lambda v: f"{v[:12]}\u2026",
    "the end of a text": lambda v: f"the key is {v[:12]}",
    "the start of a text": lambda v: f"{v[-12:]} was the key",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "value", ["plainWordsNobodyWouldSuspect", "odd\"Let'ters/In+A<Value>&Back\\slash \u00e4"]
)
def test_a_known_value_is_found_in_the_forms_that_programs_give_it(form: str, value: str) -> None:
    written = FORMS[form](value)
    shown = Redactor([value]).text(written)
    assert "[REDACTED:" in shown
    kept = max(len(part) for part in re.split(r"\[REDACTED:[a-z-]+\]", shown))
    for size in range(8, len(value) + 1):
        for part in (value[:size], value[-size:]):
            assert part not in shown
    assert kept < len(written)
    assert Redactor([value]).text(shown) == shown


def test_lines_and_passwords_of_a_known_value_are_secret_by_themselves() -> None:
    lines = ["-----BEGIN X-----", "MIIEowIBAAKCAQEAx1y2z3a4b5", "Zm9vYmFyYmF6cXV4cXV1eDEyMw"]
    pair = base64.b64encode(b"service:aPasswordThatIsNotShort").decode()
    redactor = Redactor(["\n".join(lines), pair])
    assert redactor.text(f"INFO {lines[2]}") == "INFO [REDACTED:secret]"
    assert redactor.text("it is aPasswordThatIsNotShort!") == "it is [REDACTED:secret]!"


def test_a_known_number_is_taken_out_of_json() -> None:
    assert Redactor(["4729104822"]).json({"pin": 4729104822, "n": 4729104823}) == {
        "pin": "[REDACTED:secret]",
        "n": 4729104823,
    }


@pytest.mark.parametrize("name", ["Set-Cookie", "authorization", "X-Goog-Api-Key", "password"])
def test_a_field_whose_name_says_it_is_redacted_as_a_list_too(name: str) -> None:
    assert Redactor().json({name: ["a=b", {"c": "d"}]}) == {name: ["[REDACTED:field]", {"c": "d"}]}


def test_a_screen_is_spared_patterns_and_kinds_that_are_about_what_is_stored() -> None:
    redactor = Redactor(["plainWordsNobody"], ["T-[0-9]+", RedactRule(kinds=("email",))])
    text = "plainWordsNobody T-12 jane@firma.de"
    assert redactor.shown(text) == "[REDACTED:secret] T-12 jane@firma.de"
    assert redactor.text(text) == "[REDACTED:secret] [REDACTED:pattern] [REDACTED:email]"


@given(st.text(max_size=60), st.sampled_from([s for _, s in EACH]), st.text(max_size=60))
def test_no_gate_hides_a_secret_from_its_pattern(before: str, secret: str, after: str) -> None:
    """Gates are for speed: what any pattern finds, the redactor takes out."""
    text = f"{before} {secret} {after}"
    by_pattern = [kind for _, kinds in FAMILIES for kind in kinds if list(kind.found(text))]
    assert by_pattern
    clean = Redactor().text(text)
    assert secret not in clean
    assert not [kind for _, kinds in FAMILIES for kind in kinds if list(kind.found(clean))]
