"""The demo's input is what it claims to be: articles, questions, key facts, retrieval that never wavers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = ROOT / "docs" / "handbook"
ARTICLES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(HANDBOOK.glob("*.md"))}
EVALSET: dict[str, Any] = yaml.safe_load(
    (ROOT / "evalsets" / "oncall-handbook.eval.yaml").read_text(encoding="utf-8")
)
CASES: list[dict[str, Any]] = EVALSET["cases"]
ANSWERABLE = [case for case in CASES if "expected" in case]
SHAPES = {"how-to", "alert-text", "definition", "rambling", "no-answer"}
# What a change of one line in the index takes away, and `make demo-regression` shows.
WORDS_ONLY = re.compile(r"\b[a-z]+\b")


@pytest.fixture
def retrieval(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The helpdesk's retrieval, imported as the evalset imports it."""
    pytest.importorskip("bm25s", reason="the demo needs the extra `demo`")
    monkeypatch.syspath_prepend(str(ROOT))
    from examples.helpdesk import retrieval

    return retrieval


def test_there_are_at_least_forty_articles() -> None:
    """The corpus is large enough for retrieval to be able to fail."""
    assert len(ARTICLES) >= 40


@pytest.mark.parametrize("stem", ARTICLES)
def test_an_article_is_short_and_has_a_title_and_sections(stem: str) -> None:
    """100 to 300 words, one title, at least two sections, and an id that stands in brackets unharmed."""
    lines = ARTICLES[stem].splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    assert 100 <= len(words) <= 300
    assert lines[0].startswith("# ")
    assert sum(line.startswith("# ") for line in lines) == 1
    assert sum(line.startswith("## ") for line in lines) >= 2
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", stem)


def test_no_two_articles_share_a_title_or_a_sentence() -> None:
    """The articles are distinct: no text is there twice to make up the number."""
    titles = Counter(text.splitlines()[0] for text in ARTICLES.values())
    assert not [title for title, n in titles.items() if n > 1]
    sentences = Counter(
        sentence
        for text in ARTICLES.values()
        for sentence in re.split(r"(?<=[.?!])\s+", " ".join(text.split()))
        if len(sentence) > 40
    )
    assert not [sentence for sentence, n in sentences.items() if n > 1]


def test_there_are_at_least_eighty_questions_and_none_twice() -> None:
    """Every question is a question of its own."""
    assert len(CASES) >= 80
    assert len({case["id"] for case in CASES}) == len(CASES)
    folded = [" ".join(case["input"]["question"].casefold().split()) for case in CASES]
    assert len(set(folded)) == len(folded)


def test_every_shape_and_persona_has_enough_cases_to_gate() -> None:
    """Slices under ten cases would be reported only."""
    shapes = Counter(case["slices"]["shape"] for case in CASES)
    personas = Counter(case["slices"]["persona"] for case in CASES)
    assert set(shapes) == SHAPES
    assert set(personas) == {"newcomer", "engineer", "manager"}
    assert min(*shapes.values(), *personas.values()) >= 10


def test_questions_about_one_article_are_one_cluster() -> None:
    """Cases that were written from the same article are not independent, and the evalset says so."""
    assert all(case["cluster"] == case["expected"]["article"] for case in ANSWERABLE)
    assert max(Counter(case["cluster"] for case in ANSWERABLE).values()) > 1
    assert all(case["slices"].get("area") for case in ANSWERABLE)


@pytest.mark.parametrize("case", ANSWERABLE, ids=lambda case: case["id"])
def test_the_key_fact_stands_literally_in_the_article(case: dict[str, Any]) -> None:
    """What the answer has to hold can be read in the article that has to be found."""
    assert case["expected"]["fact"] in ARTICLES[case["expected"]["article"]]


def test_a_case_without_an_answer_expects_a_refusal() -> None:
    """A question that the handbook does not answer has no expected article, and wants to be told so."""
    for case in CASES:
        if case["slices"]["shape"] == "no-answer":
            assert "expected" not in case
            refusals = [one["refusal"] for one in case["scorers"] if "refusal" in one]
            assert [one["wanted"] for one in refusals] == [True]
        else:
            assert "expected" in case


def test_sections_are_found_with_their_article(retrieval: Any) -> None:
    """The note that the model is given begins with the id that it has to cite."""
    found = retrieval.retrieve("How fast does the kill switch take effect?")
    assert [document["id"] for document in found["retrieved"]] == ["kill-switch"]
    assert found["note"].startswith("[kill-switch] ")
    assert "60 seconds" in found["note"]


def test_a_pasted_alert_is_found_by_its_identifier(retrieval: Any) -> None:
    """Nothing but the identifier tells the article, and that is enough."""
    found = retrieval.retrieve('FIRING latency_p95_ratio{svc="summarizer"} 2.71')
    assert [document["id"] for document in found["retrieved"]] == ["alert-latency"]


def test_nothing_is_found_where_nothing_fits(retrieval: Any) -> None:
    """A question that shares only stray words with the handbook gets the note that says so."""
    found = retrieval.retrieve("What is for lunch in the canteen on Thursday?")
    assert found == {"note": retrieval.NOTHING_FOUND, "retrieved": []}
    assert retrieval.retrieve("") == found
    assert retrieval.retrieve("?!") == found


def test_the_index_finds_most_articles_and_not_all(retrieval: Any) -> None:
    """The numbers of the demo are honest: retrieval is good, and its misses are left in."""
    hits = Counter()
    for case in ANSWERABLE:
        found = retrieval.retrieve(**case["input"])["retrieved"]
        hits[bool(found) and found[0]["id"] == case["expected"]["article"]] += 1
    assert 0.85 <= hits[True] / len(ANSWERABLE) < 1


def test_dropping_identifiers_hurts_pasted_alerts_and_nothing_else(
    retrieval: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change of the index that the demo makes is a change for one shape of question."""
    from examples.helpdesk import index

    before = {case["id"]: retrieval.retrieve(**case["input"]) for case in CASES}
    monkeypatch.setattr(index, "WORD", WORDS_ONLY)
    index.handbook_index.cache_clear()
    try:
        changed = {
            case["slices"]["shape"]
            for case in CASES
            if retrieval.retrieve(**case["input"]) != before[case["id"]]
        }
    finally:
        index.handbook_index.cache_clear()
    assert changed == {"alert-text"}


def test_retrieval_is_the_same_whatever_the_hash_seed() -> None:
    """Recordings are found by the rendered request: two interpreters render the same requests."""
    pytest.importorskip("bm25s", reason="the demo needs the extra `demo`")
    script = (
        "import hashlib, json, sys, yaml\n"
        "from examples.helpdesk.retrieval import retrieve\n"
        "cases = yaml.safe_load(open('evalsets/oncall-handbook.eval.yaml', encoding='utf-8'))['cases']\n"
        "found = [retrieve(**case['input']) for case in cases]\n"
        "print(hashlib.sha256(json.dumps(found).encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
