"""Names of the environment variables that a target's options name; their values never stand in YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...errors import UsageError
from ...model.evalset import TargetSpec
from ...protocols import KEYLESS_MODES, PieceContext
from ..text import one_line

_NAMED = re.compile(r"(?:(?P<scheme>[A-Za-z][\w-]*) +)?(?P<env>[A-Za-z_]\w*)", re.ASCII)


def named_secrets(spec: TargetSpec) -> tuple[str, ...]:
    """Return the names of environment variables that a target of this package is to be given."""
    names: list[str] = []
    headers = spec.options.get("headers_env")
    if isinstance(headers, Mapping):
        for written in headers.values():
            found = _NAMED.fullmatch(written) if isinstance(written, str) else None
            if found is not None:
                names.append(found["env"])
    base = spec.options.get("base_url_env")
    if isinstance(base, str):
        names.append(base)
    passed = spec.options.get("pass_env")
    if isinstance(passed, (list, tuple)):
        names += [name for name in passed if isinstance(name, str)]
    return tuple(dict.fromkeys(names))


def header_from_env(header: str, written: str, *, context: PieceContext) -> str:
    """Return the value of a header that YAML gives as `VARIABLE` or `Scheme VARIABLE`."""
    found = _NAMED.fullmatch(written)
    if found is None:
        raise UsageError(
            f"headers_env.{header}: {one_line(written, 40)!r} names no environment variable; "
            "write MY_TOKEN, or Bearer MY_TOKEN"
        )
    value = secret(found["env"], where=f"headers_env.{header}", context=context)
    return f"{found['scheme']} {value}" if found["scheme"] else value


def secret(name: str, *, where: str, context: PieceContext) -> str:
    """Return the value of an environment variable; UsageError where it is not set and something is called."""
    value = context.secrets.get(name, "")
    if not value and getattr(context.wire, "mode", "live") not in KEYLESS_MODES:
        raise UsageError(
            f"{where}: environment variable {name} is not set; "
            "set it, or replay recorded answers with --aioncall-replay"
        )
    return value
