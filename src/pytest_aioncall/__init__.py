"""pytest-aioncall: puts AI features on call.

Public names resolve on first use (PEP 562): pytest imports this module in every session, so it loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        AioncallError as AioncallError,
    )
    from .errors import (
        ScorerError as ScorerError,
    )
    from .errors import (
        TargetError as TargetError,
    )
    from .errors import (
        TransportError as TransportError,
    )
    from .model.evalset import Case as Case
    from .model.sample import Document as Document
    from .model.sample import Output as Output
    from .model.sample import Score as Score
    from .protocols import ScorerTraits as ScorerTraits

__version__ = "0.1.0"

_HOMES = {
    "AioncallError": "errors",
    "ScorerError": "errors",
    "TargetError": "errors",
    "TransportError": "errors",
    "Case": "model.evalset",
    "Document": "model.sample",
    "Output": "model.sample",
    "Score": "model.sample",
    "ScorerTraits": "protocols",
}

__all__ = [*sorted(_HOMES), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
