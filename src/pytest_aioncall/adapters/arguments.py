"""What YAML says after a piece's name, bound to the parameters of its factory.

The factory's signature is the whole contract: names, types, defaults. Nothing is converted silently: the text
"3" is no number and 1 is no yes. A keyword-only parameter named `context` is given the PieceContext, a
notifier's the NotifierContext.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import (
    ConfigDict,
    PydanticSchemaGenerationError,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
)

from ..errors import UsageError
from .text import did_you_mean, one_line

Parameters = Mapping[str, inspect.Parameter]
_PLAIN_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list",
    "dictionary": "a mapping",
}
_MOST_TOLD = 10
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def call_factory(
    factory: Callable[..., Any], *, has_arg: bool, arg: Any, options: Mapping[str, Any], context: Any
) -> Any:
    """Call `factory` with what YAML gave; UsageError where it does not fit, else whatever the factory raises.

    `has_arg` with `arg` is the short form `name: arg` and fills the first parameter. A mapping none of whose
    keys is a parameter is such an argument too, where the first parameter takes a mapping.
    """
    parameters, open_ended = _parameters(factory)
    wants_context = _takes_context(parameters)
    own = {name: p for name, p in parameters.items() if not (wants_context and name == "context")}
    given = dict(options)
    if not has_arg and _is_one_argument(options, own):
        has_arg, arg, given = True, dict(options), {}
    if has_arg:
        given = {_first(own, arg): arg, **given}
    unknown = [name for name in given if name not in own]
    if unknown and not open_ended:
        raise UsageError(_unknown_options([str(name) for name in unknown], own))
    values = {
        name: _validated(name, value, own[name]) if name in own else value for name, value in given.items()
    }
    missing = [name for name, p in own.items() if p.default is p.empty and name not in values]
    if missing:
        raise UsageError(f"needs {_listed(missing)}; {_takes(own)}")
    if wants_context:
        values["context"] = context
    return factory(**values)


def _parameters(factory: Callable[..., Any]) -> tuple[Parameters, bool]:
    """Return the parameters that can be given by name, and whether others are taken too."""
    try:
        signature = inspect.signature(factory, eval_str=True)
    except (NameError, AttributeError, SyntaxError, TypeError):
        # An annotation under `if TYPE_CHECKING` has no value now; the names are still known.
        try:
            signature = inspect.signature(factory)
        except (TypeError, ValueError):
            raise UsageError("its factory has no signature that Python can read") from None
    except ValueError:
        raise UsageError("its factory has no signature that Python can read") from None
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.default is parameter.empty:
            raise UsageError(f"its factory has the positional-only parameter {parameter.name!r}; name it")
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    return {name: p for name, p in signature.parameters.items() if p.kind in _BY_NAME}, open_ended


def _takes_context(parameters: Parameters) -> bool:
    found = parameters.get("context")
    return found is not None and found.kind is found.KEYWORD_ONLY


def _first(own: Parameters, arg: Any) -> str:
    """Return the name of the parameter that a plain argument fills."""
    for name, parameter in own.items():
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            break
        if arg is None and parameter.default is None:
            raise UsageError(f"the value after the colon is empty; write it, or leave out the colon ({name})")
        return name
    raise UsageError(f"takes no plain argument; {_takes(own)}")


def _is_one_argument(options: Mapping[str, Any], own: Parameters) -> bool:
    """Tell whether a mapping is itself the first argument and not options by name.

    A single key that is a parameter makes it options: a typo beside it is then found, not swallowed.
    """
    first = next(iter(own.values()), None)
    if not options or first is None or first.kind is not first.POSITIONAL_OR_KEYWORD:
        return False
    if any(key in own for key in options):
        return False
    if first.annotation in (first.empty, Any):
        return not any(did_you_mean(str(key), own) for key in options)
    try:
        _validated(first.name, dict(options), first)
    except UsageError:
        return False
    return True


def _validated(name: str, value: Any, parameter: inspect.Parameter) -> Any:
    """Return the value in the parameter's type, or raise UsageError naming both."""
    if parameter.annotation in (parameter.empty, Any) or isinstance(parameter.annotation, str):
        return value
    if value is None and parameter.default is None:
        return None
    adapter = _adapter(parameter.annotation)
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first_error = error
    try:
        # JSON mode takes what YAML spells another way: a list for a tuple or set, text for a path or date.
        return adapter.validate_json(json.dumps(value))
    except (ValidationError, TypeError, ValueError, RecursionError):
        raise UsageError(f"{name}: {_described(first_error, value)}") from None


def _adapter(annotation: Any) -> TypeAdapter[Any] | None:
    for config in (ConfigDict(strict=True), None):
        try:
            return TypeAdapter(annotation, config=config)
        except PydanticSchemaGenerationError:
            return None
        except PydanticUserError:
            # A model brings a configuration of its own and takes no other.
            continue
    return None


def _described(error: ValidationError, value: Any) -> str:
    """Say what was expected and what was given, on one line."""
    parts: list[str] = []
    for one in error.errors(include_url=False, include_context=False):
        text = one["msg"].removeprefix("Input should be ").removeprefix("a valid ")
        text = _PLAIN_TYPES.get(text, text)
        at = [str(part) for part in one["loc"] if isinstance(part, int)]
        told = f"{text} at item {int(at[-1]) + 1}" if at else text
        if told not in parts:
            parts.append(told)
    got = one_line(json.dumps(value, ensure_ascii=False, default=repr), 60)
    is_bare = isinstance(value, int | float) and not any(one.startswith("a number") for one in parts)
    quotes = "; put it in quotes" if is_bare and any(one.startswith("text") for one in parts) else ""
    return f"expected {' or '.join(parts[:4])}, got {got}{quotes}"


def _unknown_options(names: list[str], own: Parameters) -> str:
    told = []
    for name in names[:_MOST_TOLD]:
        near = did_you_mean(name, own)
        hint = f"; did you mean {near!r}?" if near else ";"
        told.append(f"unknown option {one_line(name, 60)!r}{hint}")
    return f"{' '.join(told)} {_takes(own)}"


def _takes(own: Parameters) -> str:
    return f"it takes {_listed(list(own))}" if own else "it takes no options"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
