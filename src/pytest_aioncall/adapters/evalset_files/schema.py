"""JSON Schemas for editors, made from the models and spelled as users spell: short forms, `in`, include."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...model.config import LATER_SECTIONS, Config
from ...model.evalset import Case, Evalset, IncidentSource
from .shapes import FILLED_IN

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
# A value that is text whatever it looks like: `tier: 1` is "1".
_TEXT = {"type": ["string", "number", "boolean"]}
_TEXT_MAPPING = {"type": "object", "additionalProperties": _TEXT}
_TEXT_LIST = {"type": "array", "items": {"type": "string"}}
_SCORER_HELP = "A scorer: name, {name: argument} or {name: {option: value, as: own-name}}."
_TARGET_HELP = (
    "What answers the cases: {python: 'pkg.mod:attr'}, {chat: {...}}, {http: {...}}, {command: {...}}."
)


def json_schema(
    kind: Literal["evalset", "config", "incident"],
    *,
    scorers: Sequence[str] = (),
    targets: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one kind of file.

    `scorers` and `targets` are the installed names; a piece is then one of them or an import string.
    """
    if kind == "config":
        return _config_schema()
    make = _evalset_schema if kind == "evalset" else _incident_schema
    schema = make()
    definitions = schema.setdefault("$defs", {})
    definitions["ScorerSpec"] = _piece(scorers, _SCORER_HELP)
    definitions["TargetSpec"] = _piece(targets, _TARGET_HELP)
    case = definitions["Case"]
    _drop(case, FILLED_IN)
    properties = case["properties"]
    properties["slices"] = _TEXT_MAPPING
    properties["id"]["type"] = _TEXT["type"]
    properties["note"]["type"] = properties["cluster"]["type"] = [*_TEXT["type"], "null"]
    definitions["Require"]["properties"]["in"]["pattern"] = "^[0-9]+/[0-9]+$"
    for holder in (properties["note"], properties["cluster"]):
        holder.pop("anyOf", None)
    definitions["IncidentSource"]["properties"] = {
        name: {**value, "type": _TEXT["type"]}
        for name, value in _plain(definitions["IncidentSource"]["properties"]).items()
    }
    return {"$schema": _DRAFT, **schema}


def _evalset_schema() -> dict[str, Any]:
    schema = Evalset.model_json_schema(by_alias=True)
    _drop(schema, FILLED_IN)
    properties = schema["properties"]
    properties["include"] = {
        **_TEXT_LIST,
        "description": "Globs of *.yaml and *.jsonl files with more cases.",
    }
    properties["defaults"] = {
        "type": "object",
        "properties": {"slices": _TEXT_MAPPING},
        "additionalProperties": False,
        "description": "What holds for every case unless it says otherwise.",
    }
    properties["evalset"]["pattern"] = "^[A-Za-z0-9][A-Za-z0-9_. -]{0,119}$"
    schema["$defs"]["Subject"]["properties"]["labels"] = _TEXT_MAPPING
    properties["epochs"]["anyOf"][0] |= {"minimum": 1, "maximum": 1000}
    schema["required"] = ["evalset", "owner", "target", "scorers"]
    schema["anyOf"] = [{"required": ["cases"]}, {"required": ["include"]}]
    return schema


def _incident_schema() -> dict[str, Any]:
    case = Case.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = case.pop("$defs", {})
    definitions["Case"] = case
    source = IncidentSource.model_json_schema()
    definitions["IncidentSource"] = source
    decided = {"anyOf": [{"required": ["must"]}, {"required": ["require"]}]}
    return {
        "title": "Incident",
        "description": "Cases that keep an incident from coming back; drop the file beside its evalset.",
        "type": "object",
        "properties": {
            "format": {"const": 1, "default": 1},
            "cases": {
                "type": "array",
                "minItems": 1,
                "items": {"allOf": [{"$ref": "#/$defs/Case"}, decided]},
            },
            "source": {"$ref": "#/$defs/IncidentSource"},
        },
        "required": ["cases"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _config_schema() -> dict[str, Any]:
    schema = Config.model_json_schema(by_alias=True)
    prices = schema["$defs"]["Prices"]
    prices["properties"].pop("models")
    prices["additionalProperties"] = {"$ref": "#/$defs/Price"}
    for section in LATER_SECTIONS:
        schema["properties"].setdefault(section, {"type": "object"})
    _spell_oncall(schema["$defs"])
    return {"$schema": _DRAFT, **schema}


_DURATION = {"type": "string", "pattern": r"^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?$"}
_CLOCK = {"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}
_HANDOFF = {"pattern": r"^[A-Za-z]+ +([01][0-9]|2[0-3]):[0-5][0-9]$"}
_MOMENT = {"pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"}
_SPANS = {"type": "array", "items": {"type": ["string", "number"]}}


def _spell_oncall(definitions: dict[str, Any]) -> None:
    """Say how the section `oncall` writes times: `Mon 10:00`, `1h30m`, `1:7`; numbers are text, too."""
    for model, keys, rule in (
        ("Sla", ("business", "off_hours"), _DURATION),
        ("ClockRange", ("start_time", "end_time"), _CLOCK),
        ("Rotation", ("handoff",), _HANDOFF),
        ("Override", ("start", "end"), _MOMENT),
        ("TimeInterval", ("weekdays", "days_of_month", "months", "years"), _SPANS),
    ):
        for key in keys:
            definitions[model]["properties"][key] |= rule


def _piece(names: Sequence[str], description: str) -> dict[str, Any]:
    """Return the schema of the three short forms; with `names`, of those names and import strings."""
    name: dict[str, Any] = {"type": "string", "minLength": 1}
    if names:
        name = {"anyOf": [{"enum": sorted(names)}, {"type": "string", "pattern": "^[^:]+:[^:]+$"}]}
    mapping = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": name}
    return {"description": description, "anyOf": [name, mapping]}


def _drop(schema: dict[str, Any], names: frozenset[str]) -> None:
    for name in names:
        schema["properties"].pop(name, None)


def _plain(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: part for key, part in value.items() if key != "anyOf"}
        for name, value in properties.items()
    }
