"""What differs between two fingerprints is named as people know it, with values where they say something."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aioncall.decide.fingerprints import changes_between
from pytest_aioncall.model.run import Fingerprint

DIGEST_A, DIGEST_B = "0123456789abcdef", "fedcba9876543210"

CASES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, []),
    ({"target": {"prompt": DIGEST_A}}, {"target": {"prompt": DIGEST_B}}, ["target prompt"]),
    ({"target": {"model": "p/a"}}, {"target": {"model": "p/b"}}, ["target model: p/a -> p/b"]),
    ({"files": {"a.md": {"sha256": DIGEST_A}}}, {"files": {"a.md": {"sha256": DIGEST_B}}}, ["file a.md"]),
    ({}, {"labels": {"index": "kb-2"}}, ["label index: none -> kb-2"]),
    ({"labels": {"index": "kb-1", "b": "x"}}, {"labels": {"b": "x"}}, ["label index: kb-1 -> none"]),
    ({"labels": {"index": "a" * 90}}, {"labels": {"index": "b"}}, ["label index"]),
    ({"other": 1}, {"other": 2}, ["other"]),
]


@pytest.mark.parametrize(("was", "now", "named"), CASES)
def test_a_change_of_the_subject_is_named(was: dict[str, Any], now: dict[str, Any], named: list[str]) -> None:
    assert changes_between(Fingerprint(subject=was), Fingerprint(subject=now)) == named


def test_a_change_of_the_instrument_names_its_scorers() -> None:
    was = Fingerprint(instrument={"route": DIGEST_A, "tone": DIGEST_A})
    now = Fingerprint(instrument={"route": DIGEST_B, "kind": DIGEST_A})
    assert changes_between(was, now) == ["scorer kind", "scorer route", "scorer tone"]
