"""The made-up task of all benchmarks: every item has a code, and about 5 % of the codes come back wrong."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

ITEM = re.compile(r"item #(\d+)")
NOT_FOUND = "I cannot find that item."
RUBRIC = "The answer names the code that is expected: 1 when it does, 0 when it does not."


def code_of(item: int) -> str:
    """Return the code of an item: eight hex digits, the same for ever."""
    return hashlib.blake2s(b"item %d" % item, digest_size=4).hexdigest()


def is_answered_wrongly(item: int) -> bool:
    """Tell whether the model errs on this item: always the same 13 in 256 (5.1 %)."""
    return hashlib.blake2s(b"wrong %d" % item, digest_size=1).digest()[0] < 13


def answer_to(prompt: str) -> str:
    """Return the model's reply to a prompt that names an item."""
    found = ITEM.search(prompt)
    if found is None:
        return "I was not asked about an item."
    item = int(found[1])
    return NOT_FOUND if is_answered_wrongly(item) else f"Its code is {code_of(item)}."


def verdict_on(prompt: str) -> str:
    """Return the judge's reply to a prompt that holds an answer, in the form the asking tool reads.

    One JSON object with the keys that tools look for, or the line `GRADE: C` where the prompt speaks of it.
    """
    right = NOT_FOUND not in prompt
    if "GRADE" in prompt:
        return f"As asked.\n\nGRADE: {'C' if right else 'I'}"
    return json.dumps({"reason": "As asked.", "pass": right, "score": int(right)})


def judge_prompt(answer: str, expected: str) -> str:
    """Return what a bare client asks a judge about one answer."""
    return (
        f"{RUBRIC} Reply with JSON, keys reason, pass and score.\n\nExpected: {expected}\n\nAnswer: {answer}"
    )


def count_right(count: int) -> int:
    """Return how many of the first `count` items are answered with their code."""
    return sum(not is_answered_wrongly(item) for item in range(count))


def question_about(item: int) -> str:
    """Return the prompt for an item."""
    return (
        f"A customer of plan {item % 7} in region {item % 11} asks for the code of item #{item}. "
        "Answer with the code in one sentence, and say so when you do not know it."
    )


def write_cases(path: Path, *, count: int) -> None:
    """Write `count` cases as JSON Lines, each in one of 20 slices."""
    with path.open("w", encoding="utf-8") as file:
        for item in range(count):
            case = {
                "id": f"item-{item:06d}",
                "input": {"question": question_about(item)},
                "expected": code_of(item),
                "slices": {"region": f"r{item % 11:02d}"},
            }
            file.write(json.dumps(case) + "\n")
