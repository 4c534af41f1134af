"""json_valid: the answer as JSON."""

from __future__ import annotations

from typing import Literal

from ...model.evalset import Case
from ...model.sample import Output, Score
from ...protocols import ScorerTraits
from .json_text import read_json
from .rule import Rule, failed, passed, quoted

Top = Literal["object", "array", "any"]
_TOPS = {"object": dict, "array": list}


def json_valid(top: Top = "any", *, fence: bool = False) -> Rule:
    """Pass when the answer's text is JSON, with `top` an object or an array.

    `fence: true` lets the whole answer stand in one Markdown code fence.
    """

    def judge(_case: Case, output: Output) -> Score:
        value, problem = read_json(output.text, fence=fence)
        if problem is not None:
            return failed(f"the answer {problem}: {quoted(output.text)}")
        if top != "any" and not isinstance(value, _TOPS[top]):
            return failed(f"expected a JSON {top}, got {quoted(value)}")
        return passed()

    return Rule(judge, ScorerTraits())
