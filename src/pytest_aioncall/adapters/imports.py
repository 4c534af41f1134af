"""The user's own code by import string, with messages that tell a wrong name from a broken module."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import textwrap
import traceback
from types import ModuleType
from typing import Any

from ..errors import UsageError
from .text import did_you_mean, one_line

_IMPORT_STRING = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def is_import_string(text: str) -> bool:
    """Tell whether `text` has the form `package.module:name`."""
    return _IMPORT_STRING.fullmatch(text) is not None


def load_object(path: str, *, what: str = "object") -> Any:
    """Import `package.module:name` and return the object; `what` names it in messages ("target", "scorer").

    UsageError says which of four it is: no import string, no such module, a module that raised while it was
    imported (its exception and line), or a module without that name.
    """
    if not is_import_string(path):
        raise UsageError(
            f"{one_line(path, 80)!r} is no import string; write package.module:name for the {what}"
        )
    module_name, _, attribute = path.partition(":")
    found: Any = _import_module(module_name, what=what)
    home = module_name
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise UsageError(_missing_attribute(found, part, home=home, what=what)) from None
        home = f"{home}.{part}"
    return found


def source_digest(thing: Any) -> str | None:
    """Return a digest of the source text of a function or class, or None where Python cannot find it.

    An instance is taken by its class, a bound method and a `functools.partial` by what they call. What the
    code itself calls elsewhere is not part of it.
    """
    while hasattr(thing, "func") and not inspect.isroutine(thing):
        thing = thing.func
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if not (inspect.isroutine(thing) or inspect.isclass(thing)):
        thing = type(thing)
    try:
        source = inspect.getsource(thing)
    except (OSError, TypeError):
        return None
    text = textwrap.dedent(source).replace("\r\n", "\n").strip()
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def raised_at(error: BaseException) -> str:
    """Return `Type: message (file:line)` of an exception, on one line; the place is the innermost frame."""
    said = one_line(str(error), 200)
    told = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        said = one_line(error.msg, 200)
        return f"{type(error).__name__}: {said} ({error.filename}:{error.lineno or 0})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_machinery(f.filename)]
    return f"{told} ({frames[-1].filename}:{frames[-1].lineno})" if frames else told


def _import_module(name: str, *, what: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(_missing_module(name, error.name, what=what)) from None
        raise UsageError(f"importing {name} for the {what} failed: {raised_at(error)}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"importing {name} for the {what} failed: {raised_at(error)}") from error


def _missing_module(name: str, missing: str, *, what: str) -> str:
    told = f"no module named {missing!r} for the {what}"
    if missing != name:
        told += f" (of {name!r})"
    return f"{told}; modules are looked up from the project root, the folder of aioncall.yaml"


def _missing_attribute(found: Any, part: str, *, home: str, what: str) -> str:
    public = [name for name in dir(found) if not name.startswith("_")]
    near = did_you_mean(part, public)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{home} has no {part!r} for the {what}{hint}"


def _is_machinery(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or filename == importlib.__file__ or filename == __file__
