"""Which keys each mapping of an evalset knows, and which of their values are text as written."""

from __future__ import annotations

from typing import Final

from ...model.evalset import (
    Case,
    ErrorLimits,
    Evalset,
    Gate,
    IncidentSource,
    Require,
    Subject,
)
from ...model.weakening import WeakeningEntry
from ..yaml_text.document import TEXT_LIST, TEXT_MAPPING, Shape

# What the loader fills in itself; a user who writes one of these has made a mistake.
FILLED_IN: Final = frozenset({"file", "line", "where"})

EVALSET_KEYS: Final = frozenset(Evalset.model_fields) - FILLED_IN | {"defaults", "include"}
CASE_KEYS: Final = frozenset(Case.model_fields) - FILLED_IN
REQUIRE_KEYS: Final = frozenset(field.alias or name for name, field in Require.model_fields.items())
GATE_KEYS: Final = frozenset(Gate.model_fields)
WEAKENING_KEYS: Final = frozenset(WeakeningEntry.model_fields)
SUBJECT_KEYS: Final = frozenset(Subject.model_fields)
ERRORS_KEYS: Final = frozenset(ErrorLimits.model_fields)
SOURCE_KEYS: Final = frozenset(IncidentSource.model_fields)
DEFAULTS_KEYS: Final = frozenset({"slices"})
INCIDENT_KEYS: Final = frozenset({"format", "cases", "source"})

# Case fields whose JSON numbers stand for text (an id such as 12, a slice such as tier 1).
CASE_TEXT: Final = ("id", "cluster", "note")

_REQUIRE = Shape(text=frozenset({"scorer", "in"}))
_CASE = Shape(
    text=frozenset(CASE_TEXT),
    keys={"slices": TEXT_MAPPING, "source": TEXT_MAPPING, "require": Shape(items=_REQUIRE)},
)
_CASES = Shape(items=_CASE, keep_lines=True)

EVALSET_SHAPE: Final = Shape(
    text=frozenset({"evalset", "owner", "description", "outputs"}),
    keys={
        "subject": Shape(keys={"files": TEXT_LIST, "labels": TEXT_MAPPING}),
        "errors": Shape(keys={"transport": TEXT_LIST}),
        "defaults": Shape(keys={"slices": TEXT_MAPPING}),
        "gates": Shape(
            items=Shape(text=frozenset({"scorer", "claim", "on_inconclusive"}), keys={"slices": TEXT_LIST})
        ),
        "weakening": Shape(items=Shape(text=WEAKENING_KEYS)),
        "cases": _CASES,
        "include": TEXT_LIST,
    },
)
INCIDENT_SHAPE: Final = Shape(keys={"cases": _CASES, "source": TEXT_MAPPING})
