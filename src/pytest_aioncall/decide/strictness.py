"""Is a scorer, with other options, stricter than it was? Told option by option, "unclear" where it cannot be.

Every order here says of two values which lets more answers pass. Where none is known, a change is unclear,
and whoever asks has to take it for a loosening.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..model.evalset import Case, ScorerSpec
from ..model.frozen import canonical_json

Change = Literal["same", "stricter", "looser", "unclear"]
Order = Callable[[Any, Any], Change]

ABSENT: Final = "(not given)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One option that differs; `was` and `now` as YAML has them, ABSENT where it is not there."""

    option: str
    was: Any
    now: Any
    change: Change


def together(changes: Iterable[Change]) -> Change:
    """Return what several changes come to: one that loosens makes the whole looser."""
    found = set(changes)
    order: tuple[Change, ...] = ("looser", "unclear", "stricter")
    return next((change for change in order if change in found), "same")


def number_order(*, up: Change, absent: float) -> Order:
    """Order numbers; `up` is what a higher one is, `absent` the number that no value stands for."""
    down: Change = "looser" if up == "stricter" else "stricter"

    def order(was: Any, now: Any) -> Change:
        old, new = (absent if value in (None, ABSENT) else value for value in (was, now))
        if not (_is_number(old) and _is_number(new)):
            return "unclear"
        return "same" if old == new else up if new > old else down

    return order


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def rank_order(*ranks: Any) -> Order:
    """Order values by their place in `ranks`, strictest first; the first is what no value stands for."""

    def order(was: Any, now: Any) -> Change:
        old, new = (ranks[0] if value in (None, ABSENT) else value for value in (was, now))
        if _same(old, new):
            return "same"
        places = [next((i for i, rank in enumerate(ranks) if _same(rank, value)), -1) for value in (old, new)]
        return "unclear" if -1 in places else "looser" if places[1] > places[0] else "stricter"

    return order


def set_order(*, more: Change) -> Order:
    """Order lists of texts by what is in them; `more` is what a longer list is."""
    fewer: Change = "looser" if more == "stricter" else "stricter"

    def order(was: Any, now: Any) -> Change:
        if was in (None, ABSENT) or now in (None, ABSENT):
            return "same" if was == now else "unclear"
        old, new = as_set(was), as_set(now)
        return "same" if old == new else more if new > old else fewer if new < old else "unclear"

    return order


def as_set(value: Any) -> frozenset[str]:
    """Return the texts of a text or list as a set that tells 1 from "1"."""
    return frozenset(canonical_json(one) for one in (value if isinstance(value, list | tuple) else [value]))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


_LONGER: Final = number_order(up="looser", absent=math.inf)
_HIGHER: Final = number_order(up="stricter", absent=-math.inf)
_FLAG_LOOSENS: Final = rank_order(False, True)
_FLAG_TIGHTENS: Final = rank_order(True, False)
_ALL_OF: Final = set_order(more="stricter")
_ONE_OF: Final = set_order(more="looser")


def _default(order: Order, value: Any) -> Order:
    """Return an order in which an option that is not given has this value."""
    return lambda was, now: order(*(value if v in (None, ABSENT) else v for v in (was, now)))


_TRIM: Final = _default(rank_order("exact", "trim", "collapse"), "trim")
_SPACE: Final = rank_order("exact", "trim", "collapse")
_SPACE_FORBIDS: Final = _default(rank_order("collapse", "trim", "exact"), "exact")
_FORBIDS_CASE: Final = _default(_FLAG_TIGHTENS, False)
_FULL: Final = _default(_FLAG_TIGHTENS, False)

# The option that the short form `name: argument` gives.
_ARGUMENT: Final[Mapping[str, str]] = {
    "exact": "expected", "one_of": "texts", "contains": "text", "not_contains": "text", "regex": "pattern",
    "not_regex": "pattern", "json_valid": "top", "json_path": "path", "json_schema": "schema",
    "numeric": "value", "length": "max", "levenshtein": "expected", "rouge_l": "expected",
    "similarity": "model", "refusal": "wanted", "pii_absent": "kinds", "tool_calls": "calls",
    "retrieval_hit": "ids", "citations_present": "at_least", "citations_resolve": "against",
    "latency_max": "seconds", "cost_max": "usd", "judge": "rubric",
}  # fmt: skip

