"""json_schema: the answer against a JSON Schema, without a fetch and in bounded time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import ScorerError, UsageError
from ...model.evalset import Case
from ...model.frozen import digest_of
from ...model.sample import Output, Score
from ...protocols import PieceContext, ScorerTraits
from ..text import did_you_mean, one_line
from .files import read_named
from .json_text import read_json, value_of
from .library import need_library
from .patterns import Pattern
from .rule import Rule, failed, passed, quoted

# Keywords that say something about a schema and nothing about a value.
_SILENT = frozenset(
    {
        *(
            "$schema",
            "$id",
            "$anchor",
            "$dynamicAnchor",
            "$recursiveAnchor",
            "$vocabulary",
            "$defs",
            "$comment",
        ),
        *("definitions", "id", "title", "description", "default", "examples", "deprecated", "readOnly"),
        *("writeOnly", "format", "contentEncoding", "contentMediaType", "contentSchema", "then", "else"),
    }
)


def json_schema(
    schema: dict[str, Any] | str, *, fence: bool = True, formats: bool = False, context: PieceContext
) -> Rule:
    """Pass when the output's `data`, or its text read as JSON, fits a JSON Schema: the schema or its file.

    `fence: false` refuses JSON in a Markdown code fence; `formats: true` checks `format` (date, email) too.
    References stay inside the schema: nothing is fetched.
    """
    jsonschema = need_library("jsonschema", package="jsonschema")
    own = schema if isinstance(schema, dict) else _read_schema(schema, context)
    validator = _validator(jsonschema, own, formats=formats)
    unresolvable = need_library("referencing.exceptions", package="jsonschema").Unresolvable

    def judge(_case: Case, output: Output) -> Score:
        value, problem = value_of(output, fence=fence)
        if problem is not None:
            return failed(f"the answer {problem}: {quoted(output.text)}")
        try:
            error = next(validator.iter_errors(value), None)
        except RecursionError:
            raise ScorerError("the schema refers to itself without end") from None
        except unresolvable as broken:
            raise ScorerError(f"the schema refers to something outside it: {broken}") from None
        if error is None:
            return passed()
        return failed(f"{error.json_path}: {one_line(error.message, 160)}")

    fingerprint = {"schema": digest_of(own)} if isinstance(schema, str) else {}
    return Rule(judge, ScorerTraits(fingerprint=fingerprint))


def _read_schema(path: str, context: PieceContext) -> dict[str, Any]:
    value, problem = read_json(read_named(path, what="schema", context=context))
    if problem is not None:
        raise UsageError(f"schema {path!r} {problem}")
    if not isinstance(value, dict):
        raise UsageError(f"schema {path!r} is no JSON object")
    return value


def _validator(jsonschema: Any, schema: dict[str, Any], *, formats: bool) -> Any:
    """Return a validator of `schema`; UsageError where it is no schema, or one that accepts everything."""
    draft = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        draft.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise UsageError(f"no JSON Schema: {error.json_path}: {one_line(error.message, 160)}") from None
    for keyword in schema:
        near = did_you_mean(keyword, [*draft.VALIDATORS, *_SILENT])
        if keyword not in draft.VALIDATORS and keyword not in _SILENT and near:
            raise UsageError(f"unknown keyword {keyword!r} in the schema; did you mean {near!r}?")
    if not any(keyword in draft.VALIDATORS and keyword not in _SILENT for keyword in schema):
        raise UsageError("the schema accepts everything; say at least a type")
    _check_references(schema)
    bounded = jsonschema.validators.extend(draft, _bounded_keywords(jsonschema.ValidationError))
    referencing = need_library("referencing", package="jsonschema")
    checker = draft.FORMAT_CHECKER if formats else None
    # A registry that knows nothing beyond the schema: the library's default would fetch what it refers to.
    return bounded(schema, registry=referencing.Registry(), format_checker=checker)


def _check_references(schema: dict[str, Any]) -> None:
    ids = {str(one["$id"]).rstrip("#") for one in _objects(schema) if isinstance(one.get("$id"), str)}
    for one in _objects(schema):
        reference = one.get("$ref")
        if not isinstance(reference, str):
            continue
        if reference.startswith("#/") and not ids and not _points_somewhere(schema, reference):
            raise UsageError(f"the schema has no {reference}, which it refers to")
        home = reference.partition("#")[0]
        if home and not ids and "://json-schema.org/" not in home:
            raise UsageError(
                f"the schema refers to {reference!r}; nothing is fetched, so copy it under $defs"
            )


def _points_somewhere(schema: Any, reference: str) -> bool:
    here = schema
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, Mapping) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            return False
    return True


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _bounded_keywords(failure: Any) -> dict[str, Any]:
    """Return the keywords whose patterns meet model output, with searches that end (see patterns.py)."""
    compiled: dict[str, Pattern] = {}

    def found(pattern: str, text: str) -> bool:
        if pattern not in compiled:
            try:
                compiled[pattern] = Pattern(pattern)
            except UsageError as error:
                raise ScorerError(f"the schema's pattern {error}") from None
        return compiled[pattern].search(text) is not None

    def pattern(validator: Any, wanted: str, value: Any, _schema: Any) -> Iterator[Any]:
        if validator.is_type(value, "string") and not found(wanted, value):
            yield failure(f"{value!r} does not match {wanted!r}")

    def pattern_properties(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[Any]:
        if validator.is_type(value, "object"):
            for one, inner in wanted.items():
                for name, item in value.items():
                    if found(one, name):
                        yield from validator.descend(item, inner, path=name, schema_path=one)

    def additional_properties(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
        if not validator.is_type(value, "object"):
            return
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        extra = [n for n in value if n not in known and not any(found(p, n) for p in patterns)]
        if validator.is_type(wanted, "object"):
            for name in extra:
                yield from validator.descend(value[name], wanted, path=name)
        elif not wanted and extra:
            yield failure(f"unexpected properties {', '.join(map(repr, extra[:5]))}")

    return {
        "pattern": pattern,
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
    }
