"""The official description of GitHub's REST API as a judge of every request and every answer of the fake.

The description (OpenAPI 3.0, trimmed to the paths in use) is no part of this repository: it is found through
`AIONCALL_CONTRACTS` (the file, or the folder of `github-rest.json`), or in a `contracts` folder of a
neighbour of the repository. Without it, or without jsonschema, nothing is judged, and the test that says so
is skipped in sight.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

NAME = "github-rest.json"
_ROOT = "urn:github"
_METHODS = ("get", "post", "put", "patch", "delete")
# Answers of every route, which the description lists for some: all of them are a basic error.
ANYWHERE = {401, 403, 404, 429, 500, 502, 503, 504}


def description_file() -> Path | None:
    """Return where the description is, None where it is not on this machine."""
    told = os.environ.get("AIONCALL_CONTRACTS")
    if told:
        place = Path(told)
        found = place / NAME if place.is_dir() else place
        return found if found.is_file() else None
    neighbours = Path(__file__).resolve().parents[3]
    return next(iter(sorted(neighbours.glob(f"*/contracts/{NAME}"))), None)


def without_nullable(node: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema: `nullable: true` becomes one alternative more."""
    if isinstance(node, list):
        return [without_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    plain = {key: without_nullable(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    if isinstance(node.get("nullable"), dict):  # a property of that name
        plain["nullable"] = without_nullable(node["nullable"])
    return plain


class Contract:
    """Judges requests and answers by route; `None` everywhere is no complaint."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        from jsonschema import Draft4Validator, FormatChecker
        from referencing import Registry
        from referencing.jsonschema import DRAFT4

        self.description = without_nullable(dict(description))
        resource = DRAFT4.create_resource(self.description)
        registry: Any = Registry().with_resource(_ROOT, resource)
        checker = FormatChecker(formats=())
        checker.checks("date-time")(_is_moment)
        checker.checks("uri")(lambda value: not isinstance(value, str) or "://" in value)

        @cache
        def validator(pointer: str) -> Any:
            return Draft4Validator({"$ref": f"{_ROOT}#{pointer}"}, registry=registry, format_checker=checker)

        self._validator: Callable[[str], Any] = validator

    @property
    def routes(self) -> set[tuple[str, str]]:
        """Every (METHOD, path template) of the description."""
        return {
            (method.upper(), path)
            for path, operations in self.description["paths"].items()
            for method in operations
            if method in _METHODS
        }

    def of_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> str | None:
        """Say what is wrong with a request; an unknown query parameter or top-level key is wrong too."""
        operation = self._operation(method, path)
        known = {p["name"]: p for p in map(self._resolved, operation.get("parameters", ()))}
        for name, value in query.items():
            parameter = known.get(name)
            if parameter is None or parameter["in"] != "query":
                return f"{method} {path}: no query parameter {name!r}"
            schema = parameter.get("schema", {})
            if schema.get("type") == "integer" and not value.lstrip("-").isdigit():
                return f"{method} {path}: {name} is no integer: {value!r}"
            if "enum" in schema and value not in schema["enum"]:
                return f"{method} {path}: {name} is none of {schema['enum']}: {value!r}"
        told = operation.get("requestBody")
        if told is None:
            return f"{method} {path}: takes no body, got {body!r}" if body is not None else None
        if body is None:
            return f"{method} {path}: needs a body" if told.get("required") else None
        schema = told["content"]["application/json"]["schema"]
        extra = set(body) - set(schema["properties"]) if "properties" in schema else set()
        if extra:
            return f"{method} {path}: no such key in the body: {sorted(extra)}"
        pointer = f"{_pointer(method, path)}/requestBody/content/application~1json/schema"
        return self._complaint(pointer, body, f"{method} {path}: request")

    def of_answer(self, method: str, path: str, status: int, body: Any) -> str | None:
        """Say what is wrong with an answer."""
        answers = self._operation(method, path)["responses"]
        told = answers.get(str(status))
        if told is None:
            if status not in ANYWHERE:
                return f"{method} {path}: {status} is no answer of this route"
            return self._complaint("/components/schemas/basic-error", body, f"{method} {path}: {status}")
        reference = told.get("$ref")
        pointer = reference[1:] if reference else f"{_pointer(method, path)}/responses/{status}"
        content = self._resolved(told).get("content", {})
        if "application/json" not in content:
            return f"{method} {path}: {status} has no body, got {body!r}" if body is not None else None
        return self._complaint(
            f"{pointer}/content/application~1json/schema", body, f"{method} {path}: {status}"
        )

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        operation: dict[str, Any] = self.description["paths"][path][method.lower()]
        return operation

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self.description
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self._resolved(found)

    def _complaint(self, pointer: str, value: Any, where: str) -> str | None:
        for error in self._validator(pointer).iter_errors(value):
            place = "/".join(map(str, error.absolute_path))
            return f"{where}: {place or 'body'}: {error.message[:300]}"
        return None


@cache
def official_contract() -> Contract | None:
    """Return the judge, None where the description or jsonschema is missing."""
    place = description_file()
    if place is None:
        return None
    try:
        return Contract(json.loads(place.read_text(encoding="utf-8")))
    except ImportError:
        return None


def _pointer(method: str, path: str) -> str:
    return f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method.lower()}"


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
