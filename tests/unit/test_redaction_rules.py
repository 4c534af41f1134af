"""What `redact` in aioncall.yaml says: patterns with names, kinds off with a reason, personal data on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.adapters.redaction import PERSONAL_KINDS, SECRET_KINDS, WITHHELD, Redactor, problem_of
from pytest_aioncall.decide.weakerconfig import compare_configs
from pytest_aioncall.errors import LoadError, UsageError
from pytest_aioncall.model.config import Config, RedactRule

JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxIn0" + ".c2lnbmF0dXJl"


def configured(tmp_path: Path, redact: str) -> Redactor:
    (tmp_path / "aioncall.yaml").write_text(f"format: 1\nredact:\n{redact}")
    return Redactor([], load_config(tmp_path).redact)


def refused(tmp_path: Path, redact: str) -> list[str]:
    with pytest.raises(LoadError) as refusal:
        configured(tmp_path, redact)
    return [str(problem) for problem in refusal.value.problems]


def test_a_named_pattern_leaves_its_name(tmp_path: Path) -> None:
    redactor = configured(tmp_path, '  - {name: ticket-id, pattern: "T-\\\\d{6}"}\n  - "ACME-[0-9]+"\n')
    assert redactor.text("T-123456 of ACME-7") == "[REDACTED:ticket-id] of [REDACTED:pattern]"


def test_a_kind_that_is_off_stays_and_all_others_go(tmp_path: Path) -> None:
    redactor = configured(tmp_path, "  - {off: jwt, reason: our answers quote public tokens}\n")
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    assert redactor.text(f"{JWT} {key}") == f"{JWT} [REDACTED:aws-key]"
    assert [found.kind for found in redactor.find(f"{JWT} {key}")] == ["aws-key"]


def test_personal_data_goes_where_its_kind_is_on(tmp_path: Path) -> None:
    redactor = configured(tmp_path, "  - {kinds: [email, iban, Credit-Card-Number]}\n")
    text = "jane@firma.de, DE89 3704 0044 0532 0130 00, 4111 1111 1111 1111, 8.8.8.8, help@example.com"
    assert redactor.text(text) == (
        "[REDACTED:email], [REDACTED:IBAN], [REDACTED:credit card number], 8.8.8.8, help@example.com"
    )
    assert redactor.json({"card": 4111111111111111, "n": 41111111111}) == {
        "card": "[REDACTED:credit card number]",
        "n": 41111111111,
    }
    assert [found.kind for found in redactor.find(text)] == ["IP address"]


def test_all_of_a_text_is_searched_however_much_is_found(tmp_path: Path) -> None:
    redactor = configured(tmp_path, "  - {kinds: [email]}\n")
    assert "@" not in redactor.text("jane@firma.de " * 1000)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("'('", "redact[0]: is not a regular expression: missing ), unterminated subpattern"),
        ("'a*'", "redact[0]: matches the empty text, and so everywhere; narrow it"),
        ("{pattern: '('}", "redact[0].pattern: is not a regular expression"),
        ("{name: x}", "redact[0]: needs pattern, off or kinds"),
        ("{}", "redact[0]: needs pattern, off or kinds"),
        ("{off: jwt}", "redact[0].reason: is missing: say why keys of this kind may be stored"),
        ("{off: jwt, reason: ' '}", "redact[0].reason: is missing"),
        ("{off: jw, reason: x}", "redact[0].off: unknown kind 'jw'; did you mean 'jwt'?"),
        ("{off: zzzz, reason: x}", "redact[0].off: unknown kind 'zzzz'; known are private-key, jwt"),
        ("{kinds: [e-mail]}", "redact[0].kinds: unknown kind 'e-mail'; did you mean 'email'?"),
        ("{kinds: email}", "redact[0].kinds: needs a list, got 'email'"),
        ("{kind: [email]}", "redact[0].kind: unknown key; did you mean 'kinds'?"),
        ("{kinds: [email], off: jwt, reason: x}", "redact[0]: off and kinds exclude each other"),
        ("{name: jwt, pattern: abc}", "redact[0].name: 'jwt' is the name of a built-in kind"),
        ("{name: 'a]b', pattern: abc}", "redact[0].name: 'a]b' is no name"),
        ("{pattern: abc, reason: x}", "redact[0].reason: belongs to off"),
        ("[a]", "redact[0]: needs a pattern (text) or a mapping, got a list"),
        ("null", "redact[0]: needs a pattern (text) or a mapping, got nothing"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    (found,) = refused(tmp_path, f"  - {entry}\n")
    assert found.startswith(f"aioncall.yaml:3: {said}")


def test_rules_made_in_code_are_refused_too() -> None:
    with pytest.raises(UsageError, match="redact: 'jw': off unknown kind 'jw'"):
        Redactor([], [RedactRule(off="jw", reason="x")])


@pytest.mark.parametrize("kind", SECRET_KINDS)
def test_every_built_in_kind_can_be_switched_off(kind: str) -> None:
    assert problem_of(RedactRule(off=kind, reason="why")) is None
    assert kind in str(Redactor([], [RedactRule(off=kind, reason="why")])._off)


@pytest.mark.parametrize("kind", PERSONAL_KINDS)
def test_every_kind_of_personal_data_can_be_switched_on(kind: str) -> None:
    assert problem_of(RedactRule(kinds=(kind.upper().replace(" ", "_"),))) is None


@pytest.mark.parametrize("pattern", ["(a|aa)+$", r"(?:\w|\w\w)+[.]$"])
def test_a_pattern_that_backtracks_withholds_the_text_and_cannot_stall_a_run(pattern: str) -> None:
    """A text that was not searched to its end may hold what the pattern is to hide."""
    redactor = Redactor([], [RedactRule(name="slow", pattern=pattern)])
    hostile = "a" * 60 + "! ."
    started = time.process_time()
    for count in range(1, 21):
        shown = redactor.text(hostile)
        assert shown.startswith(
            f"{WITHHELD}'slow' did not come to the end of these {len(hostile)} characters"
        )
        assert redactor.slow_patterns == {"slow": count}
        assert redactor.text(shown) == shown
    assert time.process_time() - started < 20
    assert redactor.text("short") == "short"


def test_text_in_json_that_is_withheld_leaves_the_rest() -> None:
    redactor = Redactor([], [RedactRule(name="slow", pattern="(a|aa)+$")])
    found = redactor.json({"k": "a" * 60 + "!", "b": "fine"})
    assert found["k"].startswith(WITHHELD)
    assert found["b"] == "fine"


def test_the_reference_names_every_kind() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "config.md").read_text(encoding="utf-8")
    section = page.split("## redact\n")[1].split("\n## ")[0]
    assert [kind for kind in (*SECRET_KINDS, *PERSONAL_KINDS) if f"`{kind}`" not in section] == []


def test_a_kind_off_and_a_kind_of_personal_data_less_are_weakenings() -> None:
    named = RedactRule(name="a", pattern="T-[0-9]+")
    was = Config(redact=("x+", named, RedactRule(kinds=("email", "IBAN"))))
    now = Config(redact=("T-[0-9]+", RedactRule(kinds=("IBAN",)), RedactRule(off="jwt", reason="public")))
    found = {(one.what, one.now, one.at_base) for one in compare_configs(was, now, file="aioncall.yaml")}
    assert found == {
        ("redact x+", "not redacted", True),
        ("redact email", "not redacted", True),
        ("redact jwt", "not redacted (off)", False),
    }
    assert compare_configs(now, now, file="aioncall.yaml") == []