_ORDERS: Final[Mapping[str, Mapping[str, Order]]] = {
    "exact": {"ignore_case": _FLAG_LOOSENS, "whitespace": _TRIM},
    "one_of": {"texts": _ONE_OF, "ignore_case": _FLAG_LOOSENS, "whitespace": _TRIM},
    "contains": {"ignore_case": _FLAG_LOOSENS, "whitespace": _SPACE},
    "not_contains": {"text": _ALL_OF, "ignore_case": _FORBIDS_CASE, "whitespace": _SPACE_FORBIDS},
    "regex": {"pattern": _ALL_OF, "ignore_case": _FLAG_LOOSENS, "full": _FULL},
    "not_regex": {"pattern": _ALL_OF, "ignore_case": _FORBIDS_CASE},
    "json_valid": {"fence": _FLAG_LOOSENS, "top": _default(rank_order("object", "any"), "any")},
    "json_path": {
        "one_of": _ONE_OF,
        "every": rank_order(True, False),
        "fence": _default(_FLAG_LOOSENS, True),
    },
    "json_schema": {"fence": _default(_FLAG_LOOSENS, True), "formats": _default(_FLAG_TIGHTENS, False)},
    "numeric": {
        "tolerance": number_order(up="looser", absent=0.0),
        "relative": number_order(up="looser", absent=0.0),
        "pick": rank_order("only", "any"),
    },
    "length": {"max": _LONGER, "min": _HIGHER},
    "latency_max": {"seconds": _LONGER},
    "cost_max": {"usd": _LONGER},
    "levenshtein": {
        "expected": _ONE_OF,
        "pass_at": _HIGHER,
        "ignore_case": _FLAG_LOOSENS,
        "whitespace": _TRIM,
    },
    "rouge_l": {"expected": _ONE_OF, "pass_at": _HIGHER, "stem": _FLAG_LOOSENS},
    "similarity": {"expected": _ONE_OF, "pass_at": _HIGHER},
    "pii_absent": {
        "kinds": _ALL_OF,
        "allow": _default(_ONE_OF, []),
        "allow_input": _FLAG_LOOSENS,
    },
    "tool_calls": {
        "order": _default(rank_order("same", "any"), "any"),
        "extra": _FLAG_LOOSENS,
        "arguments": _default(rank_order("same", "subset"), "subset"),
    },
    "retrieval_hit": {"k": _LONGER, "need": _default(rank_order("all", "any"), "any")},
    "citations_present": {"at_least": number_order(up="stricter", absent=1)},
    "citations_resolve": {"at_least": number_order(up="stricter", absent=1)},
    "judge": {"pass_at": _HIGHER},
}

# Where a case's own `expected` stands in for the option: which lists of it let more answers pass.
_EXPECTED: Final[Mapping[str, Order]] = {
    "one_of": _ONE_OF, "contains": _ALL_OF, "not_contains": _ALL_OF, "regex": _ALL_OF, "not_regex": _ALL_OF,
    "levenshtein": _ONE_OF, "rouge_l": _ONE_OF, "similarity": _ONE_OF,
}  # fmt: skip


def differences(
    was: ScorerSpec, now: ScorerSpec, *, was_texts: Mapping[str, str], now_texts: Mapping[str, str]
) -> list[Difference]:
    """Return the options in which two scorers of one kind differ.

    `*_texts` hold what stood in the files and the code that options name; an option is then compared by that.
    """
    old, new = (_options(spec) for spec in (was, now))
    found = [_needles(old, new)] if was.kind == "contains" else []
    orders = _ORDERS.get(was.kind, {})
    for option in dict.fromkeys([*old, *new]):
        if was.kind == "contains" and option in _NEEDLES:
            continue
        before, after = old.get(option, ABSENT), new.get(option, ABSENT)
        if _told(before, was_texts) == _told(after, now_texts):
            continue
        change = orders[option](before, after) if option in orders else "unclear"
        found.append(Difference(option, before, after, change))
    if was.kind == now.kind and was_texts.get(was.kind) != now_texts.get(now.kind):
        found.append(Difference(was.kind, "its code", "changed", "unclear"))
    return [one for one in found if one.change != "same"]


def _options(spec: ScorerSpec) -> dict[str, Any]:
    options = dict(spec.options)
    if spec.has_arg:
        options.setdefault(_ARGUMENT.get(spec.kind, "argument"), spec.arg)
    return options


def _told(value: Any, texts: Mapping[str, str]) -> str:
    """Return what an option comes to: the text of the file that it names, without the blanks around it."""
    if isinstance(value, str):
        value = texts.get(value, value).strip()
    return canonical_json(value)


_NEEDLES: Final = ("text", "all", "any")


def _needles(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """Compare what two `contains` look for: every one of a list, or with `any` one of them."""
    name_was, name_now = (next((k for k in _NEEDLES if k in one), "expected") for one in (old, new))
    was, now = old.get(name_was, ABSENT), new.get(name_now, ABSENT)
    if ABSENT in (was, now):
        return Difference(name_now, was, now, "same" if was == now else "unclear")
    before, after = as_set(was), as_set(now)
    one_was = name_was == "any" and len(before) > 1
    one_now = name_now == "any" and len(after) > 1
    if one_was == one_now:
        change = (_ONE_OF if one_was else _ALL_OF)(was, now)
        if before and after and len(before) == len(after) == 1 and before != after:
            change = _needle(next(iter(before)), next(iter(after)))
    elif before & after:
        change = "looser" if one_now else "stricter"
    else:
        change = "unclear"
    if name_was != name_now:
        was, now = {name_was: was}, {name_now: now}
    return Difference(name_now, was, now, change)


def _needle(was: str, now: str) -> Change:
    """Compare two single texts: who asks for a part of the old one asks for less."""
    old, new = was.strip('"'), now.strip('"')
    return "looser" if new in old else "stricter" if old in new else "unclear"


def expected_change(was: Case, now: Case, *, kinds: Iterable[str]) -> Change:
    """Compare what two versions of a case expect; `kinds` are the scorers that look at it."""
    before, after = was.expected, now.expected
    if canonical_json(before) == canonical_json(after):
        return "same"
    if before is None:
        return "stricter"
    if after is None:
        return "looser"
    orders = [_EXPECTED.get(kind) for kind in sorted(set(kinds))]
    if not orders or isinstance(before, Mapping) or isinstance(after, Mapping):
        return "unclear"
    return together("unclear" if order is None else order(before, after) for order in orders)
